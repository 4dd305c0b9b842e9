"""Four IDX files: the MNIST family and EMNIST."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data._four_idx import EMNIST, FILES, Four, four_files, read_four
from quanvolve.data._text import quoted

_SETS = (Four(FILES), *EMNIST.values())


class Idx:
    """One of the four files, or the folder that holds them."""

    kind = "four IDX files"

    def takes(self, data: Any) -> bool:
        """By the names of the files."""
        if not isinstance(data, Path):
            return False
        if os.path.isdir(data):
            return any(not four_files(data, four)[1] for four in _SETS)
        return data.name.removesuffix(".gz").endswith(("-ubyte", ".idx"))

    def load(self, data: Any, asked: Asked) -> Dataset:
        """The set to which the file belongs, or the only one that is in the folder; labels count from 0."""
        folder, sets = (data, _SETS) if os.path.isdir(data) else (data.parent, _of_file(data))
        whole = [four for four in sets if not four_files(folder, four)[1]]
        if len(whole) > 1:
            raise DataError(f"{quoted(folder)} holds {len(whole)} sets of four IDX files: give a file of one of them")
        if not whole:
            raise DataError(
                f"{quoted(folder)} lacks {', '.join(four_files(folder, sets[0])[1])}: a data set has four IDX files, "
                "images and labels to train with and for the test"
            )
        four = whole[0]
        # The folder names what the files do not, except for EMNIST, whose files do.
        name = folder.resolve().name if four.stems == FILES else four.stems[0].partition("-train")[0]
        return read_four(name, four, four_files(folder, four)[0])


def _of_file(path: Path) -> tuple[Four, ...]:
    stem = path.name.removesuffix(".gz").replace(".idx", "-idx")
    sets = tuple(four for four in _SETS if stem in four.stems)
    if not sets:
        raise DataError(
            f"{quoted(path)} is no file of a known set of four IDX files: name it {FILES[0]}, and the others "
            f"{', '.join(FILES[1:])}"
        )
    return sets

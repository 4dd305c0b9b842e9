"""Data sets of Hugging Face's `datasets`: objects, and folders that `save_to_disk` made."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data._open import check_within
from quanvolve.data._text import quoted, reason
from quanvolve.data.sources._tabular import loaded
from quanvolve.data.tables import PARTS, Cells, Table, frame_columns, from_columns

_SAVED = ("dataset_dict.json", "state.json")


class HuggingFace:
    """Columns are what their features say: `Image` is learned from, `ClassLabel` is the label with its names.

    Examples:
        >>> import datasets
        >>> from quanvolve.data import load_dataset
        >>> rows = datasets.Dataset.from_dict({"size": range(10), "kind": [0, 1] * 5})
        >>> rows = rows.cast_column("kind", datasets.ClassLabel(names=["no", "yes"]))
        >>> load_dataset(rows).class_names
        ('no', 'yes')
    """

    kind = "a data set of Hugging Face"

    def takes(self, data: Any) -> bool:
        """By the type, or the files of a folder that was saved."""
        if isinstance(data, Path):
            return any(os.path.isfile(data / name) for name in _SAVED)
        library = sys.modules.get("datasets")
        kinds = ("Dataset", "DatasetDict", "IterableDataset", "IterableDatasetDict")
        return library is not None and isinstance(data, tuple(getattr(library, kind, ()) for kind in kinds))

    def tables(self, data: Any, asked: Asked) -> dict[str, Table]:
        """A table a part."""
        name = None
        if isinstance(data, Path):
            name, data = data.name, _read(data)
        if type(data).__name__.startswith("Iterable"):
            raise DataError(
                f"a data set that streams ({type(data).__name__}) cannot be split: load it without streaming"
            )
        if not isinstance(data, dict):
            return {"train": _table(data, asked, name, "the data set")}
        parts = {part: PARTS[part.lower()] for part in data if part.lower() in PARTS}
        if len(data) == 1:
            parts = dict.fromkeys(data, "train")
        if "train" not in parts.values() or len(set(parts.values())) < len(parts):
            raise DataError(
                f"the data set has the parts {', '.join(map(repr, data))}, expected train, validation and test: give "
                "one of them, or a DatasetDict with these names"
            )
        return {kind: _table(data[part], asked, name, f"the part {part!r}") for part, kind in parts.items()}

    def load(self, data: Any, asked: Asked) -> Dataset:
        """The data set that they make."""
        return loaded(self.tables(data, asked), asked)


class _Column:
    """A column whose cells are read one by one, each time anew."""

    def __init__(self, rows: Any, name: str) -> None:
        self._rows, self._name = rows, name

    def __iter__(self) -> Iterator[Any]:
        return (row[self._name] for row in self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _table(rows: Any, asked: Asked, name: str | None, source: str) -> Table:
    name = name or str(rows.info.dataset_name or "dataset")
    library: Any = sys.modules["datasets"]
    features = rows.features
    pictures = [column for column, feature in features.items() if isinstance(feature, library.Image)]
    classes = {
        column: tuple(feature.names) for column, feature in features.items() if isinstance(feature, library.ClassLabel)
    }
    rows = rows.with_format(None)
    plain = [column for column in features if column not in pictures]
    columns: dict[str, Cells] = {}
    if plain:
        columns = frame_columns(rows.select_columns(plain).with_format("arrow")[:], source)
    for column in pictures:
        # As bytes: damaged ones are then named, and large ones refused, as those in files are.
        encoded = rows.select_columns([column]).cast_column(column, library.Image(decode=False))
        columns[column] = _Column(encoded, column)
    if not len(rows):
        raise DataError(f"{source} has no row: nothing can be learned from it")
    return from_columns({column: columns[column] for column in features}, asked, name, source, None, classes)


def _read(folder: Path) -> Any:
    try:
        import datasets
    except ImportError:
        raise DataError(
            f"{quoted(folder)} was saved by Hugging Face's datasets, which is not there: pip install datasets"
        ) from None
    for state in folder.rglob(_SAVED[1]):
        _check_files(state)
    try:
        return datasets.load_from_disk(str(folder))
    # Damaged files raise errors of pyarrow, of JSON, and KeyError.
    except Exception as error:
        raise DataError(f"{quoted(folder)} cannot be read ({reason(error)}): save the data set again") from None


def _check_files(state: Path) -> None:
    """Refuse a folder whose table of files names one elsewhere, where that is not open."""
    try:
        names = [file["filename"] for file in json.loads(state.read_bytes())["_data_files"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return  # it is damaged, which is said when it is loaded
    for name in names:
        check_within(state.parent / str(name), f"{quoted(state)}: {quoted(str(name))}")

"""Time series in pairs of text files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data._series import SERIES_ENDINGS, has_pair, load_series


class Series:
    """`NAME_TRAIN` and `NAME_TEST` with one of the endings, or the folder that holds them."""

    kind = "series as .ts, .tsv, .txt or .arff"

    def takes(self, data: Any) -> bool:
        """By the ending of the path, or if a folder holds such a pair."""
        if not isinstance(data, Path):
            return False
        if os.path.isdir(data):
            return has_pair(data)
        ending = data.suffix.lower()
        # A .tsv file may as well be a table.
        return ending in SERIES_ENDINGS and (ending != ".tsv" or data.stem.endswith(("_TRAIN", "_TEST")))

    def load(self, data: Any, asked: Asked) -> Dataset:
        """See :func:`quanvolve.data.load_series`."""
        return load_series(data)

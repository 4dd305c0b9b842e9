"""Time series in pairs of text files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data._series import SERIES_ENDINGS, load_series


class Series:
    """`NAME_TRAIN.ts` and `NAME_TEST.ts`, or the folder that holds them."""

    kind = "series as .ts or .txt"

    def takes(self, data: Any) -> bool:
        """By the ending of the path, or if a folder holds such a pair."""
        if not isinstance(data, Path):
            return False
        if os.path.isdir(data):
            return any(next(data.glob(f"*_TRAIN{ending}"), None) is not None for ending in SERIES_ENDINGS)
        return data.suffix.lower() in SERIES_ENDINGS

    def load(self, data: Any, asked: Asked) -> Dataset:
        """See :func:`quanvolve.data.load_series`."""
        return load_series(data)

"""Arrays in an `.npz` file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from quanvolve.data._arrays import load_npz
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset


class Npz:
    """Arrays under one of the usual sets of keys."""

    kind = "an .npz file"

    def takes(self, data: Any) -> bool:
        """By the ending of the path, or the first bytes of a file without one."""
        if not isinstance(data, Path):
            return False
        return data.suffix.lower() == ".npz" or (not data.suffix and os.path.isfile(data) and is_zipfile(data))

    def load(self, data: Any, asked: Asked) -> Dataset:
        """See :func:`quanvolve.data.load_npz`."""
        return load_npz(
            data, seed=asked.seed, channels=asked.channels, test_fraction=asked.test_fraction, task=asked.task
        )

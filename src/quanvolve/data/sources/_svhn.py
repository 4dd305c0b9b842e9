"""SVHN's two `.mat` files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data._svhn import FILES, read_svhn
from quanvolve.data._text import quoted
from quanvolve.data.sources._pair import read_pair


class Svhn:
    """One of the two files, or the folder that holds them."""

    kind = "SVHN's .mat files"

    def takes(self, data: Any) -> bool:
        """By the names of the files, or the ending."""
        if not isinstance(data, Path):
            return False
        if os.path.isdir(data):
            return any(os.path.isfile(data / name) for name in FILES)
        return data.suffix.lower() == ".mat"

    def load(self, data: Any, asked: Asked) -> Dataset:
        """See :func:`quanvolve.data._svhn.read_svhn`."""
        if not os.path.isdir(data) and data.name not in FILES:
            raise DataError(
                f"{quoted(data)} is a .mat file, of which only SVHN's {' and '.join(FILES)} are read: save the arrays "
                "as an .npz file"
            )
        return read_svhn("svhn", *read_pair(data, FILES, "SVHN"))

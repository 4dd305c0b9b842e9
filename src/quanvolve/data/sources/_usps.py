"""USPS' two compressed text files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data._text import quoted
from quanvolve.data._usps import FILES, read_usps
from quanvolve.data.sources._pair import read_pair


class Usps:
    """One of the two files, or the folder that holds them."""

    kind = "USPS' .bz2 files"

    def takes(self, data: Any) -> bool:
        """By the names of the files, or the ending."""
        if not isinstance(data, Path):
            return False
        if os.path.isdir(data):
            return any(os.path.isfile(data / name) for name in FILES)
        return data.suffix.lower() == ".bz2"

    def load(self, data: Any, asked: Asked) -> Dataset:
        """See :func:`quanvolve.data._usps.read_usps`."""
        if not os.path.isdir(data) and data.name not in FILES:
            raise DataError(
                f"{quoted(data)} is a .bz2 file, of which only USPS' {' and '.join(FILES)} are read: unpack it, or "
                "save the arrays as an .npz file"
            )
        return read_usps("usps", *read_pair(data, FILES, "USPS"))

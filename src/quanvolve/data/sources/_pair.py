"""Two files, one to train with and one for the test."""

from __future__ import annotations

import os
from pathlib import Path

from quanvolve._errors import DataError
from quanvolve.data._blob import Blob, read_blob
from quanvolve.data._text import quoted


def read_pair(path: Path, names: tuple[str, str], kind: str) -> tuple[Blob, Blob]:
    """The two files.

    Args:
        path: One of them, or their folder.
        names: How they are called in a folder.
        kind: What they are, for messages.

    Raises:
        DataError: One of them is missing, or cannot be read.
    """
    folder = path if os.path.isdir(path) else path.parent
    train, test = (folder / name for name in names)
    for file in (train, test):
        if not os.path.isfile(file):
            raise DataError(f"{quoted(file)} does not exist: {kind} has a file to train with and one for the test")
    return read_blob(train), read_blob(test)

"""The folder of an uploaded data set."""

from __future__ import annotations

import re
from pathlib import Path

ID = r"^[0-9a-f]{12}$"
FILES, LOOKS = "files", "looks"
"""Folders of a data set: what was sent, and what was seen of it."""


def is_own(name: str) -> bool:
    """Whether a request means an uploaded data set, by its id, and not one with a name.

    Examples:
        >>> is_own("0123456789ab"), is_own("digits")
        (True, False)
    """
    return re.fullmatch(ID, name) is not None


def data_path(folder: Path) -> Path:
    """What `load_dataset` is to read, of the folder of a data set: the first file or folder that is not alone.

    Browsers send a folder with its name around it, and archives often have one, too.
    """
    path = folder / FILES
    while path.is_dir():
        entries = list(path.iterdir())
        if len(entries) != 1:
            break
        (path,) = entries
    return path

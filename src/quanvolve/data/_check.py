"""Whether a file is complete and the right one."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from quanvolve._lines import one_line
from quanvolve.data._text import reason


class Check:
    """By a published checksum, or, where there is none, by the checksums inside a `.zip` archive.

    Args:
        md5: The checksum expected, in hexadecimal, or None.
    """

    def __init__(self, md5: str | None) -> None:
        self._md5 = None if md5 is None else md5.lower()

    def fault(self, path: Path) -> str | None:
        """What is wrong with the file, in words that "from MIRROR" can follow; None if nothing."""
        if self._md5 is None:
            return _zip_fault(path)
        try:
            actual = file_md5(path)
        except OSError as error:
            return reason(error)
        return None if actual == self._md5 else f"wrong checksum (MD5 {actual}, expected {self._md5})"


def file_md5(path: Path) -> str:
    """The MD5 of a file, in hexadecimal. It guards against damage and mix-ups, not against forgery."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _zip_fault(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    # The parsers of damaged archives raise nearly anything.
    except Exception as error:
        return f"no complete .zip archive ({reason(error)})"
    return None if damaged is None else f"a damaged .zip archive (`{one_line(damaged)}`)"

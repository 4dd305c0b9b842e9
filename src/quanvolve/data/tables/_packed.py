"""Files of text that are compressed, as pandas and Kaggle write them: their bytes, and the errors of damaged ones."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from quanvolve._errors import DataError
from quanvolve._lines import one_line
from quanvolve.data._text import plural, quoted

PACKED = (".gz", ".bz2", ".xz", ".zip")
"""Endings of such files, after that of the text."""

# A path with a null character, and a corrupt header of bzip2, are a ValueError and an OSError; zipfile raises
# RuntimeError for encrypted files and NotImplementedError, which is one, for rare methods.
UNREADABLE = (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
"""What is raised while damaged files are read."""


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked while they are read; of a `.zip` archive those of the only file in it.

    Raises:
        DataError: an archive of no file or of several.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "own.csv.bz2")
        ...     _ = path.write_bytes(bz2.compress(b"label,a"))
        ...     with unpacked(path) as stream:
        ...         stream.read()
        b'label,a'
    """
    ending = path.suffix.lower()
    if ending == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_only_file(archive, path)) as member:
            yield member
        return
    opened: Any = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(ending, open)
    with opened(path, "rb") as stream:
        yield stream


def _only_file(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    files = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
    if len(files) != 1:
        names = one_line(", ".join(info.filename for info in files[:3])) + (", ..." if len(files) > 3 else "")
        held = f"{plural(len(files), 'file')} ({names})" if files else "no file"
        raise DataError(f"{quoted(path)} holds {held}, expected one table: unpack it, and give the table")
    return files[0]

"""ZIP archives of strangers, unpacked within limits."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from quanvolve.studio._filling import Filling
from quanvolve.studio._problems import Refused
from quanvolve.studio._safe_names import safe_path

_PIECE = 2**18
_DIRECTORY = 16 * 2**20  # bytes of the table of contents, which is read as a whole
_RATIO, _SMALL = 200, 16 * 2**20  # what unpacks to more than so many times its size is made to fill disks
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others take memory as the archive says


def unpack(archive: Path, inside: PurePosixPath, filling: Filling) -> None:
    """Unpack an archive; what it says of itself is not believed, but counted.

    Args:
        archive: the file.
        inside: the folder, within the data set, that its files go to.
        filling: takes the files.

    Raises:
        Refused: if it is damaged, encrypted, holds links, leads elsewhere, or is more than there is room for.
    """
    name = archive.name
    room = max(_SMALL, _RATIO * archive.stat().st_size)
    try:
        with archive.open("rb") as file, zipfile.ZipFile(_Bounded(file, name)) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > room:
                raise _bomb(name)
            for entry in entries:
                path = safe_path(entry.filename)
                if path is None:
                    continue
                _check(entry, name)
                with opened.open(entry) as packed, filling.file(inside / path) as target:
                    while piece := packed.read(_PIECE):
                        room -= len(piece)
                        if room < 0:
                            raise _bomb(name)
                        target(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise Refused(422, "archive", f"files: {name!r} is a damaged archive ({reason}): make it again") from None


def _check(entry: zipfile.ZipInfo, name: str) -> None:
    shown = repr(entry.filename[:120])
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise Refused(422, "archive", f"files: {name!r} holds {shown}, a link or a device: put in the file itself")
    if entry.flag_bits & 1:
        raise Refused(422, "archive", f"files: {name!r} is encrypted: make it without a password")
    if entry.compress_type not in _METHODS:
        raise Refused(422, "archive", f"files: {name!r} is packed in an unusual way: make a plain ZIP (deflate)")


def _bomb(name: str) -> Refused:
    return Refused(
        413, "archive", f"files: {name!r} unpacks to more than {_RATIO} times its size: send the files themselves"
    )


class _Bounded:
    """A file whose table of contents cannot take all memory: `zipfile` reads it at once, as long as the file says."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name
        self.seek, self.tell, self.close, self.seekable = file.seek, file.tell, file.close, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size <= _DIRECTORY:
            content = self._file.read(size if size >= 0 else _DIRECTORY + 1)
            if len(content) <= _DIRECTORY:
                return content
        raise Refused(413, "archive", f"files: {self._name!r} has too many files: send several archives")

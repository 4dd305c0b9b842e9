"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from quanvolve._interrupt import unfinished

_PART = re.compile(r"\..+\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.part(-journal|-wal|-shm)?")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path in the same folder, which takes the place of `path` when the block ends well.

    Whatever happens, a reader of `path` finds the old file or the new one, and two writers do not mix. Parts that
    killed processes have left of the same file are removed.

    Args:
        path: the file to be written.

    Raises:
        OSError: if the folder cannot be written.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with replacing(Path(folder) / "a.txt") as part:
        ...         _ = part.write_text("whole")
        ...     (Path(folder) / "a.txt").read_text()
        'whole'
    """
    part = part_of(path)
    unfinished.add(str(part))
    try:
        yield part
        os.replace(part, path)
        sweep(path)
    except OSError as error:
        if str(error.filename) == str(part):
            error.filename = str(path)  # the name that whoever reads the message knows
        raise
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        unfinished.discard(str(part))


@contextmanager
def creating(path: Path) -> Iterator[Path]:
    """As :func:`replacing`, for a file that must not be there yet.

    Raises:
        FileExistsError: if another process has made it meanwhile; its file stays.
        OSError: if the folder cannot be written.
    """
    part = part_of(path)
    unfinished.add(str(part))
    try:
        yield part
        try:
            os.link(part, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            if path.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
            os.replace(part, path)
        sweep(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        unfinished.discard(str(part))


def sweep(path: Path) -> None:
    """Remove what killed processes have left of a file that is now whole."""
    with suppress(OSError):
        for left in abandoned(path.parent):
            if left.name.startswith(f".{path.name}."):
                left.unlink()


def write_whole(path: Path, content: bytes | str) -> None:
    """Write bytes, or text as UTF-8, to a file, whole or not at all."""
    with replacing(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def part_of(path: Path) -> Path:
    """A new name beside a file for what is to become it; it tells which process of which machine writes there."""
    return path.with_name(f".{path.name}.{_this_machine()}-{os.getpid()}-{os.urandom(4).hex()}.part")


def abandoned(folder: Path) -> list[Path]:
    """The parts in a folder whose writers, processes of this machine, have ended before they were whole.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     part = part_of(Path(folder) / "a.txt")
        ...     _ = part.write_text("half")
        ...     abandoned(Path(folder))  # this process may still be writing it
        []
    """
    parts = []
    for entry in os.scandir(folder):
        match = _PART.fullmatch(entry.name)
        if match and match[1] == _this_machine() and not _alive(int(match[2])):
            parts.append(Path(entry.path))
    return parts


def _this_machine() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # there is no signal that only asks
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # of another user
    return True

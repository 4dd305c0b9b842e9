"""Whole files, and files in archives, as bytes with the name that messages give them."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from quanvolve._errors import DataError
from quanvolve._lines import one_line
from quanvolve.data._text import quoted, reason

# Deflate cannot shrink data below 1/1032 of their size.
_MAX_DEFLATE_RATIO = 1032


class Blob(NamedTuple):
    """A file's content.

    Args:
        name: The name of the file, without folders.
        what: How messages name it.
        content: Its bytes.
    """

    name: str
    what: str
    content: bytes


def read_blob(path: Path) -> Blob:
    """One file.

    Raises:
        DataError: It is missing, empty, a folder, or cannot be read.
    """
    with _one_line_errors(path):
        content = path.read_bytes()
    if not content:
        raise DataError(f"{quoted(path)} is empty: get the file again")
    return Blob(path.name, quoted(path), content)


def is_archive(path: Path) -> bool:
    """Whether :func:`read_members` can look into it, by its name."""
    return path.name.lower().endswith((".zip", ".tar.gz", ".tgz"))


def read_members(path: Path, wanted: Callable[[str], bool]) -> list[Blob]:
    """The wanted files of a `.zip` or `.tar.gz` archive. Nothing is written, and folders in it mean nothing.

    Args:
        path: The archive.
        wanted: Asked with each name, without folders.

    Returns:
        The files, in the order of their names.

    Raises:
        DataError: The archive is missing or damaged, or claims more than can be in it.
    """
    members = _of_zip if path.suffix.lower() == ".zip" else _of_tar
    with _one_line_errors(path):
        return sorted(members(path, wanted))


def _of_zip(path: Path, wanted: Callable[[str], bool]) -> Iterator[Blob]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = PurePosixPath(info.filename).name
            if info.is_dir() or not wanted(name):
                continue
            _require_possible(name, path, info.file_size, info.compress_size)
            yield Blob(name, _within(name, path), archive.read(info))


def _of_tar(path: Path, wanted: Callable[[str], bool]) -> Iterator[Blob]:
    there = path.stat().st_size
    with tarfile.open(path, "r:gz") as archive:
        for info in archive:
            name = PurePosixPath(info.name).name
            if not info.isfile() or not wanted(name):
                continue
            _require_possible(name, path, info.size, there)
            stream = archive.extractfile(info)
            content = b"" if stream is None else stream.read()
            if len(content) < info.size:
                raise DataError(f"{_within(name, path)} is truncated: get the archive again")
            yield Blob(name, _within(name, path), content)


def _within(name: str, path: Path) -> str:
    return f"`{one_line(name)}` in {quoted(path)}"


def _require_possible(name: str, path: Path, claimed: int, there: int) -> None:
    if claimed > there * _MAX_DEFLATE_RATIO:
        raise DataError(
            f"{_within(name, path)} claims {claimed} bytes but has {there} compressed ones, too few for that: the "
            "archive is damaged, get it again"
        )


@contextmanager
def _one_line_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{quoted(path)} does not exist: check the path") from None
    except IsADirectoryError:
        raise DataError(f"{quoted(path)} is a folder, expected a file: name the file inside it") from None
    except MemoryError:
        raise DataError(f"{quoted(path)} does not fit into the memory of this machine: use a smaller file") from None
    # On damaged archives the parsers raise nearly anything: BadZipFile, zlib.error, EOFError, RuntimeError.
    except Exception as error:
        raise DataError(f"{quoted(path)} cannot be read ({reason(error)}): it is damaged, get it again") from None

"""Reading `.npy` and `.npz` files of unknown origin: no pickles, no memory for the mere claim of a header."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._text import plural, quoted, reason

# Deflate cannot shrink data below 1/1032 of their size.
_MAX_DEFLATE_RATIO = 1032


def read_npy(path: Path, max_bytes: int | None = None) -> NDArray[Any]:
    """The array of a `.npy` file."""
    with _one_line_errors(path, "a .npy file"), path.open("rb") as stream:
        return _read_array(stream, os.fstat(stream.fileno()).st_size, quoted(path), max_bytes)


class NpzReader:
    """The arrays of an open `.npz` file, read one at a time. Made by `open_npz`."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, max_bytes: int | None) -> None:
        self._path, self._archive, self._max_bytes = path, archive, max_bytes
        self._members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        self.keys = tuple(self._members)

    def __getitem__(self, key: str) -> NDArray[Any]:
        what = f"`{key}` in {quoted(self._path)}"
        info = self._possible(key, what)
        with _one_line_errors(self._path, "an .npz file"), self._archive.open(info) as stream:
            return _read_array(stream, info.file_size, what, self._max_bytes)

    def shape(self, key: str) -> str:
        """The shape of an array as its header says, without reading it; what else it is where there is none."""
        try:
            with self._archive.open(self._possible(key, key)) as stream:
                shape, dtype = _read_header(stream, key)
        except Exception:
            # Whatever is wrong with an array that nobody reads is no reason to refuse the others.
            return "(no array)"
        return "(pickled objects)" if dtype.hasobject else str(shape)

    def _possible(self, key: str, what: str) -> zipfile.ZipInfo:
        """The member of the archive, where it does not claim more than can be in it."""
        info = self._members[key]
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(
                f"{what} is compressed in a way that NumPy does not write: save the file again with np.savez"
            )
        if info.file_size > info.compress_size * _MAX_DEFLATE_RATIO:
            raise DataError(
                f"{what} claims {info.file_size} bytes but has {info.compress_size} compressed ones, too few "
                f"for that: the file is damaged, get it again"
            )
        return info


@contextmanager
def open_npz(path: Path, max_bytes: int | None = None) -> Iterator[NpzReader]:
    """Open an `.npz` file; `max_bytes` limits the size of each array."""
    with _one_line_errors(path, "an .npz file"):
        archive = zipfile.ZipFile(path)
    with archive:
        yield NpzReader(path, archive, max_bytes)


def _read_header(stream: IO[bytes], what: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy_format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = npy_format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = npy_format.read_array_header_2_0(stream)
    else:
        raise DataError(
            f"{what} is in version {version} of the .npy format, expected an array of plain numbers or text"
        )
    return shape, dtype


def _read_array(stream: IO[bytes], size: int, what: str, max_bytes: int | None) -> NDArray[Any]:
    """One array in `.npy` form that fills the `size` bytes of the stream exactly."""
    shape, dtype = _read_header(stream, what)
    if dtype.hasobject:
        raise DataError(
            f"{what} holds pickled Python objects, which are never loaded: save an array of plain numbers or text"
        )
    promised, there = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if promised != there:
        state = "truncated" if there < promised else "overlong"
        raise DataError(
            f"{what} is {state}: it holds {plural(there, 'byte')} of data, expected {promised} for the shape "
            f"{shape} of its header; get the file again"
        )
    if max_bytes is not None and promised > max_bytes:
        raise DataError(f"{what} holds {promised} bytes, expected at most {max_bytes}: split it into smaller files")
    stream.seek(0)
    array: NDArray[Any] = npy_format.read_array(stream, allow_pickle=False)
    return array


@contextmanager
def _one_line_errors(path: Path, expected: str) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{quoted(path)} does not exist, expected {expected}: check the path") from None
    except IsADirectoryError:
        raise DataError(f"{quoted(path)} is a folder, expected {expected}: name the file inside it") from None
    except MemoryError:
        raise DataError(f"{quoted(path)} does not fit into the memory of this machine: use a smaller file") from None
    # On damaged files the zip and header parsers raise nearly anything: BadZipFile, zlib.error, TokenError.
    except Exception as error:
        raise DataError(
            f"{quoted(path)} cannot be read as {expected} ({reason(error)}): it is damaged or something "
            f"else; get it again or save it anew with NumPy"
        ) from None

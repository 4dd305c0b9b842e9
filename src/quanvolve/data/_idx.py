"""The IDX format of the MNIST family: a big-endian header, then the values.

Two zero bytes, one byte for the type, one for the rank, one unsigned 32-bit size for each axis, then the
values in C order, big-endian.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve._files import write_whole
from quanvolve.data._blob import Blob
from quanvolve.data._text import plural, quoted, reason

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: "i2", 0x0C: "i4", 0x0D: "f4", 0x0E: "f8"}
_CODES = {np.dtype(kind): code for code, kind in _DTYPES.items()}
_MAX_RANK = 4
_CHUNK = 1 << 20

# Deflate cannot shrink data below 1/1032 of their size, so that a header that promises more than this times
# the size of the compressed file lies, and need not be believed with an allocation.
_MAX_DEFLATE_RATIO = 1032


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read one IDX file, compressed by gzip or not.

    Compression is recognised by the first bytes of the file, not by its name.

    Args:
        path: The file.

    Returns:
        The array, of rank 1 to 4, in the byte order of this machine.

    Raises:
        DataError: The file is missing, empty, truncated, overlong, corrupt or no IDX file.

    Examples:
        >>> import tempfile, numpy as np
        >>> from quanvolve.data import read_idx, write_idx
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_idx(f"{folder}/labels-idx1-ubyte.gz", np.array([5, 0, 4], dtype=np.uint8))
        ...     read_idx(f"{folder}/labels-idx1-ubyte.gz")
        array([5, 0, 4], dtype=uint8)
    """
    path = Path(path)
    if os.path.isdir(path):
        raise DataError(f"{quoted(path)} is a folder, expected an IDX file: name the file inside it")
    try:
        with path.open("rb") as raw:
            size = os.fstat(raw.fileno()).st_size
            compressed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            return _unpacked(raw, quoted(path), size, compressed)
    except FileNotFoundError:
        raise DataError(f"{quoted(path)} does not exist, expected an IDX file: check the path") from None
    except DataError:
        raise
    except (OSError, ValueError) as error:
        raise DataError(f"{quoted(path)} cannot be read ({reason(error)}): check the file") from None


def parse_idx(file: Blob) -> NDArray[Any]:
    """The array of an IDX file that is in memory; see :func:`read_idx`."""
    content = file.content
    try:
        return _unpacked(io.BytesIO(content), file.what, len(content), content[:2] == b"\x1f\x8b")
    except DataError:
        raise
    except (OSError, ValueError) as error:
        raise DataError(f"{file.what} cannot be read ({reason(error)}): get the file again") from None


def _unpacked(raw: IO[bytes], what: str, size: int, compressed: bool) -> NDArray[Any]:
    """The array of a file of `size` bytes."""
    if not compressed:
        return _parse(raw, what, size)
    try:
        with gzip.GzipFile(fileobj=raw) as unpacked:
            return _parse(unpacked, what, size * _MAX_DEFLATE_RATIO)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{what} is a damaged gzip file ({reason(error)}), expected a complete one: get the file again"
        ) from None


def _parse(stream: IO[bytes] | gzip.GzipFile, what: str, at_most: int) -> NDArray[Any]:
    """Read the header and exactly the values it promises; `at_most` bytes can be in the file."""
    start = _read(stream, 4)
    if not start:
        raise DataError(f"{what} is empty, expected an IDX file: get the file again")
    if len(start) < 4 or start[:2] != b"\x00\x00" or start[2] not in _DTYPES:
        raise DataError(
            f"{what} starts with the bytes {start.hex(' ')}, expected an IDX file (00 00, a type "
            f"08, 09, 0b, 0c, 0d or 0e, a rank): check that this is the right file"
        )
    rank = start[3]
    if not 1 <= rank <= _MAX_RANK:
        raise DataError(f"{what} holds an IDX array of rank {rank}, expected rank 1 to {_MAX_RANK}")
    sizes = _read(stream, 4 * rank)
    if len(sizes) < 4 * rank:
        raise DataError(
            f"{what} is truncated: its header has {plural(4 + len(sizes), 'byte')}, expected "
            f"{4 + 4 * rank}; get the file again"
        )
    shape = tuple(int(length) for length in np.frombuffer(bytes(sizes), ">u4"))
    dtype = np.dtype(_DTYPES[start[2]])
    promised = math.prod(shape) * dtype.itemsize
    form = f"{plural(promised, 'byte')} of data for the shape {shape} of its header"
    if promised > at_most:
        raise DataError(f"{what} is truncated: it is too short for {form}; get the file again")
    values = _read(stream, promised)
    if len(values) < promised:
        raise DataError(f"{what} is truncated: it holds {len(values)} of {form}; get the file again")
    # Reading past the last value also makes gzip check its checksum.
    if stream.read(1):
        raise DataError(f"{what} goes on after the {form}, expected its end there; get the file again")
    array = np.frombuffer(values, dtype.newbyteorder(">")).reshape(shape)
    return array.astype(dtype, copy=False)


def _read(stream: IO[bytes] | gzip.GzipFile, count: int) -> bytearray:
    """Up to `count` bytes. Memory grows with what arrives, not with what a header promises."""
    data = bytearray()
    while len(data) < count:
        chunk = stream.read(min(_CHUNK, count - len(data)))
        if not chunk:
            break
        data += chunk
    return data


def write_idx(path: str | os.PathLike[str], array: NDArray[Any]) -> None:
    """Write one IDX file, whole or not at all.

    Args:
        path: The file; compressed by gzip where the name ends with `.gz`. An older file is replaced.
        array: An array of rank 1 to 4 of uint8, int8, int16, int32, float32 or float64.

    Raises:
        DataError: A type or rank that IDX lacks, or a file that cannot be written.

    Examples:
        >>> import tempfile, numpy as np
        >>> from quanvolve.data import read_idx, write_idx
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_idx(f"{folder}/pixels", np.eye(2, dtype=np.float32))
        ...     read_idx(f"{folder}/pixels")
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    path, array = Path(path), np.asarray(array)
    code = _CODES.get(array.dtype.newbyteorder("="))
    if code is None:
        known = ", ".join(str(dtype) for dtype in _CODES)
        raise DataError(f"`array` has the type {array.dtype}, expected one that IDX has ({known}): convert it first")
    if not 1 <= array.ndim <= _MAX_RANK or any(length >= 1 << 32 for length in array.shape):
        raise DataError(f"`array` has the shape {array.shape}, expected rank 1 to {_MAX_RANK}, each axis below 2**32")
    header = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    content = header + array.astype(array.dtype.newbyteorder(">")).tobytes()
    if path.name.endswith(".gz"):
        # Without the time of writing, equal arrays make equal files.
        content = gzip.compress(content, mtime=0)
    try:
        write_whole(path, content)
    except OSError as error:
        raise DataError(
            f"{quoted(path)} cannot be written ({reason(error)}): choose a folder that exists and is writable"
        ) from None

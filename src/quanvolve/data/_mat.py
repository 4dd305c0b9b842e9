"""Numeric arrays of MATLAB's `.mat` files, versions 5 to 7.

`scipy.io` reads them as fast, but files of unknown origin end the process: among files of which one to four bytes are
changed, some end in a segmentation fault (SciPy 1.17), and so do cells inside cells, 20,000 deep. It also
unpacks whatever a compressed element holds, whatever size that element says it has. Here both are errors.

References:
    MathWorks, "MAT-File Format", R2019b, chapter 1.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._blob import Blob

_HEADER = 128
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_MATRIX, _COMPRESSED = 14, 15
# Classes of arrays: double, single and the integers. Cells, structures, objects, text and sparse arrays are none.
_NUMERIC = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_COMPLEX = 0x08
_MOST = 1 << 31
"""Bytes of a compressed array; SVHN's largest has a tenth of that, and a few of deflate's may stand for a thousand."""


class _Cut(Exception):
    """The bytes end before what they promise."""


class _Element(NamedTuple):
    kind: int
    data: memoryview


def read_mat(file: Blob, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """The arrays with these names, in the axes that MATLAB shows; others are passed over.

    Raises:
        DataError: The file is no `.mat` file of version 5 to 7, is damaged, or lacks an array.

    Examples:
        >>> import io, numpy as np, scipy.io
        >>> buffer = io.BytesIO()
        >>> scipy.io.savemat(buffer, {"X": np.arange(6).reshape(2, 3)}, do_compression=True)
        >>> read_mat(Blob("a.mat", "'a.mat'", buffer.getvalue()), ("X",))["X"].tolist()
        [[0, 1, 2], [3, 4, 5]]
    """
    content = memoryview(file.content)
    if b"MATLAB 7.3" in file.content[:_HEADER] or file.content[:8] == b"\x89HDF\r\n\x1a\n":
        raise DataError(f"{file.what} is a .mat file of version 7.3, expected 5 to 7: save it with -v7")
    mark = file.content[126:128]
    if len(content) < _HEADER or mark not in (b"IM", b"MI"):
        raise DataError(f"{file.what} is no .mat file of version 5 to 7: check that this is the right file")
    order = "<" if mark == b"IM" else ">"
    found: dict[str, NDArray[Any]] = {}
    try:
        for element in _elements(content[_HEADER:], order, False):
            matrix = _unpacked(element, order) if element.kind == _COMPRESSED else element
            if matrix.kind == _MATRIX:
                name, array = _matrix(matrix.data, order, names)
                if array is not None:
                    found[name] = array
    except (_Cut, zlib.error, ValueError, UnicodeDecodeError):
        raise DataError(f"{file.what} is damaged or cut short: get the file again") from None
    for name in names:
        if name not in found:
            raise DataError(f"{file.what} holds no numeric array {name!r}: check that this is the right file")
    return found


def _elements(data: memoryview, order: str, padded: bool) -> Iterator[_Element]:
    """The elements in a row: a type, a length, the data, up to a multiple of 8 bytes within a matrix."""
    at = 0
    while at < len(data):
        if len(data) - at < 8:
            raise _Cut
        kind, length = (int(number) for number in np.frombuffer(data[at : at + 8], f"{order}u4"))
        if kind >> 16:
            # The short form: length and type in one word, then up to 4 bytes of data.
            start, length, kind = at + 4, kind >> 16, kind & 0xFFFF
            after = at + 8
            if length > 4:
                raise _Cut
        else:
            start = at + 8
            after = start + (-(-length // 8) * 8 if padded else length)
        if start + length > len(data):
            raise _Cut
        yield _Element(kind, data[start : start + length])
        at = after


def _unpacked(element: _Element, order: str) -> _Element:
    """The element that was compressed, of which no more is unpacked than its own first bytes say that there is."""
    head = zlib.decompressobj().decompress(element.data, 8)
    if len(head) < 8:
        raise _Cut
    length = int(np.frombuffer(head, f"{order}u4")[1])
    if length > _MOST:
        raise _Cut
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(element.data, 8 + length + 8)
    if not unpacker.eof:
        raise _Cut
    return next(_elements(memoryview(data), order, False))


def _matrix(data: memoryview, order: str, names: tuple[str, ...]) -> tuple[str, NDArray[Any] | None]:
    """Name and array of a matrix; None where it is not asked for or not of real numbers."""
    parts = _elements(data, order, True)
    flags, sizes, name = (next(parts, None) for _ in range(3))
    if flags is None or sizes is None or name is None or len(flags.data) < 8:
        raise _Cut
    word = int(np.frombuffer(flags.data[:4], f"{order}u4")[0])
    label, dtype = bytes(name.data).decode("ascii"), _NUMERIC.get(word & 0xFF)
    if label not in names or dtype is None or (word >> 8) & _COMPLEX:
        return label, None
    shape = tuple(int(size) for size in np.frombuffer(sizes.data, f"{order}i4"))
    values = next(parts, None)
    if values is None or values.kind not in _TYPES or any(size < 0 for size in shape):
        raise _Cut
    stored = np.frombuffer(values.data, order + _TYPES[values.kind])
    if stored.size != math.prod(shape):
        raise _Cut
    return label, stored.astype(np.dtype(dtype), copy=False).reshape(shape, order="F")

"""USPS: handwritten digits of 16x16 pixels, as text in LIBSVM's form, compressed by bzip2."""

from __future__ import annotations

import bz2
import io

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._blob import Blob
from quanvolve.data._dataset import Dataset
from quanvolve.data._text import reason

FILES = ("usps.bz2", "usps.t.bz2")
CLASSES = tuple("0123456789")
_SIDE = 16
_PIXELS = _SIDE * _SIDE
_INDICES = np.arange(1, _PIXELS + 1)
# Text of numbers shrinks to a fourth; bzip2 can shrink zeros to nearly nothing, and nothing else shrinks so.
_MAX_RATIO = 100
# The longest line of 256 numbers by far.
_MAX_LINE = 1 << 14


def read_usps(name: str, train: Blob, test: Blob) -> Dataset:
    """The data set of two files with a label, 1 to 10, and 256 values `index:value` a line; label k is the digit k - 1.

    The values come as they are in the files, in [-1, 1], as float32.

    Raises:
        DataError: A file is damaged, or holds something else.

    References:
        J. J. Hull, "A database for handwritten text recognition research", IEEE Trans. PAMI 16, 550 (1994).
    """
    (train_images, train_labels), (test_images, test_labels) = (_read(file) for file in (train, test))
    return Dataset(name, train_images, train_labels, test_images, test_labels, CLASSES)


def _read(file: Blob) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    images: list[NDArray[np.float32]] = []
    labels: list[int] = []
    size = 0
    try:
        with bz2.BZ2File(io.BytesIO(file.content)) as stream:
            while line := stream.readline(_MAX_LINE):
                size += len(line)
                if size > len(file.content) * _MAX_RATIO:
                    raise DataError(
                        f"{file.what} unpacks to more than {_MAX_RATIO} times its size, which no text of numbers does: "
                        "get the file again"
                    )
                label, pixels = _parse(line, f"line {len(labels) + 1} of {file.what}")
                labels.append(label)
                images.append(pixels)
    except (OSError, EOFError) as error:
        raise DataError(
            f"{file.what} is a damaged bzip2 file ({reason(error)}), expected a complete one: get the file again"
        ) from None
    if not images:
        raise DataError(f"{file.what} holds no image, expected at least one: get the file again")
    return np.stack(images).reshape(-1, _SIDE, _SIDE), np.array(labels, np.int64)


def _parse(line: bytes, where: str) -> tuple[int, NDArray[np.float32]]:
    try:
        numbers = np.array([float(text) for text in line.replace(b":", b" ").split()])
        digit, indices, values = int(numbers[0]) - 1, numbers[1::2], numbers[2::2]
        # Not NaN either.
        fits = line.count(b":") == _PIXELS and np.array_equal(indices, _INDICES) and bool((np.abs(values) <= 1).all())
    except (ValueError, OverflowError, IndexError):
        fits = False
    if not fits:
        raise DataError(
            f"{where} is no label with the {_PIXELS} values `1:value` to `{_PIXELS}:value` in [-1, 1]: it is cut "
            "short or something else; get the file again"
        )
    if not 0 <= digit < len(CLASSES):
        raise DataError(f"{where} has the label {digit + 1}, expected 1 to 10: check that this is the right file")
    return digit, values.astype(np.float32)

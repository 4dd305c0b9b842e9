"""What pixels from any source must satisfy, and in which order their axes come."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._text import plural

_CHANNELS = (1, 3, 4)


def checked_pixels(pixels: NDArray[Any], what: str) -> NDArray[Any]:
    """The pixels as they are (truth values as 0.0 and 1.0), where they are finite real numbers.

    Args:
        pixels: An array of any shape.
        what: How messages name it.

    Raises:
        DataError: Pixels that are no numbers, NaN or infinite, or none at all.
    """
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.float32)
    if pixels.dtype.kind not in "uif":
        raise DataError(f"{what} has the type {pixels.dtype}, expected integer or floating-point pixels: convert it")
    if pixels.size == 0:
        raise DataError(f"{what} has the shape {pixels.shape} and so no pixel, expected at least one image")
    if pixels.dtype.kind == "f":
        bad = pixels.size - int(np.count_nonzero(np.isfinite(pixels)))
        if bad:
            raise DataError(
                f"{what} holds {plural(bad, 'NaN or infinite pixel')} out of {pixels.size}, expected finite "
                f"ones: replace or leave out these images"
            )
    return pixels


def channel_first(images: NDArray[Any]) -> NDArray[Any]:
    """(n, H, W, C) as (n, C, H, W), where only the last axis can be that of the channels (1, 3 or 4 long)."""
    if images.ndim == 4 and images.shape[3] in _CHANNELS and images.shape[1] not in _CHANNELS:
        return np.ascontiguousarray(np.moveaxis(images, 3, 1))
    return images

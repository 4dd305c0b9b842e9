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
        return moved_first(images)
    return images


def moved_first(items: NDArray[Any]) -> NDArray[Any]:
    """(n, *size, C) as (n, C, *size)."""
    return np.ascontiguousarray(np.moveaxis(items, -1, 1))


def channel_axis(shape: tuple[int, ...], dims: int, channels: str, what: str) -> tuple[str, str | None]:
    """Where the channels are: "first" or "last".

    Pictures and volumes have 1, 3 or 4 channels as a rule. Where the second and the last axis are both so long, that
    order holds which leaves a square or a cube. Series have any number of channels and come with them first, unless
    the last axis is 1 long.

    Args:
        shape: Of the array.
        dims: Along how many axes a window slides.
        channels: What a person said: "first", "last", or "auto".
        what: How messages name the array.

    Returns:
        The order, and a line for people where it was concluded and another one was possible; None where there is
        nothing to say.

    Raises:
        DataError: Both orders fit.

    Examples:
        >>> channel_axis((60, 32, 32, 3), 2, "auto", "`images`")
        ('last', '`images` (60, 32, 32, 3): read with the channels last, 3 channels of 32x32')
        >>> channel_axis((60, 3, 32, 32), 2, "auto", "`images`")
        ('first', None)
    """
    if len(shape) != dims + 2 or set(shape[1:]) == {1}:
        return "first", None
    if channels != "auto":
        return channels, None
    first, last = (shape[1], shape[2:]), (shape[-1], shape[1:-1])
    if dims == 1:
        fits_first, fits_last = shape[2] != 1 or shape[1] == 1, shape[2] == 1 and shape[1] != 1
        doubtful = shape[1] > shape[2]
    else:
        fits_first, fits_last = shape[1] in _CHANNELS, shape[-1] in _CHANNELS
        if fits_first and fits_last:
            fits_first, fits_last = (len(set(size)) == 1 for _, size in (first, last))
            if fits_first == fits_last:
                raise DataError(
                    f"{what} has the shape {shape}, which may be {_seen(*first)} or {_seen(*last)}: say "
                    '`channels="first"` or `channels="last"`'
                )
        doubtful = not fits_first
    if fits_last:
        return "last", f"{what} {shape}: read with the channels last, {_seen(*last)}"
    if doubtful:
        return "first", f'{what} {shape}: read as {_seen(*first)}; `channels="last"` if the channels come last'
    return "first", None


def _seen(channels: int, size: tuple[int, ...]) -> str:
    return f"{plural(channels, 'channel')} of {'x'.join(map(str, size))}"

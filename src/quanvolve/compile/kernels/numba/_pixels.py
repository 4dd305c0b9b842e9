"""Cosines and sines of pixels, image by image, and their places among the leaves of trees."""

from __future__ import annotations

import numba
import numpy as np

from quanvolve.compile.kernels.numba._arrays import Flags, Floats, Integers
from quanvolve.compile.kernels.numba._trig import fill

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract"})
_SOME = 16
"""Images whose cosines and sines wait in cache to be written next to each other."""


@_jit  # type: ignore[untyped-decorator]
def forward(part: int, parts: int, images: Floats, pixels: Integers, sines: Flags, factor: float, out: Floats) -> None:
    """One part of the images.

    Args:
        part, parts: which of how many.
        images: shape (images, pixels).
        pixels, sines, factor: as :class:`LeafTables` has them.
        out: shape (leaves, images), to be written.
    """
    count = images.shape[1]
    flat = images.reshape(-1)
    # Behind the pixels stands the cosine, and the sine, of none.
    step = count + 1
    tables = np.zeros((2, _SOME * step), out.dtype)
    both = tables.reshape(-1)
    blocks = (len(images) + _SOME - 1) // _SOME
    for block in range(blocks * part // parts, blocks * (part + 1) // parts):
        first = block * _SOME
        some = min(_SOME, len(images) - first)
        for n in range(some):
            fill(flat, (first + n) * count, count, factor, tables[0], tables[1], n * step)
            tables[0, n * step + count] = 1
        for row in range(len(pixels)):
            pixel = pixels[row] if pixels[row] >= 0 else count
            start = pixel + (_SOME * step if sines[row] else 0)
            into = out[row]
            for n in range(some):
                into[first + n] = both[start + n * step]


@_jit  # type: ignore[untyped-decorator]
def backward(
    part: int, parts: int, images: Floats, pixels: Integers, sines: Flags, factor: float, d_out: Floats,
    d_images: Floats,
) -> None:  # fmt: skip
    """Gradients of one part: d pixel = factor (d sine cos - d cosine sin); arguments as in :func:`forward`.

    Args:
        d_out: shape (leaves, images).
        d_images: shape (images, pixels), zeros to be added to.
    """
    count = images.shape[1]
    flat = images.reshape(-1)
    cosines, sines_of = np.empty(_SOME * count, d_out.dtype), np.empty(_SOME * count, d_out.dtype)
    blocks = (len(images) + _SOME - 1) // _SOME
    for block in range(blocks * part // parts, blocks * (part + 1) // parts):
        first = block * _SOME
        some = min(_SOME, len(images) - first)
        fill(flat, first * count, some * count, factor, cosines, sines_of, 0)
        for row in range(len(pixels)):
            pixel, grad = pixels[row], d_out[row]
            if pixel < 0:
                continue
            for n in range(some):
                slope = cosines[n * count + pixel] if sines[row] else -sines_of[n * count + pixel]
                d_images[first + n, pixel] += factor * slope * grad[first + n]

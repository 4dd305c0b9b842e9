"""Functions of all windows as rows of a table, whatever their number, and from gradients by them to those by pixels.

A table has for each channel that circuits begin with a row for each function, and a column for each window; rows are
filled up to whole blocks as if further windows were all 0. Row 0 is the constant 1. The functions are products of
cosines and sines of readers, of which there is a table first.
"""

from __future__ import annotations

import triton
import triton.language as tl

from quanvolve.compile.kernels.triton._turn import turned_all
from quanvolve.compile.kernels.triton._windows import first_pixel, image_and_place


@triton.jit
def turns(  # two rows for each reader
    images, channel_step, offsets, numbers, factors, geometry, turned, count, pitch, readers, SHAPE: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Cosines (row 2 r) and sines (row 2 r + 1) of all readers: programs (windows, readers, channels).

    Args:
        images, channel_step: with the step between channels that circuits begin with.
        offsets: where each reader's pixel is, from the first one of the window on.
        numbers, factors: what each reader's pixel is multiplied with, in double precision.
        geometry, SHAPE: of the images and windows.
        turned: to be written, shape (channels, 2 readers, pitch).
        count, pitch: windows, and columns.
    """
    window = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    reader, channel = tl.program_id(1), tl.program_id(2)
    there = window < count
    image, place = image_and_place(window, geometry)
    at = first_pixel(image, place, geometry, SHAPE) + tl.load(offsets + reader) + channel.to(tl.int64) * channel_step
    pixel = tl.load(images + at, mask=there, other=0.0)
    angle = pixel.to(tl.float64) * tl.load(factors + tl.load(numbers + reader))
    to = turned + (channel.to(tl.int64) * readers + reader) * 2 * pitch + window
    cosines, sines = turned_all((angle,), turned.dtype.element_ty)
    tl.store(to, cosines[0])
    tl.store(to + pitch, sines[0])


@triton.jit
def functions(turned, factors, width, table, pitch, readers, rows, BLOCK: tl.constexpr):
    """All rows of the table of functions: programs (columns, rows, channels).

    Args:
        turned: from :func:`turns`.
        factors: for each row but the first the rows of `turned` that it is the product of, `width` of them; -1 for
            none.
        table: to be written, shape (channels, rows, pitch).
    """
    column = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    row, channel = tl.program_id(1), tl.program_id(2).to(tl.int64)
    product = tl.zeros([BLOCK], table.dtype.element_ty) + 1
    if row > 0:
        for k in range((row - 1) * width, row * width):
            factor = tl.load(factors + k)
            of = turned + (channel * 2 * readers + factor) * pitch + column
            product *= tl.load(of, mask=factor + tl.zeros_like(column) >= 0, other=1.0)
    tl.store(table + (channel * rows + row) * pitch + column, product)


@triton.jit
def pixels_back(
    turned, factors, width, d_table, parts, starts, entries, numbers, multipliers, d_windows, count, pitch, readers,
    rows, inputs, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradients by the inputs of each window: programs (windows, inputs, channels).

        d pixel = multiplier * (d sin * cos - d cos * sin),    summed over the readers of the input

    Args:
        turned, factors, width: as above.
        d_table: gradients by the functions, shape (parts, channels, rows, pitch), to be added up.
        starts, entries: for each input where the (function, factor) pairs begin that read it, and these.
        numbers, multipliers: as in :func:`turns`.
        d_windows: to be written, shape (channels, inputs, windows).
    """
    window = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    own, channel = tl.program_id(1), tl.program_id(2).to(tl.int64)
    there = window < count
    d_table += channel * rows * pitch + window
    turned += channel * 2 * readers * pitch + window
    total = tl.zeros([BLOCK], d_windows.dtype.element_ty)
    for k in range(tl.load(starts + own), tl.load(starts + own + 1)):
        row, number = tl.load(entries + 2 * k), tl.load(entries + 2 * k + 1)
        slope = tl.zeros([BLOCK], d_windows.dtype.element_ty)
        for part in range(parts):
            slope += tl.load(d_table + (part * tl.num_programs(2).to(tl.int64) * rows + row) * pitch)
        for j in range(width):
            factor = tl.load(factors + (row - 1) * width + j)
            wanted = (factor + tl.zeros_like(window) >= 0) & (tl.zeros_like(window) + j != number)
            slope *= tl.load(turned + factor.to(tl.int64) * pitch, mask=wanted, other=1.0)
        factor = tl.load(factors + (row - 1) * width + number)
        # The slope of a cosine is minus the sine, that of a sine the cosine.
        other = tl.load(turned + (factor ^ 1).to(tl.int64) * pitch)
        multiplier = tl.load(multipliers + tl.load(numbers + factor // 2)).to(slope.dtype)
        total += slope * other * ((factor & 1) * 2 - 1) * multiplier
    tl.store(d_windows + (channel * inputs + own) * count + window, total, mask=there)

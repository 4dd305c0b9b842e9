"""Gradients of windows, added up to those of images: each pixel looks for the windows that read it, in one order."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from quanvolve.compile.kernels.triton._launch import OPTIONS, block_of, on_device_of
from quanvolve.compile.kernels.triton._windows import Divisor, Element, Shape, quotient
from quanvolve.compile.tables._grid import Grid


def alone(grid: Grid) -> bool:
    """Whether no pixel is in two windows."""
    return all(step >= span for step, span in zip(grid.stride, grid.spans, strict=True))


def folded(d_windows: Tensor, images: Tensor, grid: Grid, shape: Shape, elements: tuple[Element, ...]) -> Tensor:
    """The gradient by the images.

    Args:
        d_windows: shape (channels that circuits begin with, inputs, images, places).
        images: shape (N, channels, *size).
        grid, shape, elements: of the windows.
    """
    out = torch.empty(images.shape, dtype=d_windows.dtype, device=images.device)
    size = tuple(images.shape[2:])
    sizes = [Divisor.of(n) for n in (*(1,) * (3 - len(size)), *size)]
    places = (*(1,) * (3 - len(size)), *grid.places(size))
    block, warps = block_of(out.numel())
    with on_device_of(images):
        _folded[(triton.cdiv(out.numel(), block),)](
            d_windows, out, out.numel(), Divisor.of(images.shape[1]), Divisor.of(shape.joined), *sizes, *places,
            len(images), shape.strides, elements, block, num_warps=warps, **OPTIONS,
        )  # fmt: skip
    return out


@triton.jit(do_not_specialize=["count", "images", "pz", "py", "px"])
def _folded(
    d_windows, out, count, channels, joined, sz, sy, sx, pz, py, px, images, STRIDES: tl.constexpr,
    ELEMENTS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """out[n, channel, pixel] = sum over inputs e of d_windows[circuit, e, n, place at which e is the pixel]."""
    pixel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = pixel < count
    row = quotient(pixel, sx)
    plane = quotient(row, sy)
    volume = quotient(plane, sz)
    x, y, z = pixel - row * sx.number, row - plane * sy.number, plane - volume * sz.number
    image = quotient(volume, channels)
    channel = volume - image * channels.number
    circuit = quotient(channel, joined)
    own = channel - circuit * joined.number
    step = images.to(tl.int64) * (pz * py * px)
    begin = d_windows + circuit * (len(ELEMENTS) * step) + image.to(tl.int64) * (pz * py * px)
    total = tl.zeros([BLOCK], d_windows.dtype.element_ty)
    for e in tl.static_range(len(ELEMENTS)):
        dz, dy, dx = z - ELEMENTS[e][1], y - ELEMENTS[e][2], x - ELEMENTS[e][3]
        at_z, at_y, at_x = dz // STRIDES[0], dy // STRIDES[1], dx // STRIDES[2]
        whole = (at_z * STRIDES[0] == dz) & (at_y * STRIDES[1] == dy) & (at_x * STRIDES[2] == dx)
        inside = (dz >= 0) & (dy >= 0) & (dx >= 0) & (at_z < pz) & (at_y < py) & (at_x < px)
        read = there & whole & inside & (own == ELEMENTS[e][0])
        total += tl.load(begin + e * step + (at_z * py + at_y) * px + at_x, mask=read, other=0.0)
    tl.store(out + pixel, total, mask=there)

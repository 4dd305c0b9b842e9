"""Leaves of trees."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from quanvolve.compile.kernels.triton._launch import doubles, kept, moved, on_device_of
from quanvolve.compile.kernels.triton._turn import turned
from quanvolve.compile.tables._leaves import LeafTables

_BLOCK = 256
"""Images of a program."""


class Leaves:
    """The kernel of `ops.leaves`."""

    def supports(self, tables: LeafTables, images: Tensor) -> bool:
        """A batch that is not known to be empty."""
        return not isinstance(images.shape[0], int) or images.shape[0] > 0

    def forward(self, tables: LeafTables, images: Tensor) -> Tensor:
        """Shape (rows, images)."""
        pixels, sines, factor = _tables(tables, images.device)
        flat = images.flatten(1)
        out = torch.empty((len(pixels), images.shape[0]), dtype=images.dtype, device=images.device)
        with on_device_of(images):
            _forward[_grid(out)](flat, pixels, sines, out, factor, len(flat), *flat.stride(), BLOCK=_BLOCK)
        return out

    def backward(
        self, tables: LeafTables, grad: Tensor, images: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """The gradient by the images: a pixel that several leaves read has the sum of theirs."""
        pixels, sines, factor = _tables(tables, images.device)
        flat, grad = images.flatten(1), grad.contiguous()
        by_leaf = torch.empty((len(pixels), images.shape[0]), dtype=grad.dtype, device=grad.device)
        with on_device_of(images):
            _backward[_grid(by_leaf)](
                flat, pixels, sines, grad, by_leaf, factor, len(flat), *flat.stride(), BLOCK=_BLOCK
            )
        gradient = torch.zeros((flat.shape[1] + 1, len(flat)), dtype=grad.dtype, device=grad.device)
        gradient.index_add_(0, pixels % (flat.shape[1] + 1), by_leaf)
        return (gradient[:-1].T.reshape(images.shape),)


def _tables(tables: LeafTables, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    def make() -> tuple[Tensor, Tensor, Tensor]:
        return moved(tables.pixels, device), moved(tables.sines, device), doubles([tables.factor], device)

    return kept(tables, "leaves", device, make)


def _grid(out: Tensor) -> tuple[int, int]:
    return len(out), triton.cdiv(out.shape[1], _BLOCK)


@triton.jit  # type: ignore[untyped-decorator]
def _forward(images, pixels, sines, out, factor, count, step, pixel_step, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    """out[r, n] = cos or sin of the factor times images[n, pixels[r]], of 0 where there is no pixel."""
    row = tl.program_id(0)
    image = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    there = image < count
    pixel = tl.load(pixels + row) + tl.zeros_like(image)
    value = tl.load(images + image.to(tl.int64) * step + pixel * pixel_step, mask=there & (pixel >= 0), other=0.0)
    cosine, sine = turned(value, tl.load(factor))
    tl.store(out + row.to(tl.int64) * count + image, tl.where(tl.load(sines + row) != 0, sine, cosine), mask=there)


@triton.jit  # type: ignore[untyped-decorator]
def _backward(images, pixels, sines, grad, by_leaf, factor, count, step, pixel_step, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    """by_leaf[r, n] = grad[r, n] d out[r, n] / d pixel."""
    row = tl.program_id(0)
    image = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    there = image < count
    pixel = tl.load(pixels + row) + tl.zeros_like(image)
    value = tl.load(images + image.to(tl.int64) * step + pixel * pixel_step, mask=there & (pixel >= 0), other=0.0)
    cosine, sine = turned(value, tl.load(factor))
    slope = tl.where(tl.load(sines + row) != 0, cosine, -sine) * tl.load(factor).to(cosine.dtype)
    at = row.to(tl.int64) * count + image
    tl.store(by_leaf + at, slope * tl.load(grad + at, mask=there, other=0.0), mask=there)


kernel = Leaves()

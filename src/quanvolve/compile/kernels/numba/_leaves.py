"""Leaves of trees."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.compile.kernels.numba import _pixels
from quanvolve.compile.kernels.numba._launch import launch, pixels_of, threads
from quanvolve.compile.kernels.numba._memory import array
from quanvolve.compile.tables._leaves import LeafTables

_SMALL = 50_000
"""Pixels that are worth another thread."""


class Leaves:
    """The kernel of `ops.leaves`."""

    def supports(self, tables: LeafTables, images: Tensor) -> bool:
        """A batch that is not known to be empty."""
        return not isinstance(images.shape[0], int) or images.shape[0] > 0

    def forward(self, tables: LeafTables, images: Tensor) -> Tensor:
        """Shape (rows, images)."""
        out = torch.empty((len(tables.pixels), images.shape[0]), dtype=images.dtype)
        launch(
            _pixels.forward, _parts(images), pixels_of(images), tables.pixels, tables.sines,
            tables.factor, array(out),
        )  # fmt: skip
        return out

    def backward(
        self, tables: LeafTables, grad: Tensor, images: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """The gradient by the images."""
        gradient = torch.zeros(tuple(images.shape), dtype=grad.dtype)
        launch(
            _pixels.backward, _parts(images), pixels_of(images), tables.pixels, tables.sines,
            tables.factor, array(grad), array(gradient).reshape(len(images), -1),
        )  # fmt: skip
        return (gradient,)


def _parts(images: Tensor) -> int:
    return max(1, min(threads(), images.numel() // _SMALL))


kernel = Leaves()

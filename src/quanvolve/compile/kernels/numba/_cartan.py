"""Numbers of two-qubit blocks in Cartan's form."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.compile.kernels.numba import _interactions
from quanvolve.compile.kernels.numba._launch import launch, threads
from quanvolve.compile.kernels.numba._memory import array
from quanvolve.compile.tables._cartan import CartanTables

_SMALL = 1024
"""Blocks that are worth another thread."""


class Cartan:
    """The kernel of `ops.cartan`."""

    def supports(self, tables: CartanTables, weights: Tensor) -> bool:
        """All of them."""
        return True

    def forward(self, tables: CartanTables, weights: Tensor) -> Tensor:
        """Shape (rows, 3, words)."""
        out = torch.empty((len(weights), 3, len(tables.words)), dtype=weights.dtype)
        launch(
            _interactions.forward, _parts(weights), array(weights), tables.words,
            tables.signs.astype(array(weights).dtype), tables.every, array(out),
        )  # fmt: skip
        return out

    def backward(
        self, tables: CartanTables, grad: Tensor, weights: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """The gradient by the weights."""
        gradient = torch.empty(tuple(weights.shape), dtype=grad.dtype)
        launch(
            _interactions.backward, _parts(weights), array(weights), tables.words,
            tables.signs.astype(array(weights).dtype), tables.every, array(grad), array(gradient),
        )  # fmt: skip
        return (gradient,)


def _parts(weights: Tensor) -> int:
    return max(1, min(threads(), len(weights) // _SMALL))


kernel = Cartan()

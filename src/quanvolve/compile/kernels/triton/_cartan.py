"""Numbers of two-qubit blocks in Cartan's form; their formulas stand in `_interactions`."""

from __future__ import annotations

import torch
import triton
from torch import Tensor

from quanvolve.compile.kernels.triton import _interactions
from quanvolve.compile.kernels.triton._launch import OPTIONS, doubles, kept, on_device_of
from quanvolve.compile.tables._cartan import WEIGHTS, CartanTables

_BLOCK = 32
"""Blocks of a program, which is one warp: there are few."""


class Cartan:
    """The kernel of `ops.cartan`."""

    def supports(self, tables: CartanTables, weights: Tensor) -> bool:
        """A batch that is not known to be empty."""
        return not isinstance(weights.shape[0], int) or weights.shape[0] > 0

    def forward(self, tables: CartanTables, weights: Tensor) -> Tensor:
        """Shape (rows, 3, words)."""
        weights, rows = weights.contiguous(), len(weights)
        out = torch.empty((rows, 3, len(tables.words)), dtype=weights.dtype, device=weights.device)
        with on_device_of(weights):
            _interactions.forward[(triton.cdiv(rows, _BLOCK),)](
                weights,
                _signs(tables, weights.device),
                out,
                rows,
                WORDS=_words(tables),
                BLOCK=_BLOCK,
                num_warps=1,
                **OPTIONS,
            )
        return out

    def backward(
        self, tables: CartanTables, grad: Tensor, weights: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """The gradient by the weights."""
        weights, grad, rows = weights.contiguous(), grad.contiguous(), len(weights)
        gradient = torch.empty((rows, WEIGHTS), dtype=grad.dtype, device=grad.device)
        with on_device_of(weights):
            _interactions.backward[(triton.cdiv(rows, _BLOCK),)](
                weights, _signs(tables, weights.device), grad, gradient, rows, WORDS=_words(tables), BLOCK=_BLOCK,
                num_warps=1, **OPTIONS,
            )  # fmt: skip
        return (gradient,)


def _words(tables: CartanTables) -> tuple[int, ...]:
    """For the compiler, which writes out what is wanted of each word: there are few kinds of encodings."""
    return tuple(int(word) for word in tables.words)


def _signs(tables: CartanTables, device: torch.device) -> Tensor:
    return kept(tables, "signs", device, lambda: doubles(tables.signs.tolist(), device))


kernel = Cartan()

"""Coefficients of all filters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile.kernels.numba import _pauli_words
from quanvolve.compile.kernels.numba._arrays import Floats
from quanvolve.compile.kernels.numba._launch import launch, threads
from quanvolve.compile.kernels.numba._memory import array
from quanvolve.compile.tables._coefficients import CoefficientTables, PauliSteps, pauli_steps
from quanvolve.compile.tables._layout import some_rows

_CHUNK_BYTES = 2**20
"""Size that the Pauli coefficients which one thread evolves together should not exceed."""
_SMALL = 50_000
"""Steps times coefficients that are worth another thread."""


class _Block(NamedTuple):
    """Rows that run one circuit: which, their weights, and how their observables are shared among threads."""

    rows: slice
    flat: Floats
    steps: PauliSteps
    chunk: int
    pieces: int
    parts: int


class Coefficients:
    """The kernel of `ops.coefficients`."""

    def supports(self, tables: CoefficientTables, weights: Tensor) -> bool:
        """Circuits without channels: the loops run circuits back, and channels cannot be undone."""
        return not tables.noisy

    def forward(self, tables: CoefficientTables, weights: Tensor) -> Tensor:
        """Shape (rows, outputs, features)."""
        out = torch.empty(tables.shape(len(weights)), dtype=weights.dtype)
        into = array(out)
        for block in _blocks(tables, weights):
            launch(
                _pauli_words.forward, block.parts, block.flat, block.chunk, block.steps,
                into[block.rows],
            )  # fmt: skip
        return out

    def backward(
        self, tables: CoefficientTables, grad: Tensor, weights: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """The gradient by the weights."""
        d_out = array(grad)
        gradient = torch.zeros(weights.shape, dtype=grad.dtype)
        d_weights = array(gradient)
        for block in _blocks(tables, weights):
            d_flat = np.zeros((block.pieces, *block.flat.shape), d_out.dtype)
            launch(
                _pauli_words.backward, block.parts, block.flat, block.chunk,
                block.steps, d_out[block.rows], d_flat,
            )  # fmt: skip
            to = some_rows(d_weights, block.rows)
            to += d_flat.sum(0)
        return (gradient,)


def chunk_of(steps: PauliSteps, outputs: int, size: int) -> int:
    """How many observables are evolved together, of numbers of so many bytes."""
    return max(1, min(outputs, _CHUNK_BYTES // (4**steps.wires * size)))


def _blocks(tables: CoefficientTables, weights: Tensor) -> Iterator[_Block]:
    flat = array(weights)
    shared = len(tables.recipes) == 1
    for number, recipe in enumerate(tables.recipes):
        rows = slice(None) if shared else slice(number, number + 1)
        row_weights, steps, outputs = some_rows(flat, rows), pauli_steps(recipe), recipe.circuit.n_outputs
        words, chunk = 4**steps.wires, chunk_of(steps, outputs, flat.itemsize)
        pieces = -(-outputs // chunk)
        busy = len(row_weights) * outputs * words * (len(steps.kinds) + 2) > _SMALL
        yield _Block(rows, row_weights, steps, chunk, pieces, min(threads(), len(row_weights) * pieces) if busy else 1)


kernel = Coefficients()

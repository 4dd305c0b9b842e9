"""Circuits on density matrices, as Pauli coefficients, in plain torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve.compile.batch._chunks import in_chunks
from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._precision import turned
from quanvolve.compile.batch._rows import RowWeights, angles_of, outputs_of, tensors_of, with_tensors
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.reference._prepare import initial
from quanvolve.compile.tables._density import (
    Mixed,
    Permuted,
    Scaled,
    Step,
    Turned,
    density_runs,
    measured_words,
    word_tables,
)
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._parsed import Parsed, kept
from quanvolve.compile.tables._pauli import Floats, part_on

_TEMPORARIES = 6


def density(circuits: Sequence[Parsed], compiled: Sequence[RowWeights], windows: Windows, layout: Layout) -> Tensor:
    """Measured values of all filters, shape (images, groups, outputs, *places).

    Args:
        circuits: one for all rows of the weights, or one for each.
        compiled: the weights of every circuit.
        windows: of the images.
        layout: of the rows.
    """
    first = circuits[0].circuit
    depth = 2 * len(first.gates) if torch.is_grad_enabled() else 0
    together = layout.rows if len(circuits) == 1 else 1
    per_window = 4**first.n_wires * (_TEMPORARIES + depth) * together * windows.images.element_size()

    def run(number: int, values: Tensor, weights: RowWeights, shape: tuple[int, int, int]) -> Tensor:
        return run_density(circuits[number], values, weights, shape)

    def on_chunk(inputs: Tensor, *tensors: Tensor) -> Tensor:
        return outputs_of(run, circuits, inputs, with_tensors(compiled, tensors), layout)

    return in_chunks(on_chunk, windows, tensors_of(compiled), layout.outputs, per_window)


def run_density(parsed: Parsed, values: Tensor, weights: RowWeights, shape: tuple[int, int, int]) -> Tensor:
    """Measured values of one circuit; arguments as :data:`quanvolve.compile.batch._rows.Run` has them."""
    state = _initial(parsed, values, weights.flat.dtype)
    for maps, steps in density_runs(parsed):
        turns = iter(zip(*turned(angles_of(maps, values, weights.flat), weights.flat.dtype), strict=True))
        for step in steps:
            if isinstance(step, Turned):
                state = _turn(parsed.circuit.n_wires, step, state, *next(turns))
            else:
                state = _apply(step, state)
    words, matrix = measured_words(parsed)
    sources = state.index_select(-2, constant(words, state.device))
    return torch.matmul(_like(matrix, state), sources).expand(*shape, -1, -1)


def _like(numbers: Floats, state: Tensor) -> Tensor:
    return constant(numbers, state.device, state.dtype)


def _turn(n_wires: int, step: Turned, state: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """The two other Pauli matrices of the wire turn into each other."""
    shape = (4**step.wire, 4, 4 ** (n_wires - 1 - step.wire))
    old = torch.unflatten(state, -2, shape).unbind(-3)
    cosine, sine = cosine[..., None, None, :], sine[..., None, None, :]
    new = [
        old[letter] if partner is None else cosine * old[letter] + partner[1] * sine * old[partner[0]]
        for letter, partner in enumerate(step.partners)
    ]
    return torch.stack(torch.broadcast_tensors(*new), dim=-3).flatten(-4, -2)


def _apply(step: Step, state: Tensor) -> Tensor:
    """A step without an angle."""
    if isinstance(step, Permuted):
        moved = state.index_select(-2, constant(step.source, state.device))
        return moved if (step.sign == 1).all() else moved * _like(step.sign, state).unsqueeze(-1)
    if isinstance(step, Scaled):
        return state * _like(step.factor, state).unsqueeze(-1)
    assert isinstance(step, Mixed)
    ordered = state.index_select(-2, constant(step.order, state.device))
    ordered = torch.unflatten(ordered, -2, (len(step.matrix), -1))
    after = torch.matmul(_like(step.matrix, state), ordered.flatten(-2)).reshape(ordered.shape).flatten(-3, -2)
    return after.index_select(-2, constant(step.back, state.device))


@kept
def _still(parsed: Parsed) -> npt.NDArray[np.bool_]:
    """Which words |0...0> has."""
    n = parsed.circuit.n_wires
    still = np.ones(4**n, bool)
    for wire in range(n):
        still &= np.isin(part_on((wire,), n), (0, 3))
    return still


def _initial(parsed: Parsed, values: Tensor, dtype: torch.dtype) -> Tensor:
    """Before the first gate: the expectation values of all words, shape (..., 4^n, positions)."""
    circuit, n = parsed.circuit, parsed.circuit.n_wires
    if circuit.preparation is None:
        state = constant(_still(parsed), values.device, dtype).unsqueeze(-1)
        return state.expand(*values.shape[:-2], 4**n, values.shape[-1])
    real = initial(parsed, values, dtype).select(-3, 0)  # prepared amplitudes are real
    tables = word_tables(parsed)
    flipped = real.index_select(-2, constant(tables.flips.reshape(-1), real.device))
    pairs = real.unsqueeze(-3) * torch.unflatten(flipped, -2, tables.flips.shape)
    found = torch.matmul(_like(tables.signs, real), pairs)  # ..., X part, Z part, positions
    state = found.flatten(-3, -2).index_select(-2, constant(tables.sources, real.device))
    return state * _like(tables.factors, real).unsqueeze(-1)

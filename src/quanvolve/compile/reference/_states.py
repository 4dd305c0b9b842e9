"""Circuits on state vectors in plain torch: what the kernels are tested against, and what runs where there are none."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from quanvolve.circuits import Circuit
from quanvolve.compile.batch._precision import turned, wide
from quanvolve.compile.batch._rows import RowWeights, angles_of
from quanvolve.compile.reference._gates import run_steps
from quanvolve.compile.reference._measure import measure
from quanvolve.compile.reference._prepare import initial
from quanvolve.compile.tables._layout import Layout, some_rows
from quanvolve.compile.tables._parsed import Parsed
from quanvolve.compile.tables._segments import Segment, segments_of


def states(circuits: Sequence[Parsed], values: Tensor, flat: Tensor, filters: int) -> Tensor:
    """Measured values of all windows, summed over the channels.

    Args:
        circuits: one for all rows, or one for each.
        values: what angles read, shape (groups, channels, values, windows).
        flat: weights, shape (groups * filters * channels, numbers); one row where there are none.
        filters: of each group.

    Returns:
        Tensor of shape (groups, filters, measured, windows).
    """
    groups, channels = values.shape[:2]
    layout = Layout(groups, filters, channels, filters * circuits[0].circuit.n_outputs)
    rows = []
    for block, parsed in zip(layout.blocks(len(circuits)), circuits, strict=True):
        row_weights = (
            some_rows(flat, block.rows).expand(math.prod(block.shape), -1).reshape(*block.shape, flat.shape[-1])
        )
        rows.append(
            run_states(parsed, values[block.groups, None, block.channels], RowWeights(row_weights), block.shape)
        )
    return torch.cat(rows).reshape(*layout.shape, *rows[0].shape[3:]).sum(2)


def run_states(parsed: Parsed, values: Tensor, weights: RowWeights, shape: tuple[int, int, int]) -> Tensor:
    """Measured values of one circuit; arguments as :data:`quanvolve.compile.batch._rows.Run` has them."""
    state = initial(parsed, values, weights.flat.dtype)
    folded = iter(weights.folded)
    for segment in segments_of(parsed):
        if weights.folded and segment.folds:
            matrix = next(folded)
            matrix = matrix.expand(math.prod(shape), -1, -1).reshape(*shape, *matrix.shape[1:])
            whole = torch.matmul(matrix, state.flatten(-3, -2))
            state = torch.unflatten(whole, -2, (2, -1))
            continue
        state = run_steps(segment, state, *_half_turns(segment, values, weights.flat))
    return measure(parsed, state).expand(*shape, -1, -1)


def fold(parsed: Parsed, segment: Segment, flat: Tensor) -> Tensor:
    """The matrix of a run that reads no input, as (rows, 2 D, 2 D) on stacked real and imaginary parts."""
    dimension = 2**parsed.circuit.n_wires
    identity = torch.eye(dimension, dtype=flat.dtype, device=flat.device)
    state = torch.stack([identity, torch.zeros_like(identity)]).unsqueeze(0)
    unitary = run_steps(segment, state, *_half_turns(segment, None, flat))
    unitary = unitary.expand(len(flat), -1, -1, -1)
    real, imaginary = unitary[:, 0], unitary[:, 1]
    top = torch.cat([real, -imaginary], dim=-1)
    return torch.cat([top, torch.cat([imaginary, real], dim=-1)], dim=-2)


def continued(circuit: Circuit, values: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """A circuit without weights on states that an earlier call left, as if nobody had set its qubits to zero.

    Args:
        circuit: what is run.
        values: what it reads, shape (n_inputs, runs).
        state: of the earlier call; if not given, all qubits are zero.

    Returns:
        Measured values, shape (n_outputs, runs), and the states.

    Examples:
        >>> from quanvolve.circuits import Angle, Circuit, Gate, Observable
        >>> turn = Gate("RX", (0,), Angle(0.0, ((0, 1.0),)))
        >>> circuit = Circuit(1, 1, (turn,), (Observable(((1.0, ((0, "Z"),)),)),))
        >>> right_angle = torch.tensor([[torch.pi / 2]], dtype=torch.float64)
        >>> first, state = continued(circuit, right_angle)
        >>> second, _ = continued(circuit, right_angle, state)
        >>> [round(float(value.abs()), 6) for value in (first, second)]
        [0.0, 1.0]
    """
    parsed, inputs = Parsed(circuit), wide(values).reshape(1, 1, 1, circuit.n_inputs, -1)
    state = initial(parsed, inputs, values.dtype) if state is None else state
    for segment in segments_of(parsed):
        state = run_steps(segment, state, *_half_turns(segment, inputs, values.new_empty(1, 1, 1, 0)))
    return measure(parsed, state).reshape(circuit.n_outputs, -1), state


def _half_turns(segment: Segment, values: Tensor | None, flat: Tensor) -> tuple[Tensor, Tensor]:
    return turned(angles_of(segment.maps, values, flat) / 2, flat.dtype)

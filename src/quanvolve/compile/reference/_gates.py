"""Gates on state vectors, in real arithmetic: what a circuit becomes for the state-vector plan.

A state is a real tensor (..., 2, D, positions): real and imaginary parts, D = 2^n basis states with wire 0 as the most
significant bit, and the windows innermost. The leading axes broadcast.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve.circuits import GATES, PAULIS, Angle, Circuit, kraus_of

Matrix = npt.NDArray[np.complex128]
FOLD_WIRES = 9
"""Up to so many qubits a run of gates that read no input is multiplied out to one matrix."""
_FOLD_STEPS = 3


@dataclass(frozen=True, eq=False)
class Sparse:
    """A fixed gate: ``new[d] = sum_t factor[t, d] * old[source[t, d]]``."""

    source: npt.NDArray[np.int64]
    factor: Matrix


@dataclass(frozen=True, eq=False)
class Rotation:
    """``exp(-i angle / 2 P)``: cos(angle / 2) old + sin(angle / 2) K old, with K = -i P as a sparse gate."""

    generator: Sparse
    angle: Angle


@dataclass(frozen=True, eq=False)
class Jump:
    """A noise channel: one of its Kraus operators, drawn for each state with the probability that it has there."""

    operators: tuple[Sparse, ...]


Step = Sparse | Rotation | Jump


@dataclass(frozen=True, eq=False)
class Segment:
    """Steps in order that all read inputs, or that all do not."""

    steps: tuple[Step, ...]
    reads: bool

    @property
    def angles(self) -> tuple[Angle, ...]:
        """Of the steps that are rotations."""
        return tuple(step.angle for step in self.steps if isinstance(step, Rotation))


@lru_cache(maxsize=64)
def segments_of(circuit: Circuit) -> tuple[Segment, ...]:
    """The circuit's gates as runs of steps; neighbouring permutations become one."""
    found: list[tuple[list[Step], bool]] = []
    for gate in circuit.gates:
        reads = gate.angle is not None and bool(gate.angle.inputs)
        if not found or found[-1][1] != reads:
            found.append(([], reads))
        steps = found[-1][0]
        if gate.angle is not None:
            generator = sparse_of(-1j * PAULIS[gate.name[1]], gate.wires, circuit.n_wires)
            steps.append(Rotation(generator, gate.angle))
            continue
        if gate.transfer is not None:
            operators = kraus_of(np.array(gate.transfer))
            steps.append(Jump(tuple(sparse_of(one, gate.wires, circuit.n_wires) for one in operators)))
            continue
        step = sparse_of(GATES[gate.name].unitary(), gate.wires, circuit.n_wires)
        last = steps[-1] if steps else None
        if isinstance(last, Sparse) and len(last.source) == len(step.source) == 1:
            steps[-1] = Sparse(last.source[:, step.source[0]], step.factor * last.factor[:, step.source[0]])
        else:
            steps.append(step)
    return tuple(Segment(tuple(steps), reads) for steps, reads in found)


def foldable(circuit: Circuit, segment: Segment) -> bool:
    """Whether one matrix product is cheaper than the segment's steps."""
    return not segment.reads and circuit.n_wires <= FOLD_WIRES and len(segment.steps) >= _FOLD_STEPS


def sparse_of(matrix: Matrix, wires: tuple[int, ...], n_wires: int) -> Sparse:
    """A small matrix on some wires of a register, row by row."""
    dimension = 2**n_wires
    rows = np.arange(dimension)
    shifts = [n_wires - 1 - wire for wire in wires]
    local = sum(((rows >> shift) & 1) << (len(wires) - 1 - k) for k, shift in enumerate(shifts))
    count = int(max((np.abs(row) > 1e-12).sum() for row in matrix))
    source = np.zeros((count, dimension), np.int64)
    factor = np.zeros((count, dimension), np.complex128)
    for position, row in enumerate(matrix):
        where = rows[local == position]
        for t, column in enumerate(np.flatnonzero(np.abs(row) > 1e-12)):
            target = where.copy()
            for k, shift in enumerate(shifts):
                bit = (int(column) >> (len(wires) - 1 - k)) & 1
                target = (target & ~(1 << shift)) | (bit << shift)
            source[t, where] = target
            factor[t, where] = row[column]
    return Sparse(source, factor)


def apply_sparse(gate: Sparse, state: Tensor) -> Tensor:
    """A fixed gate on states (..., 2, D, positions)."""
    total: Tensor | None = None
    for source, factor in zip(gate.source, gate.factor, strict=True):
        moved = state
        if (source != np.arange(len(source))).any():
            moved = state.index_select(-2, torch.as_tensor(source, device=state.device))
        part = _times(factor, moved)
        total = part if total is None else total + part
    assert total is not None
    return total


def _times(factor: npt.NDArray[np.complex128], state: Tensor) -> Tensor:
    """Each basis state's amplitude times a complex constant."""
    real, imaginary = factor.real, factor.imag
    found: Tensor | None = None
    if (real != 0).any():
        found = state if (real == 1).all() else state * _column(real, state)
    if (imaginary != 0).any():
        turned = torch.stack([-state.select(-3, 1), state.select(-3, 0)], dim=-3)
        turned = turned * _column(imaginary, state)
        found = turned if found is None else found + turned
    return torch.zeros_like(state) if found is None else found


def _column(numbers: npt.NDArray[np.float64], like: Tensor) -> Tensor:
    whole = np.ascontiguousarray(numbers)  # and no view into complex numbers, which an exported program cannot hold
    return torch.as_tensor(whole, dtype=like.dtype, device=like.device).unsqueeze(-1)


def run_steps(segment: Segment, state: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Apply a segment.

    Args:
        state: shape (..., 2, D, positions).
        cosines, sines: of the half angles of its rotations, shape (rotations, ..., positions or 1).
    """
    number = 0
    for step in segment.steps:
        if isinstance(step, Sparse):
            state = apply_sparse(step, state)
            continue
        if isinstance(step, Jump):
            state = _jumped(step, state)
            continue
        c, s = cosines[number][..., None, None, :], sines[number][..., None, None, :]
        state = c * state + s * apply_sparse(step.generator, state)
        number += 1
    return state


def _jumped(step: Jump, state: Tensor) -> Tensor:
    """States of norm 1 after one operator each, again of norm 1.

    The norms are constants for the gradient: an operator that is drawn with probability p contributes the derivative of
    <psi|K^dagger O K|psi> / p, whose mean over draws is the derivative of the sum over all operators.
    """
    after = [apply_sparse(operator, state) for operator in step.operators]
    with torch.no_grad():
        shares = torch.stack([one.square().sum((-3, -2)) for one in after])  # operators, ..., states
        steps = shares.cumsum(0)
        drawn = torch.rand(steps.shape[1:], dtype=state.dtype, device=state.device) * steps[-1]
        chosen = (steps <= drawn).sum(0).clamp(max=len(after) - 1)
        norms = shares.gather(0, chosen.unsqueeze(0))[0].rsqrt()
    total: Tensor | None = None
    for number, one in enumerate(after):
        factor = torch.where(chosen == number, norms, 0.0)[..., None, None, :]
        total = one * factor if total is None else total + one * factor
    assert total is not None
    return total

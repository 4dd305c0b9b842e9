"""A circuit as the state-vector kernel runs it: one-qubit matrices, and permutations of basis states with phases."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from quanvolve.circuits import GATES, Angle, Circuit, Gate
from quanvolve.compile.batch._values import mixed_values, weight_offsets
from quanvolve.compile.reference._gates import Sparse, sparse_of
from quanvolve.compile.reference._measurements import words_of

_TILE = 4


class _Builder:
    """Steps in order; a gate joins an earlier step where nothing on its wires lies between."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.runs: list[list[Gate]] = [[] for _ in range(circuit.n_wires)]
        self.met: set[int] = set()
        self.steps: list[tuple[int, int]] = []
        self.moves: list[tuple[Sparse, set[int]]] = []
        for gate in circuit.gates:
            if len(gate.wires) == 1:
                self._turn(gate)
            else:
                self._move(gate)

    def _wires(self, step: tuple[int, int]) -> set[int]:
        return {step[0]} if step[0] >= 0 else self.moves[step[1]][1]

    def _last(self, wires: set[int]) -> int:
        return max((k for k, step in enumerate(self.steps) if self._wires(step) & wires), default=-1)

    def _turn(self, gate: Gate) -> None:
        wire = gate.wires[0]
        if wire not in self.met:
            self.runs[wire].append(gate)
            return
        last = self._last({wire})
        if last >= 0 and self.steps[last][0] == wire:
            self.runs[self.steps[last][1]].append(gate)
            return
        self.steps.append((wire, len(self.runs)))
        self.runs.append([gate])

    def _move(self, gate: Gate) -> None:
        self.met.update(gate.wires)
        new = sparse_of(GATES[gate.name].unitary(), gate.wires, self.circuit.n_wires)
        for k in range(max(self._last(set(gate.wires)), 0), len(self.steps)):
            if self.steps[k][0] < 0:
                number = self.steps[k][1]
                old, wires = self.moves[number]
                # What comes later reads where the earlier one has written.
                source = new.source[0]
                both = Sparse(old.source[:, source], new.factor * old.factor[:, source])
                self.moves[number] = (both, wires | set(gate.wires))
                return
        self.steps.append((-1, len(self.moves)))
        self.moves.append((new, set(gate.wires)))


@lru_cache(maxsize=256)
def supported(circuit: Circuit) -> bool:
    """Whether the kernel runs this circuit: expectation values, from the zero state, without angles that mix."""
    return circuit.preparation is None and circuit.counts is None and not mixed_values(circuit)


@lru_cache(maxsize=256)
def kernel_arguments(circuit: Circuit) -> tuple[Any, ...]:
    """What the kernels take of a circuit, from `wires` to `measured`."""
    built = _Builder(circuit)
    n = circuit.n_wires
    place = weight_offsets(circuit)
    angles: list[Angle] = []
    elements: list[tuple[int, int]] = []
    fixed: list[npt.NDArray[np.float64]] = []
    runs, vary = [0], []
    for run in built.runs:
        for gate in run:
            if gate.angle is None:
                matrix = GATES[gate.name].unitary().reshape(-1)
                elements.append((3, len(fixed)))
                fixed.append(np.stack([matrix.real, matrix.imag], axis=1).reshape(-1))
            else:
                elements.append(("XYZ".index(gate.name[1]), len(angles)))
                angles.append(gate.angle)
        runs.append(len(elements))
        vary.append(any(gate.angle is not None and bool(gate.angle.inputs) for gate in run))
    terms = [(r, place[name, k], c) for r, angle in enumerate(angles) for name, k, c in angle.weights]
    reads = [(r, k, c) for r, angle in enumerate(angles) for k, c in angle.inputs]
    factors = np.array([move.factor[0] for move, _ in built.moves]).reshape(-1, 2**n)
    masks, observed = _observed(circuit)
    return (
        n,
        np.array(built.steps, np.int64).reshape(-1, 2),
        np.array(vary, np.bool_),
        np.array(runs, np.int64),
        np.array(elements, np.int64).reshape(-1, 2),
        np.array(fixed, np.float64).reshape(-1, 8),
        np.array([move.source[0] for move, _ in built.moves], np.int64).reshape(-1, 2**n),
        np.stack([factors.real, factors.imag], axis=-1),
        (factors == 1).all(axis=1),
        np.array([angle.offset for angle in angles], np.float64),
        np.array([t[:2] for t in terms], np.int64).reshape(-1, 2),
        np.array([t[2] for t in terms], np.float64),
        np.array([r[:2] for r in reads], np.int64).reshape(-1, 2),
        np.array([r[2] for r in reads], np.float64),
        masks,
        observed,
        circuit.n_outputs,
    )


def _observed(circuit: Circuit) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """(bits a word flips, whether the phases are imaginary), and the phases (words, outputs padded, D)."""
    found = [
        (mask, odd, matrix)
        for mask, even_matrix, odd_matrix in words_of(circuit)
        for odd, matrix in ((0, even_matrix), (1, odd_matrix))
        if matrix is not None
    ]
    rows = -(-circuit.n_outputs // _TILE) * _TILE
    dimension = 2**circuit.n_wires
    # A tile may read (and does not use) a little more than the matrices.
    room = np.zeros(len(found) * rows * dimension + _TILE * dimension + _TILE)
    observed = room[: len(found) * rows * dimension].reshape(len(found), rows, dimension)
    for k, (_, _, matrix) in enumerate(found):
        observed[k, : circuit.n_outputs] = matrix
    return np.array([(mask, odd) for mask, odd, _ in found], np.int64).reshape(-1, 2), observed

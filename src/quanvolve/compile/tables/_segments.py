"""A circuit as runs of steps on state vectors of 2^n amplitudes, wire 0 as the most significant bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quanvolve.circuits import GATES, PAULIS, Angle, kraus_of
from quanvolve.compile.tables._angles import AngleMaps, angle_maps
from quanvolve.compile.tables._parsed import Parsed, kept

Matrix = npt.NDArray[np.complex128]
FOLD_WIRES = 9
"""Up to so many qubits a run of gates that read no input is multiplied out to one matrix."""
_FOLD_STEPS = 3


@dataclass(frozen=True, eq=False)
class Sparse:
    """A fixed gate: ``new[d] = sum_t factor[t, d] * old[source[t, d]]``."""

    source: npt.NDArray[np.int64]
    factor: Matrix

    def then(self, later: Sparse) -> Sparse:
        """This gate and another permutation with phases, as one.

        Later reads where earlier has written: ``new[d] = g[d] old[s[d]]`` after ``old[d] = f[d] first[t[d]]`` is
        ``g[d] f[s[d]] first[t[s[d]]]``.
        """
        source = later.source[0]
        return Sparse(self.source[:, source], later.factor * self.factor[:, source])

    @property
    def permutes(self) -> bool:
        """Whether each amplitude comes from a single other one."""
        return len(self.source) == 1


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
    """Steps in order that all read inputs, or that all do not.

    Args:
        steps: gates and channels.
        reads: whether their angles read inputs.
        maps: of the angles of those that are rotations.
        folds: whether one matrix product is cheaper than the steps.
    """

    steps: tuple[Step, ...]
    reads: bool
    maps: AngleMaps
    folds: bool


@kept
def segments_of(parsed: Parsed) -> tuple[Segment, ...]:
    """The circuit's gates as runs of steps; neighbouring permutations become one."""
    circuit = parsed.circuit
    runs: list[tuple[list[Step], bool]] = []
    for gate in circuit.gates:
        reads = gate.angle is not None and bool(gate.angle.inputs)
        if not runs or runs[-1][1] != reads:
            runs.append(([], reads))
        steps = runs[-1][0]
        if gate.angle is not None:
            generator = sparse_of(-1j * PAULIS[gate.name[1]], gate.wires, circuit.n_wires)
            steps.append(Rotation(generator, gate.angle))
            continue
        if gate.transfer is not None:
            operators = kraus_of(np.array(gate.transfer))
            steps.append(Jump(tuple(sparse_of(operator, gate.wires, circuit.n_wires) for operator in operators)))
            continue
        step = sparse_of(GATES[gate.name].unitary(), gate.wires, circuit.n_wires)
        last = steps[-1] if steps else None
        if isinstance(last, Sparse) and last.permutes and step.permutes:
            steps[-1] = last.then(step)
        else:
            steps.append(step)
    return tuple(_segment(parsed, tuple(steps), reads) for steps, reads in runs)


def _segment(parsed: Parsed, steps: tuple[Step, ...], reads: bool) -> Segment:
    maps = angle_maps(parsed, (step.angle for step in steps if isinstance(step, Rotation)))
    folds = not reads and parsed.circuit.n_wires <= FOLD_WIRES and len(steps) >= _FOLD_STEPS
    return Segment(steps, reads, maps, folds)


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

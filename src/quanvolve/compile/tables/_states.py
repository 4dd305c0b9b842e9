"""A circuit as the state-vector kernel runs it: one-qubit matrices, and permutations of basis states with phases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quanvolve.circuits import GATES, Angle, Circuit, Gate
from quanvolve.compile.tables._features import padded
from quanvolve.compile.tables._fuse import Fuser
from quanvolve.compile.tables._handle import Tables
from quanvolve.compile.tables._parsed import Parsed, kept
from quanvolve.compile.tables._segments import Sparse, sparse_of
from quanvolve.compile.tables._values import mixed_values, weight_places
from quanvolve.compile.tables._words import words_of

_TILE = 4
FIXED = 3
"""Kind of an element that is a fixed matrix; 0, 1, 2 are rotations about X, Y, Z."""
MOVE = -1
"""In place of a wire: the step is a permutation."""

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Reals = npt.NDArray[np.floating]


class StateSteps(NamedTuple):
    """A circuit on state vectors.

    Runs of one-qubit gates are one matrix each; all other gates are permutations of basis states with phases. The first
    state is basis state 0, or has amplitudes that the window gives.

    Args:
        wires: of the circuit.
        prepared: (basis state, value) pairs: the amplitudes of the first state, but for their length.
        steps: (wire, run) or (MOVE, permutation), in order, after the runs with which the wires begin: run w on wire w;
            of a prepared state these are empty.
        vary, weighted: whether a run reads the window, and whether it has weights.
        mixed: whether a run has both.
        begin: the first step with weights; -1 if one of the first runs has some.
        runs, elements: the elements of run r are elements[runs[r] : runs[r + 1]], (axis, rotation) or (FIXED, matrix).
        fixed: matrices as eight numbers each.
        sources, phases, plain: the permutations, ``new[d] = phases[d] old[sources[d]]``, and whether all phases are 1.
        offsets, terms, multipliers: angles from weights: (rotation, number) pairs and factors.
        reads, factors: angles from the window: (rotation, value) pairs and factors.
        reading: the rotations that do.
        masks, observed: (bits that a word flips, whether its phases are imaginary), and the phases: shape
            (words, outputs padded to a tile, D).
        outcomes: where each output is the probability of one basis state: which; else empty.
        measured: outputs of the circuit.
    """

    wires: int
    prepared: Integers
    steps: Integers
    vary: npt.NDArray[np.bool_]
    weighted: npt.NDArray[np.bool_]
    mixed: bool
    begin: int
    runs: Integers
    elements: Integers
    fixed: Floats
    sources: Integers
    phases: Reals
    plain: npt.NDArray[np.bool_]
    offsets: Floats
    terms: Integers
    multipliers: Floats
    reads: Integers
    factors: Floats
    reading: Integers
    masks: Integers
    observed: Reals
    outcomes: Integers
    measured: int

    def single(self) -> StateSteps:
        """The same for states in single precision."""
        observed = _with_room(self.observed.shape, np.float32)
        observed[:] = self.observed
        return self._replace(phases=self.phases.astype(np.float32), observed=observed)


def supported(circuit: Circuit) -> bool:
    """Whether the kernel runs this circuit: expectation values, without angles that mix inputs and weights."""
    return circuit.counts is None and not mixed_values(circuit)


@kept
def state_steps(parsed: Parsed) -> StateSteps:
    """The steps of a circuit that is :func:`supported`."""
    circuit = parsed.circuit
    n, place = circuit.n_wires, weight_places(parsed)
    runs, steps, moves = _fused(circuit)
    angles: list[Angle] = []
    elements: list[tuple[int, int]] = []
    fixed: list[Floats] = []
    ends = [0]
    for run in runs:
        for gate in run:
            if gate.angle is None:
                matrix = GATES[gate.name].unitary().reshape(-1)
                elements.append((FIXED, len(fixed)))
                fixed.append(np.stack([matrix.real, matrix.imag], axis=1).reshape(-1))
            else:
                elements.append(("XYZ".index(gate.name[1]), len(angles)))
                angles.append(gate.angle)
        ends.append(len(elements))
    vary = np.array([any(gate.angle is not None and bool(gate.angle.inputs) for gate in run) for run in runs], bool)
    weighted = np.array(
        [any(gate.angle is not None and gate.angle.weights != () for gate in run) for run in runs], bool
    )
    terms = [(r, place[name, k], c) for r, angle in enumerate(angles) for name, k, c in angle.weights]
    reads = [(r, k, c) for r, angle in enumerate(angles) for k, c in angle.inputs]
    factors = np.array([move.factor[0] for move in moves]).reshape(-1, 2**n)
    masks, observed = _observed(parsed)
    return StateSteps(
        wires=n,
        prepared=np.array(prepared_places(circuit), np.int64).reshape(-1, 2),
        steps=np.array(steps, np.int64).reshape(-1, 2),
        vary=vary,
        weighted=weighted,
        mixed=bool((vary & weighted).any()),
        begin=-1 if weighted[:n].any() else next((k for k, (w, r) in enumerate(steps) if w != MOVE and weighted[r]), 0),
        runs=np.array(ends, np.int64),
        elements=np.array(elements, np.int64).reshape(-1, 2),
        fixed=np.array(fixed, np.float64).reshape(-1, 8),
        sources=np.array([move.source[0] for move in moves], np.int64).reshape(-1, 2**n),
        phases=np.stack([factors.real, factors.imag], axis=-1),
        plain=(factors == 1).all(axis=1),
        offsets=np.array([angle.offset for angle in angles], np.float64),
        terms=np.array([t[:2] for t in terms], np.int64).reshape(-1, 2),
        multipliers=np.array([t[2] for t in terms], np.float64),
        reads=np.array([r[:2] for r in reads], np.int64).reshape(-1, 2),
        factors=np.array([r[2] for r in reads], np.float64),
        reading=np.array(sorted({r[0] for r in reads}), np.int64),
        masks=masks,
        observed=observed,
        outcomes=_outcomes(masks, observed[:, : circuit.n_outputs]),
        measured=circuit.n_outputs,
    )


def _fused(circuit: Circuit) -> tuple[list[list[Gate]], list[tuple[int, int]], list[Sparse]]:
    """Runs of gates on one wire, the steps that refer to them, and the permutations.

    The first runs, one a wire, are what comes before the wire's first gate on several qubits; none does so in a state
    of amplitudes, which is no product of states of the wires.
    """
    runs: list[list[Gate]] = [[] for _ in range(circuit.n_wires)]
    fuser = Fuser[Gate, Sparse](Sparse.then)
    met: set[int] = set() if circuit.preparation is None else set(range(circuit.n_wires))
    for gate in circuit.gates:
        if len(gate.wires) > 1:
            met.update(gate.wires)
            fuser.move(set(gate.wires), sparse_of(GATES[gate.name].unitary(), gate.wires, circuit.n_wires))
        elif gate.wires[0] in met:
            fuser.turn(gate.wires[0], gate)
        else:
            runs[gate.wires[0]].append(gate)
    steps: list[tuple[int, int]] = []
    moves: list[Sparse] = []
    for step in fuser.steps:
        if step.move is not None:
            steps.append((MOVE, len(moves)))
            moves.append(step.move)
        else:
            (wire,) = step.wires
            steps.append((wire, len(runs)))
            runs.append(list(step.turns))
    return runs, steps, moves


def prepared_places(circuit: Circuit) -> list[tuple[int, int]]:
    """The basis state of each amplitude that the window gives, and the number of the value that it is proportional to.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> prepared_places(named_circuit("none", 3, encoding="amplitude", n_wires=3))
        [(0, 0), (2, 1), (4, 2)]
    """
    prepared, n = circuit.preparation, circuit.n_wires
    if prepared is None:
        return []
    k = len(prepared.wires)
    return [
        (sum(((state >> (k - 1 - j)) & 1) << (n - 1 - wire) for j, wire in enumerate(prepared.wires)), value)
        for state, value in enumerate(prepared.values)
    ]


def _observed(parsed: Parsed) -> tuple[Integers, Reals]:
    """(bits a word flips, whether the phases are imaginary), and the phases (words, outputs padded, D)."""
    parts = [
        (mask, odd, matrix)
        for mask, even_matrix, odd_matrix in words_of(parsed)
        for odd, matrix in ((0, even_matrix), (1, odd_matrix))
        if matrix is not None
    ]
    circuit = parsed.circuit
    observed = _with_room((len(parts), padded(circuit.n_outputs, _TILE), 2**circuit.n_wires), np.float64)
    for k, (_, _, matrix) in enumerate(parts):
        observed[k, : circuit.n_outputs] = matrix
    return np.array([(mask, odd) for mask, odd, _ in parts], np.int64).reshape(-1, 2), observed


def _outcomes(masks: Integers, observed: Reals) -> Integers:
    """The basis state of each output, where all of them are probabilities of one."""
    if masks.tolist() != [[0, 0]] or ((observed != 0).sum(-1) != 1).any() or (observed.sum(-1) != 1).any():
        return np.empty(0, np.int64)
    return np.asarray(observed[0].argmax(-1), np.int64)


def _with_room(shape: tuple[int, ...], dtype: type) -> Reals:
    """Zeros, behind which a tile may read (and does not use) a little more."""
    size = int(np.prod(shape))
    return np.zeros(size + _TILE * shape[-1] + _TILE, dtype)[:size].reshape(shape)


class StateTables(Tables):
    """The circuits of all rows.

    Args:
        circuits: one for all rows of the weights, or one for each.
        filters: of each group.
    """

    def __init__(self, circuits: Sequence[Parsed], filters: int) -> None:
        self.circuits, self.filters = tuple(circuits), filters
        self._steps: dict[tuple[int, bool], StateSteps] = {}

    @classmethod
    def of_circuits(cls, circuits: Sequence[Parsed], filters: int) -> StateTables:
        """Tables that are shared with whoever has the same."""
        return cls.shared(([parsed.circuit for parsed in circuits], filters), lambda: cls(circuits, filters))

    @property
    def measured(self) -> int:
        """Outputs of a circuit."""
        return self.circuits[0].circuit.n_outputs

    def steps(self, number: int, single: bool) -> StateSteps:
        """Those of a circuit, in the precision of the states."""
        if (number, single) not in self._steps:
            steps = state_steps(self.circuits[number])
            self._steps[number, single] = steps.single() if single else steps
        return self._steps[number, single]

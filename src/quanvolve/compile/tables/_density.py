"""A circuit on the Pauli coefficients of a density matrix: ``rho = sum_P r[P] P / 2^n``, ``r[P] = Tr(P rho)`` real."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from quanvolve.circuits import Gate
from quanvolve.compile.tables._angles import AngleMaps, angle_maps
from quanvolve.compile.tables._parsed import Parsed, kept
from quanvolve.compile.tables._pauli import AXES, Floats, clifford_on, part_on, rotation_tables, word_index

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Turned:
    """A rotation of one wire's X, Y, Z coefficients by the next angle.

    Args:
        wire: that it acts on.
        partners: for each letter I, X, Y, Z the letter that it is mixed with and the sign of the sine, or None where
            it stays: ``new = cos(a) old[letter] + sign sin(a) old[partner]``.
    """

    wire: int
    partners: tuple[tuple[int, float] | None, ...]


@dataclass(frozen=True, eq=False)
class Permuted:
    """A Clifford gate: ``r_new[p] = sign[p] * r_old[source[p]]``."""

    source: Integers
    sign: Floats


@dataclass(frozen=True, eq=False)
class Scaled:
    """A channel that only shrinks words: ``r_new[p] = factor[p] * r_old[p]``."""

    factor: Floats


@dataclass(frozen=True, eq=False)
class Mixed:
    """Any other channel: a matrix on the words of its wires.

    Args:
        matrix: shape (4^k, 4^k).
        order: all words sorted by their part on these wires, the others in the same order for each.
        back: the inverse of that.
    """

    matrix: Floats
    order: Integers
    back: Integers


Step = Turned | Permuted | Scaled | Mixed


@kept
def density_runs(parsed: Parsed) -> tuple[tuple[AngleMaps, tuple[Step, ...]], ...]:
    """The gates as runs that all read inputs, or that all do not: the angles of their rotations, and the steps."""
    runs = []
    for _, group in groupby(parsed.circuit.gates, lambda gate: gate.angle is not None and bool(gate.angle.inputs)):
        gates = list(group)
        maps = angle_maps(parsed, (gate.angle for gate in gates if gate.angle is not None))
        runs.append((maps, tuple(_step(gate, parsed.circuit.n_wires) for gate in gates)))
    return tuple(runs)


def _step(gate: Gate, n_wires: int) -> Step:
    if gate.angle is not None:
        return Turned(gate.wires[0], _partners(AXES.index(gate.name[1])))
    if gate.transfer is not None:
        return _channel(np.array(gate.transfer), gate.wires, n_wires)
    target, sign = clifford_on(gate.name, gate.wires, n_wires)
    source = np.argsort(target)  # of states: the inverse of what happens to observables
    return Permuted(source, sign[source].astype(float))


def _partners(axis: int) -> tuple[tuple[int, float] | None, ...]:
    """Each letter stays, or is cos(a) times itself and sin(a) times another one up to a sign."""
    table = rotation_tables()[axis].transpose(0, 2, 1)  # of states, not of observables
    partners: list[tuple[int, float] | None] = []
    for row in range(4):
        other = np.flatnonzero(table[2, row])
        partners.append((int(other[0]), float(table[2, row, other[0]])) if len(other) else None)
    return tuple(partners)


def _channel(matrix: Floats, wires: tuple[int, ...], n_wires: int) -> Step:
    local = part_on(wires, n_wires)
    if (matrix == np.diag(np.diag(matrix))).all():
        return Scaled(np.diag(matrix)[local])
    order = np.argsort(local, kind="stable")
    return Mixed(matrix, order, np.argsort(order))


@kept
def measured_words(parsed: Parsed) -> tuple[Integers, Floats]:
    """The words that are measured, and what each adds to each output: shape (outputs, words)."""
    circuit = parsed.circuit
    places: dict[int, int] = {}
    entries = []
    for output, observable in enumerate(circuit.observables):
        for coefficient, word in observable.pauli_terms():
            index = word_index(word, circuit.n_wires)
            entries.append((output, places.setdefault(index, len(places)), coefficient))
    matrix = np.zeros((circuit.n_outputs, len(places)))
    for output, place, coefficient in entries:
        matrix[output, place] += coefficient
    return np.array(list(places), np.int64), matrix


@dataclass(frozen=True, eq=False)
class WordTables:
    """Words as i^(number of Y) X^x Z^z, for states with real amplitudes.

    Args:
        flips: for each x the basis states that it takes the others to, shape (2^n, 2^n).
        signs: for each z the signs of basis states, shape (2^n, 2^n).
        sources: for each word the place of its (x, z).
        factors: what that is multiplied with; words with an odd number of Y vanish.
    """

    flips: Integers
    signs: Floats
    sources: Integers
    factors: Floats


@kept
def word_tables(parsed: Parsed) -> WordTables:
    """The tables of the circuit's register."""
    n = parsed.circuit.n_wires
    states = np.arange(2**n)
    ones = np.array([[int(a & b).bit_count() for b in states] for a in states])
    x, z, turns = (np.zeros(4**n, np.int64) for _ in range(3))
    for wire in range(n):
        digit, bit = part_on((wire,), n), n - 1 - wire
        x += np.isin(digit, (1, 2)).astype(np.int64) << bit
        z += np.isin(digit, (2, 3)).astype(np.int64) << bit
        turns += digit == 2
    factors = np.where(turns % 2, 0.0, (-1.0) ** (turns // 2))
    return WordTables(np.bitwise_xor(states, states[:, None]), (-1.0) ** ones, x * 2**n + z, factors)

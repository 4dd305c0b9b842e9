"""How gates act on Pauli coefficients (the Heisenberg picture), as constant real tables.

An observable O = sum_P T[P] P becomes U^dagger O U. A rotation by angle a about Pauli A mixes coefficients with a
matrix that is affine in (1, cos a, sin a); a Clifford gate permutes them up to signs. Pauli indices count
I, X, Y, Z = 0, 1, 2, 3, first wire most significant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from quanvolve.circuits import GATES, PAULIS, transfer_of

AXES = ("X", "Y", "Z")
LETTERS = "IXYZ"
Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.complex128]


def heisenberg_matrix(unitary: Matrix) -> Floats:
    """R with ``T_new = R @ T_old`` for O -> U^dagger O U; shape (4^n, 4^n) for an n-qubit unitary."""
    return transfer_of([unitary]).T


@lru_cache(maxsize=1)
def rotation_tables() -> Floats:
    """The three parts of a rotation's matrix, shape (axis, part, 4, 4): R(a) = part0 + cos(a) part1 + sin(a) part2."""
    tables = np.zeros((3, 3, 4, 4))
    for k, axis in enumerate(AXES):
        # exp(-i a/2 P) at a = 0, pi/2 and pi determines the three parts.
        at = [
            heisenberg_matrix(np.cos(a / 2) * PAULIS["I"] - 1j * np.sin(a / 2) * PAULIS[axis])
            for a in (0.0, np.pi / 2, np.pi)
        ]
        tables[k, 0] = (at[0] + at[2]) / 2
        tables[k, 1] = (at[0] - at[2]) / 2
        tables[k, 2] = at[1] - tables[k, 0]
    return np.rint(tables * 2) / 2  # the entries are 0, 1 and -1; this removes the rounding of cos(pi/2)


@lru_cache(maxsize=64)
def clifford_table(name: str) -> tuple[npt.NDArray[np.int64], Floats]:
    """A Clifford gate as a signed permutation: ``T_new[p] = sign[p] * T_old[source[p]]``."""
    matrix = heisenberg_matrix(GATES[name].unitary())
    source = np.argmax(np.abs(matrix), axis=1)
    sign = np.rint(matrix[np.arange(len(matrix)), source])
    return source.astype(np.int64), sign


@lru_cache(maxsize=64)
def clifford_on_states(name: str) -> Floats:
    """The matrix (4, 4) of a Clifford gate on a Bloch vector: states move opposite to observables."""
    source, sign = clifford_table(name)
    forward = np.zeros((4, 4))
    forward[source, np.arange(4)] = sign
    return forward


def word_index(word: Iterable[tuple[int, str]], n_wires: int) -> int:
    """The number of a Pauli word among all 4^n_wires.

    Examples:
        >>> word_index([(0, "Z"), (2, "X")], 3)
        49
    """
    return sum(LETTERS.index(pauli) * 4 ** (n_wires - 1 - wire) for wire, pauli in word)


def part_on(wires: Sequence[int], n_wires: int) -> npt.NDArray[np.int64]:
    """For each word of a register its part on some wires, the first of these most significant.

    Examples:
        >>> part_on([1], 2)[:6].tolist()
        [0, 1, 2, 3, 0, 1]
    """
    index, local = np.arange(4**n_wires), np.zeros(4**n_wires, np.int64)
    for wire in wires:
        local = 4 * local + index // 4 ** (n_wires - 1 - wire) % 4
    return local


def clifford_on(name: str, wires: tuple[int, ...], n_wires: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """The signed permutation of a Clifford gate on some wires of a register, over all 4^n_wires Pauli words."""
    source, sign = clifford_table(name)
    local = part_on(wires, n_wires)
    target = np.arange(4**n_wires)
    for place, wire in enumerate(wires):
        after = 4 ** (len(wires) - 1 - place)
        digit = (source[local] // after) % 4 - (local // after) % 4
        target = target + digit * 4 ** (n_wires - 1 - wire)
    return target.astype(np.int32), sign[local].astype(np.int8)

"""The gate vocabulary: every captured circuit is written in these gates and no others.

A rotation is ``exp(-i angle / 2 P)`` for one Pauli P. Everything else is a Clifford gate without parameters. Any
other gate reaches this form by decomposition (global phases are dropped: no expectation value depends on them).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class GateKind:
    """What a gate name means: its wire count and either its rotation axis or its Clifford matrix."""

    n_wires: int
    axis: str | None = None
    matrix: tuple[tuple[complex, ...], ...] | None = None

    def unitary(self) -> npt.NDArray[np.complex128]:
        """The matrix of a Clifford gate, shape (2^n, 2^n), first wire most significant."""
        if self.matrix is None:
            raise TypeError(f"the gate is a rotation about {self.axis}: its matrix depends on an angle")
        return np.array(self.matrix, dtype=np.complex128)


def _clifford(matrix: npt.ArrayLike) -> GateKind:
    array = np.asarray(matrix, dtype=np.complex128)
    rows = tuple(tuple(complex(entry) for entry in row) for row in array)
    return GateKind(n_wires=len(rows).bit_length() - 1, matrix=rows)


def _controlled(matrix: npt.ArrayLike) -> npt.NDArray[np.complex128]:
    full = np.eye(4, dtype=np.complex128)
    full[2:, 2:] = np.asarray(matrix)
    return full


PAULIS: dict[str, npt.NDArray[np.complex128]] = {
    "I": np.eye(2, dtype=np.complex128),
    "X": np.array([[0, 1], [1, 0]], dtype=np.complex128),
    "Y": np.array([[0, -1j], [1j, 0]], dtype=np.complex128),
    "Z": np.array([[1, 0], [0, -1]], dtype=np.complex128),
}
"""The Pauli matrices, in the order in which all Pauli indices of this package count."""


def pauli_words(n: int) -> npt.NDArray[np.complex128]:
    """All products of n Pauli matrices, the first most significant, shape (4^n, 2^n, 2^n)."""
    words = np.ones((1, 1, 1), np.complex128)
    single = np.array(list(PAULIS.values()))
    for _ in range(n):
        words = np.einsum("aij,bkl->abikjl", words, single).reshape(4 * len(words), 2 * words.shape[1], -1)
    return words


GATES: dict[str, GateKind] = {
    "RX": GateKind(1, axis="X"),
    "RY": GateKind(1, axis="Y"),
    "RZ": GateKind(1, axis="Z"),
    "H": _clifford(np.array([[1, 1], [1, -1]]) / np.sqrt(2)),
    "X": _clifford(PAULIS["X"]),
    "Y": _clifford(PAULIS["Y"]),
    "Z": _clifford(PAULIS["Z"]),
    "S": _clifford(np.diag([1, 1j])),
    "SX": _clifford(np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2),
    "CNOT": _clifford(_controlled(PAULIS["X"])),
    "CY": _clifford(_controlled(PAULIS["Y"])),
    "CZ": _clifford(_controlled(PAULIS["Z"])),
    "SWAP": _clifford(np.eye(4)[[0, 2, 1, 3]]),
    "ISWAP": _clifford(np.array([[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]])),
}
"""Every gate a :class:`~quanvolve.circuits.Circuit` may contain, by name."""

"""Noise channels: Kraus operators and familiar names as Pauli transfer matrices."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.description._description import CHANNEL, Gate
from quanvolve.circuits.description._gates import PAULIS, pauli_words

Matrix = npt.NDArray[np.complex128]
_ROUNDING = 1e-7


def channel(kraus: Sequence[npt.ArrayLike], wires: Sequence[int]) -> Gate:
    """A noise channel ``N(rho) = sum_i K_i rho K_i^dagger`` as a gate of a circuit.

    Args:
        kraus: the operators K_i, each of shape (2, 2) for one wire or (4, 4) for two.
        wires: that it acts on; the first is the most significant bit of a row or column.

    Raises:
        QuanvolveError: if the shapes do not fit, or the operators do not keep the trace (sum of K^dagger K is 1).

    References:
        Nielsen and Chuang, Quantum Computation and Quantum Information, equation 8.10; Greenbaum, arXiv:1509.02921
        (2015), equation 3.21, for the transfer matrix.

    Examples:
        >>> flip = channel([[[0.8, 0], [0, 0.8]], [[0, 0.6], [0.6, 0]]], wires=[0])
        >>> [round(row[k], 2) for k, row in enumerate(flip.transfer)]
        [1.0, 1.0, 0.28, 0.28]
    """
    operators = [np.asarray(operator, np.complex128) for operator in kraus]
    size = 2 ** len(wires)
    if not 1 <= len(wires) <= 2 or not operators or any(o.shape != (size, size) for o in operators):
        shapes = [o.shape for o in operators]
        raise QuanvolveError(
            f"the Kraus operators of a channel on wires {list(wires)} have the shapes {shapes}, expected one or two "
            f"wires and shapes {(size, size)}"
        )
    total = sum(o.conj().T @ o for o in operators)
    error = float(np.abs(total - np.eye(size)).max())
    if not error < _ROUNDING:
        raise QuanvolveError(
            f"the Kraus operators of a channel on wires {list(wires)} do not keep the trace: the sum of K^dagger K "
            f"differs from 1 by {error:.2g}"
        )
    return channel_gate(transfer_of(operators), wires)


def channel_gate(transfer: npt.NDArray[np.float64], wires: Sequence[int]) -> Gate:
    """A transfer matrix as a gate; the first row, which the trace fixes, is made exact."""
    exact = np.array(transfer, float)
    exact[0] = 0.0
    exact[0, 0] = 1.0
    rows = tuple(tuple(float(entry) for entry in row) for row in exact)
    return Gate(CHANNEL, tuple(int(wire) for wire in wires), None, rows)


def transfer_of(kraus: Sequence[Matrix]) -> npt.NDArray[np.float64]:
    """``R[p, q] = Tr(P_p N(P_q)) / 2^n`` of Kraus operators on n wires, shape (4^n, 4^n)."""
    n = len(kraus[0]).bit_length() - 1
    words = pauli_words(n)
    images = sum(operator @ words @ operator.conj().T for operator in kraus)
    transfer: npt.NDArray[np.float64] = np.einsum("pij,qji->pq", words, images).real / 2**n
    return transfer


def kraus_of(transfer: npt.NDArray[np.float64]) -> list[Matrix]:
    """Kraus operators of a transfer matrix: the eigenvectors of its Choi matrix ``sum_pq R[p, q] P_p (x) P_q^T``.

    Raises:
        QuanvolveError: if there are none, because the map is not completely positive.

    Examples:
        >>> len(kraus_of(np.diag([1.0, 0.9, 0.9, 0.9])))
        4
    """
    n = len(transfer).bit_length() // 2
    words = pauli_words(n)
    size = 2**n
    choi = sum(
        transfer[p, q] * np.kron(words[p], words[q].T) / size for p, q in zip(*np.nonzero(transfer), strict=True)
    )
    values, vectors = np.linalg.eigh(choi)
    if values[0] < -_ROUNDING:
        raise QuanvolveError(
            f"the channel's transfer matrix is not that of a physical channel: its Choi matrix has the eigenvalue "
            f"{values[0]:.2g}, and none may be negative"
        )
    return [
        np.asarray(math.sqrt(value) * vectors[:, k].reshape(size, size), complex)
        for k, value in enumerate(values)
        if value > _ROUNDING**2
    ]


def _flip(pauli: str) -> Callable[[float], list[Matrix]]:
    return lambda p: [np.asarray(math.sqrt(1 - p) * PAULIS["I"]), np.asarray(math.sqrt(p) * PAULIS[pauli])]


def _depolarizing(p: float) -> list[Matrix]:
    shares = {"I": 1 - p, "X": p / 3, "Y": p / 3, "Z": p / 3}
    return [np.asarray(math.sqrt(share) * PAULIS[letter]) for letter, share in shares.items()]


def _amplitude_damping(gamma: float) -> list[Matrix]:
    return [np.diag([1, math.sqrt(1 - gamma)]).astype(complex), np.array([[0, math.sqrt(gamma)], [0, 0]], complex)]


def _phase_damping(gamma: float) -> list[Matrix]:
    return [np.diag([1, math.sqrt(1 - gamma)]).astype(complex), np.diag([0, math.sqrt(gamma)]).astype(complex)]


CHANNELS: dict[str, Callable[[float], list[Matrix]]] = {
    "depolarizing": _depolarizing,
    "amplitude_damping": _amplitude_damping,
    "phase_damping": _phase_damping,
    "bit_flip": _flip("X"),
    "phase_flip": _flip("Z"),
}
"""Kraus operators on one wire by name and strength in [0, 1], as PennyLane's channels of these names define them."""

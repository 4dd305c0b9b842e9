"""Two-qubit Clifford gates as sums of products: what each of their qubits sees of them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from quanvolve.compile.tables._pauli import Floats, clifford_table


@lru_cache(maxsize=16)
def split_gate(name: str) -> tuple[Floats, Floats]:
    """A gate's action on Pauli coefficients as ``sum_g A[g] (x) B[g]``.

    The operator-Schmidt decomposition of the 16 x 16 matrix R of the gate, with entries 0, 1 and -1: R is a signed
    permutation, and for CNOT, CY and CZ it falls apart into four blocks of rank one.

    Args:
        name: a Clifford gate on two wires.

    Returns:
        A and B, shape (rank, 4, 4), of the first and the second wire: A[g, new, old].

    Examples:
        >>> first, second = split_gate("CNOT")
        >>> len(first)
        4
    """
    source, sign = clifford_table(name)
    whole = np.zeros((4, 4, 4, 4))  # new first, new second, old first, old second
    for target in range(16):
        whole[target // 4, target % 4, source[target] // 4, source[target] % 4] = sign[target]
    return split_matrix(whole.reshape(16, 16))


def split_matrix(action: Floats) -> tuple[Floats, Floats]:
    """The same for any matrix (16, 16) on the Pauli coefficients of two wires, such as that of a channel."""
    whole = action.reshape(4, 4, 4, 4)
    matrix = whole.transpose(0, 2, 1, 3).reshape(16, 16)
    firsts, seconds = [], []
    left = np.abs(matrix).sum(1) > 0
    while left.any():
        row = int(np.argmax(left))
        rows, columns = _block(matrix, row)
        block = matrix[np.ix_(rows, columns)]
        u, s, v = np.linalg.svd(block)
        rank = int((s > 1e-9).sum())
        for k in range(rank):
            # Signs are all that a block of rank one has; more than that keeps its singular vectors.
            pivot = np.argmax(np.abs(v[k]))
            of_rows, of_columns = (block[:, pivot], block[0] / block[0, pivot]) if rank == 1 else (u[:, k] * s[k], v[k])
            first, second = np.zeros(16), np.zeros(16)
            first[rows], second[columns] = of_rows, of_columns
            firsts.append(first.reshape(4, 4))
            seconds.append(second.reshape(4, 4))
        left[rows] = False
    return np.array(firsts), np.array(seconds)


def _block(matrix: Floats, row: int) -> tuple[list[int], list[int]]:
    """Rows and columns that are connected with a row by entries other than zero."""
    rows, columns = {row}, set[int]()
    while True:
        more = {int(c) for r in rows for c in np.flatnonzero(matrix[r])}
        again = {int(r) for c in more for r in np.flatnonzero(matrix[:, c])}
        if more == columns and again == rows:
            return sorted(rows), sorted(columns)
        rows, columns = again, more

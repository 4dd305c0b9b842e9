"""Unitary matrices on two wires that depend on inputs or weights, as gates whose angles have derivatives everywhere.

No formula for the angles of a matrix on two wires is smooth: they are phases of entries, which are free where an entry
is zero, or functions of eigenvectors, which are free where eigenvalues meet, and at the identity, which gates of small
inputs are close to, both are the case. So the angles say in two parts what the matrix U is and how it changes: gates
for U itself, whose angles have no derivative, and before them rotations about products of Pauli matrices for
``V = U0^dagger U``, U0 being U without its derivative. The value of V is the identity, and near it the angles of such
rotations are smooth functions of V: at first order they are its effective generators.

References:
    Wiersema et al., Quantum 8, 1275 (2024): gradients of any gate by rotations about products of Pauli matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._multiplexed import PHASE, diagonal, multiplexed_rotation
from quanvolve.circuits.capture._traced import Traced
from quanvolve.circuits.description import PAULIS, pauli_words

_FRAMES: tuple[tuple[str | None, tuple[tuple[str, int, str], ...]], ...] = (
    (None, (("X", 0, "XI"), ("Y", 0, "YI"), ("Z", 0, "ZI"), ("X", 1, "IX"), ("Y", 1, "IY"), ("Z", 1, "IZ"))),
    ("CZ", (("X", 0, "XZ"), ("Y", 0, "YZ"), ("X", 1, "ZX"), ("Y", 1, "ZY"))),
    ("CNOT", (("X", 0, "XX"), ("Y", 0, "YX"), ("Z", 1, "ZZ"))),
    ("CY", (("X", 0, "XY"), ("Y", 0, "YY"))),
)
"""A gate, and rotations between it and itself: their axis and wire, and the product about which they then turn."""
_WORDS = [np.kron(PAULIS[word[0]], PAULIS[word[1]]) for _, turns in _FRAMES for _, _, word in turns]


def two_wire_gates(matrix: Tensor, wires: Sequence[Any], origin: str) -> list[Traced]:
    """A unitary matrix of shape (4, 4) as gates, with its phase.

    Derivatives up to the third are those of the matrix.

    Args:
        matrix: depends on inputs or weights.
        wires: two, the first most significant.
        origin: of the operation.

    Raises:
        CaptureError: for several matrices at once.
    """
    if matrix.ndim != 2:
        raise CaptureError(
            f"{origin} has {len(matrix)} matrices at once (shape {tuple(matrix.shape)}), expected one matrix: compute "
            "it for one window"
        )
    # A product, because vmap has no rule for the imaginary part of a conjugate that was not computed yet. Constants of
    # a program have the precision of its inputs, and so must what is multiplied with them.
    one = torch.ones((), dtype=torch.complex128)
    matrix = (matrix * one).type_as(one)
    still = matrix.detach()
    near = still.mH @ matrix
    # What the first rotations leave of V differs from the identity by the square of what V does.
    phase, angles = _first_order(near)
    rest = _product(phase, angles).mH @ near
    return [
        *_rotations(*_first_order(rest), wires, origin),
        *_rotations(phase, angles, wires, origin),
        *_value(still, wires, origin),
    ]


def special_unitary(coefficients: Tensor) -> Tensor:
    """``exp(i sum_k theta_k P_k)`` for the products of two Pauli matrices but the identity, in PennyLane's order."""
    words = pauli_words(2)[1:]
    real, imag = torch.as_tensor(words.real.copy()), torch.as_tensor(words.imag.copy())
    factors = coefficients.reshape(-1, 1, 1)
    matrix: Tensor = torch.linalg.matrix_exp(torch.complex(-(factors * imag).sum(0), (factors * real).sum(0)))
    return matrix


def _first_order(near: Tensor) -> tuple[Tensor, list[Tensor]]:
    """a for which ``exp(i a_0) prod_k exp(i a_k P_k)`` has a matrix's first derivatives, where that is the identity."""
    real, imag = near.real, near.imag

    def part(word: npt.NDArray[np.complexfloating[Any, Any]]) -> Tensor:  # Im Tr(P V) / 4
        transposed = torch.as_tensor(word.T / 4)
        return (transposed.real * imag).sum() + (transposed.imag * real).sum()

    return part(np.kron(PAULIS["I"], PAULIS["I"])), [part(word) for word in _WORDS]


def _product(phase: Tensor, angles: Sequence[Tensor]) -> Tensor:
    """The matrix of `_rotations`."""
    total = torch.complex(torch.cos(phase), torch.sin(phase)) * torch.eye(4, dtype=torch.complex128)
    for angle, word in zip(angles, _WORDS, strict=True):
        identity, turned = torch.eye(4, dtype=torch.complex128), torch.as_tensor(1j * word)
        total = (torch.cos(angle) * identity + torch.sin(angle) * turned) @ total
    return total


def _rotations(phase: Tensor, angles: Sequence[Tensor], wires: Sequence[Any], origin: str) -> list[Traced]:
    gates = [Traced(PHASE, (), phase, origin)]
    rest = iter(angles)
    for frame, turns in _FRAMES:
        around = [] if frame is None else [Traced(frame, tuple(wires), None, origin)]
        inner = [Traced(f"R{axis}", (wires[place],), -2.0 * next(rest), origin) for axis, place, _ in turns]
        gates += [*around, *inner, *around]
    return gates


_STEPS: tuple[tuple[tuple[int, tuple[tuple[int, int] | None, ...]], ...], ...] = (
    ((1, ((0, 1), (2, 3))), (0, ((0, 2), None))),
    ((1, (None, (3, 2))), (0, (None, (1, 3)))),
    ((1, (None, (2, 3))),),
    (),
)
"""For each column the rotations that clear it: the wire that turns, and for each value of the other wire the entry that
is kept and the one that becomes zero."""


def _value(matrix: Tensor, wires: Sequence[Any], origin: str) -> list[Traced]:
    """Gates of a matrix without derivatives, found by turning one column after the other into one of the identity.

    A diagonal gate makes the entries of a column real, and rotations about Y collect them in one. Where an entry is
    zero, its phase is free.
    """
    gates: list[Traced] = []
    for column, steps in enumerate(_STEPS):
        phases = torch.atan2(matrix[column:, column].imag, matrix[column:, column].real)
        # Above, entries are zero up to rounding.
        phases = torch.cat([torch.zeros_like(matrix[:column, column].real), phases])
        gates = [*diagonal(phases, wires, origin), *gates]
        matrix = torch.complex(torch.cos(phases), -torch.sin(phases)).unsqueeze(-1) * matrix
        for place, pairs in steps:
            rows = list(matrix.unbind(0))
            angles = []
            for pair in pairs:
                if pair is None:
                    angles.append(torch.zeros_like(phases[0]))
                    continue
                (kept, cleared), (low, high) = pair, sorted(pair)
                size = torch.atan2(matrix[cleared, column].real, matrix[kept, column].real)
                angle = size if kept == low else -size
                cos, sin = torch.cos(angle), torch.sin(angle)
                rows[low], rows[high] = cos * rows[low] + sin * rows[high], cos * rows[high] - sin * rows[low]
                angles.append(2.0 * angle)
            matrix = torch.stack(rows)
            turned = multiplexed_rotation("RY", torch.stack(angles), (wires[1 - place],), wires[place], origin)
            gates = [*turned, *gates]
    return gates

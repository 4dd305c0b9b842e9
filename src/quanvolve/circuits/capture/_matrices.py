"""Unitary matrices as gates of the vocabulary, with their phases exact.

Constant matrices of any size by the quantum Shannon decomposition; those that depend on inputs or weights where there
is a formula for their angles: on one wire. Those on two wires are in `_two_wires`.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg
import torch
from torch import Tensor

from quanvolve.circuits.capture._multiplexed import PHASE, diagonal, multiplexed_rotation
from quanvolve.circuits.capture._traced import Traced
from quanvolve.circuits.description import GATES, PAULIS

Matrix = npt.NDArray[np.complex128]
MOST_WIRES = 8
"""Of a matrix; it takes about four to the power of their number of gates."""
_ZERO = 1e-12


def unitary_gates(matrix: Matrix, wires: Sequence[Any], origin: str) -> list[Traced]:
    """A constant unitary matrix of shape (2^n, 2^n), the first of n wires most significant.

    References:
        Shende, Bullock and Markov, IEEE Trans. CAD 25, 1000 (2006), theorem 13 (quantum Shannon decomposition).
    """
    if not np.abs(matrix - np.diag(np.diagonal(matrix))).max() > _ZERO:
        return diagonal(np.angle(np.diagonal(matrix)), wires, origin)
    if len(wires) == 1:
        return _euler(matrix, wires[0], origin)
    half = len(matrix) // 2
    (left0, left1), angles, (right0, right1) = scipy.linalg.cossin(matrix, p=half, q=half, separate=True)
    return [
        *_multiplexer(right0, right1, wires, origin),
        *multiplexed_rotation("RY", 2.0 * angles, wires[1:], wires[0], origin),
        *_multiplexer(left0, left1, wires, origin),
    ]


def matrix_of_gates(gates: Sequence[Traced], wires: Sequence[Any]) -> Matrix:
    """The matrix of gates whose angles are plain numbers, with its phase."""
    n = len(wires)
    place = {wire: k for k, wire in enumerate(wires)}
    total = np.eye(2**n, dtype=complex).reshape((2,) * n + (-1,))
    for gate in gates:
        if gate.name == PHASE:
            total = total * cmath.exp(1j * _number(gate.angle))
            continue
        kind = GATES[gate.name]
        if kind.axis is None:
            matrix = kind.unitary()
        else:
            half = _number(gate.angle) / 2
            matrix = math.cos(half) * PAULIS["I"] - 1j * math.sin(half) * PAULIS[kind.axis]
        k, places = len(gate.wires), [place[wire] for wire in gate.wires]
        total = np.tensordot(matrix.reshape((2,) * (2 * k)), total, axes=(list(range(k, 2 * k)), places))
        total = np.moveaxis(total, list(range(k)), places)
    return total.reshape(2**n, 2**n)


def turn_gates(matrix: Tensor, wire: Any, origin: str) -> list[Traced]:
    """A unitary matrix on one wire that depends on inputs or weights, as rotations about X, Y and Z.

    Their angles are those of the rotation of the Bloch sphere, ``Rz(c) Ry(b) Rx(a)``: near the identity, where gates
    of small inputs are, these are smooth, which angles about Z, Y and Z are not.
    """
    (a, b), (c, d) = ([_Complex.of(matrix[..., row, column]) for column in (0, 1)] for row in (0, 1))
    # The rows of Z and the columns of Y and Z of R[p, q] = Tr(P_p U P_q U^dagger) / 2, for P_p = X, Y, Z.
    ab, ca, db, cb, da = a.times(b), a.times(c), b.times(d), b.times(c), a.times(d)
    zx, zy, zz = 2.0 * ab.real, 2.0 * ab.imag, a.real**2 + a.imag**2 - b.real**2 - b.imag**2
    xz, yz = ca.real - db.real, db.imag - ca.imag
    xy, yy = da.imag - cb.imag, da.real - cb.real
    locked = zy**2 + zz**2 < _ZERO**2
    about_x = torch.arctan2(torch.where(locked, torch.zeros_like(zy), zy), torch.where(locked, torch.ones_like(zz), zz))
    sine, cosine = torch.sin(about_x), torch.cos(about_x)
    about_y = torch.arctan2(-zx, zz * cosine + zy * sine)
    about_z = torch.arctan2(xz * sine - xy * cosine, yy * cosine - yz * sine)
    # The phase is that of Tr(V^dagger U), V being the product of the three rotations.
    x, y, z = about_x / 2, about_y / 2, about_z / 2
    cos_x, sin_x, cos_y, sin_y = torch.cos(x), torch.sin(x), torch.cos(y), torch.sin(y)
    cos_z, sin_z = torch.cos(z), torch.sin(z)
    # V = [[p, q], [-q*, p*]] with Ry Rx = [[cy cx + i sy sx, -i cy sx - sy cx], ...] times e^{-iz} in the first row.
    p = _Complex(cos_y * cos_x * cos_z + sin_y * sin_x * sin_z, sin_y * sin_x * cos_z - cos_y * cos_x * sin_z)
    q = _Complex(-sin_y * cos_x * cos_z - cos_y * sin_x * sin_z, sin_y * cos_x * sin_z - cos_y * sin_x * cos_z)
    ap, bq = a.times(p), b.times(q)
    real = ap.real + bq.real + (d.real * p.real - d.imag * p.imag) - (c.real * q.real - c.imag * q.imag)
    imag = ap.imag + bq.imag + (d.real * p.imag + d.imag * p.real) - (c.real * q.imag + c.imag * q.real)
    return [
        Traced("RX", (wire,), about_x, origin),
        Traced("RY", (wire,), about_y, origin),
        Traced("RZ", (wire,), about_z, origin),
        Traced(PHASE, (), torch.arctan2(imag, real), origin),
    ]


def exponential_of_paulis(coefficients: Tensor) -> Tensor:
    """``exp(i (x X + y Y + z Z))``, of shape (2, 2): ``cos r + i (x X + y Y + z Z) sin(r) / r``, r being their norm."""
    x, y, z = coefficients[0], coefficients[1], coefficients[2]
    square = x**2 + y**2 + z**2
    zero = square < _ZERO**2
    norm = torch.sqrt(torch.where(zero, torch.ones_like(square), square))
    part = torch.where(zero, torch.ones_like(norm), torch.sin(norm) / norm)
    cosine = torch.where(zero, torch.ones_like(norm), torch.cos(norm))
    real = torch.stack([cosine, part * y, -part * y, cosine])
    imag = torch.stack([part * z, part * x, part * x, -part * z])
    return torch.complex(real, imag).reshape(2, 2)


def block_encoding(block: Tensor, size: int) -> Tensor:
    """``[[A, sqrt(1 - A A^dagger)], [sqrt(1 - A^dagger A), -A^dagger]]``, and the identity behind it up to the size.

    For an A with at most two rows or columns. The square roots have derivatives where eigenvalues are equal, such as
    at zero.
    """
    dagger = block.mH
    rows, columns = block.shape
    encoded = torch.cat(
        [
            torch.cat([block, _root_of_rest(block, dagger)], 1),
            torch.cat([_root_of_rest(dagger, block), -dagger], 1),
        ]
    )
    rest = size - rows - columns
    return torch.block_diag(encoded, torch.eye(rest, dtype=block.dtype)) if rest else encoded


def _root_of_rest(first: Tensor, second: Tensor) -> Tensor:
    """``sqrt(1 - M)`` for a product ``M = first second`` of rank one or two, the second being the first's adjoint."""
    n, rank = first.shape
    identity = torch.eye(n, dtype=first.dtype)
    product = first @ second
    if rank == 1 or n == 1:  # M^2 = m M
        trace = torch.diagonal(product).sum().real
        return identity - product / (1.0 + _root(1.0 - trace))
    # Of 2 x 2 matrices R = 1 - M: sqrt(R) = (R + sqrt(det R)) / sqrt(tr R + 2 sqrt(det R)).
    rest = identity - product
    root = _root((rest[0, 0] * rest[1, 1] - rest[0, 1] * rest[1, 0]).real)
    return (rest + root * identity) / _root((rest[0, 0] + rest[1, 1]).real + 2.0 * root)


def _root(square: Tensor) -> Tensor:
    """The square root of what is negative only by rounding."""
    return torch.sqrt(torch.clamp(square, min=0.0))


class _Complex:
    """A complex number as two real tensors."""

    def __init__(self, real: Tensor, imag: Tensor) -> None:
        self.real, self.imag = real, imag

    @classmethod
    def of(cls, entry: Tensor) -> _Complex:
        return cls(entry.real, entry.imag) if entry.is_complex() else cls(entry, torch.zeros_like(entry))

    def times(self, other: _Complex) -> _Complex:
        """Times the conjugate of the other."""
        return _Complex(
            self.real * other.real + self.imag * other.imag, self.imag * other.real - self.real * other.imag
        )


def phases_of(entries: Tensor) -> Tensor:
    """The phases of complex numbers, by functions whose derivatives are known wherever they have one."""
    if not entries.is_complex():
        return torch.where(entries < 0, torch.full_like(entries, math.pi), torch.zeros_like(entries))
    return torch.arctan2(entries.imag, entries.real)


def _euler(matrix: Matrix, wire: Any, origin: str) -> list[Traced]:
    """``e^{i phase} RZ(first) RY(middle) RZ(last)``, the last acting first."""
    middle = 2.0 * math.atan2(abs(matrix[1, 0]), abs(matrix[0, 0]))
    # Where an entry is zero its phase is free.
    if abs(matrix[0, 0]) > abs(matrix[1, 0]):
        total = cmath.phase(matrix[1, 1] * matrix[0, 0].conjugate())
        phase = cmath.phase(matrix[0, 0]) + total / 2
        difference = 2.0 * (cmath.phase(matrix[1, 0]) - phase) if abs(matrix[1, 0]) > _ZERO else -total
    else:
        difference = cmath.phase(-matrix[1, 0] * matrix[0, 1].conjugate())
        phase = cmath.phase(matrix[1, 0]) - difference / 2
        total = 2.0 * (phase - cmath.phase(matrix[0, 0])) if abs(matrix[0, 0]) > _ZERO else difference
    first, last = (total + difference) / 2, (total - difference) / 2
    gates = [("RZ", last), ("RY", middle), ("RZ", first)]
    return [
        *(Traced(name, (wire,), angle, origin) for name, angle in gates if abs(angle) > _ZERO),
        Traced(PHASE, (), phase, origin),
    ]


def _multiplexer(first: Matrix, second: Matrix, wires: Sequence[Any], origin: str) -> list[Traced]:
    """The first matrix on the rest of the wires where wire 0 is 0, the second where it is 1."""
    # first = V D W and second = V D^* W, where V diagonalises first second^dagger = V D^2 V^dagger.
    squares, vectors = scipy.linalg.schur(first @ second.conj().T, output="complex")
    phases = np.angle(np.diagonal(squares)) / 2
    inner = np.exp(1j * phases)[:, None] * vectors.conj().T @ second
    return [
        *unitary_gates(inner, wires[1:], origin),
        *multiplexed_rotation("RZ", -2.0 * phases, wires[1:], wires[0], origin),
        *unitary_gates(vectors, wires[1:], origin),
    ]


def _number(angle: Tensor | float | None) -> float:
    assert isinstance(angle, int | float), angle
    return float(angle)

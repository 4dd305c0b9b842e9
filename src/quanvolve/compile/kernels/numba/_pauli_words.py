"""Pauli coefficients of observables through a circuit, and their gradient by running the circuit back.

Every step is orthogonal, so that the reverse sweep undoes it instead of keeping what was before: memory does not depend
on the depth.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from quanvolve.compile.kernels.numba._arrays import Floats, Integers
from quanvolve.compile.tables._coefficients import PauliSteps

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract"})
_inlined = numba.njit(cache=True, nogil=True, fastmath={"contract"}, forceinline=True)
"""For functions that take tables, whose arrays would all be copied for a function that is not inlined."""


@_jit  # type: ignore[untyped-decorator]
def _turn(axis: int, angle: float, slope: bool, into: Floats) -> None:
    """The 3 x 3 matrix of a rotation on coefficients of X, Y, Z, as U^dagger P U; or its derivative by the angle."""
    c, s = math.cos(angle), math.sin(angle)
    fixed = 1.0
    if slope:
        c, s, fixed = -s, c, 0.0
    i, j = (axis + 1) % 3, (axis + 2) % 3
    into[:, :] = 0.0
    into[axis, axis] = fixed
    into[i, i] = c
    into[j, j] = c
    into[i, j] = s
    into[j, i] = -s


@_jit  # type: ignore[untyped-decorator]
def _matrix(numbers: Integers, axes: Integers, angles: Floats, into: Floats, skip: int) -> None:
    """The product of a run of rotations, the first of them innermost; with a derivative in place of one of them."""
    turn, product = np.empty((3, 3)), np.empty((3, 3))
    into[:, :] = 0.0
    for k in range(3):
        into[k, k] = 1.0
    for k in range(len(numbers)):
        _turn(axes[numbers[k]], angles[numbers[k]], k == skip, turn)
        for a in range(3):
            for b in range(3):
                product[a, b] = turn[a, 0] * into[0, b] + turn[a, 1] * into[1, b] + turn[a, 2] * into[2, b]
        for a in range(3):
            for b in range(3):
                into[a, b] = product[a, b]


@_jit  # type: ignore[untyped-decorator]
def _rotate(tensor: Floats, before: int, after: int, matrix: Floats) -> None:
    """Apply a matrix to the X, Y, Z part of one wire's index of a flat (before, 4, after) tensor."""
    m = matrix.astype(tensor.dtype)
    m00, m01, m02 = m[0]
    m10, m11, m12 = m[1]
    m20, m21, m22 = m[2]
    whole = tensor.reshape(before * 4, after)
    for b in range(before):
        tx, ty, tz = whole[4 * b + 1], whole[4 * b + 2], whole[4 * b + 3]
        for k in range(after):
            x, y, z = tx[k], ty[k], tz[k]
            tx[k] = m00 * x + m01 * y + m02 * z
            ty[k] = m10 * x + m11 * y + m12 * z
            tz[k] = m20 * x + m21 * y + m22 * z


@numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})  # type: ignore[untyped-decorator]
def _outer(grad: Floats, tensor: Floats, before: int, after: int, into: Floats) -> None:
    """Sum of grad[i] tensor[j] over everything but one wire's X, Y, Z index."""
    g, t = grad.reshape(before * 4, after), tensor.reshape(before * 4, after)
    xx, xy, xz, yx, yy, yz, zx, zy, zz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for b in range(before):  # nine sums at a time: one alone would wait for each of its additions
        gx, gy, gz = g[4 * b + 1], g[4 * b + 2], g[4 * b + 3]
        tx, ty, tz = t[4 * b + 1], t[4 * b + 2], t[4 * b + 3]
        for k in range(after):
            x, y, z = tx[k], ty[k], tz[k]
            xx += gx[k] * x
            xy += gx[k] * y
            xz += gx[k] * z
            yx += gy[k] * x
            yy += gy[k] * y
            yz += gy[k] * z
            zx += gz[k] * x
            zy += gz[k] * y
            zz += gz[k] * z
    into[0, 0], into[0, 1], into[0, 2] = xx, xy, xz
    into[1, 0], into[1, 1], into[1, 2] = yx, yy, yz
    into[2, 0], into[2, 1], into[2, 2] = zx, zy, zz


@_inlined  # type: ignore[untyped-decorator]
def _angles(circuit: PauliSteps, row: Floats) -> Floats:
    """Angles of all rotations: offset + sum of multiplier * weight."""
    angles = circuit.offsets.copy()
    for k in range(len(circuit.terms)):
        angles[circuit.terms[k, 0]] += circuit.multipliers[k] * row[circuit.terms[k, 1]]
    return angles


@_inlined  # type: ignore[untyped-decorator]
def _sweep(circuit: PauliSteps, angles: Floats, tensor: Floats, spare: Floats) -> tuple[Floats, Floats]:
    """All steps on a tensor (4^n, outputs); gives the tensor and the spare one, which may have changed places.

    T[p] <- sign[p] T[source[p]], or the X, Y, Z coefficients of a wire times the 3 x 3 matrix of its rotations.
    """
    outputs = tensor.shape[1]
    matrix = np.empty((3, 3))
    for step in range(len(circuit.kinds)):
        wire = circuit.kinds[step]
        if wire < 0:
            source, sign = circuit.sources[-1 - wire], circuit.signs[-1 - wire]
            for p in range(len(source)):
                of, to = tensor[np.uint64(source[p])], spare[p]
                for o in range(outputs):
                    to[o] = sign[p] * of[o]
            tensor, spare = spare, tensor
            continue
        _matrix(circuit.numbers[circuit.runs[step] : circuit.runs[step + 1]], circuit.axes, angles, matrix, -1)
        _rotate(tensor.reshape(-1), 4**wire, 4 ** (circuit.wires - 1 - wire) * outputs, matrix)
    return tensor, spare


@_inlined  # type: ignore[untyped-decorator]
def _start(circuit: PauliSteps, begin: int, tensor: Floats) -> None:
    """The words of the observables from `begin` on, one column for each."""
    tensor[:, :] = 0
    for k in range(len(circuit.values)):
        output, word = circuit.starting[k]
        if begin <= output < begin + tensor.shape[1]:
            tensor[word, output - begin] += circuit.values[k]


@_jit  # type: ignore[untyped-decorator]
def forward(part: int, parts: int, flat: Floats, chunk: int, circuit: PauliSteps, out: Floats) -> None:
    """Coefficients of one part of the rows.

    Args:
        part, parts: which of how many.
        flat: weights, shape (rows, numbers).
        chunk: how many observables are evolved together.
        circuit: that all these rows run.
        out: shape (rows, outputs, wanted), to be written.
    """
    outputs = out.shape[1]
    pieces = (outputs + chunk - 1) // chunk
    coefficients, spare = np.empty((4**circuit.wires, chunk), out.dtype), np.empty((4**circuit.wires, chunk), out.dtype)
    tasks = len(flat) * pieces
    for task in range(tasks * part // parts, tasks * (part + 1) // parts):
        row, begin = task // pieces, task % pieces * chunk
        _start(circuit, begin, coefficients)
        coefficients, spare = _sweep(circuit, _angles(circuit, flat[row]), coefficients, spare)
        for o in range(min(chunk, outputs - begin)):
            to = out[row, begin + o]
            for k in range(len(circuit.words)):
                to[k] = circuit.word_signs[k] * coefficients[circuit.words[k], o]


@_jit  # type: ignore[untyped-decorator]
def backward(
    part: int, parts: int, flat: Floats, chunk: int, circuit: PauliSteps, d_out: Floats, d_flat: Floats
) -> None:
    """Gradients of the weights, from those of the coefficients; arguments as in :func:`forward`.

    The matrix of a rotation is orthogonal, so that its transpose undoes it on the coefficients and on their gradient:

        d angle = sum over i, j of (sum grad[i] T[j]) (d matrix / d angle)[i, j]

    Args:
        d_out: shape (rows, outputs, wanted).
        d_flat: shape (pieces, rows, numbers), to be added to.
    """
    outputs = d_out.shape[1]
    pieces = (outputs + chunk - 1) // chunk
    coefficients, spare = (
        np.empty((4**circuit.wires, chunk), d_out.dtype),
        np.empty((4**circuit.wires, chunk), d_out.dtype),
    )
    grad, d_spare = np.empty_like(coefficients), np.empty_like(coefficients)
    matrix, d_matrix = np.empty((3, 3)), np.empty((3, 3))
    tasks = len(flat) * pieces
    for task in range(tasks * part // parts, tasks * (part + 1) // parts):
        row, begin = task // pieces, task % pieces * chunk
        _start(circuit, begin, coefficients)
        angles = _angles(circuit, flat[row])
        coefficients, spare = _sweep(circuit, angles, coefficients, spare)
        grad[:, :] = 0
        for o in range(min(chunk, outputs - begin)):
            of = d_out[row, begin + o]
            for k in range(len(circuit.words)):
                grad[circuit.words[k], o] += circuit.word_signs[k] * of[k]
        d_angles = np.zeros(len(circuit.offsets))
        for step in range(len(circuit.kinds) - 1, -1, -1):
            wire = circuit.kinds[step]
            if wire < 0:
                source, sign = circuit.sources[-1 - wire], circuit.signs[-1 - wire]
                for p in range(len(source)):
                    q = np.uint64(source[p])
                    for o in range(chunk):
                        spare[q, o] = sign[p] * coefficients[p, o]
                        d_spare[q, o] = sign[p] * grad[p, o]
                coefficients, spare = spare, coefficients
                grad, d_spare = d_spare, grad
                continue
            before, after = 4**wire, 4 ** (circuit.wires - 1 - wire) * chunk
            run = circuit.numbers[circuit.runs[step] : circuit.runs[step + 1]]
            _matrix(run, circuit.axes, angles, matrix, -1)
            _rotate(coefficients.reshape(-1), before, after, matrix.T)
            _outer(grad.reshape(-1), coefficients.reshape(-1), before, after, d_matrix)
            _rotate(grad.reshape(-1), before, after, matrix.T)
            for k in range(len(run)):
                _matrix(run, circuit.axes, angles, matrix, k)
                for i in range(3):
                    for j in range(3):
                        d_angles[run[k]] += d_matrix[i, j] * matrix[i, j]
        for k in range(len(circuit.terms)):
            rotation, number = circuit.terms[k]
            d_flat[task % pieces, row, number] += circuit.multipliers[k] * d_angles[rotation]

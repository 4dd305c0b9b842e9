"""Blocks of rotations and interactions, row by row; the formula stands in `tables._cartan`.

    T[m, a, 0] = f0 R[m, a]      T[m, 0, b] = f1 S[m, b]      T[m, a, b] = f2 R[y, a] S[z, b] + f3 R[z, a] S[y, b]

with (m, y, z) in cyclic order, R and S the rotations of the two qubits, and f the products of cosines and sines.
"""

from __future__ import annotations

import numba
import numpy as np

from quanvolve.compile.kernels.numba._arrays import Floats, Integers
from quanvolve.compile.kernels.numba._trig import fill

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract"})
_BLOCK = 64
"""Rows whose cosines and sines are computed at once."""


@_jit  # type: ignore[untyped-decorator]
def _rotation(cosines: Floats, sines: Floats, first: int, into: Floats) -> None:
    """R of RZ, RY, RZ by the angles from `first` on."""
    c0, c1, c2 = cosines[first], cosines[first + 1], cosines[first + 2]
    s0, s1, s2 = sines[first], sines[first + 1], sines[first + 2]
    into[0, 0], into[0, 1], into[0, 2] = c2 * c1 * c0 - s2 * s0, -c2 * c1 * s0 - s2 * c0, c2 * s1
    into[1, 0], into[1, 1], into[1, 2] = s2 * c1 * c0 + c2 * s0, -s2 * c1 * s0 + c2 * c0, s2 * s1
    into[2, 0], into[2, 1], into[2, 2] = -s1 * c0, s1 * s0, c1


@_jit  # type: ignore[untyped-decorator]
def _rotation_back(cosines: Floats, sines: Floats, first: int, r: Floats, d: Floats, into: Floats, to: int) -> None:
    """Gradients of the three angles, from those of R."""
    c0, c1, c2 = cosines[first], cosines[first + 1], cosines[first + 2]
    s0, s1, s2 = sines[first], sines[first + 1], sines[first + 2]
    around, across = into.dtype.type(0), into.dtype.type(0)
    for n in range(3):
        around += d[n, 0] * r[n, 1] - d[n, 1] * r[n, 0]
        across += d[1, n] * r[0, n] - d[0, n] * r[1, n]
    top = c0 * d[0, 0] - s0 * d[0, 1]
    middle = c0 * d[1, 0] - s0 * d[1, 1]
    low = c0 * d[2, 0] - s0 * d[2, 1]
    into[to] = around
    into[to + 1] = c1 * (c2 * d[0, 2] + s2 * d[1, 2] - low) - s1 * (c2 * top + s2 * middle + d[2, 2])
    into[to + 2] = across


@_jit  # type: ignore[untyped-decorator]
def forward(part: int, parts: int, weights: Floats, words: Integers, signs: Floats, every: bool, out: Floats) -> None:
    """One part of the blocks.

    Args:
        part, parts: which of how many.
        weights: shape (blocks, 9).
        words, signs: that are wanted.
        every: whether these are all words in their order.
        out: shape (blocks, 3, words), to be written.
    """
    flat = weights.reshape(-1)
    cosines, sines = np.empty(9 * _BLOCK, out.dtype), np.empty(9 * _BLOCK, out.dtype)
    r, s, numbers = np.empty((3, 3), out.dtype), np.empty((3, 3), out.dtype), np.zeros((3, 4, 4), out.dtype)
    plain = numbers.reshape(3, 16)
    low, high = len(weights) * part // parts, len(weights) * (part + 1) // parts
    for begin in range(low, high, _BLOCK):
        count = min(_BLOCK, high - begin)
        fill(flat, 9 * begin, 9 * count, 1.0, cosines, sines, 0)
        for row in range(count):
            first = 9 * row
            _rotation(cosines, sines, first, r)
            _rotation(cosines, sines, first + 3, s)
            for m in range(3):
                y, z = (m + 1) % 3, (m + 2) % 3
                cy, cz, sy, sz = (
                    cosines[first + 6 + y], cosines[first + 6 + z], sines[first + 6 + y], sines[first + 6 + z]
                )  # fmt: skip
                t = numbers[m]
                for b in range(3):
                    t[0, 1 + b] = sy * sz * s[m, b]
                for a in range(3):
                    t[1 + a, 0] = cy * cz * r[m, a]
                    one, other = -cy * sz * r[y, a], sy * cz * r[z, a]
                    for b in range(3):
                        t[1 + a, 1 + b] = one * s[z, b] + other * s[y, b]
                into, wide = out[begin + row, m], plain[m]
                if every:
                    for k in range(16):
                        into[k] = wide[k]
                else:
                    for k in range(len(words)):
                        into[k] = signs[k] * wide[words[k]]


@_jit  # type: ignore[untyped-decorator]
def backward(
    part: int, parts: int, weights: Floats, words: Integers, signs: Floats, every: bool, d_out: Floats,
    d_weights: Floats,
) -> None:  # fmt: skip
    """Gradients of one part; arguments as in :func:`forward`.

    Args:
        d_out: shape (blocks, 3, words).
        d_weights: shape (blocks, 9), to be written.
    """
    flat, into = weights.reshape(-1), d_weights.reshape(-1)
    dtype = d_out.dtype
    cosines, sines = np.empty(9 * _BLOCK, dtype), np.empty(9 * _BLOCK, dtype)
    r, s = np.empty((3, 3), dtype), np.empty((3, 3), dtype)
    d_r, d_s, numbers = np.empty((3, 3), dtype), np.empty((3, 3), dtype), np.zeros((4, 4), dtype)
    plain = numbers.reshape(-1)
    zero = dtype.type(0)
    low, high = len(weights) * part // parts, len(weights) * (part + 1) // parts
    for begin in range(low, high, _BLOCK):
        count = min(_BLOCK, high - begin)
        fill(flat, 9 * begin, 9 * count, 1.0, cosines, sines, 0)
        for row in range(count):
            first, to = 9 * row, 9 * (begin + row)
            _rotation(cosines, sines, first, r)
            _rotation(cosines, sines, first + 3, s)
            d_r[:, :] = 0
            d_s[:, :] = 0
            for k in range(6, 9):
                into[to + k] = 0
            for m in range(3):
                y, z = (m + 1) % 3, (m + 2) % 3
                cy, cz, sy, sz = (
                    cosines[first + 6 + y], cosines[first + 6 + z], sines[first + 6 + y], sines[first + 6 + z]
                )  # fmt: skip
                grad = d_out[begin + row, m]
                if every:
                    for k in range(16):
                        plain[k] = grad[k]
                else:
                    plain[:] = 0
                    for k in range(len(words)):
                        plain[words[k]] += signs[k] * grad[k]
                f0, f1, f2, f3 = cy * cz, sy * sz, -cy * sz, sy * cz
                d0, d1, d2, d3 = zero, zero, zero, zero
                for a in range(3):
                    d0 += numbers[1 + a, 0] * r[m, a]
                    d_r[m, a] += f0 * numbers[1 + a, 0]
                    d1 += numbers[0, 1 + a] * s[m, a]
                    d_s[m, a] += f1 * numbers[0, 1 + a]
                for a in range(3):
                    u, v = zero, zero  # the row of T times S[z] and S[y]
                    for b in range(3):
                        g = numbers[1 + a, 1 + b]
                        u += g * s[z, b]
                        v += g * s[y, b]
                        d_s[z, b] += f2 * r[y, a] * g
                        d_s[y, b] += f3 * r[z, a] * g
                    d2 += r[y, a] * u
                    d3 += r[z, a] * v
                    d_r[y, a] += f2 * u
                    d_r[z, a] += f3 * v
                into[to + 6 + y] += -sy * cz * d0 + cy * sz * d1 + sy * sz * d2 + cy * cz * d3
                into[to + 6 + z] += -cy * sz * d0 + sy * cz * d1 - cy * cz * d2 - sy * sz * d3
            _rotation_back(cosines, sines, first, r, d_r, into, to)
            _rotation_back(cosines, sines, first + 3, s, d_s, into, to + 3)

"""Blocks of rotations and interactions, a row of weights for each lane; the formula stands in `tables._cartan`.

    T[m, a, 0] = f0 R[m, a]      T[m, 0, b] = f1 S[m, b]      T[m, a, b] = f2 R[y, a] S[z, b] + f3 R[z, a] S[y, b]

with (m, y, z) in cyclic order, R and S the rotations of the two qubits, and f the products of cosines and sines.
"""

from __future__ import annotations

import triton
import triton.language as tl

from quanvolve.compile.kernels.triton._turn import turned


@triton.jit
def _turns(weights, row, there):
    """Cosines of the nine weights, and sines."""
    cosines, sines = (), ()
    for k in tl.static_range(9):
        cosine, sine = turned(tl.load(weights + row * 9 + k, mask=there, other=0.0), 1)
        cosines, sines = cosines + (cosine,), sines + (sine,)
    return cosines, sines


@triton.jit
def _rotation(c, s, FIRST: tl.constexpr):
    """R of RZ, RY, RZ by the angles from FIRST on, row by row."""
    c0, c1, c2 = c[FIRST], c[FIRST + 1], c[FIRST + 2]
    s0, s1, s2 = s[FIRST], s[FIRST + 1], s[FIRST + 2]
    return (
        c2 * c1 * c0 - s2 * s0, -c2 * c1 * s0 - s2 * c0, c2 * s1,
        s2 * c1 * c0 + c2 * s0, -s2 * c1 * s0 + c2 * c0, s2 * s1,
        -s1 * c0, s1 * s0, c1,
    )  # fmt: skip


@triton.jit
def _number(c, s, p, q, M: tl.constexpr, WORD: tl.constexpr):
    """T[M, a, b] for the word 4 a + b."""
    a: tl.constexpr = WORD // 4
    b: tl.constexpr = WORD % 4
    y: tl.constexpr = (M + 1) % 3
    z: tl.constexpr = (M + 2) % 3
    cy, cz, sy, sz = c[6 + y], c[6 + z], s[6 + y], s[6 + z]
    value = tl.zeros_like(cy)
    if a > 0 and b > 0:
        value = -cy * sz * p[3 * y + a - 1] * q[3 * z + b - 1] + sy * cz * p[3 * z + a - 1] * q[3 * y + b - 1]
    elif a > 0:
        value = cy * cz * p[3 * M + a - 1]
    elif b > 0:
        value = sy * sz * q[3 * M + b - 1]
    return value


@triton.jit
def forward(weights, signs, out, count, WORDS: tl.constexpr, BLOCK: tl.constexpr):
    """All numbers.

    Args:
        weights: shape (count, 9).
        signs: what the number of each word is multiplied with.
        out: shape (count, 3, words), to be written.
        WORDS: pairs of letters that are wanted, 4 a + b.
    """
    row = (tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)).to(tl.int64)
    there = row < count
    c, s = _turns(weights, row, there)
    p, q = _rotation(c, s, 0), _rotation(c, s, 3)
    out += row * (3 * len(WORDS))
    for m in tl.static_range(3):
        for k in tl.static_range(len(WORDS)):
            value = _number(c, s, p, q, m, WORDS[k])
            sign = tl.load(signs + k).to(value.dtype)
            tl.store(out + m * len(WORDS) + k, sign * value, mask=there)


@triton.jit
def _added(values, value, AT: tl.constexpr, COUNT: tl.constexpr):
    """A tuple of COUNT values with one of them changed."""
    changed = ()
    for k in tl.static_range(COUNT):
        if k == AT:
            changed = changed + (values[k] + value,)
        else:
            changed = changed + (values[k],)
    return changed


@triton.jit
def _number_back(g, c, s, p, q, d_p, d_q, d_angles, M: tl.constexpr, WORD: tl.constexpr):
    """Gradients by both rotations and the last three angles, with those added that come through :func:`_number`."""
    a: tl.constexpr = WORD // 4
    b: tl.constexpr = WORD % 4
    y: tl.constexpr = (M + 1) % 3
    z: tl.constexpr = (M + 2) % 3
    cy, cz, sy, sz = c[6 + y], c[6 + z], s[6 + y], s[6 + z]
    if a > 0 and b > 0:
        py, pz, qy, qz = p[3 * y + a - 1], p[3 * z + a - 1], q[3 * y + b - 1], q[3 * z + b - 1]
        d_p = _added(d_p, -cy * sz * g * qz, 3 * y + a - 1, 9)
        d_p = _added(d_p, sy * cz * g * qy, 3 * z + a - 1, 9)
        d_q = _added(d_q, -cy * sz * g * py, 3 * z + b - 1, 9)
        d_q = _added(d_q, sy * cz * g * pz, 3 * y + b - 1, 9)
        d_angles = _added(d_angles, g * (sy * sz * py * qz + cy * cz * pz * qy), y, 3)
        d_angles = _added(d_angles, -g * (cy * cz * py * qz + sy * sz * pz * qy), z, 3)
    elif a > 0:
        d_p = _added(d_p, cy * cz * g, 3 * M + a - 1, 9)
        d_angles = _added(d_angles, -sy * cz * g * p[3 * M + a - 1], y, 3)
        d_angles = _added(d_angles, -cy * sz * g * p[3 * M + a - 1], z, 3)
    elif b > 0:
        d_q = _added(d_q, sy * sz * g, 3 * M + b - 1, 9)
        d_angles = _added(d_angles, cy * sz * g * q[3 * M + b - 1], y, 3)
        d_angles = _added(d_angles, sy * cz * g * q[3 * M + b - 1], z, 3)
    return d_p, d_q, d_angles


@triton.jit
def _rotation_back(c, s, r, d, FIRST: tl.constexpr):
    """Gradients of the three angles, from those of R."""
    c0, c1, c2, s0, s1, s2 = c[FIRST], c[FIRST + 1], c[FIRST + 2], s[FIRST], s[FIRST + 1], s[FIRST + 2]
    around, across = tl.zeros_like(c0), tl.zeros_like(c0)
    for n in tl.static_range(3):
        around += d[3 * n] * r[3 * n + 1] - d[3 * n + 1] * r[3 * n]
        across += d[3 + n] * r[n] - d[n] * r[3 + n]
    top, middle, low = c0 * d[0] - s0 * d[1], c0 * d[3] - s0 * d[4], c0 * d[6] - s0 * d[7]
    return around, c1 * (c2 * d[2] + s2 * d[5] - low) - s1 * (c2 * top + s2 * middle + d[8]), across


@triton.jit
def backward(weights, signs, grad, gradient, count, WORDS: tl.constexpr, BLOCK: tl.constexpr):
    """Gradients by all weights; the other arguments as in :func:`forward`.

    Args:
        grad: shape (count, 3, words).
        gradient: shape (count, 9), to be written.
    """
    row = (tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)).to(tl.int64)
    there = row < count
    c, s = _turns(weights, row, there)
    p, q = _rotation(c, s, 0), _rotation(c, s, 3)
    nothing = tl.zeros_like(c[0])
    d_p = (nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing)
    d_q, d_angles = d_p, (nothing, nothing, nothing)
    grad += row * (3 * len(WORDS))
    for m in tl.static_range(3):
        for k in tl.static_range(len(WORDS)):
            g = tl.load(signs + k).to(nothing.dtype) * tl.load(grad + m * len(WORDS) + k, mask=there, other=0.0)
            d_p, d_q, d_angles = _number_back(g, c, s, p, q, d_p, d_q, d_angles, m, WORDS[k])
    d_all = _rotation_back(c, s, p, d_p, 0) + _rotation_back(c, s, q, d_q, 3) + d_angles
    for k in tl.static_range(9):
        tl.store(gradient + row * 9 + k, d_all[k], mask=there)

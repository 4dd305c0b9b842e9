"""Loops in plain Numba that do what the kernels' vector code does, with its arguments, for `intrinsics.py`.

`VECTOR_BYTES` may be set to more than a vector before anything is compiled: blocks then have so many windows more.
"""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np

from quanvolve.compile.kernels.numba import _tile, _trig
from quanvolve.compile.kernels.numba._arrays import Floats, Integers
from quanvolve.compile.tables._features import Readers

_jit = numba.njit(nogil=True, fastmath={"contract"})
VECTOR_BYTES = _tile.VECTOR_BYTES


@_jit
def multiply(
    out: Floats, o: int, ldo: int, rows: int, a: Floats, i: int, row: int, col: int, count: int, b: Floats, j: int,
    ldb: int, w: Floats, v: int, width: int,
) -> None:  # fmt: skip
    """Two rows by four terms at a time."""
    to, factors, of, weight = out.reshape(-1), a.reshape(-1), b.reshape(-1), w.reshape(-1)[v : v + width]
    for m in range(0, rows, 2):
        x, y = to[o + m * ldo :][:width], to[o + (m + 1) * ldo :][:width]
        f, g = factors[i + m * row :][::col], factors[i + (m + 1) * row :][::col]
        whole = count // 4 * 4
        for k in range(0, whole, 4):
            b0, b1, b2, b3 = (
                of[j + k * ldb :][:width], of[j + (k + 1) * ldb :][:width], of[j + (k + 2) * ldb :][:width],
                of[j + (k + 3) * ldb :][:width],
            )  # fmt: skip
            f0, f1, f2, f3, g0, g1, g2, g3 = f[k], f[k + 1], f[k + 2], f[k + 3], g[k], g[k + 1], g[k + 2], g[k + 3]
            for p in range(width):
                x[p] += weight[p] * (f0 * b0[p] + f1 * b1[p] + f2 * b2[p] + f3 * b3[p])
                y[p] += weight[p] * (g0 * b0[p] + g1 * b1[p] + g2 * b2[p] + g3 * b3[p])
        for k in range(whole, count):
            b0 = of[j + k * ldb :][:width]
            for p in range(width):
                x[p] += weight[p] * f[k] * b0[p]
                y[p] += weight[p] * g[k] * b0[p]


@_jit
def thin_tile(
    out: Floats, o: int, ldo: int, a: Floats, i: int, row: int, col: int, count: int, b: Floats, j: int, ldb: int,
    w: Floats, v: int,
) -> None:  # fmt: skip
    multiply(out, o, ldo, _tile.ROWS, a, i, row, col, count, b, j, ldb, w, v, VECTOR_BYTES // out.itemsize)


@numba.njit(nogil=True, fastmath={"contract"}, forceinline=True)
def read_once(
    images: Floats, n: int, together: int, base: int, near: Integers, p: int, count: int, width: int, readers: Readers,
    rows_c: Floats, rows_s: Floats,
) -> None:  # fmt: skip
    """Pixels gathered first, a whole row of whole pairs of vectors at a time."""
    pixels = np.empty((width + 15) // 16 * 16, images.dtype)
    for r in range(len(readers.element)):
        start = base + readers.element[r]
        for j in range(together):
            image, row = images[n + j], pixels[j * count :]
            for k in range(count):
                row[k] = image[np.uint64(start + readers.places[p + k])]
        pixels[together * count :] = pixels[together * count - 1]
        _trig.fill(pixels, 0, len(pixels), readers.factors[readers.table[r]], rows_c[r], rows_s[r], 0)


@_jit
def at(state: Floats, basis: int) -> tuple[Floats, Floats]:
    lanes = VECTOR_BYTES // state.itemsize
    return state[2 * lanes * basis :][:lanes], state[2 * lanes * basis + lanes :][:lanes]


@_jit
def spread(k: int, bit: int) -> int:
    return (k >> bit) << (bit + 1) | k & ((1 << bit) - 1)


@_jit
def row_times(
    u: float, ui: float, w: float, wi: float, x: float, xi: float, y: float, yi: float
) -> tuple[float, float]:
    return u * x - ui * xi + w * y - wi * yi, u * xi + ui * x + w * yi + wi * y


def gates(by_window: bool) -> tuple[Callable[..., None], Callable[..., None]]:
    """A matrix on two amplitudes, and its undoing with slopes; the matrix of all windows, or one for each."""

    @_jit
    def numbers(matrices: Floats, m: int, v: int, lanes: int, dagger: bool) -> tuple[float, ...]:
        s, n = (lanes, m + v) if by_window else (1, m)
        j, k, sign = (4, 2, -1) if dagger else (2, 4, 1)
        return (
            matrices[n], sign * matrices[n + s], matrices[n + j * s], sign * matrices[n + (j + 1) * s],
            matrices[n + k * s], sign * matrices[n + (k + 1) * s], matrices[n + 6 * s], sign * matrices[n + 7 * s],
        )  # fmt: skip

    @_jit
    def turned(state: Floats, low: int, high: int, matrices: Floats, m: int, dagger: bool) -> None:
        (x, xi), (y, yi) = at(state, low), at(state, high)
        lanes = VECTOR_BYTES // state.itemsize
        u, ui, w, wi, r, ri, t, ti = numbers(matrices, m, 0, lanes, dagger)
        for v in range(lanes):
            if by_window:
                u, ui, w, wi, r, ri, t, ti = numbers(matrices, m, v, lanes, dagger)
            a, ai, b, bi = x[v], xi[v], y[v], yi[v]
            x[v], xi[v] = row_times(u, ui, w, wi, a, ai, b, bi)
            y[v], yi[v] = row_times(r, ri, t, ti, a, ai, b, bi)

    @_jit
    def gate(state: Floats, pairs: int, bit: int, matrices: Floats, m: int) -> None:
        for k in range(pairs):
            low = spread(k, bit)
            turned(state, low, low | 1 << bit, matrices, m, False)

    @_jit
    def undo(
        state: Floats, dual: Floats, pairs: int, bit: int, matrices: Floats, m: int, slopes: Floats, s: int
    ) -> None:
        lanes = VECTOR_BYTES // state.itemsize
        slopes[s : s + 8 * lanes] = 0
        for k in range(pairs):
            low = spread(k, bit)
            high = low | 1 << bit
            turned(state, low, high, matrices, m, True)
            add_slope(dual, low, state, low, slopes, s)
            add_slope(dual, low, state, high, slopes, s + 2 * lanes)
            add_slope(dual, high, state, low, slopes, s + 4 * lanes)
            add_slope(dual, high, state, high, slopes, s + 6 * lanes)
            turned(dual, low, high, matrices, m, True)

    return gate, undo


@_jit
def add_slope(dual: Floats, of: int, state: Floats, basis: int, slopes: Floats, s: int) -> None:
    """Adds g[of] conj(psi[basis])."""
    (g, gi), (x, xi) = at(dual, of), at(state, basis)
    lanes = VECTOR_BYTES // state.itemsize
    real, imaginary = slopes[s:][:lanes], slopes[s + lanes :][:lanes]
    for v in range(lanes):
        real[v] += g[v] * x[v] + gi[v] * xi[v]
        imaginary[v] += gi[v] * x[v] - g[v] * xi[v]


one_gate, undo_gate = gates(False)
one_gate_lanes, undo_gate_lanes = gates(True)


@_jit
def two_gates(state: Floats, quads: int, bit: int, upper: int, matrices: Floats, m: int, m_upper: int) -> None:
    one_gate(state, 2 * quads, bit, matrices, m)
    one_gate(state, 2 * quads, upper, matrices, m_upper)


@_jit
def expand(state: Floats, size: int, columns: Floats) -> None:
    (u, ui), (w, wi) = at(columns, 0), at(columns, 1)
    for d in range(size - 1, -1, -1):
        (x, xi), (a, ai), (b, bi) = at(state, d), at(state, 2 * d), at(state, 2 * d + 1)
        for v in range(VECTOR_BYTES // state.itemsize):
            p, q = x[v], xi[v]
            a[v], ai[v] = u[v] * p - ui[v] * q, u[v] * q + ui[v] * p
            b[v], bi[v] = w[v] * p - wi[v] * q, w[v] * q + wi[v] * p


@_jit
def narrowed(state: Floats, d: int, columns: Floats) -> None:
    (u, ui), (w, wi) = at(columns, 0), at(columns, 1)
    (x, xi), (a, ai), (b, bi) = at(state, d), at(state, 2 * d), at(state, 2 * d + 1)
    for v in range(VECTOR_BYTES // state.itemsize):
        x[v], xi[v] = row_times(u[v], -ui[v], w[v], -wi[v], a[v], ai[v], b[v], bi[v])


@_jit
def contract(state: Floats, dual: Floats, size: int, columns: Floats, slopes: Floats, s: int) -> None:
    lanes = VECTOR_BYTES // state.itemsize
    slopes[s : s + 8 * lanes] = 0
    for d in range(size):
        narrowed(state, d, columns)
        add_slope(dual, 2 * d, state, d, slopes, s)
        add_slope(dual, 2 * d + 1, state, d, slopes, s + 4 * lanes)
        narrowed(dual, d, columns)

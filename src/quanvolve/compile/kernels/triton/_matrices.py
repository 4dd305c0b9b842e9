"""Matrices of runs of one-qubit gates, and from gradients by them to those by angles.

An element of a run is a rotation exp(-i angle / 2 P) or a fixed matrix. With c and s the cosine and sine of half the
angle, both are

    u00 = f0 + f8 c + i (f1 - f11 s)      u01 = f2 - f10 s + i (f3 - f9 s)
    u10 = f4 + f10 s + i (f5 - f9 s)      u11 = f6 + f8 c + i (f7 + f11 s)

where f9, f10, f11 are 1 for P = X, Y, Z. A matrix is eight numbers: real and imaginary part of its entries 00, 01, 10,
11. Those of a row stand as (runs that vary, 8, windows), then (other runs, 8).
"""

from __future__ import annotations

import triton
import triton.language as tl

from quanvolve.compile.kernels.triton._turn import turned_all


@triton.jit
def place(windows, rows, MANY: tl.constexpr, BLOCK: tl.constexpr):
    """What a program works on: the number of a circuit, and for each of its lanes a row, a window, and whether it is.

    Rows that share a circuit lie side by side; where each has its own, a program has one row.
    """
    if MANY:
        blocks = (windows + BLOCK - 1) // BLOCK
        circuit = tl.program_id(0) // blocks
        window = tl.program_id(0) % blocks * BLOCK + tl.arange(0, BLOCK)
        row = circuit + window * 0
        there = window < windows
    else:
        lane = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        circuit = 0
        row, window, there = lane // windows, lane % windows, lane < rows * windows
    return circuit, row.to(tl.int64), window, there


@triton.jit
def matrix_of(matrices, slot, varies, windows, varying, window, there):
    """The eight numbers of a matrix for each lane, whose row's matrices begin at `matrices`."""
    at, step = matrix_at(matrices, slot, varies, windows, varying, window)
    matrix = ()
    for k in tl.static_range(8):
        matrix = matrix + (tl.load(at + k * step, mask=there, other=0.0),)
    return matrix


@triton.jit
def matrix_at(matrices, slot, varies, windows, varying, window):
    """Where the matrices of a run begin, and the step between their numbers."""
    of_window = varies * (slot * 8 * windows + window)
    return matrices + of_window + (1 - varies) * (varying * 8 * windows + slot * 8), varies * (windows - 1) + 1


@triton.jit
def _half_angle(base, reads, read_values, read_factors, values, value_step, element, there):
    """Of an element for each lane, in double precision."""
    angle = tl.load(base, mask=there, other=0.0)
    for k in range(tl.load(reads + element), tl.load(reads + element + 1)):
        value = tl.load(values + tl.load(read_values + k) * value_step, mask=there, other=0.0)
        angle += tl.load(read_factors + k) * value
    return angle


@triton.jit
def _element(forms, element, angle, like):
    """The matrix of an element, with its three axes."""
    cosines, sines = turned_all((angle,), like.dtype)
    c, s = cosines[0], sines[0]
    f, of = (), forms + element * 12
    for k in tl.static_range(12):
        f = f + (tl.load(of + k),)
    turn = f[8] * c
    return (
        f[0] + turn, f[1] - f[11] * s, f[2] - f[10] * s, f[3] - f[9] * s,
        f[4] + f[10] * s, f[5] - f[9] * s, f[6] + turn, f[7] + f[11] * s,
    ), (f[9], f[10], f[11])  # fmt: skip


@triton.jit
def times(u, a, b, x, y):
    """A matrix times a pair of complex numbers a + ib, x + iy."""
    return (
        u[0] * a - u[1] * b + u[2] * x - u[3] * y, u[0] * b + u[1] * a + u[2] * y + u[3] * x,
        u[4] * a - u[5] * b + u[6] * x - u[7] * y, u[4] * b + u[5] * a + u[6] * y + u[7] * x,
    )  # fmt: skip


@triton.jit
def dagger(u):
    """The conjugate transpose."""
    return u[0], -u[1], u[4], -u[5], u[2], -u[3], u[6], -u[7]


@triton.jit
def _product(u, m):
    """The product of two matrices, column by column."""
    p = times(u, m[0], m[1], m[4], m[5])
    q = times(u, m[2], m[3], m[6], m[7])
    return p[0], p[1], q[0], q[1], p[2], p[3], q[2], q[3]


@triton.jit
def forward(
    values, channel_step, value_step, base, rotations, runs, most, elements, forms, reads, read_values, read_factors,
    matrices, row_step, windows, varying, rows, filters, channels, MANY: tl.constexpr, VARIES: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """The matrices of all runs that vary, or of all others: programs (rows and windows, runs).

    Args:
        values: what angles read, with the steps between channels and between values.
        base: half angles by weights, shape (rows, rotations).
        runs, most, elements, forms, reads, read_values, read_factors: as in `_circuits.Circuits`.
        matrices: to be written, `row_step` numbers between rows.
        windows: for which there are matrices of the `varying` runs that vary.
        rows: of all groups, filters, channels.
    """
    circuit, row, window, there = place(windows if VARIES else 1, rows, MANY, BLOCK)
    slot = tl.program_id(1)
    values += (row // (filters * channels) * channels + row % channels) * channel_step + window
    base += row * rotations
    first, last = tl.load(runs + (circuit * most + slot) * 2), tl.load(runs + (circuit * most + slot) * 2 + 1)
    zero = tl.zeros([BLOCK], matrices.dtype.element_ty)
    m = (zero + 1, zero, zero, zero, zero, zero, zero + 1, zero)
    for element in range(first, last):
        rotation = tl.load(elements + 2 * element)
        angle = _half_angle(base + rotation, reads, read_values, read_factors, values, value_step, element, there)
        u, _ = _element(forms, element, angle, zero)
        m = _product(u, m)
    at, step = matrix_at(matrices + row * row_step, slot, VARIES, windows, varying, window)
    for k in tl.static_range(8):
        tl.store(at + k * step, m[k], mask=there)


@triton.jit
def backward(
    values, channel_step, value_step, base, rotations, runs, most, elements, forms, reads, read_values, read_factors,
    matrices, row_step, windows, varying, rows, filters, channels, slopes, d_angles, angles, MANY: tl.constexpr,
    VARIES: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradients by the angles of runs: the elements are undone, the last one first; arguments as in :func:`forward`.

    With dM / d angle = -i / 2 P M the gradient is Im <g, P m> / 2.

    Args:
        slopes: by the matrices, shape (rows, runs, 8, windows or 1).
        d_angles: to be written, shape (rows, angles, windows or 1).
    """
    width = windows if VARIES else 1
    circuit, row, window, there = place(width, rows, MANY, BLOCK)
    slot = tl.program_id(1)
    values += (row // (filters * channels) * channels + row % channels) * channel_step + window
    base += row * rotations
    first, last = tl.load(runs + (circuit * most + slot) * 2), tl.load(runs + (circuit * most + slot) * 2 + 1)
    m = matrix_of(matrices + row * row_step, slot, VARIES, windows, varying, window, there)
    slopes += (row * most + slot) * 8 * width + window
    g = ()
    for k in tl.static_range(8):
        g = g + (tl.load(slopes + k * width, mask=there, other=0.0).to(m[0].dtype),)
    d_angles += row * angles * width + window
    for back in range(last - first):
        element = last - 1 - back
        rotation, at = tl.load(elements + 2 * element), tl.load(elements + 2 * element + 1)
        angle = _half_angle(base + rotation, reads, read_values, read_factors, values, value_step, element, there)
        u, axes = _element(forms, element, angle, m[0])
        total = tl.zeros_like(m[0])
        for column in tl.static_range(2):
            a, b, x, y = m[2 * column], m[2 * column + 1], m[4 + 2 * column], m[5 + 2 * column]
            p, q, s, t = g[2 * column], g[2 * column + 1], g[4 + 2 * column], g[5 + 2 * column]
            total += axes[0] * (p * y - q * x + s * b - t * a)
            total += axes[1] * (s * a + t * b - p * x - q * y)
            total += axes[2] * (p * b - q * a - s * y + t * x)
        tl.store(d_angles + at * width, 0.5 * total, mask=there & (at + tl.zeros_like(window) >= 0))
        inverse = dagger(u)
        m, g = _product(inverse, m), _product(inverse, g)


@triton.jit
def values_back(
    d_angles, angles, uses, use_places, use_factors, d_values, channel_step, value_step, n_values, windows, rows,
    filters, channels, MANY: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradients by what angles read: programs (channels of all groups and windows, values).

    Args:
        d_angles: of the runs that vary, shape (rows, angles, windows).
        uses, use_places, use_factors: as in `_circuits.Circuits`.
        d_values: to be written, with the steps between channels and between values.
        rows: channels of all groups.
        filters, channels: of each group.
    """
    number, channel, window, there = place(windows, rows, MANY, BLOCK)
    value = tl.program_id(1)
    total = tl.zeros([BLOCK], tl.float64)
    for f in range(filters):
        row = (channel // channels * filters + f) * channels + channel % channels
        circuit = (number // channels * filters + f) * channels + number % channels if MANY else 0
        for k in range(tl.load(uses + circuit * n_values + value), tl.load(uses + circuit * n_values + value + 1)):
            at = (row * angles + tl.load(use_places + k)) * windows + window
            total += tl.load(use_factors + k) * tl.load(d_angles + at, mask=there, other=0.0).to(tl.float64)
    tl.store(d_values + channel * channel_step + value * value_step + window, total, mask=there)

"""State vectors of a block of windows: forward, and gradients by the adjoint method (Jones and Gacon 2020).

The reverse sweep undoes the gates on the state and on its gradient side by side (arXiv:2009.02823), so that nothing is
kept from the forward sweep, whatever the depth.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from quanvolve.compile.kernels.numba._amplitudes import (
    contract,
    expand,
    one_gate,
    one_gate_lanes,
    two_gates,
    undo_gate,
    undo_gate_lanes,
)
from quanvolve.compile.kernels.numba._arrays import Flags, Floats, Integers
from quanvolve.compile.kernels.numba._basis_states import add_slopes, move, move_phased, overlaps
from quanvolve.compile.kernels.numba._tile import ROWS, VECTOR_BYTES, thin_tile
from quanvolve.compile.tables._states import FIXED, StateSteps

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract"})
_inlined = numba.njit(cache=True, nogil=True, fastmath={"contract"}, forceinline=True)
"""For functions that take tables, whose arrays would all be copied for a function that is not inlined."""


@_jit  # type: ignore[untyped-decorator]
def _rotate(axis: int, c: float, s: float, m: Floats) -> None:
    """Multiply exp(-i angle / 2 P) from the left; c, s: cosine and sine of half the angle."""
    for column in range(2):
        a, b, x, y = m[2 * column], m[2 * column + 1], m[4 + 2 * column], m[5 + 2 * column]
        if axis == 0:  # [[c, -is], [-is, c]]
            m[2 * column], m[2 * column + 1] = c * a + s * y, c * b - s * x
            m[4 + 2 * column], m[5 + 2 * column] = c * x + s * b, c * y - s * a
        elif axis == 1:  # [[c, -s], [s, c]]
            m[2 * column], m[2 * column + 1] = c * a - s * x, c * b - s * y
            m[4 + 2 * column], m[5 + 2 * column] = c * x + s * a, c * y + s * b
        else:  # diag(c - is, c + is)
            m[2 * column], m[2 * column + 1] = c * a + s * b, c * b - s * a
            m[4 + 2 * column], m[5 + 2 * column] = c * x - s * y, c * y + s * x


@_jit  # type: ignore[untyped-decorator]
def _multiply(fixed: Floats, m: Floats) -> None:
    """Multiply a fixed matrix from the left."""
    for column in range(2):
        a, b, x, y = m[2 * column], m[2 * column + 1], m[4 + 2 * column], m[5 + 2 * column]
        for row in range(2):
            p, q, r, t = fixed[4 * row], fixed[4 * row + 1], fixed[4 * row + 2], fixed[4 * row + 3]
            m[4 * row + 2 * column] = p * a - q * b + r * x - t * y
            m[4 * row + 2 * column + 1] = p * b + q * a + r * y + t * x


@_inlined  # type: ignore[untyped-decorator]
def _run_matrix(circuit: StateSteps, r: int, halves: Floats, into: Floats) -> None:
    """The product of the elements of run r, rotations exp(-i halves P) or fixed matrices."""
    into[:] = 0
    into[0], into[6] = 1, 1
    for e in range(circuit.runs[r], circuit.runs[r + 1]):
        kind, number = circuit.elements[e]
        if kind == FIXED:
            _multiply(circuit.fixed[number], into)
        else:
            _rotate(kind, math.cos(halves[number]), math.sin(halves[number]), into)


@_inlined  # type: ignore[untyped-decorator]
def _run_slopes(circuit: StateSteps, r: int, halves: Floats, slope: Floats, m: Floats, d_angles: Floats) -> None:
    """Add to the gradients of a run's angles what comes from its matrix: undo the elements, the last one first."""
    _run_matrix(circuit, r, halves, m)
    g = slope.copy()
    back = np.empty(8, m.dtype)
    for e in range(circuit.runs[r + 1] - 1, circuit.runs[r] - 1, -1):
        kind, number = circuit.elements[e]
        if kind == FIXED:
            for row in range(2):
                for column in range(2):
                    back[4 * row + 2 * column] = circuit.fixed[number, 4 * column + 2 * row]
                    back[4 * row + 2 * column + 1] = -circuit.fixed[number, 4 * column + 2 * row + 1]
            _multiply(back, m)
            _multiply(back, g)
            continue
        # dM/d angle = -i/2 P M, so the gradient is Re <g, -i/2 P m> = Im <g, P m> / 2.
        total = 0.0
        for column in range(2):
            a, b, x, y = m[2 * column], m[2 * column + 1], m[4 + 2 * column], m[5 + 2 * column]
            p, q, u, v = g[2 * column], g[2 * column + 1], g[4 + 2 * column], g[5 + 2 * column]
            if kind == 0:
                total += p * y - q * x + u * b - v * a
            elif kind == 1:
                total += -p * x - q * y + u * a + v * b
            else:
                total += p * b - q * a - u * y + v * x
        d_angles[number] += 0.5 * total
        c, s = math.cos(halves[number]), -math.sin(halves[number])
        _rotate(kind, c, s, m)
        _rotate(kind, c, s, g)


@_inlined  # type: ignore[untyped-decorator]
def _half_angles(circuit: StateSteps, row: Floats, halves: Floats) -> None:
    """What a row of weights makes of the half angles: (offset + sum of multiplier * weight) / 2."""
    for k in range(len(halves)):
        halves[k] = circuit.offsets[k]
    for k in range(len(circuit.terms)):
        halves[circuit.terms[k, 0]] += circuit.multipliers[k] * row[circuit.terms[k, 1]]
    halves *= 0.5


@_inlined  # type: ignore[untyped-decorator]
def _matrices(
    circuit: StateSteps, values: Floats, p: int, count: int, lanes: int, base: Floats, whole: Floats, by_lane: Floats,
    halves: Floats, matrix: Floats,
) -> None:  # fmt: skip
    """The matrices of all runs: of those that read the window one for each window, of the others one (`whole`)."""
    for r in range(len(circuit.vary)):
        if not circuit.vary[r]:
            _run_matrix(circuit, r, base, whole[8 * r : 8 * r + 8])
    for v in range(lanes):
        window = p + min(v, count - 1)
        _lane_angles(circuit, values, window, base, halves)
        for r in range(len(circuit.vary)):
            if circuit.vary[r]:
                _run_matrix(circuit, r, halves, matrix)
                for k in range(8):
                    by_lane[(8 * r + k) * lanes + v] = matrix[k]


@_inlined  # type: ignore[untyped-decorator]
def _lane_angles(circuit: StateSteps, values: Floats, window: int, base: Floats, halves: Floats) -> None:
    """The half angles of a window: those of the weights, and factor * value / 2 of what they read."""
    for k in range(len(halves)):
        halves[k] = base[k]
    for k in range(len(circuit.reads)):
        halves[circuit.reads[k, 0]] += 0.5 * circuit.factors[k] * values[circuit.reads[k, 1], window]


@_jit  # type: ignore[untyped-decorator]
def _columns(r: int, vary: Flags, whole: Floats, by_lane: Floats, lanes: int, into: Floats) -> None:
    """The first column of a run's matrix, a vector for each of its four numbers."""
    for entry in range(4):
        place = 8 * r + entry + 2 * (entry >> 1)
        for v in range(lanes):
            into[entry * lanes + v] = by_lane[place * lanes + v] if vary[r] else whole[place]


@_inlined  # type: ignore[untyped-decorator]
def _product_state(
    circuit: StateSteps, whole: Floats, by_lane: Floats, lanes: int, state: Floats, work: Floats
) -> None:
    """The state after the runs with which the wires begin, run w on wire w: a product of one-qubit states."""
    state[: 2 * lanes] = 0
    state[:lanes] = 1
    for wire in range(circuit.wires):
        _columns(wire, circuit.vary, whole, by_lane, lanes, work)
        expand(state, 1 << wire, work)


@_inlined  # type: ignore[untyped-decorator]
def _product_back(
    circuit: StateSteps, whole: Floats, by_lane: Floats, lanes: int, state: Floats, dual: Floats, slopes: Floats,
    work: Floats,
) -> None:  # fmt: skip
    """Gradients by the matrices of these runs, from that by the product state; both are used up."""
    for wire in range(circuit.wires - 1, -1, -1):
        _columns(wire, circuit.vary, whole, by_lane, lanes, work)
        contract(state, dual, 1 << wire, work, slopes, 8 * wire * lanes)


@_jit  # type: ignore[untyped-decorator]
def _length(prepared: Integers, values: Floats, window: int) -> tuple[float, float]:
    """The largest value that a window gives as an amplitude, and the length of all of them divided by it.

    Divided, they have a length whatever their size.
    """
    largest, squares = 0.0, 0.0
    for k in range(len(prepared)):
        largest = max(largest, abs(values[prepared[k, 1], window]))
    if largest > 0:
        for k in range(len(prepared)):
            squares += (values[prepared[k, 1], window] / largest) ** 2
    return largest, math.sqrt(squares)


@_jit  # type: ignore[untyped-decorator]
def _prepared_state(prepared: Integers, values: Floats, p: int, count: int, lanes: int, state: Floats) -> None:
    """psi[d] = x_d / |x| of each window from p on; basis state 0 where all values are zero."""
    state[:] = 0
    for v in range(lanes):
        window = p + min(v, count - 1)
        largest, length = _length(prepared, values, window)
        if largest == 0:
            state[v] = 1
            continue
        for k in range(len(prepared)):
            state[2 * lanes * prepared[k, 0] + v] = values[prepared[k, 1], window] / largest / length


@_jit  # type: ignore[untyped-decorator]
def _prepared_back(
    prepared: Integers, values: Floats, p: int, count: int, lanes: int, dual: Floats, d_values: Floats
) -> None:
    """Add (g_d - a_d sum_e a_e g_e) / |x| to the gradient by x_d, where a = x / |x| and g is that by the amplitudes."""
    for v in range(count):
        largest, length = _length(prepared, values, p + v)
        if largest == 0:
            continue
        along = 0.0
        for k in range(len(prepared)):
            along += values[prepared[k, 1], p + v] / largest / length * dual[2 * lanes * prepared[k, 0] + v]
        for k in range(len(prepared)):
            across = dual[2 * lanes * prepared[k, 0] + v] - values[prepared[k, 1], p + v] / largest / length * along
            d_values[prepared[k, 1], p + v] += across / length / largest


@_inlined  # type: ignore[untyped-decorator]
def _run_all(
    circuit: StateSteps, values: Floats, p: int, count: int, whole: Floats, by_lane: Floats, lanes: int,
    state: Floats, spare: Floats, work: Floats,
) -> tuple[Floats, Floats]:  # fmt: skip
    """The whole circuit; gives the state and the spare array, which may have changed places."""
    if len(circuit.prepared):
        _prepared_state(circuit.prepared, values, p, count, lanes, state)
    else:
        _product_state(circuit, whole, by_lane, lanes, state, work)
    wires, steps, vary = circuit.wires, circuit.steps, circuit.vary
    dimension = 1 << wires
    k = 0
    while k < len(steps):
        wire, r = steps[k]
        if wire < 0:
            if circuit.plain[r]:
                move(state, spare, dimension, circuit.sources[r], False)
            else:
                move_phased(state, spare, dimension, circuit.sources[r], circuit.phases[r], False)
            state, spare = spare, state
        elif vary[r]:
            one_gate_lanes(state, dimension >> 1, wires - 1 - wire, by_lane, 8 * r * lanes)
        elif k + 1 < len(steps) and steps[k + 1, 0] >= 0 and steps[k + 1, 0] != wire and not vary[steps[k + 1, 1]]:
            other, q = steps[k + 1]
            if other < wire:
                two_gates(state, dimension >> 2, wires - 1 - wire, wires - 1 - other, whole, 8 * r, 8 * q)
            else:
                two_gates(state, dimension >> 2, wires - 1 - other, wires - 1 - wire, whole, 8 * q, 8 * r)
            k += 1
        else:
            one_gate(state, dimension >> 1, wires - 1 - wire, whole, 8 * r)
        k += 1
    return state, spare


@_inlined  # type: ignore[untyped-decorator]
def _measure(circuit: StateSteps, lanes: int, state: Floats, shared: Floats, ones: Floats, sums: Floats) -> None:
    """Add the expectation values, a vector for each output: sum_d phase(d) conj(psi[d]) psi[d ^ mask] of each word."""
    masks, observed = circuit.masks, circuit.observed
    padded, dimension = observed.shape[1:]
    flat = observed.reshape(-1)
    for k in range(len(masks)):
        overlaps(state, dimension, masks[k, 0], masks[k, 1] != 0, shared)
        for o in range(0, padded, ROWS):
            thin_tile(
                sums, o * lanes, lanes, flat, (k * padded + o) * dimension, dimension, 1, dimension, shared, 0, lanes,
                ones, 0,
            )  # fmt: skip


@_inlined  # type: ignore[untyped-decorator]
def _measure_back(
    circuit: StateSteps, lanes: int, state: Floats, shared: Floats, ones: Floats, d_sums: Floats, dual: Floats
) -> None:
    """The gradient by the amplitudes: 2 O psi, where O is the sum of the observables weighted with `d_sums`."""
    masks, observed = circuit.masks, circuit.observed
    padded, dimension = observed.shape[1:]
    flat = observed.reshape(-1)
    dual[:] = 0
    for k in range(len(masks)):
        shared[:] = 0
        step = min(dimension, ROWS)
        for d in range(0, dimension, step):
            thin_tile(
                shared, d * lanes, lanes, flat, k * padded * dimension + d, 1, dimension, padded, d_sums, 0, lanes,
                ones, 0,
            )  # fmt: skip
        add_slopes(state, dimension, masks[k, 0], masks[k, 1] != 0, shared, dual)


@_jit  # type: ignore[untyped-decorator]
def forward(
    part: int, parts: int, values: Floats, flat: Floats, filters: int, circuit: StateSteps, out: Floats
) -> None:  # fmt: skip
    """One part of the windows.

    Args:
        part, parts: which of how many.
        values: what angles read, shape (groups, channels, values, windows).
        flat: weights, shape (groups * filters * channels, numbers).
        filters: of each group.
        circuit: that all these rows run.
        out: shape (groups, filters, measured, windows), to be written.
    """
    dtype = out.dtype
    lanes = VECTOR_BYTES // out.itemsize
    groups, channels, _, windows = values.shape
    padded, dimension = circuit.observed.shape[1:]
    vary = circuit.vary
    state, spare = np.empty(2 * dimension * lanes, dtype), np.empty(2 * dimension * lanes, dtype)
    shared, ones, work = np.empty(dimension * lanes, dtype), np.ones(lanes, dtype), np.empty(4 * lanes, dtype)
    whole, by_lane = np.empty(8 * len(vary), dtype), np.empty(8 * len(vary) * lanes, dtype)
    base, halves, matrix = np.empty(len(circuit.offsets)), np.empty(len(circuit.offsets)), np.empty(8)
    sums = np.empty(padded * lanes, dtype)
    blocks = (windows + lanes - 1) // lanes
    tasks = groups * blocks
    for task in range(tasks * part // parts, tasks * (part + 1) // parts):
        g, p = task // blocks, task % blocks * lanes
        count = min(lanes, windows - p)
        for f in range(filters):
            sums[:] = 0
            for c in range(channels):
                _half_angles(circuit, flat[(g * filters + f) * channels + c], base)
                _matrices(circuit, values[g, c], p, count, lanes, base, whole, by_lane, halves, matrix)
                state, spare = _run_all(circuit, values[g, c], p, count, whole, by_lane, lanes, state, spare, work)
                _measure(circuit, lanes, state, shared, ones, sums)
            for o in range(circuit.measured):
                for v in range(count):
                    out[g, f, o, p + v] = sums[o * lanes + v]


@_jit  # type: ignore[untyped-decorator]
def backward(
    part: int, parts: int, values: Floats, flat: Floats, filters: int, circuit: StateSteps, d_out: Floats,
    d_values: Floats, d_flat: Floats,
) -> None:  # fmt: skip
    """Gradients of one part of the windows; arguments as in :func:`forward`.

    Args:
        d_out: shape (groups, filters, measured, windows).
        d_values: as `values`, to be added to.
        d_flat: shape (parts, *flat.shape), to be added to.
    """
    dtype = d_out.dtype
    lanes = VECTOR_BYTES // d_out.itemsize
    groups, channels, _, windows = values.shape
    padded, dimension = circuit.observed.shape[1:]
    vary = circuit.vary
    state, spare = np.empty(2 * dimension * lanes, dtype), np.empty(2 * dimension * lanes, dtype)
    dual, other = np.empty_like(state), np.empty_like(state)
    shared = np.empty(max(ROWS, dimension) * lanes, dtype)
    ones, work = np.ones(lanes, dtype), np.empty(4 * lanes, dtype)
    whole, by_lane = np.empty(8 * len(vary), dtype), np.empty(8 * len(vary) * lanes, dtype)
    slopes = np.zeros(8 * len(vary) * lanes, dtype)
    total, slope, matrix = np.empty((len(vary), 8)), np.empty(8), np.empty(8)
    base, halves, d_angles = (
        np.empty(len(circuit.offsets)),
        np.empty(len(circuit.offsets)),
        np.empty(len(circuit.offsets)),
    )
    d_sums = np.zeros(padded * lanes, dtype)
    blocks = (windows + lanes - 1) // lanes
    tasks = groups * blocks
    for task in range(tasks * part // parts, tasks * (part + 1) // parts):
        g, p = task // blocks, task % blocks * lanes
        count = min(lanes, windows - p)
        for f in range(filters):
            for o in range(circuit.measured):
                for v in range(count):
                    d_sums[o * lanes + v] = d_out[g, f, o, p + v]
                for v in range(count, lanes):
                    d_sums[o * lanes + v] = 0
            for c in range(channels):
                row = (g * filters + f) * channels + c
                _half_angles(circuit, flat[row], base)
                _matrices(circuit, values[g, c], p, count, lanes, base, whole, by_lane, halves, matrix)
                state, spare = _run_all(circuit, values[g, c], p, count, whole, by_lane, lanes, state, spare, work)
                _measure_back(circuit, lanes, state, shared, ones, d_sums, dual)
                for k in range(len(circuit.steps) - 1, -1, -1):
                    wire, r = circuit.steps[k]
                    if wire < 0:
                        if circuit.plain[r]:
                            move(state, spare, dimension, circuit.sources[r], True)
                            move(dual, other, dimension, circuit.sources[r], True)
                        else:
                            move_phased(state, spare, dimension, circuit.sources[r], circuit.phases[r], True)
                            move_phased(dual, other, dimension, circuit.sources[r], circuit.phases[r], True)
                        state, spare = spare, state
                        dual, other = other, dual
                    elif vary[r]:
                        undo_gate_lanes(
                            state,
                            dual,
                            dimension >> 1,
                            circuit.wires - 1 - wire,
                            by_lane,
                            8 * r * lanes,
                            slopes,
                            8 * r * lanes,
                        )
                    else:
                        undo_gate(
                            state, dual, dimension >> 1, circuit.wires - 1 - wire, whole, 8 * r, slopes, 8 * r * lanes
                        )
                if len(circuit.prepared):
                    _prepared_back(circuit.prepared, values[g, c], p, count, lanes, dual, d_values[g, c])
                else:
                    _product_back(circuit, whole, by_lane, lanes, state, dual, slopes, work)
                d_angles[:] = 0
                for r in range(len(vary)):
                    if vary[r]:
                        continue
                    for k in range(8):
                        total[r, k] = 0.0
                        for v in range(lanes):
                            total[r, k] += slopes[(8 * r + k) * lanes + v]
                    _run_slopes(circuit, r, base, total[r], matrix, d_angles)
                _collect(circuit, d_angles, d_flat[part, row])
                if len(circuit.reads) == 0:
                    continue
                for v in range(count):
                    _lane_angles(circuit, values[g, c], p + v, base, halves)
                    d_angles[:] = 0
                    for r in range(len(vary)):
                        if vary[r]:
                            for k in range(8):
                                slope[k] = slopes[(8 * r + k) * lanes + v]
                            _run_slopes(circuit, r, halves, slope, matrix, d_angles)
                    _collect(circuit, d_angles, d_flat[part, row])
                    for k in range(len(circuit.reads)):
                        angle, value = circuit.reads[k]
                        d_values[g, c, value, p + v] += circuit.factors[k] * d_angles[angle]


@_inlined  # type: ignore[untyped-decorator]
def _collect(circuit: StateSteps, d_angles: Floats, into: Floats) -> None:
    """Add to the gradient of a row of weights what comes through its angles."""
    for k in range(len(circuit.terms)):
        into[circuit.terms[k, 1]] += circuit.multipliers[k] * d_angles[circuit.terms[k, 0]]

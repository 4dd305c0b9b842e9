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
def _run_matrix(circuit: StateSteps, r: int, cosines: Floats, sines: Floats, into: Floats) -> None:
    """The product of the elements of run r: rotations, by cosine and sine of half their angles, or fixed matrices."""
    into[:] = 0
    into[0], into[6] = 1, 1
    for e in range(circuit.runs[r], circuit.runs[r + 1]):
        kind, number = circuit.elements[e]
        if kind == FIXED:
            _multiply(circuit.fixed[number], into)
        else:
            _rotate(kind, cosines[number], sines[number], into)


@_inlined  # type: ignore[untyped-decorator]
def _run_slopes(
    circuit: StateSteps, r: int, cosines: Floats, sines: Floats, slope: Floats, m: Floats, d_angles: Floats
) -> None:
    """Add to the gradients of a run's angles what comes from its matrix: undo the elements, the last one first."""
    _run_matrix(circuit, r, cosines, sines, m)
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
        _rotate(kind, cosines[number], -sines[number], m)
        _rotate(kind, cosines[number], -sines[number], g)


@_inlined  # type: ignore[untyped-decorator]
def _turns(circuit: StateSteps, row: Floats, halves: Floats, cosines: Floats, sines: Floats) -> None:
    """What a row of weights makes of the half angles, (offset + sum of multiplier * weight) / 2, and what they turn."""
    for k in range(len(halves)):
        halves[k] = circuit.offsets[k]
    for k in range(len(circuit.terms)):
        halves[circuit.terms[k, 0]] += circuit.multipliers[k] * row[circuit.terms[k, 1]]
    halves *= 0.5
    for k in range(len(halves)):
        cosines[k], sines[k] = math.cos(halves[k]), math.sin(halves[k])


@_inlined  # type: ignore[untyped-decorator]
def _lane_turns(
    circuit: StateSteps, values: Floats, p: int, count: int, halves: Floats, cosines: Floats, sines: Floats,
    angles: Floats, lane_cosines: Floats, lane_sines: Floats,
) -> None:  # fmt: skip
    """The same for each window from p on: factor * value / 2 comes to the half angles of the weights."""
    for v in range(len(lane_cosines)):
        window = p + min(v, count - 1)
        for k in range(len(cosines)):
            lane_cosines[v, k], lane_sines[v, k] = cosines[k], sines[k]
        for number in circuit.reading:
            angles[number] = halves[number]
        for k in range(len(circuit.reads)):
            angles[circuit.reads[k, 0]] += 0.5 * circuit.factors[k] * values[circuit.reads[k, 1], window]
        for number in circuit.reading:
            lane_cosines[v, number], lane_sines[v, number] = math.cos(angles[number]), math.sin(angles[number])


@_inlined  # type: ignore[untyped-decorator]
def _matrices(
    circuit: StateSteps, cosines: Floats, sines: Floats, lane_cosines: Floats, lane_sines: Floats, whole: Floats,
    by_lane: Floats, matrix: Floats,
) -> None:  # fmt: skip
    """The matrices of all runs: of those that read the window one for each window, of the others one (`whole`)."""
    lanes = len(lane_cosines)
    for r in range(len(circuit.vary)):
        if circuit.vary[r]:
            for v in range(lanes):
                _run_matrix(circuit, r, lane_cosines[v], lane_sines[v], matrix)
                for k in range(8):
                    by_lane[(8 * r + k) * lanes + v] = matrix[k]
        else:
            _run_matrix(circuit, r, cosines, sines, whole[8 * r : 8 * r + 8])


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
def _inverse_lengths(prepared: Integers, values: Floats, p: int, lanes: int, inverse: Floats) -> None:
    """1 / |x| of each window from p on, or 0 where all its values are zero.

    They are divided by the largest one first, so that they have a length whatever their size.
    """
    largest = np.zeros(lanes)
    for k in range(len(prepared)):
        row = values[prepared[k, 1], p : p + lanes]
        for v in range(lanes):
            largest[v] = max(largest[v], abs(row[v]))
    for v in range(lanes):
        largest[v] = 1 / largest[v] if largest[v] > 0 else 0.0
    squares = np.zeros(lanes)
    for k in range(len(prepared)):
        row = values[prepared[k, 1], p : p + lanes]
        for v in range(lanes):
            squares[v] += (row[v] * largest[v]) ** 2
    for v in range(lanes):
        inverse[v] = largest[v] / math.sqrt(squares[v]) if squares[v] > 0 else 0.0


@_jit  # type: ignore[untyped-decorator]
def _prepared_state(prepared: Integers, values: Floats, p: int, inverse: Floats, state: Floats) -> None:
    """psi[d] = x_d / |x| of each window from p on; basis state 0 where all values are zero."""
    lanes = len(inverse)
    state[:] = 0
    for k in range(len(prepared)):
        row, place = values[prepared[k, 1], p : p + lanes], 2 * lanes * prepared[k, 0]
        amplitude = state[place : place + lanes]
        for v in range(lanes):
            amplitude[v] = row[v] * inverse[v]
    for v in range(lanes):
        if inverse[v] == 0:
            state[v] = 1


@_jit  # type: ignore[untyped-decorator]
def _prepared_back(prepared: Integers, values: Floats, p: int, inverse: Floats, dual: Floats, d_values: Floats) -> None:
    """Add (g_d - a_d sum_e a_e g_e) / |x| to the gradient by x_d, where a = x / |x| and g is that by the amplitudes."""
    lanes = len(inverse)
    along = np.zeros(lanes)
    for k in range(len(prepared)):
        row, place = values[prepared[k, 1], p : p + lanes], 2 * lanes * prepared[k, 0]
        slope = dual[place : place + lanes]
        for v in range(lanes):
            along[v] += row[v] * inverse[v] * slope[v]
    for k in range(len(prepared)):
        row, place = values[prepared[k, 1], p : p + lanes], 2 * lanes * prepared[k, 0]
        slope, into = dual[place : place + lanes], d_values[prepared[k, 1], p : p + lanes]
        for v in range(lanes):
            into[v] += (slope[v] - row[v] * inverse[v] * along[v]) * inverse[v]


@_inlined  # type: ignore[untyped-decorator]
def _run_all(
    circuit: StateSteps, values: Floats, p: int, inverse: Floats, whole: Floats, by_lane: Floats, lanes: int,
    state: Floats, spare: Floats, work: Floats,
) -> tuple[Floats, Floats]:  # fmt: skip
    """The whole circuit; gives the state and the spare array, which may have changed places."""
    if len(circuit.prepared):
        _inverse_lengths(circuit.prepared, values, p, lanes, inverse)
        _prepared_state(circuit.prepared, values, p, inverse, state)
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
        if len(circuit.outcomes):
            for o in range(circuit.measured):
                place = circuit.outcomes[o] * lanes
                for v in range(lanes):
                    sums[o * lanes + v] += shared[place + v]
            continue
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
        for o in range(len(circuit.outcomes)):
            place = circuit.outcomes[o] * lanes
            for v in range(lanes):
                shared[place + v] += d_sums[o * lanes + v]
        for d in range(0, dimension if len(circuit.outcomes) == 0 else 0, step):
            thin_tile(
                shared, d * lanes, lanes, flat, k * padded * dimension + d, 1, dimension, padded, d_sums, 0, lanes,
                ones, 0,
            )  # fmt: skip
        add_slopes(state, dimension, masks[k, 0], masks[k, 1] != 0, shared, dual)


@_jit  # type: ignore[untyped-decorator]
def forward(
    first: int, last: int, parts: int, values: Floats, flat: Floats, filters: int, circuit: StateSteps, out: Floats
) -> None:  # fmt: skip
    """Some parts of the windows.

    Args:
        first, last, parts: which of how many: those before `last`.
        values: what angles and amplitudes read, shape (groups, channels, values, windows); of a circuit that prepares
            amplitudes with windows of zeros behind them, up to a multiple of a vector's lanes.
        flat: weights, shape (groups * filters * channels, numbers).
        filters: of each group.
        circuit: that all these rows run.
        out: shape (groups, filters, measured, windows), to be written.
    """
    dtype = out.dtype
    lanes = VECTOR_BYTES // out.itemsize
    groups, channels = values.shape[:2]
    windows = out.shape[3]
    padded, dimension = circuit.observed.shape[1:]
    vary, numbers = circuit.vary, len(circuit.offsets)
    state, spare = np.empty(2 * dimension * lanes, dtype), np.empty(2 * dimension * lanes, dtype)
    shared, ones, work = np.empty(dimension * lanes, dtype), np.ones(lanes, dtype), np.empty(4 * lanes, dtype)
    whole, by_lane = np.empty(8 * len(vary), dtype), np.empty(8 * len(vary) * lanes, dtype)
    halves, angles, cosines, sines = np.empty(numbers), np.empty(numbers), np.empty(numbers), np.empty(numbers)
    lane_cosines, lane_sines, inverse = np.empty((lanes, numbers)), np.empty((lanes, numbers)), np.empty(lanes)
    matrix = np.empty(8)
    sums = np.empty(padded * lanes, dtype)
    blocks = (windows + lanes - 1) // lanes
    tasks = groups * blocks
    for task in range(tasks * first // parts, tasks * last // parts):
        g, p = task // blocks, task % blocks * lanes
        count = min(lanes, windows - p)
        for f in range(filters):
            sums[:] = 0
            for c in range(channels):
                _turns(circuit, flat[(g * filters + f) * channels + c], halves, cosines, sines)
                if len(circuit.reads):
                    _lane_turns(
                        circuit, values[g, c], p, count, halves, cosines, sines, angles, lane_cosines, lane_sines
                    )
                _matrices(circuit, cosines, sines, lane_cosines, lane_sines, whole, by_lane, matrix)
                state, spare = _run_all(circuit, values[g, c], p, inverse, whole, by_lane, lanes, state, spare, work)
                _measure(circuit, lanes, state, shared, ones, sums)
            for o in range(circuit.measured):
                for v in range(count):
                    out[g, f, o, p + v] = sums[o * lanes + v]


@_jit  # type: ignore[untyped-decorator]
def backward(
    first: int, last: int, parts: int, values: Floats, flat: Floats, filters: int, circuit: StateSteps, d_out: Floats,
    d_values: Floats, d_flat: Floats,
) -> None:  # fmt: skip
    """Gradients of some parts of the windows; arguments as in :func:`forward`.

    Args:
        d_out: shape (groups, filters, measured, windows).
        d_values: as `values`, to be added to; with no values where its gradient is not wanted.
        d_flat: shape (parts, *flat.shape), to be added to.
    """
    dtype = d_out.dtype
    lanes = VECTOR_BYTES // d_out.itemsize
    groups, channels = values.shape[:2]
    windows, wanted = d_out.shape[3], d_values.shape[2] > 0
    padded, dimension = circuit.observed.shape[1:]
    vary, numbers = circuit.vary, len(circuit.offsets)
    state, spare = np.empty(2 * dimension * lanes, dtype), np.empty(2 * dimension * lanes, dtype)
    dual, other = np.empty_like(state), np.empty_like(state)
    shared = np.empty(max(ROWS, dimension) * lanes, dtype)
    ones, work = np.ones(lanes, dtype), np.empty(4 * lanes, dtype)
    whole, by_lane = np.empty(8 * len(vary), dtype), np.empty(8 * len(vary) * lanes, dtype)
    slopes = np.zeros(8 * len(vary) * lanes, dtype)
    total, slope, matrix, d_angles = np.empty(8), np.empty(8), np.empty(8), np.empty(numbers)
    halves, angles, cosines, sines = np.empty(numbers), np.empty(numbers), np.empty(numbers), np.empty(numbers)
    lane_cosines, lane_sines, inverse = np.empty((lanes, numbers)), np.empty((lanes, numbers)), np.empty(lanes)
    d_sums = np.zeros(padded * lanes, dtype)
    blocks = (windows + lanes - 1) // lanes
    tasks = groups * blocks
    for part in range(first, last):
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
                    _turns(circuit, flat[row], halves, cosines, sines)
                    if len(circuit.reads):
                        _lane_turns(
                            circuit, values[g, c], p, count, halves, cosines, sines, angles, lane_cosines, lane_sines
                        )
                    _matrices(circuit, cosines, sines, lane_cosines, lane_sines, whole, by_lane, matrix)
                    state, spare = _run_all(
                        circuit, values[g, c], p, inverse, whole, by_lane, lanes, state, spare, work
                    )
                    _measure_back(circuit, lanes, state, shared, ones, d_sums, dual)
                    # Nothing before the first weight matters, but for the gradient by what the window gives.
                    begin = 0 if wanted else circuit.begin
                    state, spare, dual, other = _undo_all(
                        circuit, max(begin, 0), whole, by_lane, lanes, state, spare, dual, other, slopes
                    )
                    if len(circuit.prepared) == 0 and (wanted or begin < 0):
                        _product_back(circuit, whole, by_lane, lanes, state, dual, slopes, work)
                    elif wanted:
                        _prepared_back(circuit.prepared, values[g, c], p, inverse, dual, d_values[g, c])
                    d_angles[:] = 0
                    for r in range(len(vary)):
                        if vary[r] or not circuit.weighted[r]:
                            continue
                        for k in range(8):
                            total[k] = 0.0
                            for v in range(lanes):
                                total[k] += slopes[(8 * r + k) * lanes + v]
                        _run_slopes(circuit, r, cosines, sines, total, matrix, d_angles)
                    _collect(circuit, d_angles, d_flat[part, row])
                    if not (wanted and len(circuit.reads)) and not circuit.mixed:
                        continue
                    for v in range(count):
                        d_angles[:] = 0
                        for r in range(len(vary)):
                            if vary[r] and (wanted or circuit.weighted[r]):
                                for k in range(8):
                                    slope[k] = slopes[(8 * r + k) * lanes + v]
                                _run_slopes(circuit, r, lane_cosines[v], lane_sines[v], slope, matrix, d_angles)
                        _collect(circuit, d_angles, d_flat[part, row])
                        if wanted:
                            for k in range(len(circuit.reads)):
                                angle, value = circuit.reads[k]
                                d_values[g, c, value, p + v] += circuit.factors[k] * d_angles[angle]


@_inlined  # type: ignore[untyped-decorator]
def _undo_all(
    circuit: StateSteps, begin: int, whole: Floats, by_lane: Floats, lanes: int, state: Floats, spare: Floats,
    dual: Floats, other: Floats, slopes: Floats,
) -> tuple[Floats, Floats, Floats, Floats]:  # fmt: skip
    """Undo the steps from `begin` on, on a state and on the gradient by it; slopes of matrices as in `undo_gate`."""
    dimension = circuit.observed.shape[2]
    for k in range(len(circuit.steps) - 1, begin - 1, -1):
        wire, r = circuit.steps[k]
        bit = circuit.wires - 1 - wire
        if wire < 0:
            if circuit.plain[r]:
                move(state, spare, dimension, circuit.sources[r], True)
                move(dual, other, dimension, circuit.sources[r], True)
            else:
                move_phased(state, spare, dimension, circuit.sources[r], circuit.phases[r], True)
                move_phased(dual, other, dimension, circuit.sources[r], circuit.phases[r], True)
            state, spare = spare, state
            dual, other = other, dual
        elif circuit.vary[r]:
            undo_gate_lanes(state, dual, dimension >> 1, bit, by_lane, 8 * r * lanes, slopes, 8 * r * lanes)
        else:
            undo_gate(state, dual, dimension >> 1, bit, whole, 8 * r, slopes, 8 * r * lanes)
    return state, spare, dual, other


@_inlined  # type: ignore[untyped-decorator]
def _collect(circuit: StateSteps, d_angles: Floats, into: Floats) -> None:
    """Add to the gradient of a row of weights what comes through its angles."""
    for k in range(len(circuit.terms)):
        into[circuit.terms[k, 1]] += circuit.multipliers[k] * d_angles[circuit.terms[k, 0]]

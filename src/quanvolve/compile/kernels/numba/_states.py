"""State vectors of a block of windows: forward, and gradients by the adjoint method (Jones and Gacon 2020).

The reverse sweep undoes the gates on the state and on its gradient side by side (arXiv:2009.02823), so that nothing is
kept from the forward sweep, whatever the depth.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from quanvolve.compile.kernels.numba._amplitudes import (
    add_slopes,
    add_slopes_odd,
    contract,
    expand,
    move,
    move_back,
    move_phased,
    move_phased_back,
    one_gate,
    one_gate_lanes,
    overlaps,
    overlaps_odd,
    two_gates,
    undo_gate,
    undo_gate_lanes,
)
from quanvolve.compile.kernels.numba._tile import ROWS, VECTOR_BYTES, thin_tile

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract"})


@_jit  # type: ignore[untyped-decorator]
def _rotate(axis: int, c: Any, s: Any, m: Any) -> None:
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
def _multiply(fixed: Any, m: Any) -> None:
    """Multiply a fixed matrix from the left."""
    for column in range(2):
        a, b, x, y = m[2 * column], m[2 * column + 1], m[4 + 2 * column], m[5 + 2 * column]
        for row in range(2):
            p, q, r, t = fixed[4 * row], fixed[4 * row + 1], fixed[4 * row + 2], fixed[4 * row + 3]
            m[4 * row + 2 * column] = p * a - q * b + r * x - t * y
            m[4 * row + 2 * column + 1] = p * b + q * a + r * y + t * x


@_jit  # type: ignore[untyped-decorator]
def _run_matrix(elements: Any, first: int, last: int, halves: Any, fixed: Any, into: Any) -> None:
    """The product of a run's elements; (kind, number): rotations about axis 0 .. 2, or a fixed matrix (3)."""
    into[:] = 0
    into[0], into[6] = 1, 1
    for e in range(first, last):
        if elements[e, 0] == 3:
            _multiply(fixed[elements[e, 1]], into)
        else:
            _rotate(elements[e, 0], math.cos(halves[elements[e, 1]]), math.sin(halves[elements[e, 1]]), into)


@_jit  # type: ignore[untyped-decorator]
def _run_slopes(
    elements: Any, first: int, last: int, halves: Any, fixed: Any, slope: Any, m: Any, d_angles: Any
) -> None:
    """Add to the gradients of a run's angles what comes from its matrix: undo the elements, the last one first."""
    _run_matrix(elements, first, last, halves, fixed, m)
    g = slope.copy()
    back = np.empty(8, m.dtype)
    for e in range(last - 1, first - 1, -1):
        kind, number = elements[e]
        if kind == 3:
            for row in range(2):
                for column in range(2):
                    back[4 * row + 2 * column] = fixed[number, 4 * column + 2 * row]
                    back[4 * row + 2 * column + 1] = -fixed[number, 4 * column + 2 * row + 1]
            _multiply(back, m)
            _multiply(back, g)
            continue
        # dM/d angle = -i/2 P M, so the gradient is Re <g, -i/2 P m> = Im <g, P m> / 2.
        total = 0.0
        for column in range(2):
            a, b, x, y = m[2 * column], m[2 * column + 1], m[4 + 2 * column], m[5 + 2 * column]
            p, q, r, t = g[2 * column], g[2 * column + 1], g[4 + 2 * column], g[5 + 2 * column]
            if kind == 0:
                total += p * y - q * x + r * b - t * a
            elif kind == 1:
                total += -p * x - q * y + r * a + t * b
            else:
                total += p * b - q * a - r * y + t * x
        d_angles[number] += 0.5 * total
        c, s = math.cos(halves[number]), -math.sin(halves[number])
        _rotate(kind, c, s, m)
        _rotate(kind, c, s, g)


@_jit  # type: ignore[untyped-decorator]
def _half_angles(row: Any, offsets: Any, terms: Any, multipliers: Any, halves: Any) -> None:
    halves[:] = offsets
    for k in range(len(terms)):
        halves[terms[k, 0]] += multipliers[k] * row[terms[k, 1]]
    halves *= 0.5


@_jit  # type: ignore[untyped-decorator]
def _matrices(
    values: Any, p: int, count: int, lanes: int, base: Any, reads: Any, factors: Any, runs: Any, elements: Any,
    fixed: Any, vary: Any, whole: Any, by_lane: Any, halves: Any, one: Any,
) -> None:  # fmt: skip
    """The matrices of all runs: those of `vary` for each window, the others once (`whole`)."""
    for r in range(len(vary)):
        if not vary[r]:
            _run_matrix(elements, runs[r], runs[r + 1], base, fixed, whole[8 * r : 8 * r + 8])
    for v in range(lanes):
        window = p + min(v, count - 1)
        _lane_angles(values, window, base, reads, factors, halves)
        for r in range(len(vary)):
            if vary[r]:
                _run_matrix(elements, runs[r], runs[r + 1], halves, fixed, one)
                for k in range(8):
                    by_lane[(8 * r + k) * lanes + v] = one[k]


@_jit  # type: ignore[untyped-decorator]
def _lane_angles(values: Any, window: int, base: Any, reads: Any, factors: Any, halves: Any) -> None:
    halves[:] = base
    for k in range(len(reads)):
        halves[reads[k, 0]] += 0.5 * factors[k] * values[reads[k, 1], window]


@_jit  # type: ignore[untyped-decorator]
def _columns(r: int, vary: Any, whole: Any, by_lane: Any, lanes: int, into: Any) -> None:
    """The first column of a run's matrix, a vector for each of its four numbers."""
    for entry in range(4):
        place = 8 * r + entry + 2 * (entry >> 1)
        for v in range(lanes):
            into[entry * lanes + v] = by_lane[place * lanes + v] if vary[r] else whole[place]


@_jit  # type: ignore[untyped-decorator]
def _product_state(wires: int, vary: Any, whole: Any, by_lane: Any, lanes: int, state: Any, work: Any) -> None:
    """The state after the runs with which the wires begin, run w on wire w: a product of one-qubit states."""
    state[: 2 * lanes] = 0
    state[:lanes] = 1
    for wire in range(wires):
        _columns(wire, vary, whole, by_lane, lanes, work)
        expand(state, 1 << wire, work)


@_jit  # type: ignore[untyped-decorator]
def _product_back(
    wires: int, vary: Any, whole: Any, by_lane: Any, lanes: int, state: Any, dual: Any, slopes: Any, work: Any
) -> None:
    """Gradients by the matrices of these runs, from that by the product state; both are used up."""
    for wire in range(wires - 1, -1, -1):
        _columns(wire, vary, whole, by_lane, lanes, work)
        contract(state, dual, 1 << wire, work, slopes, 8 * wire * lanes)


@_jit  # type: ignore[untyped-decorator]
def _run_all(
    wires: int, steps: Any, vary: Any, sources: Any, phases: Any, plain: Any, whole: Any, by_lane: Any,
    lanes: int, state: Any, spare: Any, work: Any,
) -> Any:  # fmt: skip
    """The whole circuit; gives the state and the spare array, which may have changed places."""
    _product_state(wires, vary, whole, by_lane, lanes, state, work)
    dimension = 1 << wires
    k = 0
    while k < len(steps):
        wire, r = steps[k]
        if wire < 0:
            if plain[r]:
                move(state, spare, dimension, sources, phases, r * dimension)
            else:
                move_phased(state, spare, dimension, sources, phases, r * dimension)
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


@_jit  # type: ignore[untyped-decorator]
def _measure(masks: Any, observed: Any, lanes: int, state: Any, shared: Any, ones: Any, sums: Any) -> None:
    """Add the expectation values, a vector for each output; observed: (words, outputs padded to ROWS, D)."""
    padded, dimension = observed.shape[1:]
    flat = observed.reshape(-1)
    for k in range(len(masks)):
        if masks[k, 1]:
            overlaps_odd(state, dimension, masks[k, 0], shared)
        else:
            overlaps(state, dimension, masks[k, 0], shared)
        for o in range(0, padded, ROWS):
            thin_tile(
                sums, o * lanes, lanes, flat, (k * padded + o) * dimension, dimension, 1, dimension, shared, 0, lanes,
                ones, 0,
            )  # fmt: skip


@_jit  # type: ignore[untyped-decorator]
def _measure_back(
    masks: Any, observed: Any, lanes: int, state: Any, shared: Any, ones: Any, given: Any, dual: Any
) -> None:
    """The gradient by the amplitudes: 2 O psi, where O is the sum of the observables weighted with `given`."""
    padded, dimension = observed.shape[1:]
    flat = observed.reshape(-1)
    dual[:] = 0
    for k in range(len(masks)):
        shared[:] = 0
        step = min(dimension, ROWS)
        for d in range(0, dimension, step):
            thin_tile(
                shared, d * lanes, lanes, flat, k * padded * dimension + d, 1, dimension, padded, given, 0, lanes,
                ones, 0,
            )  # fmt: skip
        if masks[k, 1]:
            add_slopes_odd(state, dimension, masks[k, 0], shared, dual)
        else:
            add_slopes(state, dimension, masks[k, 0], shared, dual)


@_jit  # type: ignore[untyped-decorator]
def forward(
    part: int, parts: int, values: Any, flat: Any, filters: int, wires: int, steps: Any, vary: Any,
    runs: Any, elements: Any, fixed: Any, sources: Any, phases: Any, plain: Any, offsets: Any, terms: Any,
    multipliers: Any, reads: Any, factors: Any, masks: Any, observed: Any, measured: int, out: Any,
) -> None:  # fmt: skip
    """One part of the windows.

    Args:
        part, parts: which of how many.
        values: what angles read, shape (groups, channels, values, windows).
        flat: weights, shape (groups * filters * channels, numbers).
        filters: of each group.
        wires: of the circuit.
        steps: (wire, run) or (-1, permutation), in order, after the runs with which the wires begin: run w on wire w.
        vary: whether a run reads the window.
        runs, elements: the elements of run r are elements[runs[r] : runs[r + 1]], (axis, rotation) or (3, fixed).
        fixed: matrices as eight numbers each.
        sources, phases, plain: the permutations, and whether their phases are all 1.
        offsets, terms, multipliers: angles from weights: (rotation, number) pairs and factors.
        reads, factors: angles from the window: (rotation, value) pairs and factors.
        masks, observed: (bits that a word flips, whether its phases are imaginary), and the phases: shape
            (words, outputs padded to ROWS, D).
        measured: outputs of a circuit.
        out: shape (groups, filters, measured, windows), to be written.
    """
    dtype = out.dtype
    lanes = VECTOR_BYTES // out.itemsize
    groups, channels, _, windows = values.shape
    padded, dimension = observed.shape[1:]
    state, spare = np.empty(2 * dimension * lanes, dtype), np.empty(2 * dimension * lanes, dtype)
    shared, ones, work = np.empty(dimension * lanes, dtype), np.ones(lanes, dtype), np.empty(4 * lanes, dtype)
    whole, by_lane = np.empty(8 * len(vary), dtype), np.empty(8 * len(vary) * lanes, dtype)
    base, halves, one = np.empty(len(offsets)), np.empty(len(offsets)), np.empty(8)
    sums = np.empty(padded * lanes, dtype)
    blocks = (windows + lanes - 1) // lanes
    tasks = groups * blocks
    for task in range(tasks * part // parts, tasks * (part + 1) // parts):
        g, p = task // blocks, task % blocks * lanes
        count = min(lanes, windows - p)
        for f in range(filters):
            sums[:] = 0
            for c in range(channels):
                _half_angles(flat[(g * filters + f) * channels + c], offsets, terms, multipliers, base)
                _matrices(
                    values[g, c], p, count, lanes, base, reads, factors, runs, elements, fixed, vary, whole, by_lane,
                    halves, one,
                )  # fmt: skip
                state, spare = _run_all(
                    wires, steps, vary, sources, phases, plain, whole, by_lane, lanes, state, spare, work
                )
                _measure(masks, observed, lanes, state, shared, ones, sums)
            for o in range(measured):
                for v in range(count):
                    out[g, f, o, p + v] = sums[o * lanes + v]


@_jit  # type: ignore[untyped-decorator]
def backward(
    part: int, parts: int, values: Any, flat: Any, filters: int, wires: int, steps: Any, vary: Any,
    runs: Any, elements: Any, fixed: Any, sources: Any, phases: Any, plain: Any, offsets: Any, terms: Any,
    multipliers: Any, reads: Any, factors: Any, masks: Any, observed: Any, measured: int, d_out: Any, d_values: Any,
    d_flat: Any,
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
    padded, dimension = observed.shape[1:]
    state, spare = np.empty(2 * dimension * lanes, dtype), np.empty(2 * dimension * lanes, dtype)
    dual, other = np.empty_like(state), np.empty_like(state)
    shared = np.empty(max(ROWS, dimension) * lanes, dtype)
    ones, work = np.ones(lanes, dtype), np.empty(4 * lanes, dtype)
    whole, by_lane = np.empty(8 * len(vary), dtype), np.empty(8 * len(vary) * lanes, dtype)
    slopes = np.zeros(8 * len(vary) * lanes, dtype)
    total, slope, one = np.empty((len(vary), 8)), np.empty(8), np.empty(8)
    base, halves, d_angles = np.empty(len(offsets)), np.empty(len(offsets)), np.empty(len(offsets))
    given = np.zeros(padded * lanes, dtype)
    blocks = (windows + lanes - 1) // lanes
    tasks = groups * blocks
    for task in range(tasks * part // parts, tasks * (part + 1) // parts):
        g, p = task // blocks, task % blocks * lanes
        count = min(lanes, windows - p)
        for f in range(filters):
            for o in range(measured):
                for v in range(count):
                    given[o * lanes + v] = d_out[g, f, o, p + v]
                for v in range(count, lanes):
                    given[o * lanes + v] = 0
            for c in range(channels):
                row = (g * filters + f) * channels + c
                _half_angles(flat[row], offsets, terms, multipliers, base)
                _matrices(
                    values[g, c], p, count, lanes, base, reads, factors, runs, elements, fixed, vary, whole, by_lane,
                    halves, one,
                )  # fmt: skip
                state, spare = _run_all(
                    wires, steps, vary, sources, phases, plain, whole, by_lane, lanes, state, spare, work
                )
                _measure_back(masks, observed, lanes, state, shared, ones, given, dual)
                for k in range(len(steps) - 1, -1, -1):
                    wire, r = steps[k]
                    if wire < 0:
                        if plain[r]:
                            move_back(state, spare, dimension, sources, phases, r * dimension)
                            move_back(dual, other, dimension, sources, phases, r * dimension)
                        else:
                            move_phased_back(state, spare, dimension, sources, phases, r * dimension)
                            move_phased_back(dual, other, dimension, sources, phases, r * dimension)
                        state, spare = spare, state
                        dual, other = other, dual
                    elif vary[r]:
                        undo_gate_lanes(
                            state, dual, dimension >> 1, wires - 1 - wire, by_lane, 8 * r * lanes, slopes, 8 * r * lanes
                        )
                    else:
                        undo_gate(state, dual, dimension >> 1, wires - 1 - wire, whole, 8 * r, slopes, 8 * r * lanes)
                _product_back(wires, vary, whole, by_lane, lanes, state, dual, slopes, work)
                d_angles[:] = 0
                for r in range(len(vary)):
                    if vary[r]:
                        continue
                    for k in range(8):
                        total[r, k] = 0.0
                        for v in range(lanes):
                            total[r, k] += slopes[(8 * r + k) * lanes + v]
                    _run_slopes(elements, runs[r], runs[r + 1], base, fixed, total[r], one, d_angles)
                _collect(d_angles, terms, multipliers, d_flat[part, row])
                if len(reads) == 0:
                    continue
                for v in range(count):
                    _lane_angles(values[g, c], p + v, base, reads, factors, halves)
                    d_angles[:] = 0
                    for r in range(len(vary)):
                        if vary[r]:
                            for k in range(8):
                                slope[k] = slopes[(8 * r + k) * lanes + v]
                            _run_slopes(elements, runs[r], runs[r + 1], halves, fixed, slope, one, d_angles)
                    _collect(d_angles, terms, multipliers, d_flat[part, row])
                    for k in range(len(reads)):
                        d_values[g, c, reads[k, 1], p + v] += factors[k] * d_angles[reads[k, 0]]


@_jit  # type: ignore[untyped-decorator]
def _collect(d_angles: Any, terms: Any, multipliers: Any, into: Any) -> None:
    for k in range(len(terms)):
        into[terms[k, 1]] += multipliers[k] * d_angles[terms[k, 0]]


@numba.njit(cache=True, nogil=True, parallel=True)  # type: ignore[untyped-decorator]
def forward_parallel(
    parts: int, values: Any, flat: Any, filters: int, wires: int, steps: Any, vary: Any,
    runs: Any, elements: Any, fixed: Any, sources: Any, phases: Any, plain: Any, offsets: Any, terms: Any,
    multipliers: Any, reads: Any, factors: Any, masks: Any, observed: Any, measured: int, out: Any,
) -> None:  # fmt: skip
    """All parts of :func:`forward`."""
    for part in numba.prange(parts):
        forward(
            part, parts, values, flat, filters, wires, steps, vary, runs, elements, fixed, sources, phases,
            plain, offsets, terms, multipliers, reads, factors, masks, observed, measured, out,
        )  # fmt: skip


@numba.njit(cache=True, nogil=True, parallel=True)  # type: ignore[untyped-decorator]
def backward_parallel(
    parts: int, values: Any, flat: Any, filters: int, wires: int, steps: Any, vary: Any,
    runs: Any, elements: Any, fixed: Any, sources: Any, phases: Any, plain: Any, offsets: Any, terms: Any,
    multipliers: Any, reads: Any, factors: Any, masks: Any, observed: Any, measured: int, d_out: Any, d_values: Any,
    d_flat: Any,
) -> None:  # fmt: skip
    """All parts of :func:`backward`."""
    for part in numba.prange(parts):
        backward(
            part, parts, values, flat, filters, wires, steps, vary, runs, elements, fixed, sources, phases,
            plain, offsets, terms, multipliers, reads, factors, masks, observed, measured, d_out, d_values, d_flat,
        )  # fmt: skip

"""Loops over the basis states of a block of state vectors, laid out as in `_amplitudes`: permutations and overlaps.

They move more than they compute, so that plain loops serve.
"""

from __future__ import annotations

import numba

from quanvolve.compile.kernels.numba._arrays import Floats, Integers
from quanvolve.compile.kernels.numba._tile import VECTOR_BYTES

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract"})


@_jit  # type: ignore[untyped-decorator]
def _lanes(state: Floats) -> int:
    """Windows of a block."""
    return VECTOR_BYTES // state.itemsize


@_jit  # type: ignore[untyped-decorator]
def _amplitude(state: Floats, basis: int, lanes: int) -> Floats:
    """The real parts of all windows, then their imaginary parts."""
    return state[2 * lanes * basis : 2 * lanes * (basis + 1)]


@_jit  # type: ignore[untyped-decorator]
def move(state: Floats, to: Floats, count: int, source: Integers, back: bool) -> None:
    """``to[d] = state[source[d]]`` for d < count, or the inverse, ``to[source[d]] = state[d]``."""
    lanes = _lanes(state)
    for d in range(count):
        of, into = (d, source[d]) if back else (source[d], d)
        value, place = _amplitude(state, of, lanes), _amplitude(to, into, lanes)
        for v in range(2 * lanes):
            place[v] = value[v]


@_jit  # type: ignore[untyped-decorator]
def move_phased(state: Floats, to: Floats, count: int, source: Integers, phases: Floats, back: bool) -> None:
    """``to[d] = phases[d] state[source[d]]`` for d < count, or the inverse, as phases have length one.

    to[source[d]] = conj(phases[d]) state[d]
    """
    lanes = _lanes(state)
    for d in range(count):
        of, into = (d, source[d]) if back else (source[d], d)
        value, place = _amplitude(state, of, lanes), _amplitude(to, into, lanes)
        real, imaginary = phases[d, 0], -phases[d, 1] if back else phases[d, 1]
        for v in range(lanes):
            place[v] = real * value[v] - imaginary * value[lanes + v]
            place[lanes + v] = real * value[lanes + v] + imaginary * value[v]


@_jit  # type: ignore[untyped-decorator]
def overlaps(state: Floats, count: int, mask: int, odd: bool, into: Floats) -> None:
    """``Re(conj(psi[d]) psi[d ^ mask])`` for every basis state d < count; if odd, minus the imaginary part."""
    lanes = _lanes(state)
    for d in range(count):
        amplitude, partner = _amplitude(state, d, lanes), _amplitude(state, d ^ mask, lanes)
        place = into[lanes * d : lanes * (d + 1)]
        if odd:
            for v in range(lanes):
                place[v] = amplitude[lanes + v] * partner[v] - amplitude[v] * partner[lanes + v]
        else:
            for v in range(lanes):
                place[v] = amplitude[v] * partner[v] + amplitude[lanes + v] * partner[lanes + v]


@_jit  # type: ignore[untyped-decorator]
def add_slopes(state: Floats, count: int, mask: int, odd: bool, weights: Floats, dual: Floats) -> None:
    """``dual[d] += 2 weights[d] psi[d ^ mask]``; if odd, ``2i weights[d] psi[d ^ mask]``."""
    lanes = _lanes(state)
    for d in range(count):
        other, place = _amplitude(state, d ^ mask, lanes), _amplitude(dual, d, lanes)
        weight = weights[lanes * d : lanes * (d + 1)]
        if odd:
            for v in range(lanes):
                place[v] -= 2 * weight[v] * other[lanes + v]
                place[lanes + v] += 2 * weight[v] * other[v]
        else:
            for v in range(lanes):
                place[v] += 2 * weight[v] * other[v]
                place[lanes + v] += 2 * weight[v] * other[lanes + v]

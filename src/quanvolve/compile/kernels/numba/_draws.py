"""Shots: counts of measured bit strings from expectation values, exactly multinomial, compiled by Numba.

Every window has random numbers of its own, made of a seed and the window's number, so that results do not depend on how
windows are shared among threads.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from quanvolve.compile.kernels.numba._arrays import Floats, Integers, RandomState

_jit = numba.njit(cache=True, nogil=True)
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FEW = 8
"""Up to so many draws are made one by one."""
_MEAN = 10.0
"""Up to this mean a binomial number is found by inversion, beyond by rejection."""


@_jit  # type: ignore[untyped-decorator]
def _mix(z: np.uint64) -> np.uint64:
    """SplitMix64's output function (Steele, Lea and Flood, OOPSLA 2014, figure 16)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@_jit  # type: ignore[untyped-decorator]
def _uniform(state: RandomState) -> float:
    """A number in (0, 1)."""
    state[0] += _GAMMA
    return (float(_mix(state[0]) >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@_jit  # type: ignore[untyped-decorator]
def _inverted(n: int, p: float, state: RandomState) -> int:
    """A binomial number by inversion (Kachitvichyanukul and Schmeiser, Commun. ACM 31, 216 (1988), algorithm BINV)."""
    ratio = p / (1.0 - p)
    first = math.exp(n * math.log1p(-p))
    while True:
        left, term, k = _uniform(state), first, 0
        while left > term and k <= n:
            left -= term
            k += 1
            term *= (n + 1 - k) * ratio / k
        if k <= n:  # else rounding has left something of a number close to 1
            return k


@_jit  # type: ignore[untyped-decorator]
def _rejected(n: int, p: float, state: RandomState) -> int:
    """A binomial number by transformed rejection (Hormann, J. Stat. Comput. Simul. 46, 101 (1993), algorithm BTRS)."""
    q = 1.0 - p
    spread = math.sqrt(n * p * q)
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    centre = n * p + 0.5
    v_r = 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * spread
    mode = math.floor((n + 1) * p)
    log_ratio, of_mode = 0.0, 0.0
    ready = False
    while True:
        u, v = _uniform(state) - 0.5, _uniform(state)
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + centre)
        if us >= 0.07 and v <= v_r:
            return int(k)
        if k < 0 or k > n:
            continue
        if not ready:
            log_ratio = math.log(p / q)
            of_mode = math.lgamma(mode + 1.0) + math.lgamma(n - mode + 1.0)
            ready = True
        v = math.log(v * alpha / (a / (us * us) + b))
        if v <= of_mode - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0) + (k - mode) * log_ratio:
            return int(k)


@_jit  # type: ignore[untyped-decorator]
def binomial(n: int, p: float, state: RandomState) -> int:
    """How many of n draws come true, each with probability p.

    Args:
        n: number of draws.
        p: probability; outside of [0, 1] the nearer end counts.
        state: of the random numbers, shape (1,), uint64.
    """
    if n <= 0 or not p > 0.0:
        return 0
    if p >= 1.0:
        return n
    turned = p > 0.5
    less = 1.0 - p if turned else p
    if n <= _FEW:
        successes = 0
        for _ in range(n):
            successes += _uniform(state) < less
    elif n * less < _MEAN:
        successes = _inverted(n, less, state)
    else:
        successes = _rejected(n, less, state)
    return n - successes if turned else successes


@_jit  # type: ignore[untyped-decorator]
def _probabilities(words: Floats, row: int, first: int, place: int, tree: Floats, size: int) -> None:
    """From expectation values to the probabilities of the `size` bit strings and of all their beginnings.

    A Walsh-Hadamard transform: P(b) = 2^-n sum_w (-1)^(w . b) <Z^w>, without its factor. A leaf is at tree[size + b],
    the beginning above it at half that place.
    """
    tree[size] = 1.0
    for w in range(1, size):
        tree[size + w] = words[row, first + w - 1, place]
    half = 1
    while half < size:
        for start in range(0, size, 2 * half):
            for k in range(start, start + half):
                low, high = tree[size + k], tree[size + k + half]
                tree[size + k] = low + high
                tree[size + k + half] = low - high
        half *= 2
    for k in range(size, 2 * size):
        # Values in single precision leave some of 1e-7 below zero.
        tree[k] = max(0.0, tree[k])
    for k in range(size - 1, 0, -1):
        tree[k] = tree[2 * k] + tree[2 * k + 1]


@_jit  # type: ignore[untyped-decorator]
def _draw(tree: Floats, counts: Integers, size: int, shots: int, state: RandomState) -> None:
    """Counts of the bit strings: the shots of each beginning are parted between its two continuations."""
    counts[1] = shots
    for k in range(1, size):
        if counts[k] == 0 or not tree[k] > 0.0:
            counts[2 * k] = counts[k]
            counts[2 * k + 1] = 0
            continue
        ones = binomial(counts[k], tree[2 * k + 1] / tree[k], state)
        counts[2 * k] = counts[k] - ones
        counts[2 * k + 1] = ones


@_jit  # type: ignore[untyped-decorator]
def sample(
    part: int, parts: int, words: Floats, values: Floats, bits: Integers, shots: int, seed: RandomState, out: Floats
) -> None:
    """One part of the windows.

    Args:
        words: expectation values, shape (rows, words, places): for each basis those of all words but the empty one.
        values: what each bit string adds to each output, shape (bit strings of all bases, outputs).
        bits: how many qubits each basis measures.
        shots: of each basis.
        seed: of the random numbers, shape (1,), uint64.
        out: means over the shots, shape (rows, outputs, places).
    """
    rows, _, places = words.shape
    largest = 2 ** bits.max()
    tree, counts = np.empty(2 * largest, np.float64), np.empty(2 * largest, np.int64)
    sums, state = np.empty(values.shape[1], np.float64), np.empty(1, np.uint64)
    total = rows * places
    for number in range(total * part // parts, total * (part + 1) // parts):
        row, place = number // places, number % places
        state[0] = _mix(seed[0] + _mix(np.uint64(number) + _GAMMA))
        sums[:] = 0.0
        first = string = 0
        for n in bits:
            size = 1 << n
            _probabilities(words, row, first, place, tree, size)
            _draw(tree, counts, size, shots, state)
            for b in range(size):
                if counts[size + b]:
                    for j in range(len(sums)):
                        sums[j] += counts[size + b] * values[string + b, j]
            first += size - 1
            string += size
        for j in range(len(sums)):
            out[row, j, place] = sums[j] / shots

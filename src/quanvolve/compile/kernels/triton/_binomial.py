"""Binomial numbers of a block of windows, each from random numbers of its own.

A window's numbers are those that Philox makes of the seed, the window's number and the draw's number (Salmon et al.,
SC 2011): the same however windows are shared among programs.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def uniforms(seed, window, draw, attempt):
    """Two numbers in (0, 1) for each window, in double precision.

    Args:
        seed: a block of int64, all the same.
        window, draw, attempt: blocks of int32 that count random numbers.
    """
    first, second, third, fourth = tl.philox(seed, window, draw, attempt, tl.zeros_like(window))
    return _open(first, second), _open(third, fourth)


@triton.jit
def _open(high, low):
    """A number in (0, 1) of 53 of 64 bits."""
    bits = (high.to(tl.uint64) << 21) ^ (low.to(tl.uint64) >> 11)
    return (bits.to(tl.int64).to(tl.float64) + 0.5) * 1.1102230246251565e-16  # 2^-53


@triton.jit
def _log_factorial(k):
    """log k! by Stirling's series at k + 9, for k >= 0: exact to 1e-11."""
    product = k + 1.0
    for j in tl.static_range(2, 9):
        product = product * (k + j)
    z = k + 9.0
    square = 1.0 / (z * z)
    tail = ((-0.0005952380952380953 * square + 0.0007936507936507937) * square - 0.002777777777777778) * square
    tail = (tail + 0.08333333333333333) / z
    return (z - 0.5) * tl.log(z) - z + 0.9189385332046728 + tail - tl.log(product)


@triton.jit
def binomial(count, share, seed, window, draw):
    """How many of `count` draws come true, each with probability `share`.

    Args:
        count: int32, at least 0.
        share: float64; outside of [0, 1], or no number, the nearer end (0) counts.
        seed, window, draw: as of :func:`uniforms`.
    """
    sure = share >= 1.0
    open_share = (count > 0) & (share > 0.0) & (share < 1.0)
    turned = share > 0.5
    less = tl.where(open_share, tl.where(turned, 1.0 - share, share), 0.25)
    n = count.to(tl.float64)
    few = n * less < 10.0
    successes = _inverted(n, less, open_share & few, seed, window, draw)
    if tl.max((open_share & (n * less >= 10.0)).to(tl.int32), axis=0) > 0:
        many = _rejected(n, less, open_share & (n * less >= 10.0), seed, window, draw)
        successes = tl.where(few, successes, many)
    successes = tl.where(turned, n - successes, successes)
    return tl.where(open_share, successes.to(tl.int32), tl.where(sure, count, 0))


@triton.jit
def _inverted(n, p, wanted, seed, window, draw):
    """By inversion (Kachitvichyanukul and Schmeiser, Commun. ACM 31, 216 (1988), algorithm BINV); np < 10."""
    left, _ = uniforms(seed, window, draw, tl.zeros_like(window))
    ratio = p / (1.0 - p)
    term = tl.exp(n * tl.log(1.0 - p))
    k = tl.zeros_like(n)
    going = wanted & (left > term)
    while tl.max(going.to(tl.int32), axis=0) > 0:
        left = tl.where(going, left - term, left)
        k = tl.where(going, k + 1.0, k)
        term = tl.where(going, term * (n + 1.0 - k) * ratio / tl.maximum(k, 1.0), term)
        # Rounding may leave something of a number close to 1 behind the last term.
        going = going & (left > term) & (k < n)
    return k


@triton.jit
def _rejected(n, p, wanted, seed, window, draw):
    """By transformed rejection (Hormann, J. Stat. Comput. Simul. 46, 101 (1993), algorithm BTRS); np >= 10."""
    n = tl.where(wanted, n, 100.0)
    p = tl.where(wanted, p, 0.25)
    spread = tl.sqrt(n * p * (1.0 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    centre = n * p + 0.5
    v_r = 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * spread
    mode = tl.floor((n + 1.0) * p)
    log_ratio = tl.log(p / (1.0 - p))
    of_mode = _log_factorial(mode) + _log_factorial(n - mode)
    result = tl.zeros_like(n)
    going = wanted
    attempt = tl.zeros_like(window)
    while tl.max(going.to(tl.int32), axis=0) > 0:
        attempt += 1
        u, v = uniforms(seed, window, draw, attempt)
        u = u - 0.5
        us = 0.5 - tl.abs(u)
        k = tl.floor((2.0 * a / us + b) * u + centre)
        inside = (k >= 0.0) & (k <= n)
        within = tl.where(inside, k, mode)
        height = tl.log(v * alpha / (a / (us * us) + b))
        bound = of_mode - _log_factorial(within) - _log_factorial(n - within) + (within - mode) * log_ratio
        taken = ((us >= 0.07) & (v <= v_r)) | (inside & (height <= bound))
        result = tl.where(going & taken, k, result)
        going = going & (taken == 0)
    return result

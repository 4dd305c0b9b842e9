"""The power of the sign exchange test, at the level that Holm's procedure gives a control.

What is stated is the chance that the study, done once more with as many seeds, shows a difference of that size. How
much seeds differ is itself known from few of them. The chance is the mean over that uncertainty, so that of all studies
that state a power of 80 % for a difference, 80 % show it. (With the standard deviation taken for the true one, as
tables of power do, 70 to 73 % of studies with six to ten seeds would.) Differences are taken to be normal, and those of
the other controls to come out as they did.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from quanvolve.study._exchange import LEVEL, Floats, all_sets, least_seeds, needed_rank

POWER = 0.8
_SIMULATED = 12
"""Up to so many pairs the test is tried on drawn numbers; from there on it is as good as Student's, at its level."""
_STUDIES = 4000
_NODES = 64
_NO_EFFECT, _CERTAIN = 1e-3, 40.0


def power(effect: float, n: int, tests: int = 1, *, spread_from: int | None = None) -> float:
    """The chance that n pairs show an effect, as one of several tests.

    Args:
        effect: mean of the differences, divided by their standard deviation.
        n: pairs.
        tests: the level is 5 % divided by it.
        spread_from: pairs that the standard deviation was computed from; it is the true one if not given.

    Examples:
        >>> round(power(1.0, 10), 1), power(5.0, 5)
        (0.8, 0.0)
    """
    if n < least_seeds(tests):
        return 0.0
    size = abs(effect)
    spreads = spreads_of(spread_from)
    if n <= _SIMULATED:
        shown = _effects_shown(n, tests)
        return float((np.searchsorted(shown, size / spreads) / len(shown)).mean())
    from scipy.special import ndtr, stdtrit

    # The noncentral t distribution, as a normal one: Abramowitz and Stegun, 26.7.10.
    free, limit = n - 1, float(stdtrit(n - 1, 1 - LEVEL / tests / 2))
    shift = size / spreads * math.sqrt(n)
    return float(ndtr((shift - limit * (1 - 0.25 / free)) / math.sqrt(1 + limit**2 / (2 * free))).mean())


def detectable(spread: float, n: int, tests: int = 1) -> float:
    """The mean difference that n more pairs show with a power of 80 %.

    Args:
        spread: standard deviation of n differences.
        n: pairs.
        tests: the level is 5 % divided by it.
    """
    return spread * _effect_shown(n, tests)


@lru_cache(maxsize=256)
def _effect_shown(n: int, tests: int) -> float:
    from scipy.optimize import brentq

    return float(brentq(lambda effect: power(effect, n, tests, spread_from=n) - POWER, 0.0, _CERTAIN, xtol=1e-6))


def seeds_needed(effect: float, n: int, tests: int = 1) -> int | None:
    """How many pairs show an effect with a power of 80 %; None for no effect.

    Args:
        effect: mean by standard deviation, of n pairs.
        n: pairs that it was seen in.
        tests: the level is 5 % divided by it.

    Examples:
        >>> seeds_needed(0.0, 10)
        >>> seeds_needed(9.0, 10, tests=3)
        7
    """
    if abs(effect) < _NO_EFFECT:
        return None

    def enough(pairs: int) -> bool:
        return power(effect, pairs, tests, spread_from=n) >= POWER

    low = high = least_seeds(tests)
    while not enough(high):
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


@lru_cache(maxsize=32)
def spreads_of(n: int | None) -> Floats:
    """True standard deviations, where the one of n normal numbers is 1: quantiles of what they may be."""
    if n is None:
        return np.ones(1)
    from scipy.stats import chi2

    middles = (np.arange(_NODES) + 0.5) / _NODES
    spreads: Floats = np.sqrt((n - 1) / chi2.ppf(middles, n - 1))
    return spreads


@lru_cache(maxsize=256)
def _effects_shown(n: int, tests: int) -> Floats:
    """From what mean on the test refuses, for drawn sets of normal numbers whose standard deviation is 1, in order.

    To shift all numbers shifts the interval, so its lower end says what shift makes it leave out zero.
    """
    # The empty set has the first rank.
    return np.sort(-_lowest_means(n)[:, needed_rank(2**n, tests) - 2])


@lru_cache(maxsize=16)
def _lowest_means(n: int) -> Floats:
    """Of the means of all sets of some of n normal numbers the lowest, in order: a row for each draw."""
    sets, sizes = all_sets(n)
    some, sizes = sets[1:].T, sizes[1:]
    most = needed_rank(len(sets), 1) - 1
    drawn = np.random.default_rng(0).standard_normal((_STUDIES, n))
    parts = [
        np.sort(np.partition(part @ some / sizes, most - 1, axis=1)[:, :most], axis=1)
        for part in np.array_split(drawn, max(1, _STUDIES * len(sizes) // 1_000_000))
    ]
    return np.concatenate(parts)

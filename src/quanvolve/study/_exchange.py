"""The test that verdicts rest on: signs of paired differences exchanged at random, and its inversion, the interval.

There is one inference, and everything that a report says of a difference is derived from it:

- The decision is this test, over seeds, with Holm's correction over the controls. Under its hypothesis, that model and
  control are as good, either could have had the other's result, so the sign of each difference is a matter of chance.
  That holds for the few, coarse accuracies of small test sets too. A t test has no least number of seeds, but fails
  there: three seeds of 28 test images, beside twelve controls, make it claim a difference in a quarter of the studies
  that have none. From nine seeds on it keeps the level, and gains little (ten seeds, twelve controls: 1.5 standard
  deviations instead of 1.7 with a power of 80 %).
- The interval holds the shifts that this test does not refuse, at the level at which Holm's procedure tests this
  control. It leaves out zero exactly where the verdict is "better" or "worse".
- Power, and seeds needed, are those of this test at the same level.
- n signs have 2^n patterns, so the smallest two-sided p is 2 / 2^n. Where that misses the level, nothing is tested, and
  the report says only how many seeds can show something.

References:
    Fisher, "The Design of Experiments" (1935), section 21, for the test; Hartigan, J. Am. Stat. Assoc. 64, 1303 (1969),
    for the interval, whose ends are means of some of the differences; Holm, Scand. J. Statist. 6, 65 (1979).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEVEL = 0.05
"""Of all claims of a study together."""
_EXACT = 16
"""Up to so many pairs all 2^n patterns of signs are tried."""
_DRAWN = 9999
_ROUNDING = 1e-12
"""Sums of accuracies below this are ties."""
_SLACK = 1e-9


def sign_test(differences: Any) -> float:
    """The two-sided p of a mean of differences, if the sign of each were a matter of chance: exact up to 16 of them.

    Args:
        differences: at least one number.

    Examples:
        >>> sign_test([1.0, 2.0, 3.0, 4.0])
        0.125
    """
    values = np.asarray(differences, dtype=np.float64)
    sums, _ = _flipped(values if values.sum() >= 0 else -values)
    # Turning a set of signs changes the sum by twice what the set holds: the sum stays as far from zero, on either
    # side, where the set or all others hold no more than nothing.
    return min(1.0, 2 * float((sums <= 0).sum()) / len(sums))


def interval(differences: Any, tests: int = 1) -> tuple[float, float]:
    """The shifts that the test does not refuse, if it is one of several.

    Args:
        differences: at least one number.
        tests: the level is 5 % divided by it.

    Returns:
        Both ends, which belong to it; infinite where so few numbers refuse nothing.

    Examples:
        >>> interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        (1.0, 6.0)
        >>> interval([1.0, 2.0, 3.0])
        (-inf, inf)
    """
    values = np.asarray(differences, dtype=np.float64)
    # Zero plus zero is zero, not minus zero.
    return _low(values, tests) + 0.0, 0.0 - _low(-values, tests)


def _low(values: Floats, tests: int) -> float:
    sums, sizes = _flipped(values)
    rank = needed_rank(len(sums), tests)
    if rank <= 1:
        return -math.inf
    means = np.divide(sums, sizes, out=np.full(len(sums), -math.inf), where=sizes > 0)
    return float(np.partition(means, rank - 1)[rank - 1])


def needed_rank(patterns: int, tests: int) -> int:
    """How many of these patterns of signs must be as extreme, on one side, for the test not to refuse."""
    return max(1, math.ceil(LEVEL / tests * patterns / 2 - _SLACK))


def _flipped(values: Floats) -> tuple[Floats, Floats]:
    """Sums over sets of the differences, and the sizes of the sets; with each set the set of all others."""
    sets, sizes = all_sets(len(values))
    sums = sets @ values
    sums[np.abs(sums) <= _ROUNDING * max(1.0, float(np.abs(values).max()))] = 0.0
    return sums, sizes


@lru_cache(maxsize=32)
def all_sets(n: int) -> tuple[Floats, Floats]:
    """Sets of n numbers as rows of zeros and ones, and their sizes; the first is empty, and each has all others."""
    if n <= _EXACT:
        sets = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    else:
        drawn = np.random.default_rng(0).integers(0, 2, (_DRAWN, n))
        drawn = np.concatenate([np.zeros((1, n), dtype=drawn.dtype), drawn])
        sets = np.concatenate([drawn, 1 - drawn])
    return sets.astype(np.float64), sets.sum(axis=1).astype(np.float64)


def can_show(n: int, tests: int) -> bool:
    """Whether the smallest p that n pairs can have keeps the level as one of so many tests.

    Examples:
        >>> can_show(5, 1), can_show(6, 1), can_show(8, 12), can_show(9, 12)
        (False, True, False, True)
    """
    if n < 1:
        return False
    smallest = 2.0 ** (1 - n) if n <= _EXACT else 1 / (_DRAWN + 1)
    return smallest * tests < LEVEL


def least_seeds(tests: int) -> int:
    """How many seeds can show a difference to any of so many controls.

    Examples:
        >>> [least_seeds(tests) for tests in (1, 2, 3, 5, 12)]
        [6, 7, 7, 8, 9]
    """
    n = 1
    while not can_show(n, tests):
        n += 1
    return n


def holm(ps: Any) -> list[float]:
    """The p values of several tests, corrected so that false claims among all of them keep the level.

    References:
        Holm, Scand. J. Statist. 6, 65 (1979).

    Examples:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(ps, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = np.minimum(1.0, np.arange(len(values), 0, -1) * values[order])
    corrected = np.empty(len(values))
    corrected[order] = np.maximum.accumulate(steps)
    return [round(float(p), 12) for p in corrected]


def holm_divisors(ps: Any) -> list[int]:
    """By what Holm's procedure divides the level of each test, given the others: it refuses exactly what is below.

    That is the number of tests, less those of the others that are refused before the last.

    Examples:
        >>> holm_divisors([0.001, 0.04, 0.03])
        [3, 2, 2]
        >>> holm_divisors([0.01, 0.02, 0.9])
        [3, 2, 1]
    """
    divisors = []
    for place in range(len(ps)):
        others = sorted(p for k, p in enumerate(ps) if k != place)
        refused = 0
        while refused < len(others) and others[refused] * (len(ps) - refused) < LEVEL - _SLACK:
            refused += 1
        divisors.append(len(ps) - refused)
    return divisors

"""The test of a study over splits: Nadeau and Bengio's corrected resampled t test, its interval and its power.

Splits of the same images share training images, and those that overlap in test images share these too. Their
differences of accuracy go together, so that the variance s^2 of J of them, divided by J, is far below the variance of
their mean: a t test with it claims a difference in a third of the studies that have none. If any two differences have
the correlation rho = n_test / (n_train + n_test), the mean has the variance

    (1/J + rho / (1 - rho)) E[s^2] = (1/J + n_test/n_train) E[s^2],

and t = mean / sqrt((1/J + n_test/n_train) s^2) has Student's distribution with J - 1 degrees of freedom. That is the
decision; interval and power have the same variance. The second term stays, however many splits there are: only more
images make it smaller.

References:
    Nadeau and Bengio, Machine Learning 52, 239 (2003), section 3, equation 9; Bouckaert and Frank, PAKDD 2004, LNCS
    3056, 3, for repeated k-fold cross-validation, whose splits are used here.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from quanvolve.study._exchange import LEVEL
from quanvolve.study._power import POWER, spreads_of

LEAST_SPLITS = 10
"""With fewer splits nothing is tested: a few coarse accuracies have no spread to go by."""
_ROUNDING = 1e-12
"""Means of accuracies below this are zero."""
_CERTAIN = 40.0


def corrected_t_test(differences: Any, overlap: float) -> float:
    """The two-sided p of the mean of differences over splits of the same images.

    Args:
        differences: at least two numbers, one for each split.
        overlap: test images by training images of a split; 0 for the uncorrected t test of independent numbers.

    Examples:
        >>> differences = [0.04, 0.06, 0.02, 0.05, 0.03, 0.07, 0.01, 0.04, 0.06, 0.02]
        >>> round(corrected_t_test(differences, 0.0), 4), round(corrected_t_test(differences, 0.25), 3)
        (0.0001, 0.008)
    """
    from scipy.special import stdtr

    values = np.asarray(differences, dtype=np.float64)
    mean, error = float(values.mean()), standard_error(values, overlap)
    if abs(mean) <= _ROUNDING:
        return 1.0
    return 0.0 if error == 0 else float(2 * stdtr(len(values) - 1, -abs(mean) / error))


def standard_error(values: Any, overlap: float) -> float:
    """Of the mean of differences over splits."""
    return float(np.std(values, ddof=1)) * math.sqrt(1 / len(values) + overlap)


def corrected_interval(differences: Any, overlap: float, tests: int = 1) -> tuple[float, float]:
    """The shifts that the test does not refuse, if it is one of several.

    Args:
        differences: at least two numbers, one for each split.
        overlap: test images by training images of a split.
        tests: the level is 5 % divided by it.

    Examples:
        >>> low, high = corrected_interval([0.0, 0.1] * 10, 0.25)
        >>> round(low, 3), round(high, 3)
        (-0.009, 0.109)
    """
    values = np.asarray(differences, dtype=np.float64)
    reach = _limit(len(values), tests) * standard_error(values, overlap)
    return float(values.mean()) - reach, float(values.mean()) + reach


def _limit(n: int, tests: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 1 - LEVEL / tests / 2))


def corrected_power(effect: float, n: int, overlap: float, tests: int = 1, *, spread_from: int | None = None) -> float:
    """The chance that n splits of other images, as many, show an effect, as one of several tests.

    Args:
        effect: mean of the differences, divided by their standard deviation over splits.
        n: splits.
        overlap: test images by training images of a split.
        tests: the level is 5 % divided by it.
        spread_from: splits that the standard deviation was computed from; it is the true one if not given.

    Examples:
        >>> round(corrected_power(1.0, 20, 0.0), 2), round(corrected_power(1.0, 20, 0.25), 2)
        (0.99, 0.41)
    """
    from scipy.special import nctdtr

    shifts = abs(effect) / spreads_of(spread_from) / math.sqrt(1 / n + overlap)
    # Beyond this the noncentral t distribution is not computed, and a difference is sure to show.
    shown = 1 - nctdtr(n - 1, np.minimum(shifts, _CERTAIN), _limit(n, tests))
    return float(np.where(np.isnan(shown), 1.0, shown).mean())


def corrected_detectable(spread: float, n: int, overlap: float, tests: int = 1) -> float:
    """The mean difference that n splits of as many other images show with a power of 80 %.

    Args:
        spread: standard deviation of n differences.
        n: splits.
        overlap: test images by training images of a split.
        tests: the level is 5 % divided by it.
    """
    return spread * _effect_shown(n, round(overlap, 6), tests)


@lru_cache(maxsize=256)
def _effect_shown(n: int, overlap: float, tests: int) -> float:
    from scipy.optimize import brentq

    def lacking(effect: float) -> float:
        return corrected_power(effect, n, overlap, tests, spread_from=n) - POWER

    return float(brentq(lacking, 0.0, _CERTAIN, xtol=1e-6))


def images_needed(difference: float, detectable: float, images: int) -> int | None:
    """About how many images would show a difference with a power of 80 %; None where there is none.

    Both terms of the variance of the mean go with one by the number of images, whose share for testing stays.

    Args:
        difference: that was seen.
        detectable: that would have shown.
        images: that there are.

    Examples:
        >>> images_needed(0.02, 0.05, 90), images_needed(0.0, 0.05, 90)
        (570, None)
    """
    if abs(difference) <= _ROUNDING:
        return None
    number = images * float(detectable / difference) ** 2
    step: int = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return math.ceil(number / step) * step

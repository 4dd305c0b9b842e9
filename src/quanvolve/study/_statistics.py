"""Paired comparisons over seeds: differences with intervals, tests, corrections, effect sizes, and collapsed models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from quanvolve._errors import QuanvolveError

Floats = npt.NDArray[np.float64]
LEVEL = 0.05
POWER = 0.8
LEAST_PAIRS = 3
_RESAMPLES = 9999
_CHANCE = 0.01
_NO_EFFECT, _CERTAIN = 1e-3, 30.0
_NORMAL_SUM = 1.959964 + 0.841621
"""Quantiles of the normal distribution: of 97.5 %, for the level, and of 80 %, for the power."""
_FEW = 8
_EXACT = 16
"""Up to so many pairs all 2^n signs are tried."""

BETTER, WORSE, NO_DIFFERENCE, COLLAPSED, TOO_FEW = "better", "worse", "no difference seen", "collapsed", "too few seeds"


@dataclass(frozen=True)
class Outcome:
    """The result of one training.

    Args:
        accuracy: on the test set, between 0 and 1.
        n_test: images in it.
        majority: the share of its most frequent class.
    """

    accuracy: float
    n_test: int
    majority: float

    @property
    def collapsed(self) -> bool:
        """Whether it is not better than always answering the most frequent class (one-sided binomial test at 1 %)."""
        from scipy.stats import binom

        right = round(self.accuracy * self.n_test)
        return bool(binom.sf(right - 1, self.n_test, min(self.majority, 1.0)) > _CHANCE)


@dataclass(frozen=True)
class Comparison:
    """The model against one control, over seeds that both share. Differences are of accuracy, model minus control.

    Attributes:
        control: its name.
        n: pairs that were compared.
        difference: their mean.
        low, high: 95 % interval of the difference (see :func:`interval`).
        p: of the paired test (signs exchanged at random), two-sided.
        p_corrected: by Holm's procedure, over all controls.
        effect: the mean divided by the standard deviation of the differences (Cohen's d of paired data).
        seeds_needed: how many seeds would show this difference with a power of 80 %; None where it is zero.
        detectable: the difference that so many seeds would have shown with a power of 80 %.
        collapsed: pairs that were left out because one of the two was no better than chance.
        outcome: "better", "worse", "no difference seen", "collapsed" or "too few seeds".
    """

    control: str
    n: int
    difference: float
    low: float
    high: float
    p: float
    p_corrected: float
    effect: float
    seeds_needed: int | None
    detectable: float
    collapsed: int
    outcome: str

    def __str__(self) -> str:
        if self.outcome == COLLAPSED:
            return f"{self.control}: collapsed to chance in {self.collapsed} seeds, so there is no comparison"
        if self.outcome == TOO_FEW:
            return f"{self.control}: {self.n} seeds are too few to compare (at least {LEAST_PAIRS})"
        left_out = f", {self.collapsed} seeds left out (collapsed)" if self.collapsed else ""
        return (
            f"{self.control}: {points(self.difference)} ({points(self.low)} to {points(self.high)}), {self.outcome} "
            f"over {self.n} seeds (p = {self.p_corrected:.3f} after correction){left_out}"
        )


def points(difference: float) -> str:
    """A difference of accuracies in points of percent.

    Examples:
        >>> points(-0.0123)
        '-1.23'
    """
    return f"{100 * difference:+.2f}"


def compare_paired(
    model: Mapping[Any, Outcome], controls: Mapping[str, Mapping[Any, Outcome]], *, seed: int = 0
) -> list[Comparison]:
    """Compare a model with its controls, seed by seed.

    Args:
        model: its results by seed.
        controls: those of each control by seed.
        seed: of the bootstrap.

    Returns:
        One for each control, in their order. Holm's correction is over those that can be compared.

    Raises:
        QuanvolveError: if a control shares no seed with the model.

    References:
        Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), section 12.5, for the interval; Fisher, "The
        Design of Experiments" (1935), section 21, for the test; Holm, Scand. J. Statist. 6, 65 (1979).

    Examples:
        >>> def runs(*accuracies):
        ...     return {seed: Outcome(a, 1000, 0.1) for seed, a in enumerate(accuracies)}
        >>> model = runs(0.95, 0.96, 0.95, 0.97, 0.96, 0.95, 0.96, 0.95)
        >>> found = compare_paired(model, {"worse": runs(0.90, 0.92, 0.91, 0.92, 0.92, 0.91, 0.90, 0.91)})
        >>> print(found[0])
        worse: +4.50 (+4.00 to +5.30), better over 8 seeds (p = 0.008 after correction)
    """
    parts = [_one(name, model, own, seed) for name, own in controls.items()]
    tested = [k for k, part in enumerate(parts) if not part.outcome]
    corrected = holm([parts[k].p for k in tested])
    found = {k: _judged(parts[k], p) for k, p in zip(tested, corrected, strict=True)}
    return [found.get(k, part) for k, part in enumerate(parts)]


def holm(ps: Sequence[float]) -> list[float]:
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
    found = np.empty(len(values))
    found[order] = np.maximum.accumulate(steps)
    return [round(float(p), 12) for p in found]


def _judged(part: Comparison, p: float) -> Comparison:
    outcome = NO_DIFFERENCE if p >= LEVEL else BETTER if part.difference > 0 else WORSE
    return Comparison(**{**part.__dict__, "p_corrected": p, "outcome": outcome})


def _one(name: str, model: Mapping[Any, Outcome], control: Mapping[Any, Outcome], seed: int) -> Comparison:
    shared = [key for key in model if key in control]
    if not shared:
        raise QuanvolveError(f"the control {name!r} shares no seed with the model: there are no pairs to compare")
    kept = [key for key in shared if not (model[key].collapsed or control[key].collapsed)]
    lost = len(shared) - len(kept)
    differences = np.array([model[key].accuracy - control[key].accuracy for key in kept])
    n = len(kept)
    nothing = math.nan
    if lost and n < max(LEAST_PAIRS, math.ceil(len(shared) / 2)):
        return Comparison(name, n, nothing, nothing, nothing, nothing, nothing, nothing, None, nothing, lost, COLLAPSED)
    if n < LEAST_PAIRS:
        return Comparison(name, n, nothing, nothing, nothing, nothing, nothing, nothing, None, nothing, lost, TOO_FEW)
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    low, high = interval(differences, seed=seed)
    p = sign_test(differences, seed=seed)
    effect = mean / spread if spread else math.copysign(math.inf, mean) if mean else 0.0
    return Comparison(
        name, n, mean, low, high, p, nothing, effect, seeds_needed(effect), detectable(spread, n), lost, ""
    )


def interval(differences: Any, level: float = 1 - LEVEL, *, seed: int = 0) -> tuple[float, float]:
    """A confidence interval of a mean: by the bootstrap-t from eight numbers on, by Student's t for fewer.

    Args:
        differences: at least two numbers.
        level: of confidence.
        seed: of the resampling.
    """
    values = np.asarray(differences, dtype=np.float64)
    n, mean = len(values), float(values.mean())
    error = float(values.std(ddof=1)) / math.sqrt(n)
    if not error:
        return mean, mean
    if n < _FEW:  # resampled spreads of so few numbers come too close to zero
        from scipy.stats import t

        reach = float(t.ppf((1 + level) / 2, n - 1)) * error
        return mean - reach, mean + reach
    rng = np.random.default_rng(seed)
    drawn = values[rng.integers(0, n, (_RESAMPLES, n))]
    errors = drawn.std(axis=1, ddof=1) / math.sqrt(n)
    # A sample of equal numbers has no spread to divide by.
    usable = errors > 1e-3 * error
    ratios = (drawn.mean(axis=1)[usable] - mean) / errors[usable]
    high, low = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return mean - float(low) * error, mean - float(high) * error


def sign_test(differences: Any, *, seed: int = 0) -> float:
    """The two-sided p of a mean of differences, if the sign of each were a matter of chance: exact up to 16 of them.

    Examples:
        >>> sign_test([1.0, 2.0, 3.0, 4.0])
        0.125
    """
    values = np.asarray(differences, dtype=np.float64)
    n, observed = len(values), abs(float(values.sum()))
    if n <= _EXACT:
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        sums = np.abs(signs @ values)
        return float((sums >= observed * (1 - 1e-12) - 1e-15).mean())
    rng = np.random.default_rng(seed)
    sums = np.abs((1.0 - 2.0 * rng.integers(0, 2, (_RESAMPLES, n))) @ values)
    return float((1 + (sums >= observed * (1 - 1e-12) - 1e-15).sum()) / (_RESAMPLES + 1))


def seeds_needed(effect: float) -> int | None:
    """How many pairs show an effect (mean by standard deviation) at 5 %, with a power of 80 %; None for no effect.

    References:
        Cohen, "Statistical Power Analysis for the Behavioral Sciences" (1988), section 2.3.

    Examples:
        >>> seeds_needed(1.0), seeds_needed(0.0)
        (10, None)
    """
    size = abs(effect)
    if size < _NO_EFFECT:
        return None
    if size < 0.1:  # far from where the t distribution matters
        return math.ceil((_NORMAL_SUM / size) ** 2)
    low, high = LEAST_PAIRS, LEAST_PAIRS
    while power(size, high) < POWER:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power(size, middle) >= POWER else (middle + 1, high)
    return low


def power(effect: float, n: int) -> float:
    """The chance that a paired t test at 5 % sees an effect in n pairs, from the noncentral t distribution.

    Examples:
        >>> round(power(0.5, 34), 2)
        0.81
    """
    from scipy.stats import nct, t

    if effect * math.sqrt(n) > _CERTAIN:
        return 1.0
    limit, shift = float(t.ppf(1 - LEVEL / 2, n - 1)), effect * math.sqrt(n)
    found = float(nct.sf(limit, n - 1, shift) + nct.cdf(-limit, n - 1, shift))
    return 1.0 if math.isnan(found) else found  # far out the distribution function overflows


def detectable(spread: float, n: int) -> float:
    """The mean difference that n pairs show at 5 % with a power of 80 %, for differences of this standard deviation."""
    return spread * _effect_shown(n)


@lru_cache(maxsize=256)
def _effect_shown(n: int) -> float:
    from scipy.optimize import brentq

    return float(brentq(lambda effect: power(effect, n) - POWER, 0.0, _CERTAIN))


def summary(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """Mean and standard deviation of accuracies; the latter is 0 for one."""
    values = np.array([one.accuracy for one in outcomes])
    return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0

"""Paired comparisons over seeds or splits: a model beside each of its controls, all by one inference (see `_unit`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.study._collapse import Outcome
from quanvolve.study._exchange import LEVEL, Floats, holm, holm_divisors
from quanvolve.study._metric import Metric
from quanvolve.study._metrics import ACCURACY, BY_NAME
from quanvolve.study._power import seeds_needed
from quanvolve.study._resampled import images_needed
from quanvolve.study._unit import SEEDS_UNIT, SPLITS_UNIT, Unit
from quanvolve.study._words import count, p_value, percent

BETTER, WORSE, NO_DIFFERENCE, COLLAPSED, TOO_FEW = "better", "worse", "no difference seen", "collapsed", "too few seeds"
TOO_FEW_SPLITS = "too few splits"
TESTED = (BETTER, WORSE, NO_DIFFERENCE)
WHO = {"model": "the model", "control": "the control", "both": "both"}


@dataclass(frozen=True)
class Comparison:
    """The model against one control, over seeds or splits that both share; differences are of scores, model minus it.

    Numbers that do not exist are NaN: without a test all but the difference.

    Attributes:
        control: its name.
        n: pairs that were compared.
        difference: their mean.
        low, high: interval of the difference: the shifts that the corrected test does not refuse. It leaves out zero
            exactly where the outcome is "better" or "worse", and holds the true difference with at least 95 %.
        confidence: of this interval, 1 - 0.05 / m where Holm's procedure tests this control at 0.05 / m.
        p: of the paired test, two-sided: over seeds by exchanging signs at random, over splits by Nadeau and Bengio's
            corrected t.
        p_corrected: by Holm's procedure, over all controls that are tested.
        effect: the mean divided by the standard deviation of the differences (Cohen's d of paired data).
        detectable: the difference that the study, done once more, shows with a power of 80 %; NaN where the differences
            do not tell.
        seeds_needed: how many seeds show the difference that was seen with a power of 80 %; None where it is zero, and
            where the differences do not tell, and for splits.
        images_needed: about how many images show it with that power, over splits; None as for seeds.
        collapsed: "model", "control" or "both", if over all seeds or splits they are no better than an answer that
            looks at no image; else empty.
        seeds_to_show: how many seeds or splits can show something.
        outcome: "better", "worse", "no difference seen", "collapsed", "too few seeds" or "too few splits".
        unit: "seed" or "split", over which the pairs are.
        metric: "accuracy", "r2" or "average_precision", which differs.
    """

    control: str
    n: int
    difference: float
    outcome: str
    low: float = math.nan
    high: float = math.nan
    confidence: float = math.nan
    p: float = math.nan
    p_corrected: float = math.nan
    effect: float = math.nan
    detectable: float = math.nan
    seeds_needed: int | None = None
    collapsed: str = ""
    seeds_to_show: int = 0
    unit: str = SEEDS_UNIT.word
    images_needed: int | None = None
    metric: str = ACCURACY.name

    def __str__(self) -> str:
        if self.outcome == COLLAPSED:
            nothing = self.measure.words.nothing
            return f"{self.control}: {WHO[self.collapsed]} collapsed to {nothing}, so there is no comparison"
        seen = f"{self.control}: {self.measure.signed(self.difference)}"
        if self.too_few:
            return (
                f"{seen} over {count(self.n, self.unit)}, too few to show anything (at least {self.seeds_to_show} can)"
            )
        return (
            f"{seen} ({self.interval}), {self.outcome} over {self.n} {self.unit}s "
            f"(p {p_value(self.p_corrected)} after correction)"
        )

    @property
    def measure(self) -> Metric:
        """What differs."""
        return BY_NAME[self.metric]

    @property
    def too_few(self) -> bool:
        """Whether so few seeds or splits are shared that nothing could be told from chance."""
        return self.outcome in (TOO_FEW, TOO_FEW_SPLITS)

    @property
    def interval(self) -> str:
        """The interval in words."""
        low, high = self.measure.signed(self.low), self.measure.signed(self.high)
        return f"{percent(self.confidence)} % interval {low} to {high}"


def compare_paired(
    model: Mapping[Any, Outcome],
    controls: Mapping[str, Mapping[Any, Outcome]],
    *,
    splits: bool = False,
    metric: Metric = ACCURACY,
) -> list[Comparison]:
    """Compare a model with its controls, seed by seed, or split by split.

    Args:
        model: its results by seed, or by number of the split.
        controls: those of each control likewise.
        splits: whether these are splits of the same images, whose outcomes then say how many each was trained on.
        metric: what the scores are.

    Returns:
        One for each control, in their order. Holm's correction is over those that are tested: a control at chance is
        not, nor one that shares so few of them with the model that no difference, however large, could be told from
        chance.

    Raises:
        QuanvolveError: if a control shares no seed with the model, or outcomes of splits do not say `n_train`.

    References:
        Tarone, Biometrics 46, 515 (1990), for leaving out of the correction what could never be claimed; Nadeau and
        Bengio, Machine Learning 52, 239 (2003), for splits.

    Examples:
        >>> def runs(*accuracies):
        ...     return {seed: Outcome(a, 1000, 0.1) for seed, a in enumerate(accuracies)}
        >>> model = runs(0.95, 0.96, 0.95, 0.97, 0.96, 0.95, 0.96, 0.95)
        >>> found = compare_paired(model, {"worse": runs(0.90, 0.92, 0.91, 0.92, 0.92, 0.91, 0.90, 0.91)})
        >>> print(found[0])
        worse: +4.50 (95 % interval +4.00 to +5.00), better over 8 seeds (p = 0.008 after correction)
    """
    unit = SPLITS_UNIT if splits else SEEDS_UNIT
    too_few = TOO_FEW_SPLITS if splits else TOO_FEW
    if splits and any(outcome.n_train < 1 for one in (model, *controls.values()) for outcome in one.values()):
        raise QuanvolveError("`splits` needs outcomes that say `n_train`, how many images each was trained on")
    down = unit.collapsed(model, metric)
    parts, pairs, shares = [], [], []
    for name, control in controls.items():
        shared = [key for key in model if key in control]
        if not shared:
            raise QuanvolveError(
                f"the control {name!r} shares no {unit.word} with the model: there are no pairs to compare"
            )
        values = np.array([model[key].score - control[key].score for key in shared])
        both = (down, unit.collapsed(control, metric))
        who = "both" if all(both) else "model" if both[0] else "control" if both[1] else ""
        outcome = COLLAPSED if who else too_few
        mean = float(values.mean())
        parts.append(Comparison(name, len(values), mean, outcome, collapsed=who, unit=unit.word, metric=metric.name))
        pairs.append(values)
        shares.append([model[key] for key in shared] + [control[key] for key in shared])
    candidates = [k for k, part in enumerate(parts) if not part.collapsed]
    for k in candidates:
        parts[k] = replace(parts[k], seeds_to_show=unit.least(len(candidates)))
    tested = _testable({k: parts[k].n for k in candidates}, unit)
    ps = [unit.test(pairs[k], unit.overlap(shares[k])) for k in tested]
    for k, p, corrected, tests in zip(tested, ps, holm(ps), holm_divisors(ps), strict=True):
        parts[k] = _judged(parts[k], pairs[k], p, corrected, tests, shares[k], unit)
    return parts


def _testable(pairs: Mapping[int, int], unit: Unit) -> list[int]:
    """The most controls of which each could be told from the model, as one of them. Only numbers of pairs decide."""
    for least in sorted(set(pairs.values())):
        family = [k for k, n in pairs.items() if n >= least]
        if unit.can_show(least, len(family)):
            return family
    return []


def _judged(
    part: Comparison, values: Floats, p: float, corrected: float, tests: int, shared: Sequence[Outcome], unit: Unit
) -> Comparison:
    n, mean, spread = part.n, part.difference, float(values.std(ddof=1))
    image, overlap = part.measure.step(min(outcome.n_test for outcome in shared)), unit.overlap(shared)
    outcome = NO_DIFFERENCE if corrected >= LEVEL else BETTER if mean > 0 else WORSE
    low, high = unit.interval(values, overlap, tests)
    effect = mean / spread if spread > image * 1e-6 else math.copysign(math.inf, mean) if mean else 0.0
    shown, needed, images = math.nan, None, None
    # Differences of less than an image, and single ones far off, are not what the power is computed for.
    if spread >= image * (1 - 1e-9):
        shown = unit.detectable(spread, n, overlap, tests)
        if unit is SPLITS_UNIT:
            images = images_needed(mean, shown, round(sum(o.n_test + o.n_train for o in shared) / len(shared)))
        else:
            needed = seeds_needed(effect, n, tests)
        if outcome == NO_DIFFERENCE and abs(mean) >= shown:
            shown, needed, images = math.nan, None, None
    return replace(
        part, outcome=outcome, low=low, high=high, confidence=1 - LEVEL / tests, p=p, p_corrected=corrected,
        effect=effect, detectable=shown, seeds_needed=needed, images_needed=images,
    )  # fmt: skip


def summary(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """Mean and standard deviation of scores; the latter is 0 for one."""
    values = np.array([outcome.score for outcome in outcomes])
    return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0

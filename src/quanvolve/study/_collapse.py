"""Contenders that have learned nothing: no better than an answer that looks at no image, over all seeds."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from quanvolve.study._exchange import LEVEL

_ROUNDING = 1e-9
"""Gains below this are none."""


@dataclass(frozen=True)
class Outcome:
    """The result of one training.

    Args:
        score: on the test set: the accuracy, between 0 and 1, or what else is compared.
        n_test: images in it.
        baseline: the score of an answer that looks at no image. Of the accuracy it is the share of the most frequent
            class: of the test images, or of all images, where they are split.
        n_train: images that it was trained on, validation images among them; 0 where that is not known.
        noise: standard deviation of the score, were the same answers given to the images in any order; None for an
            accuracy, whose is binomial.
        shuffled: the mean of the score then, where that is not the baseline.
    """

    score: float
    n_test: int
    baseline: float
    n_train: int = 0
    noise: float | None = None
    shuffled: float | None = None


def has_collapsed(outcomes: Collection[Outcome]) -> bool:
    """Whether all seeds together are not better than always answering the most frequent class (one-sided, 5 %).

    Chance has two parts. Which images are in the test set is the same for all seeds, and does not average out; what
    each seed draws does. Accuracies of seeds that guess by themselves scatter as binomial ones do; what they scatter
    less is what they have in common, and what they scatter more are seeds that learned beside seeds that did not. The
    variance of the mean is the common part, and the scatter divided by the number of seeds; the test is the binomial
    one for so many images as would have this variance. One seed, or seeds that agree, are worth one test set.

    Args:
        outcomes: of all seeds of one contender, on the same test images; scores between 0 and 1, of which those that
            are no accuracies have a `noise`.

    Examples:
        >>> has_collapsed([Outcome(k / 18, 18, 1 / 3) for k in (11, 10, 12)])
        False
        >>> has_collapsed([Outcome(k / 18, 18, 1 / 3) for k in (7, 5, 8)])
        True
    """
    from scipy.special import betainc

    scores = np.array([outcome.score for outcome in outcomes])
    chance = float(np.mean([outcome.baseline for outcome in outcomes]))
    mean = float(scores.mean())
    if mean <= chance or chance >= 1:
        return True
    known = [outcome.noise for outcome in outcomes if outcome.noise is not None]
    if known:
        variance = _variance_of_mean(scores, float(np.mean(np.square(known))), _surely(len(scores)))
    else:
        variance = _variance_of_mean(scores, chance * (1 - chance) / float(np.mean([o.n_test for o in outcomes])))
    if variance <= 0:
        return False
    worth = chance * (1 - chance) / variance
    # The chance of at least so many right ones, which need not be whole numbers here.
    return bool(betainc(mean * worth, (1 - mean) * worth + 1, chance) > LEVEL)


def has_no_gain(outcomes: Collection[Outcome]) -> bool:
    """Whether all seeds together are not better than their baseline, or not than the same answers to other images.

    The latter is tested (one-sided, 5 %), for scores without bounds by Student's t; the variance of the mean has the
    two parts that it has in :func:`has_collapsed`. Only to ask whether the score is above the baseline, by how it
    varies from image to image, would need far more images: squared errors vary much, whatever is learned.

    Args:
        outcomes: of all seeds of one contender, on the same test images, with `noise` and `shuffled`.

    Examples:
        >>> has_no_gain([Outcome(score, 50, 0.0, noise=0.1, shuffled=-0.1) for score in (0.11, 0.08)])
        False
        >>> has_no_gain([Outcome(score, 50, 0.0, noise=0.1, shuffled=-0.1) for score in (0.03, 0.02)])
        True
    """
    from scipy.special import stdtr

    above = np.array([outcome.score - outcome.baseline for outcome in outcomes])
    gains = np.array([o.score - (o.baseline if o.shuffled is None else o.shuffled) for o in outcomes])
    if float(above.mean()) <= 0 or float(gains.mean()) <= _ROUNDING:
        return True
    noise = float(np.mean([(outcome.noise or 0.0) ** 2 for outcome in outcomes]))
    variance = _variance_of_mean(gains, noise, _surely(len(gains)))
    if variance <= 0:
        return False
    images = float(np.mean([outcome.n_test for outcome in outcomes]))
    return bool(stdtr(max(images - 2, 1), -float(gains.mean()) / math.sqrt(variance)) > LEVEL)


def _variance_of_mean(values: np.ndarray[Any, np.dtype[np.float64]], noise: float, surely: float = 1.0) -> float:
    """What seeds have in common does not average out, what they scatter does.

    Args:
        values: of the seeds.
        noise: the variance of one of them, from the test images.
        surely: the share of their scatter that is taken to be such.
    """
    scatter = float(values.var(ddof=1)) if len(values) > 1 else 0.0
    return max(noise - surely * scatter, 0.0) + scatter / len(values)


def _surely(n: int) -> float:
    """How much of the scatter of n seeds is there with a confidence of 95 %; few seeds scatter much by chance."""
    from scipy.stats import chi2

    return (n - 1) / float(chi2.ppf(0.95, n - 1)) if n > 1 else 0.0

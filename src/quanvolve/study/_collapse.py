"""Contenders that have learned nothing: no better than always answering the most frequent class, over all seeds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from quanvolve.study._exchange import LEVEL


@dataclass(frozen=True)
class Outcome:
    """The result of one training.

    Args:
        accuracy: on the test set, between 0 and 1.
        n_test: images in it.
        majority: the share of its most frequent class; of all images, where they are split.
        n_train: images that it was trained on, validation images among them; 0 where that is not known.
    """

    accuracy: float
    n_test: int
    majority: float
    n_train: int = 0


def has_collapsed(outcomes: Collection[Outcome]) -> bool:
    """Whether all seeds together are not better than always answering the most frequent class (one-sided, 5 %).

    Chance has two parts. Which images are in the test set is the same for all seeds, and does not average out; what
    each seed draws does. Accuracies of seeds that guess by themselves scatter as binomial ones do; what they scatter
    less is what they have in common, and what they scatter more are seeds that learned beside seeds that did not. The
    variance of the mean is the common part, and the scatter divided by the number of seeds; the test is the binomial
    one for so many images as would have this variance. One seed, or seeds that agree, are worth one test set.

    Args:
        outcomes: of all seeds of one contender, on the same test images.

    Examples:
        >>> has_collapsed([Outcome(k / 18, 18, 1 / 3) for k in (11, 10, 12)])
        False
        >>> has_collapsed([Outcome(k / 18, 18, 1 / 3) for k in (7, 5, 8)])
        True
    """
    from scipy.special import betainc

    accuracies = np.array([outcome.accuracy for outcome in outcomes])
    chance = float(np.mean([outcome.majority for outcome in outcomes]))
    images = float(np.mean([outcome.n_test for outcome in outcomes]))
    mean = float(accuracies.mean())
    if mean <= chance or chance >= 1:
        return True
    binomial = chance * (1 - chance) / images
    scatter = float(accuracies.var(ddof=1)) if len(accuracies) > 1 else 0.0
    variance = max(binomial - scatter, 0.0) + scatter / len(accuracies)
    worth = chance * (1 - chance) / variance
    # The chance of at least so many right ones, which need not be whole numbers here.
    return bool(betainc(mean * worth, (1 - mean) * worth + 1, chance) > LEVEL)

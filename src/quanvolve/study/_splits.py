"""Splits of all images of a small data set into training and test images: repeated stratified 5-fold.

Five splits are a repetition: the classes are dealt out to five parts, of which each is the test set once. So every
image is tested once a repetition, whatever is drawn, and the parts have the shares of the classes as far as numbers
allow. Where there are no classes, groups of images with like labels are dealt out. A fifth for testing is about where
the corrected variance (see `_resampled`) of twenty splits is smallest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.study._collapse import Outcome
from quanvolve.study._strata import FOLDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from quanvolve.data import Dataset

USUAL_SPLITS = 20
"""As many as are chosen for a small data set: each image is tested four times."""
FEW_TEST_IMAGES = 100
"""With fewer test images than these of its own, a data set is compared over splits unless something else is asked for.

An accuracy of 80 % of 100 images is known to 8 points to both sides, and one image is a point: seeds, which all have
the same test images, cannot make that better."""


def pooled(data: Dataset) -> tuple[NDArray[Any], NDArray[Any]]:
    """All images of a data set and their labels, whatever they were meant for."""
    parts = [(data.train_images, data.train_labels), (data.test_images, data.test_labels)]
    if data.valid_images is not None and data.valid_labels is not None:
        parts.append((data.valid_images, data.valid_labels))
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])


def split(labels: NDArray[Any], number: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The numbers of the training and of the test images of a split.

    Args:
        labels: of all images, or what groups they are of.
        number: of the split; five in a row are a repetition.

    Raises:
        QuanvolveError: if there are too few images to be split.

    Examples:
        >>> train, test = split(np.arange(20) % 2, 0)
        >>> len(train), len(test), np.bincount(test % 2).tolist()
        (16, 4, [2, 2])
    """
    if len(labels) < 2 * FOLDS:
        raise QuanvolveError(
            f"`splits` needs at least {2 * FOLDS} images, and there are {len(labels)}: add images, or compare on the "
            "test images with `splits` 0"
        )
    repetition, fold = divmod(number, FOLDS)
    rng = np.random.default_rng(repetition)
    dealt = np.concatenate(
        [rng.permutation(np.flatnonzero(labels == one)) for one in rng.permutation(np.unique(labels))]
    )
    test = np.zeros(len(labels), dtype=bool)
    test[dealt[fold::FOLDS]] = True
    return np.flatnonzero(~test), np.flatnonzero(test)


def repetitions(outcomes: Mapping[int, Outcome]) -> list[Outcome]:
    """The results of splits, put together to one for each repetition, which tests every image once.

    Args:
        outcomes: by the number of the split.

    Examples:
        >>> together = repetitions({k: Outcome(a, 4, 0.5, 16) for k, a in ((0, 0.5), (1, 1.0), (5, 0.25))})
        >>> [(one.score, one.n_test) for one in together]
        [(0.75, 8), (0.25, 4)]
    """
    groups: dict[int, list[Outcome]] = {}
    for number, outcome in outcomes.items():
        groups.setdefault(number // FOLDS, []).append(outcome)
    together = []
    for group in groups.values():
        tested = sum(outcome.n_test for outcome in group)
        score, baseline = (
            sum(getattr(outcome, name) * outcome.n_test for outcome in group) / tested for name in ("score", "baseline")
        )
        together.append(Outcome(score, tested, baseline, group[0].n_train, _noise(group), _shuffled(group)))
    return together


def _noise(group: Sequence[Outcome]) -> float | None:
    """Of the score of all together, where each has one.

    Two images that are tested in different splits are each trained on where the other is tested. What one says of the
    other by chance, the other may say of it: the sum of y_i w_ij y_j, which a linear model learns from noise, has the
    variance of the sum of (w_ij + w_ji)^2 / 2, up to twice what it is on test images alone.
    """
    noises = [outcome.noise * outcome.n_test for outcome in group if outcome.noise is not None]
    tested = sum(outcome.n_test for outcome in group)
    return math.sqrt(2) * math.hypot(*noises) / tested if len(noises) == len(group) else None


def _shuffled(group: Sequence[Outcome]) -> float | None:
    means = [outcome.shuffled * outcome.n_test for outcome in group if outcome.shuffled is not None]
    return sum(means) / sum(outcome.n_test for outcome in group) if len(means) == len(group) else None

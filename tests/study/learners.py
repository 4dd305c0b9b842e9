"""Learners that train in microseconds, on small data sets of which many are drawn: who is better is planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quanvolve.study import Outcome
from quanvolve.study._splits import split

Learner = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def nearest_mean(images: np.ndarray, labels: np.ndarray, tested: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The class whose mean is nearest."""
    means = np.stack([images[labels == one].mean(0) for one in np.unique(labels)])
    return ((tested[:, None] - means) ** 2).sum(-1).argmin(1)


def least_squares(images: np.ndarray, labels: np.ndarray, tested: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A linear function of the pixels for each class."""
    known, asked = (np.c_[part, np.ones(len(part))] for part in (images, tested))
    wanted = np.eye(labels.max() + 1)[labels]
    weights = np.linalg.solve(known.T @ known + 0.1 * np.eye(known.shape[1]), known.T @ wanted)
    return (asked @ weights).argmax(1)


def random_features(images: np.ndarray, labels: np.ndarray, tested: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A linear function of cosines that each training draws anew, as a seed draws a circuit and first weights."""
    directions, shifts = rng.normal(0, 0.5, (images.shape[1], 12)), rng.uniform(0, 2 * np.pi, 12)
    return least_squares(np.cos(images @ directions + shifts), labels, np.cos(tested @ directions + shifts), rng)


def nearest_image(images: np.ndarray, labels: np.ndarray, tested: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The class of the nearest image: it hangs on single images, as no network does."""
    return labels[((tested[:, None] - images) ** 2).sum(-1).argmin(1)]


@dataclass(frozen=True)
class Small:
    """Small data sets, and contenders that each see pixels of their own.

    Pixels of all contenders have the same means in each class and are drawn alike, so that contenders are equally good
    over all data sets of this size, and each of them is better in some, by chance. Where one has a gap, its pixels say
    less of the class.

    Args:
        images: in a data set.
        classes: of them, as many of each as can be.
        learner: of all contenders.
        contrast: of means of classes, in standard deviations of pixels.
        pixels: that a contender sees.
    """

    images: int
    classes: int
    learner: Learner
    contrast: float = 0.8
    pixels: int = 6

    def draw(self, rng: np.random.Generator, gaps: list[float], splits: int = 20) -> list[dict[int, Outcome]]:
        """The results of contenders on one data set, over its splits.

        Args:
            rng: of the data set and the trainings.
            gaps: a contender for each, whose contrast is less by so much.
            splits: how many.
        """
        labels = np.arange(self.images) % self.classes
        means = rng.normal(size=(self.classes, self.pixels))
        noise = rng.normal(size=(len(gaps), self.images, self.pixels))
        found: list[dict[int, Outcome]] = []
        for gap, own in zip(gaps, noise, strict=True):
            seen = (self.contrast - gap) * means[labels] + own
            found.append({})
            for number in range(splits):
                train, test = split(labels, number)
                right = self.learner(seen[train], labels[train], seen[test], rng) == labels[test]
                found[-1][number] = Outcome(float(right.mean()), len(test), 1 / self.classes, len(train))
        return found

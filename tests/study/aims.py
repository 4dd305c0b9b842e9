"""Small data sets of numbers and of several labels, of which many are drawn: who is better is planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from quanvolve.study import METRICS, Metric, Outcome
from quanvolve.study._splits import split

Fit = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def least_squares(seen: np.ndarray, wanted: np.ndarray, asked: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A linear function of the pixels for each target."""
    known, asked = (np.c_[part, np.ones(len(part))] for part in (seen, asked))
    return asked @ np.linalg.solve(known.T @ known + 0.1 * np.eye(known.shape[1]), known.T @ wanted)


def random_features(seen: np.ndarray, wanted: np.ndarray, asked: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A linear function of cosines that each training draws anew, as a seed draws a circuit and first weights."""
    directions, shifts = rng.normal(0, 0.5, (seen.shape[1], 12)), rng.uniform(0, 2 * np.pi, 12)
    return least_squares(np.cos(seen @ directions + shifts), wanted, np.cos(asked @ directions + shifts), rng)


@dataclass(frozen=True)
class Trained:
    """What tests ask of a model: its answers to the images that are asked of it."""

    answers: np.ndarray

    def predict(self, images: Any) -> np.ndarray:
        """Numbers."""
        return self.answers

    predict_proba = predict


@dataclass(frozen=True)
class Aim:
    """Data sets for a task, and contenders that each see pixels of their own.

    Pixels of all contenders say the same of the targets and are drawn alike, so that contenders are equally good over
    all data sets of this size, and each of them is better in some, by chance. Where one has a gap, its pixels say less.

    Args:
        task: "regression" or "multilabel".
        images: in a data set.
        fit: of all contenders.
        contrast: of the pixels, in standard deviations of their noise.
        pixels: that a contender sees.
    """

    RATES: ClassVar[tuple[float, ...]] = (0.5, 0.3, 0.15)

    task: str
    images: int
    fit: Fit
    contrast: float = 0.6
    pixels: int = 6

    @property
    def metric(self) -> Metric:
        """By which they are compared."""
        return METRICS[self.task]

    def labels(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """What is to be learned, of so many images."""
        if self.task == "regression":
            return rng.normal(20, 5, n)
        return (rng.random((n, len(self.RATES))) < self.RATES).astype(int)

    def over_splits(self, rng: np.random.Generator, gaps: list[float], splits: int = 20) -> list[dict[int, Outcome]]:
        """The results of contenders on one data set, over its splits."""
        labels = self.labels(rng, self.images)
        pixels = [self._seen(rng, labels, gap, np.random.default_rng(0)) for gap in gaps]
        return [
            {
                number: self._outcome(seen, labels, *split(self.metric.strata(labels), number), rng, labels)
                for number in range(splits)
            }
            for seen in pixels
        ]

    def over_seeds(self, rng: np.random.Generator, gaps: list[float], seeds: int = 8) -> list[dict[int, Outcome]]:
        """The results of contenders that differ in what each seed draws, and see the same pixels but for their gaps."""
        n_test = self.images // 3
        labels, own = self.labels(rng, self.images), rng.integers(2**31)
        test, found = np.arange(n_test), []
        for gap in gaps:
            seen = self._seen(np.random.default_rng(own), labels, gap, np.random.default_rng(0))
            found.append({})
            for seed in range(seeds):
                train = rng.choice(np.arange(n_test, self.images), self.images // 2, replace=False)
                found[-1][seed] = self._outcome(seen, labels, train, test, rng, labels[test])
        return found

    def _seen(
        self, rng: np.random.Generator, labels: np.ndarray, gap: float, shared: np.random.Generator
    ) -> np.ndarray:
        wanted = labels.reshape(len(labels), -1)
        wanted = (wanted - wanted.mean(0)) / wanted.std(0)
        directions = shared.normal(size=(wanted.shape[1], self.pixels)) / np.sqrt(wanted.shape[1])
        return (self.contrast - gap) * wanted @ directions + rng.normal(size=(len(labels), self.pixels))

    def _outcome(
        self, seen: np.ndarray, labels: np.ndarray, train: np.ndarray, test: np.ndarray, rng: np.random.Generator,
        of: np.ndarray,
    ) -> Outcome:  # fmt: skip
        model = Trained(self.fit(seen[train], labels[train], seen[test], rng))
        numbers = self.metric.test(model, seen[test], labels[test], labels[train], of)
        return self.metric.outcome({**numbers, "n_test": len(test), "n_train": len(train)})

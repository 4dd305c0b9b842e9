"""The unit of comparison: over what model and controls are compared, pair by pair, and the inference that goes with it.

Seeds train anew and test on the same images: what they show holds for these images, and the test exchanges signs (see
`_exchange`). Splits draw training and test images anew out of all: what they show holds for images of this kind, and
the test is corrected for the images that splits share (see `_resampled`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from quanvolve.study import _exchange, _power, _resampled
from quanvolve.study._collapse import Outcome
from quanvolve.study._exchange import Floats
from quanvolve.study._metric import Metric
from quanvolve.study._metrics import ACCURACY
from quanvolve.study._splits import repetitions


class Unit(ABC):
    """A unit of comparison.

    Attributes:
        word: what one of them is called.
    """

    word: str

    @abstractmethod
    def least(self, tests: int) -> int:
        """How many can show a difference to any of so many controls."""

    @abstractmethod
    def overlap(self, pairs: Sequence[Outcome]) -> float:
        """How much they have in common, which more of them do not average out."""

    @abstractmethod
    def test(self, differences: Floats, overlap: float) -> float:
        """The two-sided p of the mean of differences."""

    @abstractmethod
    def interval(self, differences: Floats, overlap: float, tests: int) -> tuple[float, float]:
        """The shifts that the test does not refuse, at the level 5 % divided by the number of tests."""

    @abstractmethod
    def detectable(self, spread: float, n: int, overlap: float, tests: int) -> float:
        """The difference that as many of them, done once more, show with a power of 80 %."""

    @abstractmethod
    def whole(self, outcomes: Mapping[Any, Outcome]) -> Collection[Outcome]:
        """The outcomes, put together to such as have tested the same images."""

    def collapsed(self, outcomes: Mapping[Any, Outcome], metric: Metric = ACCURACY) -> bool:
        """Whether a contender is, over all of them together, no better than an answer that looks at no image."""
        return metric.collapsed(self.whole(outcomes))

    def can_show(self, n: int, tests: int) -> bool:
        """Whether so many can show a difference to any of so many controls."""
        return n >= self.least(tests)


class _Seeds(Unit):
    word = "seed"

    def least(self, tests: int) -> int:
        return _exchange.least_seeds(tests)

    def overlap(self, pairs: Sequence[Outcome]) -> float:
        return 0.0

    def test(self, differences: Floats, overlap: float) -> float:
        return _exchange.sign_test(differences)

    def interval(self, differences: Floats, overlap: float, tests: int) -> tuple[float, float]:
        return _exchange.interval(differences, tests)

    def detectable(self, spread: float, n: int, overlap: float, tests: int) -> float:
        return _power.detectable(spread, n, tests)

    def whole(self, outcomes: Mapping[Any, Outcome]) -> Collection[Outcome]:
        return outcomes.values()


class _Splits(Unit):
    word = "split"

    def least(self, tests: int) -> int:
        return _resampled.LEAST_SPLITS

    def overlap(self, pairs: Sequence[Outcome]) -> float:
        return sum(outcome.n_test / outcome.n_train for outcome in pairs) / len(pairs)

    def test(self, differences: Floats, overlap: float) -> float:
        return _resampled.corrected_t_test(differences, overlap)

    def interval(self, differences: Floats, overlap: float, tests: int) -> tuple[float, float]:
        return _resampled.corrected_interval(differences, overlap, tests)

    def detectable(self, spread: float, n: int, overlap: float, tests: int) -> float:
        return _resampled.corrected_detectable(spread, n, overlap, tests)

    def whole(self, outcomes: Mapping[Any, Outcome]) -> Collection[Outcome]:
        return repetitions(outcomes)


SEEDS_UNIT: Unit = _Seeds()
SPLITS_UNIT: Unit = _Splits()

"""What contenders are compared by: a number that a test gives each of them, and all that a study asks of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quanvolve.study._collapse import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from quanvolve.data import Dataset

_MOST_DIGITS = 9


@dataclass(frozen=True)
class Words:
    """How reports speak of a metric.

    Args:
        title: its name.
        column: the same in the head of a table, with the unit.
        of: what stands behind a difference.
        axis: the unit below pictures of scores.
        differences: the same below pictures of differences.
        baseline: an answer that looks at no image, as in "no better than ...".
        nothing: what a contender has collapsed to that is no better.
        strata: what the parts of a split have in common.
        model: what learns it.
        also: headings of further numbers of a test, by their names in its result.
    """

    title: str
    column: str
    of: str
    axis: str
    differences: str
    baseline: str
    nothing: str
    strata: str
    model: str
    also: Mapping[str, str]


class Metric(ABC):
    """A number by which contenders are compared; the larger, the better.

    Attributes:
        task: of the data, as :class:`quanvolve.data.Dataset` names it.
        name: in histories of trainings, where "valid_" stands before it, and in results, with "test_".
        words: of reports.
        low, high: between which it lies.
        factor, digits: by what it is multiplied to be shown, and with how many digits.
        baseline_key: what the result of a trial calls the score of an answer that looks at no image.
    """

    task: str
    name: str
    words: Words
    low: float
    high: float
    factor: float = 1.0
    digits: int = 4
    baseline_key: str = "baseline"

    @property
    def tested(self) -> str:
        """The name of its test value in a result."""
        return f"test_{self.name}"

    @property
    def valid(self) -> str:
        """The name of its validation value in a result and in a history."""
        return f"valid_{self.name}"

    @abstractmethod
    def estimator(self) -> type[Any]:
        """The class that is trained."""

    @abstractmethod
    def score(self, model: Any, images: NDArray[Any], labels: NDArray[Any]) -> float:
        """What a trained model reaches on images."""

    @abstractmethod
    def test(
        self, model: Any, images: NDArray[Any], labels: NDArray[Any], train: NDArray[Any], of: NDArray[Any]
    ) -> dict[str, float]:
        """The numbers of a test, as the result of a trial has them.

        Args:
            model: the trained one.
            images, labels: of the test.
            train: labels that it was trained on.
            of: labels of all images that the study tests on: these, or where images are split, those of all.
        """

    @abstractmethod
    def strata(self, labels: NDArray[Any]) -> NDArray[Any]:
        """The group of each image, of which each part of a split gets the same share."""

    def definition(self, *, splits: bool) -> tuple[str, ...]:
        """What it is, in sentences; none where everybody knows.

        Args:
            splits: whether images are split.
        """
        return ()

    @abstractmethod
    def collapsed(self, outcomes: Collection[Outcome]) -> bool:
        """Whether a contender is, over all seeds together, no better than an answer that looks at no image.

        Args:
            outcomes: on the same test images.
        """

    def classes(self, labels: NDArray[Any]) -> NDArray[Any] | None:
        """The class of each image, whose shares a part that is drawn keeps; None where there are none."""
        return None

    @abstractmethod
    def warn(self, data: Dataset) -> None:
        """Warn of what the test set asks that cannot be learned."""

    def arguments(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of the estimator that make it choose its epoch by this metric.

        Raises:
            QuanvolveError: if something in them is not for it.
        """
        return dict(params)

    def step(self, n_test: int) -> float:
        """The least difference that single images make; below it, differences that vary tell nothing of power."""
        return 1e-6

    def outcome(self, result: Mapping[str, Any]) -> Outcome:
        """The result of a trial as comparisons take it."""
        return Outcome(
            result[self.tested], result["n_test"], result[self.baseline_key], result["n_train"], result.get("noise"),
            result.get("shuffled"),
        )  # fmt: skip

    @property
    def keys(self) -> tuple[str, ...]:
        """The numbers of a result that are of this metric and lie in its range."""
        return self.tested, self.valid, self.baseline_key

    @property
    def further(self) -> tuple[str, ...]:
        """The other numbers of a result that are of this metric."""
        return ("noise", *self.words.also)

    def signed(self, difference: float) -> str:
        """A difference as it is shown, with as many digits as tell it from zero.

        Examples:
            >>> from quanvolve.study._metrics import ACCURACY, BY_NAME
            >>> ACCURACY.signed(-0.0123), ACCURACY.signed(0.00002), BY_NAME["r2"].signed(0.0)
            ('-1.23', '+0.002', '+0.0000')
        """
        shown, digits = self.factor * difference, self.digits
        while difference and digits < _MOST_DIGITS and not round(abs(shown), digits):
            digits += 1
        return f"{shown:+.{digits}f}"

    def alone(self, score: float) -> str:
        """A score with its unit."""
        return f"{self.shown(score)} %" if self.factor == 100 else self.shown(score)

    def shown(self, score: float) -> str:
        """A score, or a standard deviation of scores, as it is shown."""
        return f"{self.factor * score:.{self.digits}f}"

"""How many test images a model gets right, and the one line that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from quanvolve.data import Dataset


@dataclass(frozen=True)
class Score:
    """The model's answers to the test images.

    Args:
        predicted: one label an image.
        right: how many of them are right.
        total: how many images.
    """

    predicted: NDArray[Any]
    right: int
    total: int

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return self.right / self.total


def answers(model: Any, dataset: Dataset) -> NDArray[Any]:
    """What a model says of all test images; the shots of a model that has some are the same each time."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        predicted: NDArray[Any] = model.predict(dataset.test_images)
    return predicted


def score(clf: Any, dataset: Dataset) -> Score:
    """Classify all test images."""
    predicted = answers(clf, dataset)
    return Score(predicted, int((predicted == dataset.test_labels).sum()), len(predicted))

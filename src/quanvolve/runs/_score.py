"""What a model makes of the test images: how many it gets right, and how good its probabilities are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quanvolve.runs._source import label_names

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
        probabilities: of the labels that the model knows, shape (images, labels).
    """

    predicted: NDArray[Any]
    right: int
    total: int
    probabilities: NDArray[Any]

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return self.right / self.total


def answers(model: Any, dataset: Dataset) -> NDArray[Any]:
    """What a model says of all test images: probabilities, or a regressor's numbers.

    The shots of a model that has some are the same each time.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        given = model.predict_proba if hasattr(model, "predict_proba") else model.predict
        found: NDArray[Any] = given(dataset.test_images)
    return found


def score(clf: Any, dataset: Dataset) -> Score:
    """Classify all test images."""
    probabilities = answers(clf, dataset)
    predicted = clf.classes_[probabilities.argmax(axis=1)]
    return Score(predicted, int((predicted == dataset.test_labels).sum()), len(predicted), probabilities)


def evaluation(clf: Any, dataset: Dataset, tested: Score) -> dict[str, Any]:
    """The scores with their intervals, of all classes and of each; see `quanvolve.estimators.evaluate_classes`.

    Args:
        clf: the classifier.
        dataset: its data.
        tested: its answers to the test images.
    """
    import numpy as np

    from quanvolve.estimators import evaluate_classes  # loads scikit-learn

    classes = np.unique(np.concatenate([clf.classes_, dataset.test_labels]))
    # A label that the model does not know has the probability 0.
    probabilities = np.zeros((tested.total, len(classes)))
    probabilities[:, np.searchsorted(classes, clf.classes_)] = tested.probabilities
    truth = np.searchsorted(classes, dataset.test_labels)
    return evaluate_classes(truth, probabilities, label_names(dataset, classes))


def said_of(content: dict[str, Any]) -> list[tuple[str, str]]:
    """An evaluation in a few words: names and texts.

    Args:
        content: with "metrics" and "per_class"; without them, as older runs are, nothing is said.
    """
    metrics, rows = content.get("metrics"), content.get("per_class")
    if not metrics or not rows:
        return []
    found = [
        (words, f"{metrics[name]['value']:.4f} ({_between(metrics[name]['interval'])})")
        for name, words in _SAID.items()
        if metrics[name]["value"] is not None
    ]
    tested = [row for row in rows if row["n"]]
    if len(tested) > 1:
        worst = min(tested, key=lambda row: row["recall"])
        text = f"{worst['recall']:.4f} of {worst['n']} ({_between(worst['recall_interval'])})"
        found.append(("lowest recall", f"{worst['name']}: {text}"))
    return found


_SAID = {
    "balanced_accuracy": "balanced accuracy",
    "f1": "macro F1",
    "roc_auc": "ROC AUC",
    "calibration_error": "calibration error",
}


def _between(interval: list[float] | None) -> str:
    return "too few errors for an interval" if interval is None else f"{interval[0]:.4f} to {interval[1]:.4f}"

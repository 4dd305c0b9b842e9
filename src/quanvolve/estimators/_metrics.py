"""How good a classifier's probabilities are: the numbers that training watches and that a test reports."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, f1_score, recall_score, roc_auc_score

Array = npt.NDArray[Any]


def accuracy(truth: Array, probabilities: Array, weights: Array | None = None) -> float:
    """The share of right answers.

    Args:
        truth: numbers (n,) of the classes.
        probabilities: (n, classes).
        weights: (n,) of the samples.
    """
    return float(np.average(probabilities.argmax(axis=1) == truth, weights=weights))


def balanced_accuracy(truth: Array, probabilities: Array, weights: Array | None = None) -> float:
    """The mean recall of the classes that there are samples of."""
    classes = np.unique(truth)
    answers = probabilities.argmax(axis=1)
    return float(
        recall_score(truth, answers, labels=classes, average="macro", sample_weight=weights, zero_division=0.0)
    )


def macro_f1(truth: Array, probabilities: Array, weights: Array | None = None) -> float:
    """The mean F1 of the classes that there are samples of."""
    classes = np.unique(truth)
    answers = probabilities.argmax(axis=1)
    return float(f1_score(truth, answers, labels=classes, average="macro", sample_weight=weights, zero_division=0.0))


def roc_auc(truth: Array, probabilities: Array, weights: Array | None = None) -> float | None:
    """The area under the ROC curve of each class against the rest, in the mean over the classes that there are samples
    of; None if all samples are of one class.
    """
    classes = np.unique(truth)
    if len(classes) < 2:
        return None
    if probabilities.shape[1] == 2:
        classes = classes[1:]  # the curve of the other class is the same
    areas = [roc_auc_score(truth == c, probabilities[:, c], sample_weight=weights) for c in classes]
    return float(np.mean(areas))


def average_precision(truth: Array, probabilities: Array, weights: Array | None = None) -> float | None:
    """The average precision of each class against the rest, in the mean over the classes that there are samples of, of
    two classes the second; None if all samples are of one class.
    """
    classes = np.unique(truth)
    if len(classes) < 2:
        return None
    if probabilities.shape[1] == 2:
        classes = classes[1:]
    areas = [average_precision_score(truth == c, probabilities[:, c], sample_weight=weights) for c in classes]
    return float(np.mean(areas))


SCORES = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "roc_auc": roc_auc,
    "f1": macro_f1,
    "average_precision": average_precision,
}
"""What training can watch, beside the loss: functions of the classes' numbers, probabilities and weights."""

BINS = 15
"""Equal parts of [0, 1] in which confidence and accuracy are compared."""


def confidence_bins(probabilities: Array) -> tuple[Array, Array]:
    """The probability of the most probable class, and in which of the parts of [0, 1] it lies."""
    confidence = probabilities.max(axis=1)
    return confidence, np.minimum((confidence * BINS).astype(int), BINS - 1)


def calibration_error(truth: Array, probabilities: Array) -> float:
    """How far the probability of the answer is from the share of right answers, in the mean over parts of [0, 1]."""
    confidence, bins = confidence_bins(probabilities)
    gap = (probabilities.argmax(axis=1) == truth) - confidence
    return float(np.abs(np.bincount(bins, weights=gap, minlength=BINS)).sum() / len(truth))

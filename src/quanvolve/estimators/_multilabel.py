"""Several labels a sample: which targets are such, and what training makes small."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import issparse
from scipy.special import expit
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from sklearn.utils.validation import column_or_1d
from skorch import NeuralNet
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from quanvolve._errors import QuanvolveError
from quanvolve.estimators._aim import LOSS, scores_with
from quanvolve.estimators._losses import CROSS_ENTROPY, FOCAL, LossFunction, loss_function, loss_of_batch

Array = npt.NDArray[Any]

_GAMMA = 2.0


def labels_of(y: Any) -> tuple[Array, bool]:
    """Labels as a classifier learns them, and whether a sample has several: rows of 0 and 1.

    A column is one label a sample, with scikit-learn's warning.

    Raises:
        QuanvolveError: if y has rows of something else.

    Examples:
        >>> labels_of(np.array([[0, 1], [1, 1]]))[1], labels_of(np.array(["a", "b"]))[1]
        (True, False)
    """
    y = y.toarray() if issparse(y) else y
    if y.ndim == 1 or y.shape[1] == 1:
        return np.asarray(column_or_1d(y, warn=True)), False
    if not np.isin(y, (0, 1)).all():
        raise QuanvolveError(
            f"y has the shape {y.shape} and other values than 0 and 1: give one label a sample, (n,), or where samples "
            "have several, rows of 0 and 1, (n, labels)"
        )
    return y.astype(np.int64), True


def subset_accuracy(truth: Array, probabilities: Array, weights: Array | None = None) -> float:
    """The share of samples all of whose labels are right.

    Args:
        truth: 0 and 1, shape (n, labels).
        probabilities: of the labels, shape (n, labels).
        weights: (n,) of the samples.
    """
    return float(np.average(((probabilities > 0.5) == truth).all(axis=1), weights=weights))


def macro_f1(truth: Array, probabilities: Array, weights: Array | None = None) -> float:
    """F1 of each label, in the mean; arguments as of :func:`subset_accuracy`."""
    answers = (probabilities > 0.5).astype(np.int64)
    return float(f1_score(truth, answers, average="macro", sample_weight=weights, zero_division=0.0))


def roc_auc(truth: Array, probabilities: Array, weights: Array | None = None) -> float:
    """The area under the ROC curve of each label that some samples have and some lack, in the mean; 0.5 without any."""
    both = [k for k in range(truth.shape[1]) if 0 < truth[:, k].sum() < len(truth)]
    areas = [roc_auc_score(truth[:, k], probabilities[:, k], sample_weight=weights) for k in both]
    return float(np.mean(areas)) if areas else 0.5


def average_precision(truth: Array, probabilities: Array, weights: Array | None = None) -> float:
    """The average precision of each label that some samples have and some lack, in the mean; 0 without any."""
    both = [k for k in range(truth.shape[1]) if 0 < truth[:, k].sum() < len(truth)]
    found = [average_precision_score(truth[:, k], probabilities[:, k], sample_weight=weights) for k in both]
    return float(np.mean(found)) if found else 0.0


SCORES = {"accuracy": subset_accuracy, "f1": macro_f1, "roc_auc": roc_auc, "average_precision": average_precision}
"""What training can watch, beside the loss."""


def takes_several(monitor: Any, class_weight: Any) -> bool:
    """Whether a classifier with these learns several labels a sample."""
    return class_weight is None and monitor in (None, *SCORES, LOSS)


def check_options(monitor: str | None, class_weight: Any) -> None:
    """Refuse what is for one label a sample.

    Raises:
        QuanvolveError: naming the parameter.
    """
    if class_weight is not None:
        raise QuanvolveError(
            f"`class_weight` (={class_weight!r}) is for one label a sample, but y has several: leave it out"
        )
    if not takes_several(monitor, class_weight):
        raise QuanvolveError(
            f"`monitor` (={monitor!r}) is for one label a sample, but y has several: use one of "
            f"{', '.join(map(repr, (*SCORES, LOSS)))}"
        )


def multilabel_loss(loss: Any, label_smoothing: float, *, weighted: bool, device: str) -> LossFunction:
    """From scores and targets (n, labels) of a batch to its loss.

    Args:
        loss: as the user gave it, checked; "cross_entropy" is that of each label, yes or no.
        label_smoothing: the share of each target that is spread over yes and no.
        weighted: whether samples have weights.
        device: where it computes.
    """
    if loss not in (CROSS_ENTROPY, FOCAL):
        return loss_function(loss, 0.0, weighted=weighted, device=device)

    def entropy(scores: Tensor, targets: Tensor) -> Tensor:
        smoothed = targets * (1 - label_smoothing) + label_smoothing / 2
        losses = binary_cross_entropy_with_logits(scores, smoothed, reduction="none")
        return losses if loss == CROSS_ENTROPY else (-torch.expm1(-losses)).pow(_GAMMA) * losses

    return entropy


class _LabelNet(NeuralNet):  # type: ignore[misc]  # skorch has no types
    """What skorch's scores ask for answers."""

    def predict_proba(self, X: Any) -> Array:
        """Of each label."""
        probabilities: Array = expit(super().predict_proba(X))
        return probabilities

    def predict(self, X: Any) -> Array:
        """Rows of 0 and 1."""
        return (self.predict_proba(X) > 0.5).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Multilabel:
    """Several labels a sample, from a score of each.

    Args:
        function: the loss.
        watched: chooses the best epoch.
        fingerprint: of the loss; see :class:`quanvolve.estimators._aim.Aim`.
    """

    function: LossFunction
    watched: str = "accuracy"
    fingerprint: str = ""
    net: type[Any] = field(default=_LabelNet, init=False)
    dtype: torch.dtype = field(default=torch.float32, init=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The share of samples all of whose labels are right, and what is watched."""
        return scores_with(self.watched)

    def check(self, targets: Array) -> None:
        """All that can be watched is a number of any samples."""

    def loss(self, outputs: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
        """The mean over the samples, each times its weight."""
        return loss_of_batch(self.function, outputs, targets, weights)

    def scores(self, outputs: Tensor, targets: Tensor, weights: Tensor | None) -> dict[str, float]:
        """Of the labels whose probability is above one half."""
        truth, probabilities = targets.long().numpy(), outputs.double().sigmoid().numpy()
        of_samples = None if weights is None else weights.numpy()
        return {name: SCORES[name](truth, probabilities, of_samples) for name in self.names}

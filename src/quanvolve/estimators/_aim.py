"""What a training is for: its loss, its targets, and the numbers of an epoch by which the best one is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from skorch import NeuralNetClassifier
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.estimators._losses import LossFunction, loss_of_batch
from quanvolve.estimators._metrics import SCORES

LOSS = "loss"
LOWER_IS_BETTER = (LOSS, "mae", "rmse")
"""What may be watched that is better the lower it is; all else is better the higher it is."""


class Aim(Protocol):
    """What training has to know of a task; skorch and the epochs are the same for all.

    Attributes:
        net: skorch's class for the task, so that callbacks find what they expect.
        dtype: of the targets as the loss takes them.
        names: the numbers of the validation data beside the loss; in the history they begin with "valid_".
        watched: that of them which chooses the best epoch, or "loss".
        fingerprint: what tells apart runs of other aims; empty for the aim that all runs had once.
    """

    @property
    def net(self) -> type[Any]: ...

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def watched(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    def check(self, targets: npt.NDArray[Any]) -> None:
        """Refuse validation data that what is watched cannot be computed of, before the training.

        Args:
            targets: of the validation samples; there may be none.
        """

    def loss(self, outputs: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
        """The loss of a batch, a scalar.

        Args:
            outputs: of the module, shape (n, ...).
            targets: theirs.
            weights: of the samples, shape (n,); None if all are alike.
        """

    def scores(self, outputs: Tensor, targets: Tensor, weights: Tensor | None) -> Mapping[str, float | None]:
        """The numbers of the validation data by their names; as `loss`, of all of them, on the CPU."""


@dataclass(frozen=True, eq=False)
class Classification:
    """Classes, from scores.

    Args:
        function: the loss.
        watched: chooses the best epoch.
        class_weights: shape (classes,), or None if all are alike.
        fingerprint: of the loss and what it is called with; see :class:`Aim`.
    """

    function: LossFunction
    watched: str = "accuracy"
    class_weights: Tensor | None = None
    fingerprint: str = ""
    net: type[Any] = field(default=NeuralNetClassifier, init=False)
    dtype: torch.dtype = field(default=torch.int64, init=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The accuracy, and what is watched."""
        return scores_with(self.watched)

    def check(self, targets: npt.NDArray[Any]) -> None:
        """A curve of one class against the rest needs both."""
        if self.watched == "roc_auc" and len(np.unique(targets)) == 1:
            raise QuanvolveError(
                "`monitor='roc_auc'` needs validation samples of at least 2 classes, but all are of one: give more "
                "samples, or a larger `validation_fraction`"
            )

    def loss(self, outputs: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
        """The mean over the samples, each times its weight and that of its class."""
        if self.class_weights is not None:
            of_classes = self.class_weights.to(targets.device)[targets]
            weights = of_classes if weights is None else of_classes * weights
        return loss_of_batch(self.function, outputs, targets, weights)

    def scores(self, outputs: Tensor, targets: Tensor, weights: Tensor | None) -> Mapping[str, float | None]:
        """Weights of classes have no part in these: they would not be what they are called."""
        truth, probabilities = targets.numpy(), outputs.double().softmax(dim=1).numpy()
        of_samples = None if weights is None else weights.numpy()
        return {name: SCORES[name](truth, probabilities, of_samples) for name in self.names}


def scores_with(watched: str, always: str = "accuracy") -> tuple[str, ...]:
    """The numbers beside the loss in the history of a training.

    Args:
        watched: what chooses the best epoch.
        always: what is there whatever is watched; by default that of a classifier.

    Examples:
        >>> scores_with("loss"), scores_with("f1")
        (('accuracy',), ('accuracy', 'f1'))
    """
    return (always,) if watched in (always, LOSS) else (always, watched)


def check_monitor(monitor: Any, scores: Iterable[str] = SCORES) -> None:
    """Refuse what cannot be watched.

    Args:
        monitor: as the user gave it.
        scores: what can be, beside the loss.

    Raises:
        QuanvolveError: naming what can.
    """
    known = (*scores, LOSS)
    if monitor is not None and monitor not in known:
        raise QuanvolveError(f"`monitor` (={monitor!r}) must be one of {', '.join(map(repr, known))}, or None")


def watched_of(monitor: str | None, class_weight: Any) -> str:
    """What chooses the best epoch of a classifier: with weights of classes the loss, as the accuracy knows of none.

    Examples:
        >>> watched_of(None, None), watched_of(None, "balanced"), watched_of("f1", "balanced")
        ('accuracy', 'loss', 'f1')
    """
    if monitor is not None:
        return monitor
    return "accuracy" if class_weight is None else LOSS


def best_epoch(history: list[dict[str, Any]], watched: str = "accuracy") -> int:
    """The epoch whose weights are kept: the best on the validation data, of equals the one with the lowest loss, then
    the first. Without validation data it is the last epoch.

    Args:
        history: one row an epoch.
        watched: the number of the validation data that decides.

    Examples:
        >>> rows = [{"epoch": 1, "valid_loss": 0.4, "valid_accuracy": 0.7},
        ...         {"epoch": 2, "valid_loss": 0.5, "valid_accuracy": 0.8}]
        >>> best_epoch(rows), best_epoch(rows, "loss")
        (2, 1)
    """
    if not history or history[-1]["valid_loss"] is None:
        return len(history)
    sign = -1 if watched in LOWER_IS_BETTER else 1
    best = max(history, key=lambda row: (sign * row[f"valid_{watched}"], -row["valid_loss"], -row["epoch"]))
    return int(best["epoch"])

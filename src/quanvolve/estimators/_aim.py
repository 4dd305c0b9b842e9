"""What a training is for: its loss, its targets, and the numbers of an epoch by which the best one is chosen."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

LOWER_IS_BETTER = ("loss",)
"""What may be watched that is better the lower it is; all else is better the higher it is."""


class Aim(Protocol):
    """What training has to know of a task; skorch and the epochs are the same for all.

    Attributes:
        dtype: of the targets as the loss takes them.
        names: the numbers of the validation data beside the loss; in the history they begin with "valid_".
        watched: that of them which chooses the best epoch, or "loss".
        fingerprint: what tells apart runs of other aims; empty for the aim that all runs had once.
    """

    dtype: torch.dtype
    names: tuple[str, ...]
    watched: str
    fingerprint: str

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss of a batch, a scalar."""

    def scores(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """The numbers of the validation data by their names.

        Args:
            outputs: of all validation samples, shape (n, ...), on the CPU.
            targets: theirs.
        """


class Classification:
    """Classes: cross-entropy, and the accuracy chooses the best epoch."""

    dtype = torch.int64
    names: tuple[str, ...] = ("accuracy",)
    watched = "accuracy"
    fingerprint = ""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean cross-entropy."""
        return cross_entropy(outputs, targets)

    def scores(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """The share of right answers."""
        return {"accuracy": int((outputs.argmax(dim=1) == targets).sum()) / len(targets)}


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

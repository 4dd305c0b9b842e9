"""What the training of a regressor is for: losses and scores of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from skorch import NeuralNetRegressor
from torch import Tensor
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from quanvolve.estimators._aim import scores_with
from quanvolve.estimators._losses import LossFunction, loss_function, loss_of_batch
from quanvolve.estimators._targets import Targets

Array = npt.NDArray[Any]

_FUNCTIONS: dict[str, Callable[..., Tensor]] = {"mse": mse_loss, "huber": huber_loss, "mae": l1_loss}
LOSSES = tuple(_FUNCTIONS)


def r2(truth: Array, predicted: Array, weights: Array | None = None) -> float:
    """The share of the variance that is explained, in the mean over the targets; 0 where there is none to explain.

    Args:
        truth: shape (n,) or (n, targets).
        predicted: as `truth`.
        weights: (n,) of the samples.

    Examples:
        >>> r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.0]))
        0.5
    """
    return float(r2_score(truth, predicted, sample_weight=weights)) if len(truth) > 1 else 0.0


def mae(truth: Array, predicted: Array, weights: Array | None = None) -> float:
    """The mean absolute error, in the mean over the targets; arguments as of :func:`r2`."""
    return float(mean_absolute_error(truth, predicted, sample_weight=weights))


def rmse(truth: Array, predicted: Array, weights: Array | None = None) -> float:
    """The root of the mean squared error, in the mean over the targets; arguments as of :func:`r2`."""
    return float(root_mean_squared_error(truth, predicted, sample_weight=weights))


SCORES = {"r2": r2, "mae": mae, "rmse": rmse}
"""What training can watch, beside the loss, and what a test reports."""


def regression_loss(loss: Any, *, weighted: bool, device: str) -> LossFunction:
    """From outputs and targets (n, targets) of a batch to its loss.

    Args:
        loss: as the user gave it, checked.
        weighted: whether samples have weights.
        device: where it computes.
    """
    if isinstance(loss, str):
        return partial(_FUNCTIONS[loss], reduction="none")
    return loss_function(loss, 0.0, weighted=weighted, device=device)


@dataclass(frozen=True, eq=False)
class Regression:
    """Numbers, from outputs that are scaled as the targets are.

    Args:
        function: the loss.
        targets: how they are scaled; scores are of the targets as they came.
        watched: chooses the best epoch.
        fingerprint: of the loss; see :class:`quanvolve.estimators._aim.Aim`.
    """

    function: LossFunction
    targets: Targets
    watched: str = "r2"
    fingerprint: str = ""
    net: type[Any] = field(default=NeuralNetRegressor, init=False)
    dtype: torch.dtype = field(default=torch.float32, init=False)

    @property
    def names(self) -> tuple[str, ...]:
        """R2, and what is watched."""
        return scores_with(self.watched, "r2")

    def check(self, targets: Array) -> None:
        """All that can be watched is a number of any samples."""

    def loss(self, outputs: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
        """The mean over the samples, each times its weight."""
        return loss_of_batch(self.function, outputs, targets, weights)

    def scores(self, outputs: Tensor, targets: Tensor, weights: Tensor | None) -> dict[str, float]:
        """In the unit of the targets."""
        truth, predicted = (self.targets.restored(part.double().numpy()) for part in (targets, outputs))
        if not np.isfinite(predicted).all():
            # Training ends with what it says of a loss that is no number.
            return dict.fromkeys(self.names, float("nan"))
        of_samples = None if weights is None else weights.numpy()
        return {name: SCORES[name](truth, predicted, of_samples) for name in self.names}

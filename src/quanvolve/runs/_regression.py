"""What a finished run of a regressor leaves beside its model: how far its numbers are from the true ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quanvolve.runs._score import answers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from quanvolve.data import Dataset

NUMBERS = ("r2", "mae", "rmse")
"""What is reported of them."""


def errors(truth: NDArray[Any], predicted: NDArray[Any]) -> dict[str, float]:
    """R2, mean absolute error and root of the mean squared error, in the mean over the targets.

    Args:
        truth: (n,) or (n, targets).
        predicted: the same shape.

    Examples:
        >>> import numpy as np
        >>> errors(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.0]))["r2"]
        0.5
    """
    from quanvolve.estimators import mae, r2, rmse  # loads scikit-learn

    return {name: score(truth, predicted) for name, score in zip(NUMBERS, (r2, mae, rmse), strict=True)}


def tested_numbers(model: Any, dataset: Dataset) -> dict[str, Any]:
    """What the test images give, as metrics.json has it.

    Args:
        model: the trained regressor.
        dataset: its data.
    """
    truth, predicted = dataset.test_labels, answers(model, dataset)
    found: dict[str, Any] = {f"test_{name}": value for name, value in errors(truth, predicted).items()}
    if truth.ndim == 2:
        columns = range(truth.shape[1])
        found["each_target"] = [errors(truth[:, column], predicted[:, column]) for column in columns]
    return {
        **found,
        "targets": model.n_outputs_,
        "target_range": [float(dataset.train_labels.min()), float(dataset.train_labels.max())],
    }

"""Weights of samples and of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import _check_sample_weight

from quanvolve._errors import QuanvolveError

Array = npt.NDArray[Any]

BALANCED = "balanced"

_LEAST_RATIO = 1e-30
"""Of two weights; in single precision less is 0 soon."""


def weighed(rows: Array, y: Array, sample_weight: Any) -> tuple[Array, Array, Array | None]:
    """Samples and their weights, checked; those whose weight is 0 are left out, as if they had not been given.

    Args:
        rows: samples (n, features).
        y: labels or targets (n, ...).
        sample_weight: as the user gave it; None if all are alike.

    Raises:
        ValueError: if there are not as many weights as samples, or they are negative, not finite, or all 0.
    """
    if sample_weight is None:
        return rows, y, None
    weights: Array = _check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
    if not weights.any():
        raise QuanvolveError("`sample_weight` is zero for all samples: give at least one a weight above zero")
    kept = weights > 0
    if (least := float(weights[kept].min())) < _LEAST_RATIO * (most := float(weights.max())):
        raise QuanvolveError(
            f"`sample_weight` has weights from {least:g} to {most:g}, beside which the former count for nothing: "
            "bring them closer together, or set these to 0"
        )
    return (rows, y, weights) if kept.all() else (rows[kept], y[kept], weights[kept])


def merged(rows: Array, targets: Array, weights: Array | None, batch_size: int) -> tuple[Array, Array, Array | None]:
    """Samples of which none is given twice, in an order of their own, where all of them make a single batch.

    There a weight of 2 is the same as giving a sample twice, bit by bit. Over several batches it is so in the mean
    only, and the samples stay as they are.

    Args:
        rows: samples (n, features).
        targets: theirs (n, ...).
        weights: theirs (n,), or None.
        batch_size: samples a step.

    Returns:
        The same; weights are 1 in the mean, and None if all are alike.
    """
    weights = relative(weights)
    if len(rows) > batch_size:
        return rows, targets, weights
    keys = [row.tobytes() + target.tobytes() for row, target in zip(rows, np.ascontiguousarray(targets), strict=True)]
    if weights is None and len(set(keys)) == len(keys):
        return rows, targets, None
    total: dict[bytes, float] = {}
    first: dict[bytes, int] = {}
    for number, key in enumerate(keys):
        total[key] = total.get(key, 0.0) + (1.0 if weights is None else float(weights[number]))
        first.setdefault(key, number)
    order = sorted(first)
    chosen = [first[key] for key in order]
    summed = np.array([total[key] for key in order])
    return rows[chosen], targets[chosen], relative(summed)


def relative(weights: Array | None) -> Array | None:
    """Weights that are 1 in the mean; None if all are alike."""
    if weights is None or (weights == weights[0]).all():
        return None
    shares: Array = weights / weights.mean()
    return shares


def check_class_weight(class_weight: Any) -> None:
    """Refuse what cannot be weights of classes.

    Raises:
        QuanvolveError: naming the parameter.
    """
    if class_weight is None or (isinstance(class_weight, str) and class_weight == BALANCED):
        return
    if not isinstance(class_weight, Mapping):
        raise QuanvolveError(
            f"`class_weight` (={class_weight!r}) must be 'balanced', a dict of labels and weights, or None"
        )
    for label, weight in class_weight.items():
        if not isinstance(weight, int | float | np.number) or not 0 <= weight < float("inf"):
            raise QuanvolveError(
                f"`class_weight` gives {label!r} the weight {weight!r}, expected a number of at least 0"
            )


def class_weights(class_weight: Any, classes: Array, numbers: Array, weights: Array | None) -> Array | None:
    """The weight of each class, such that it is 1 in the mean over the samples; None if all are alike.

    Args:
        class_weight: as the user gave it, checked; "balanced" gives all classes the same total.
        classes: the labels.
        numbers: of the samples' classes.
        weights: of the samples, or None.

    Raises:
        QuanvolveError: if a weight is for a label that there is not, or no sample has any.

    Examples:
        >>> class_weights("balanced", np.array(["cat", "dog"]), np.array([0, 0, 0, 1]), None)
        array([0.66666667, 2.        ])
    """
    if class_weight is None:
        return None
    totals = np.bincount(numbers, weights=weights, minlength=len(classes)).astype(np.float64)
    if isinstance(class_weight, str):
        each = np.divide(1.0, totals, out=np.zeros(len(classes)), where=totals > 0)
    else:
        known = {label: number for number, label in enumerate(classes.tolist())}
        unknown = [label for label in class_weight if label not in known]
        if unknown:
            raise QuanvolveError(
                f"`class_weight` has a weight for {unknown[0]!r}, but the labels are "
                f"{', '.join(map(repr, classes.tolist()[:12]))}"
            )
        each = np.ones(len(classes))
        for label, weight in class_weight.items():
            each[known[label]] = weight
    mean = float((each * totals).sum() / totals.sum())
    if mean == 0:
        raise QuanvolveError(f"`class_weight` (={class_weight!r}) gives every sample the weight 0")
    scaled: Array = each / mean
    return scaled

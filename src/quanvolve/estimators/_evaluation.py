"""What a test says of a classifier: its scores with intervals, all of them and class by class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import log_loss

from quanvolve.estimators._metrics import (
    accuracy,
    average_precision,
    balanced_accuracy,
    calibration_error,
    macro_f1,
    roc_auc,
)
from quanvolve.estimators._resampled import resampled

Array = npt.NDArray[Any]

_Z = 1.959963984540054
"""The normal distribution has 95 % of its mass within so many standard deviations."""
_RESAMPLES = 1000
_MOST_WORK = 4e7
_SAME = 1e-12


def evaluate_classes(truth: Array, probabilities: Array, names: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """Scores of a classifier on test samples, with 95 % intervals, ready for JSON.

    The interval of the accuracy, and those of precision and recall, are Wilson's; that of F1 is Wilson's of the share
    TP / (TP + FP + FN), of which F1 is a function. All others are percentiles of a bootstrap of the test samples: they
    say what other test samples would give, not what another training would. Where every resample gives the same, as for
    a model without an error, a bootstrap knows nothing, and there is no interval.

    Args:
        truth: numbers (n,) of the classes.
        probabilities: (n, classes).
        names: of the classes.
        seed: of the bootstrap.

    Returns:
        "metrics": by name `value` and `interval`, for accuracy, balanced_accuracy, f1 (of the classes, in the mean),
        roc_auc and average_precision (one class against the rest, in the mean over classes with samples; of two
        classes, the second), log_loss, brier (squared errors of the probabilities, summed over the classes; of two
        classes, half of it) and calibration_error (expected, of the most probable class, 15 bins); what there are no
        samples for is None. "per_class": for each class name, n, predicted, precision, recall, f1 and their intervals.
        "intervals": how the intervals were made.

    References:
        Wilson, "Probable inference" (1927). Guo et al., "On Calibration of Modern Neural Networks", arXiv:1706.04599
        (2017), equation 3.

    Examples:
        >>> import numpy as np
        >>> truth, probabilities = np.array([0, 1, 1, 0]), np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4], [0.8, 0.2]])
        >>> found = evaluate_classes(truth, probabilities, ["cat", "dog"])
        >>> found["metrics"]["accuracy"]
        {'value': 0.75, 'interval': [0.300642, 0.954413]}
        >>> found["per_class"][1]["recall"], found["metrics"]["roc_auc"]["value"]
        (0.5, 1.0)
    """
    n, k = probabilities.shape
    values = {
        "accuracy": accuracy(truth, probabilities),
        "balanced_accuracy": balanced_accuracy(truth, probabilities),
        "f1": macro_f1(truth, probabilities),
        "roc_auc": roc_auc(truth, probabilities),
        "average_precision": average_precision(truth, probabilities),
        "log_loss": float(log_loss(truth, probabilities, labels=np.arange(k))),
        "brier": _brier(truth, probabilities),
        "calibration_error": calibration_error(truth, probabilities),
    }
    resamples = int(np.clip(_MOST_WORK / (n * k), 100, _RESAMPLES))
    draws = resampled(truth, probabilities, resamples, seed)
    right = int((probabilities.argmax(axis=1) == truth).sum())
    metrics: dict[str, Any] = {"accuracy": {"value": values["accuracy"], "interval": wilson(right, n)}}
    for name, value in values.items():
        if name not in metrics:
            metrics[name] = {"value": value, "interval": None if value is None else _percentiles(draws[name])}
    return {
        "metrics": metrics,
        "per_class": _per_class(truth, probabilities.argmax(axis=1), names),
        "intervals": {
            "level": 0.95,
            "accuracy": "Wilson",
            "per_class": "Wilson",
            "others": f"percentiles of {resamples} bootstrap samples of the {n} test samples",
        },
    }


def wilson(count: int, total: int) -> list[float] | None:
    """The 95 % interval of a share; None of nothing.

    Examples:
        >>> wilson(9, 10)
        [0.59585, 0.982124]
    """
    if not total:
        return None
    share, z = count / total, _Z
    middle = share + z * z / (2 * total)
    reach = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    low, high = ((middle - reach) / (1 + z * z / total), (middle + reach) / (1 + z * z / total))
    return [round(max(0.0, low), 6), round(min(1.0, high), 6)]


def _percentiles(draws: Array) -> list[float] | None:
    """The middle 95 % of what resamples gave, as far as they gave something; None where all gave the same."""
    known = draws[np.isfinite(draws)]
    if not len(known) or np.ptp(known) < _SAME:
        return None
    return [round(float(bound), 6) for bound in np.percentile(known, [2.5, 97.5])]


def _brier(truth: Array, probabilities: Array) -> float:
    k = probabilities.shape[1]
    errors = probabilities - (truth[:, None] == np.arange(k))
    return float((errors**2).sum(axis=1).mean()) / (2 if k == 2 else 1)


def _per_class(truth: Array, answers: Array, names: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for number, name in enumerate(names):
        of_class, called = truth == number, answers == number
        hits, n, predicted = int((of_class & called).sum()), int(of_class.sum()), int(called.sum())
        either = n + predicted - hits
        jaccard = wilson(hits, either)
        rows.append(
            {
                "name": name, "n": n, "predicted": predicted,
                "precision": hits / predicted if predicted else None, "precision_interval": wilson(hits, predicted),
                "recall": hits / n if n else None, "recall_interval": wilson(hits, n),
                "f1": 2 * hits / (n + predicted) if either else None,
                "f1_interval": None if jaccard is None else [round(2 * share / (1 + share), 6) for share in jaccard],
            }
        )  # fmt: skip
    return rows

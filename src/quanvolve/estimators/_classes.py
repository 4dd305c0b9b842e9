"""Classes that cannot be learned or tested as one would think, said before the training."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from quanvolve._warn import warn_user

_SHOWN = 5


def warn_of_single_samples(
    classes: npt.NDArray[Any],
    numbers: npt.NDArray[Any],
    validation_fraction: float,
    weights: npt.NDArray[Any] | None = None,
) -> None:
    """Say which classes have one training sample, and what comes of it.

    Args:
        classes: the labels.
        numbers: of the samples' classes.
        validation_fraction: share of the samples that is set aside.
        weights: of the samples; one with a weight of 2 is as good as two.
    """
    single = np.bincount(numbers, minlength=len(classes)) == 1
    if weights is not None:
        single &= np.bincount(numbers, weights=weights, minlength=len(classes)) < 2
    single = classes[single]
    if not len(single):
        return
    singular = len(single) == 1
    text = (
        f"{len(single)} of {len(classes)} classes {'has' if singular else 'have'} a single training sample "
        f"({_list(single)})"
    )
    if round(validation_fraction * len(numbers)) >= 1:
        text += (
            ": the samples set aside for validation are drawn without regard to classes, and a class whose only sample "
            "is among them is not learned; give each class at least 2 samples, or `validation_fraction=0`"
        )
    else:
        text += ": what is learned of such a class is that sample; give each class at least 2"
    warn_user(text)


def warn_of_one_label_each(labels: npt.NDArray[Any]) -> None:
    """Say that rows of 0 and 1 are taken for several labels a sample where each has exactly one.

    Args:
        labels: 0 and 1, shape (n, labels).
    """
    if len(labels) > 1 and (labels.sum(axis=1) == 1).all():
        warn_user(
            f"y has the shape {labels.shape} and a single 1 in each row, which is taken for several labels a sample, "
            "each learned by itself: give `y.argmax(axis=1)` if they are classes of which a sample has one"
        )


def warn_of_unknown_labels(known: npt.NDArray[Any], tested: Any) -> None:
    """Say which labels are tested that the model does not know, and what comes of it.

    Args:
        known: the labels that it was trained on.
        tested: the labels of the test samples.

    Examples:
        >>> import numpy as np, warnings
        >>> with warnings.catch_warnings(record=True, action="always") as caught:
        ...     warn_of_unknown_labels(np.array([0, 1]), np.array([0, 1, 7]))
        >>> str(caught[0].message)[:63]
        '1 of 3 test samples have labels that no training sample has (7)'
    """
    labels, counts = np.unique(np.asarray(tested), return_counts=True)
    unknown = ~np.isin(labels, known)
    if not unknown.any():
        return
    total = int(counts[unknown].sum())
    warn_user(
        f"{total} of {int(counts.sum())} test samples have labels that no training sample has "
        f"({_list(labels[unknown])}): they are always counted as wrong; leave them out, or train on samples of them"
    )


def _list(labels: npt.NDArray[Any]) -> str:
    shown = ", ".join(repr(label) for label in labels[:_SHOWN].tolist())
    return shown + (f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else "")

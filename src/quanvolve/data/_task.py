"""What is to be learned of samples: a class of each, numbers, or which of several labels it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._dataset import CLASSIFICATION, MULTILABEL, REGRESSION, Dataset

AUTO = "auto"
TASKS = (AUTO, CLASSIFICATION, REGRESSION, MULTILABEL)


def task_of(labels: Sequence[NDArray[Any]]) -> str:
    """The task that labels speak for: numbers that are not whole are to be predicted, rows of 0 and 1 are several
    labels a sample, rows of other numbers several targets. All else are classes.

    Args:
        labels: arrays of all parts of a data set, (n,) or (n, k).

    Examples:
        >>> task_of([np.array([0.5, 2.0])]), task_of([np.array([1.0, 2.0])]), task_of([np.array([[0, 1], [1, 1]])])
        ('regression', 'classification', 'multilabel')
    """
    if all(part.ndim == 2 for part in labels):
        return MULTILABEL if all(bool(np.isin(part, (0, 1)).all()) for part in labels) else REGRESSION
    numbers = [as_numbers(part) for part in labels]
    if any(part is None or not np.isfinite(part).all() for part in numbers):
        return CLASSIFICATION
    whole = all(bool((part == np.round(part)).all()) for part in numbers if part is not None)
    return CLASSIFICATION if whole else REGRESSION


def as_numbers(labels: NDArray[Any]) -> NDArray[np.float64] | None:
    """Labels as numbers, also where they are texts of such; None where they are none."""
    if labels.dtype.kind not in "biufUS":
        return None
    try:
        return labels.astype(np.float64)
    except ValueError:
        return None


def for_task(labels: NDArray[Any], task: str, name: str) -> NDArray[Any]:
    """Labels as a task other than classification has them.

    Args:
        labels: (n,) or (n, k).
        task: "regression" or "multilabel".
        name: how messages name the labels.

    Raises:
        DataError: if they are not of that kind.
    """
    numbers = as_numbers(labels)
    if task == REGRESSION:
        if numbers is None or not np.isfinite(numbers).all():
            raise DataError(f"{name} must be finite numbers for regression: replace or leave out what is none")
        return numbers
    if labels.ndim != 2 or numbers is None or not np.isin(numbers, (0, 1)).all():
        raise DataError(
            f"{name} must be rows of 0 and 1 for multi-label classification, of the shape (n, labels), but has the "
            f"shape {labels.shape} and the type {labels.dtype}"
        )
    return numbers.astype(np.int64)


def with_task(data: Dataset, task: str) -> Dataset:
    """A data set for a task, its labels converted.

    Args:
        data: as its source gave it.
        task: one of :data:`TASKS`.

    Raises:
        DataError: if its labels are not for that task.

    Examples:
        >>> from quanvolve.data import load_digits
        >>> with_task(load_digits(), "regression")
        Dataset('digits': 1437 train + 360 test, 8x8 float32, 1 target)
    """
    labels = {
        name: getattr(data, name)
        for name in ("train_labels", "test_labels", "valid_labels")
        if getattr(data, name) is not None
    }
    wanted = task
    if task == AUTO:
        wanted = data.task if data.task != CLASSIFICATION else task_of(list(labels.values()))
    if wanted == data.task:
        return data
    if wanted == CLASSIFICATION:
        raise DataError(
            f"the labels of {data.name!r} are for {data.task}, not for classes, which are whole or text: say "
            f"`task={data.task!r}` or 'auto'",
            arguments=("task",),
        )
    converted: dict[str, Any] = {
        name: for_task(part, wanted, f"`{name}` of {data.name!r}") for name, part in labels.items()
    }
    return replace(data, **converted, class_names=(), task=wanted)

"""What differs between runs that learn classes, numbers, or several labels a sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from quanvolve.runs._files import CONFUSION, RESIDUALS

TaskName = Literal["classification", "multilabel", "regression"]
"""One class of several, any of several labels, or numbers."""

if TYPE_CHECKING:
    from quanvolve.runs._options import TrainOptions


@dataclass(frozen=True)
class Task:
    """What a run of a task is called and shows.

    Args:
        estimator: the name of the class that is trained.
        watched: the number of the validation data that chooses the best epoch.
        title: the same for people.
        picture: of what the test images gave, or None.
    """

    estimator: str
    watched: str
    title: str
    picture: str | None


TASKS = {
    "classification": Task("QuanvClassifier", "accuracy", "accuracy", CONFUSION),
    "multilabel": Task("QuanvClassifier", "accuracy", "accuracy", None),
    "regression": Task("QuanvRegressor", "r2", "R2", RESIDUALS),
}


def task_of(options: TrainOptions) -> Task:
    """The task of a run. Where it is left to the data, it is classification: a run of another task names it."""
    return TASKS.get(options.task, TASKS["classification"])


def task_of_row(row: Mapping[str, Any]) -> Task:
    """The task of a training, by a row of its history.

    Examples:
        >>> task_of_row({"epoch": 1, "valid_r2": 0.5}).title
        'R2'
    """
    return next((task for task in TASKS.values() if f"valid_{task.watched}" in row), TASKS["classification"])


def watched_in(settings: Any, task: Task) -> str:
    """The number of the validation data that chooses the best epoch.

    Args:
        settings: with `monitor` and, of a classifier, `class_weight`: an estimator, or the options of a run.
        task: what is learned.
    """
    from quanvolve.estimators import watched_of  # loads scikit-learn

    if task.watched == "accuracy":
        return watched_of(settings.monitor, settings.class_weight)
    return str(settings.monitor or task.watched)

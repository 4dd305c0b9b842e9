"""What the page about a finished run says of its test: facts and a picture, by what was learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quanvolve.runs._regression import NUMBERS
from quanvolve.runs._score import answers, said_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quanvolve.data import Dataset

Metrics = Mapping[str, Any]


@dataclass(frozen=True)
class Tested:
    """What a page shows of a test.

    Args:
        facts: names and texts, of metrics.json.
        title: of the picture.
        caption: what to see in it.
        draw: makes it, of the model, its data and metrics.json.
    """

    facts: Callable[[Metrics], list[tuple[str, str]]]
    title: str
    caption: str
    draw: Callable[[Any, Dataset, Metrics], Figure]


def _facts_of_classes(metrics: Metrics) -> list[tuple[str, str]]:
    return [("test accuracy", f"{metrics['test_accuracy']:.4f}"), *said_of(dict(metrics))]


def _facts_of_numbers(metrics: Metrics) -> list[tuple[str, str]]:
    facts = [(f"test {name.upper()}", f"{metrics[f'test_{name}']:.4g}") for name in NUMBERS]
    each = metrics.get("each_target") or []
    return facts + [(f"R2 of target {number + 1}", f"{one['r2']:.4g}") for number, one in enumerate(each[:_MOST])]


def _facts_of_labels(metrics: Metrics) -> list[tuple[str, str]]:
    names = {
        "test_average_precision": "mean average precision",
        "test_f1_macro": "macro F1",
        "test_f1_micro": "micro F1",
        "test_hamming_loss": "Hamming loss",
        "test_subset_accuracy": "all labels right",
    }
    return [(words, f"{metrics[name]:.4f}") for name, words in names.items() if metrics.get(name) is not None]


def _confusion(model: Any, data: Dataset, metrics: Metrics) -> Figure:
    from quanvolve.figures import confusion_figure  # loads torch

    return confusion_figure(metrics["confusion"], metrics["classes"], metrics["test_accuracy"])


def _residuals(model: Any, data: Dataset, metrics: Metrics) -> Figure:
    from quanvolve.figures import residuals_figure  # loads torch

    return residuals_figure(data.test_labels, answers(model, data))


def _labels(model: Any, data: Dataset, metrics: Metrics) -> Figure:
    from quanvolve.figures import labels_figure  # loads torch

    return labels_figure({name: (one["f1"], one["n"]) for name, one in metrics["each_label"].items()})


_MOST = 12
"""Targets that are named one by one."""
EXPLAINED = {
    "classification": Tested(
        _facts_of_classes, "Confusion", "Which classes are taken for which, on the test images.", _confusion
    ),
    "regression": Tested(
        _facts_of_numbers,
        "Residuals",
        "Predictions against the true numbers of the test images, and what is left of the difference; the band is the "
        "root of the mean squared error.",
        _residuals,
    ),
    "multilabel": Tested(_facts_of_labels, "Labels", "How well each label is found, on the test images.", _labels),
}
"""By the task of the data."""

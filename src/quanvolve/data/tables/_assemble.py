"""From values and labels to a data set: labels of one kind, and the parts for training, validation and test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve._lines import one_line
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import CLASSIFICATION, MULTILABEL, REGRESSION, Dataset
from quanvolve.data._split import set_aside
from quanvolve.data._task import AUTO, for_task, task_of
from quanvolve.data._text import plural
from quanvolve.data.tables._names import listed
from quanvolve.data.tables._pictures import Items

PARTS = {
    "train": "train", "training": "train", "valid": "valid", "validation": "valid", "val": "valid", "dev": "valid",
    "publictest": "valid", "test": "test", "testing": "test", "privatetest": "test",
}  # fmt: skip
"""Names of parts in use, in small letters."""


class Labelled(NamedTuple):
    """Items with their labels, not yet split.

    Args:
        items: The values.
        labels: One each, as it was given.
        where: Names item i in messages.
        source: Names all of them.
        parts: The part that each belongs to ("train", "valid", "test"), or None.
        class_names: The names of the classes 0, 1, ..., where they come with the data.
    """

    items: Items
    labels: Iterable[Any]
    where: Callable[[int], str]
    source: str
    parts: Sequence[str] | None = None
    class_names: tuple[str, ...] = ()


def assemble(name: str, labelled: Labelled, asked: Asked) -> Dataset:
    """The data set; what has no test set gives a share of each class to one.

    Raises:
        DataError: Labels that are missing or no classes; too few items.
    """
    items = labelled.items
    labels, task = as_labels(labelled.labels, labelled.where, asked.task)
    notes = list(items.notes)
    parts = None if labelled.parts is None else np.asarray(labelled.parts)
    names = labelled.class_names if labels.dtype.kind == "i" and task == CLASSIFICATION else ()
    if names:
        labels, parts, items = _without_unlabelled(labels, parts, items, labelled, notes)
        wrong = np.flatnonzero((labels < 0) | (labels >= len(names)))
        if len(wrong):
            raise DataError(
                f"{labelled.where(int(wrong[0]))} has the label {labels[wrong[0]]}, expected 0 to {len(names) - 1}, as "
                f"there are {plural(len(names), 'name')} of classes: leave out what has no label"
            )
    if len(labels) < 2:
        raise DataError(
            f"{labelled.source} holds {plural(len(labels), 'item')}, expected at least 2: one to train with "
            "and one to test with"
        )
    # Numbers, and rows of labels, are drawn as if all were of one class.
    groups = labels if task == CLASSIFICATION else np.zeros(len(labels), np.int64)
    train, valid, test = _split(groups, parts, asked, labelled.source, notes, task)
    if not names and task == CLASSIFICATION:
        names = tuple(str(label) for label in np.unique(labels))
    return Dataset(
        name,
        items.values[train],
        labels[train],
        items.values[test],
        labels[test],
        names,
        items.dims,
        items.values[valid] if valid.any() else None,
        labels[valid] if valid.any() else None,
        items.preparation,
        tuple(notes),
        task,
    )


def as_labels(
    cells: Iterable[Any], where: Callable[[int], str], task: str = CLASSIFICATION
) -> tuple[NDArray[Any], str]:
    """Labels, and what they are for.

    Args:
        cells: as they were given.
        where: names one in messages.
        task: what they are for, or "auto".

    Returns:
        For classes int64 where all are whole numbers, in digits or not, and else text; for the other tasks numbers,
        (n,) or (n, k).

    Args:
        cells: one each, as they were given.
        where: names item i in messages.
        source: names all of them.
        numbers: take numbers that are not whole, as float64: they are to be predicted.

    Raises:
        DataError: One that is missing, or that is not for the task.

    Examples:
        >>> as_labels(["2", "1.0"], str)
        (array([2, 1]), 'classification')
        >>> as_labels(["cat", "7"], str)
        (array(['cat', '7'], dtype='<U3'), 'classification')
        >>> as_labels([0.5, 2], str, "auto")
        (array([0.5, 2. ]), 'regression')
    """
    given = [_plain(cell) for cell in cells]
    if task != CLASSIFICATION and given and all(_is_row(cell) for cell in given):
        return _rows(given, where, task)
    for row, label in enumerate(given):
        if _is_row(label):
            raise DataError(
                f"{where(row)} has the label {one_line(repr(label))[:60]} ({type(label).__name__}), expected a whole "
                "number or text: say `task='multilabel'` or 'regression' where all have several",
                arguments=("task",),
            )
        if label is None or label != label or (isinstance(label, str) and not label.strip()):
            raise DataError(f"{where(row)} has no label: fill it in, or leave it out")
        if not isinstance(label, str | int | float):
            raise DataError(
                f"{where(row)} has the label {one_line(repr(label))[:60]} ({type(label).__name__}), expected a whole "
                "number or text"
            )
    texts = [str(label).strip() for label in given]
    numbers = _numbers(texts) if not any(isinstance(label, bool) for label in given) else None
    if task in (REGRESSION, MULTILABEL):
        return for_task(np.array(texts) if numbers is None else numbers, task, "the labels"), task
    if numbers is None:
        classes = (
            np.array(given, dtype=np.int64) if all(isinstance(label, bool) for label in given) else np.array(texts)
        )
        return classes, CLASSIFICATION
    if task == AUTO and task_of([numbers]) == REGRESSION:
        return numbers, REGRESSION
    broken = np.flatnonzero(~np.isfinite(numbers) | (numbers != np.round(numbers)))
    if len(broken):
        raise DataError(
            f"{where(int(broken[0]))} has the label {texts[int(broken[0])]}, expected classes as whole numbers or "
            "text: make classes of these numbers, or say `task='regression'` where they are to be predicted",
            arguments=("task",),
        )
    return numbers.astype(np.int64), CLASSIFICATION


def _is_row(cell: Any) -> bool:
    """Whether a label is several numbers: an array, a list or a tensor."""
    return isinstance(cell, list | tuple) or (hasattr(cell, "shape") and len(cell.shape) == 1)


def _rows(given: list[Any], where: Callable[[int], str], task: str) -> tuple[NDArray[Any], str]:
    """Several numbers an item: targets, or 0 and 1 for each of several labels."""
    rows = [np.asarray(cell) for cell in given]
    for number, row in enumerate(rows):
        if row.shape != rows[0].shape or row.dtype.kind not in "biuf":
            raise DataError(
                f"{where(number)} has the label {one_line(repr(given[number]))[:60]}, expected as many numbers as the "
                f"first has ({rows[0].size}): make all equal"
            )
    labels = np.stack(rows)
    task = task_of([labels]) if task == AUTO else task
    return for_task(labels, task, "the labels"), task


def _plain(cell: Any) -> Any:
    """The value of an array or tensor that holds one, bytes as text, anything else as it is."""
    if hasattr(cell, "item") and getattr(cell, "shape", (0,)) in ((), (1,)):
        cell = cell.item()
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    # pandas has a missing value of its own, which is equal to nothing and has no truth.
    return None if type(cell).__name__ in ("NAType", "NaTType") else cell


def _numbers(texts: list[str]) -> NDArray[np.float64] | None:
    if any("_" in text for text in texts):
        return None
    try:
        return np.array([float(text) for text in texts])
    except ValueError:
        return None


def _without_unlabelled(
    labels: NDArray[Any], parts: NDArray[Any] | None, items: Items, labelled: Labelled, notes: list[str]
) -> tuple[NDArray[Any], NDArray[Any] | None, Items]:
    """All but parts whose labels are all -1, as those of public competitions are."""
    if parts is None:
        return labels, parts, items
    keep = np.ones(len(labels), dtype=bool)
    for part in np.unique(parts).tolist():
        if (labels[parts == part] == -1).all():
            keep &= parts != part
            notes.append(f"the part {part!r} has no labels (-1 everywhere) and is left out")
    if keep.all():
        return labels, parts, items
    return labels[keep], parts[keep], items._replace(values=items.values[keep])


def _split(
    labels: NDArray[Any], parts: NDArray[Any] | None, asked: Asked, source: str, notes: list[str], task: str
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows are for training, validation and test; `whole` is what the test set is a share of, in words."""
    none = np.zeros(len(labels), dtype=bool)
    if parts is None:
        train, valid, test = ~none, none, none
    else:
        train, valid, test = (parts == part for part in ("train", "valid", "test"))
        if not train.any():
            raise DataError(f"{source} has no part for training, only {listed(sorted(set(parts.tolist())))}")
    if not test.any() and valid.any():
        notes.append("there is no test set: the validation set is taken for it")
        return train, none, valid
    if not test.any():
        if int(train.sum()) < 2:
            raise DataError(f"{source} holds 1 item to train with and none to test with, expected at least 2")
        test = set_aside(labels, asked.seed, asked.test_fraction)
        train = ~test
        of = "of each class" if task == CLASSIFICATION else "of all"
        notes.append(f"there is no test set: {asked.test_fraction:.0%} {of} are taken for it (seed {asked.seed})")
    return train, valid, test

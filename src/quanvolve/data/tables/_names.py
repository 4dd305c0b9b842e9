"""What the names of a table's columns say: which holds the labels, the split, the series and the time."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import NamedTuple

from quanvolve._errors import DataError
from quanvolve._lines import one_line

LABELS = ("label", "labels", "class", "target", "targets", "category")
LESS_LIKELY = ("y", "class_name", "class_id", "species", "breed", "diagnosis", "emotion")
"""Hold the labels where no column has one of the names above."""
SPLITS = ("split", "subset", "partition", "usage")
SERIES = (
    "id", "series", "series_id", "sequence", "sequence_id", "case", "case_id", "sample_id", "item_id", "unique_id",
)  # fmt: skip
TIMES = ("time", "timestamp", "t", "step", "time_step", "timestep", "ds", "date", "datetime")
INDICES = ("", "unnamed: 0", "index", "row_id", "image_id", "imageid", "__index_level_0__")

_SHOWN = 12


class Roles(NamedTuple):
    """The columns that are no features; None for those that there are not."""

    label: str | None = None
    split: str | None = None
    series: str | None = None
    time: str | None = None
    row: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """Those that there are."""
        return frozenset(name for name in self if name is not None)


def find_roles(names: Sequence[str], label: str | None, source: str, classes: Sequence[str] = ()) -> Roles:
    """Which column is what, by its name.

    Args:
        names: Of all columns.
        label: The column of the labels where a person named it.
        source: How messages name the table.
        classes: Columns whose type says that they hold classes.

    Raises:
        DataError: A label column that is not there, or several that may be it.

    Examples:
        >>> find_roles(["id", "time", "value", "y"], None, "'a.csv'")
        Roles(label='y', split=None, series='id', time='time', row=None)
    """
    found = _find_label(names, label, source, classes)
    rest = [name for name in names if name != found]
    series = _first(rest, SERIES)
    return Roles(
        found,
        _first(rest, SPLITS),
        series,
        None if series is None else _first(rest, TIMES),
        _first(rest, INDICES),
    )


def _find_label(names: Sequence[str], label: str | None, source: str, classes: Sequence[str]) -> str | None:
    if label is not None:
        same = [name for name in names if name == label] or [name for name in names if name.lower() == label.lower()]
        if not same:
            near = difflib.get_close_matches(label, names)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise DataError(f"{source} has no column {label!r}: {hint}Its columns: {listed(names)}")
        return same[0]
    likely = list(classes) or [name for name in names if name.lower() in LABELS]
    likely = likely or [name for name in names if name.lower() in LESS_LIKELY]
    if len(likely) > 1:
        raise DataError(
            f"{source} has several columns that may hold the labels: {listed(likely)}; say which with "
            f"`label={likely[0]!r}`",
            arguments=("label",),
        )
    return likely[0] if likely else None


def no_label(names: Sequence[str], source: str) -> DataError:
    """What is said of a table whose labels were not found."""
    return DataError(
        f"{source} has no column for the labels ({', '.join((*LABELS, *LESS_LIKELY[:-1]))} or {LESS_LIKELY[-1]}); its "
        f"columns: {listed(names)}. Say which it is with `label`",
        arguments=("label",),
    )


def _first(names: Sequence[str], known: Sequence[str]) -> str | None:
    return next((name for name in names if name.lower() in known), None)


def listed(names: Sequence[str]) -> str:
    """Names for a message; of many the first and the last.

    Examples:
        >>> listed([f"pixel{k}" for k in range(784)])
        'pixel0, pixel1, pixel2, pixel3, ... pixel783 (784 of them)'
    """
    names = [name or "(without a name)" for name in names]
    if len(names) <= _SHOWN:
        return one_line(", ".join(names)) or "none"
    return one_line(f"{', '.join(names[:4])}, ... {names[-1]} ({len(names)} of them)")

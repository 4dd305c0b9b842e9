"""Time series in long form: a row for each moment of each series."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._text import plural
from quanvolve.data.tables._names import listed
from quanvolve.data.tables._table import Cells, Table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Long(NamedTuple):
    """Series (n, channels, length), and the first row of each."""

    values: NDArray[Any]
    rows: NDArray[np.int64]
    note: str


def long_series(table: Table) -> Long | None:
    """The series of a table that has their names and a time in each row; None of one that names no series twice.

    Raises:
        DataError: Series of unequal length; a moment that comes twice or cannot be read; labels that change within a
            series.
    """
    series, time = table.roles.series, table.roles.time
    if series is None or time is None:
        return None
    ids = [str(cell) for cell in table.others[series]]
    names = list(dict.fromkeys(ids))
    if len(names) == len(ids):
        return None
    number = {name: k for k, name in enumerate(names)}
    of_series = np.array([number[name] for name in ids])
    times = _times(table.others[time], table, time)
    order = np.lexsort((times, of_series))
    counts = np.bincount(of_series)
    if counts.min() < counts.max():
        short, long = int(counts.argmin()), int(counts.argmax())
        raise DataError(
            f"{table.source} has {plural(int(counts[short]), 'row')} of the series {names[short]!r} and "
            f"{counts[long]} of {names[long]!r} (column {series!r}): series must be equally long; cut or fill them"
        )
    length = int(counts[0])
    moments = times[order].reshape(len(names), length)
    twice = np.argwhere(moments[:, 1:] == moments[:, :-1])
    if len(twice):
        row = int(order.reshape(moments.shape)[twice[0][0], twice[0][1] + 1])
        raise DataError(
            f"{table.where(row)} has a time (column {time!r}) that the series {ids[row]!r} has in another row, too: "
            "give each moment once"
        )
    _require_constant(table, order.reshape(moments.shape), names)
    values = np.moveaxis(table.numbers[order].reshape(len(names), length, -1), 2, 1)
    note = (
        f"{len(names)} series of {plural(length, 'value')} in long form, by `{series}` in the order of `{time}`; "
        f"channels: {listed(table.number_names)}"
    )
    if not (moments == moments[0]).all():
        note += "; their times differ, and only the order of the values is kept"
    return Long(np.ascontiguousarray(values), order.reshape(moments.shape)[:, 0], note)


def _require_constant(table: Table, rows: NDArray[np.int64], names: list[str]) -> None:
    for column in (table.roles.label, table.roles.split):
        if column is None:
            continue
        cells = list(table.others[column])
        for name, own in zip(names, rows.tolist(), strict=True):
            other = next((row for row in own if cells[row] != cells[own[0]]), None)
            if other is not None:
                raise DataError(
                    f"{table.where(other)} says {cells[other]!r} in the column {column!r}, but an earlier row of the "
                    f"series {name!r} says {cells[own[0]]!r}: a series has one"
                )


def _times(cells: Cells, table: Table, column: str) -> NDArray[Any]:
    """Moments that can be ordered: numbers, or dates in ISO 8601."""
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "uifM":
        missing = np.flatnonzero(np.isnat(cells) if cells.dtype.kind == "M" else ~np.isfinite(cells))
        if len(missing):
            raise DataError(f"{table.where(int(missing[0]))} has no time (column {column!r}): fill it in")
        return cells
    moments = []
    for row, cell in enumerate(cells):
        try:
            moments.append(_moment(cell))
        except (TypeError, ValueError, OverflowError):
            raise DataError(
                f"{table.where(row)} has {str(cell)!r} in the column {column!r}, expected a time as a number or as in "
                "2026-11-28 or 2026-11-28T10:30:00: write it so"
            ) from None
    return _times(np.array(moments), table, column)


def _moment(cell: Any) -> float:
    """Seconds, or the number itself."""
    if not hasattr(cell, "isoformat"):
        try:
            return float(cell)
        except ValueError:
            pass
    moment = datetime.fromisoformat(cell.isoformat() if hasattr(cell, "isoformat") else cell)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH).total_seconds()

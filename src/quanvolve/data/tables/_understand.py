"""From a table to what it means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data.tables._assemble import PARTS, Labelled, assemble
from quanvolve.data.tables._long import long_series
from quanvolve.data.tables._names import listed, no_label
from quanvolve.data.tables._number_columns import shaped
from quanvolve.data.tables._number_rows import is_number_row, number_rows
from quanvolve.data.tables._pictures import Collector, Items, is_item, resized
from quanvolve.data.tables._table import Table
from quanvolve.data.tables._unnamed import with_label

_PICTURES = ("image", "img", "picture", "path", "file", "filename", "file_name", "filepath")


def dataset_of(table: Table, asked: Asked, parts: list[str] | None = None) -> Dataset:
    """The data set that a table holds.

    Args:
        table: Its columns.
        asked: How they are to be read.
        parts: To which part each row belongs, where the table does not say so itself.

    Raises:
        DataError: Labels that are not found, numbers that are missing, columns that make no images.
    """
    table = with_label(table)
    label, split = table.roles.label, table.roles.split
    if label is None:
        raise no_label(table.names, table.source)
    notes = [*table.notes, f"labels: the column {label!r}"]
    if parts is None and split is not None:
        parts = _parts(table, split, notes)
    labels: Any = table.others[label]
    where = table.where
    long = long_series(table) if asked.columns in ("auto", "series") else None
    if long is not None:
        _require_numbers(table)
        rows = long.rows.tolist()
        items = Items(long.values, 1, None, (long.note,))
        cells = list(labels)
        labels, parts = [cells[row] for row in rows], None if parts is None else [parts[row] for row in rows]
        where = _where_of(table, rows)
        used = {*table.number_names, table.roles.series, table.roles.time}
    else:
        items, used = _items(table, asked)
        series = table.roles.series
        if series is not None and len(set(map(str, table.others[series]))) < len(table):
            notes.append(
                f"the column {series!r} names rows more than once: a column `time` beside it would make series"
            )
    left_out = [name for name in table.names if name not in used | {label, split}]
    if left_out:
        notes.append(f"left out: {listed(left_out)}")
    items = items._replace(notes=(*notes, *items.notes))
    return assemble(
        table.name, Labelled(items, labels, where, table.source, parts, table.class_names.get(label, ())), asked
    )


def values_of(table: Table, asked: Asked) -> NDArray[Any]:
    """What is learned from, (n, ...), of a table whose labels do not matter.

    Raises:
        DataError: as :func:`dataset_of`.
    """
    long = long_series(table) if asked.columns in ("auto", "series") else None
    if long is None:
        return _items(table, asked)[0].values
    _require_numbers(table)
    return long.values


def _where_of(table: Table, rows: list[int]) -> Any:
    return lambda i: table.where(rows[i])


def _items(table: Table, asked: Asked) -> tuple[Items, set[str | None]]:
    """What is learned from, and the columns that it is in."""
    held = [name for name in table.others if name not in table.roles.names and _holds_items(table, name)]
    named = [name for name in held if name.lower() in _PICTURES]
    chosen = held if len(held) == 1 else named
    if len(chosen) == 1:
        collector = Collector(asked, table.folder)
        for row, cell in enumerate(table.others[chosen[0]]):
            collector.add(cell, f"{table.where(row)}, column {chosen[0]!r}")
        return collector.items(f"the column {chosen[0]!r} of {table.source}"), {chosen[0]}
    if held:
        raise DataError(
            f"{table.source} has several columns of pictures or arrays ({listed(held)}): leave all but one out"
        )
    written = [name for name in table.others if name not in table.roles.names and _holds_number_rows(table, name)]
    if len(written) > 1:
        raise DataError(
            f"{table.source} has several columns of texts with many numbers each ({listed(written)}): leave all but "
            "one out"
        )
    if written:
        rows = number_rows(table, written[0])
        count = rows.shape[1]
        values, dims, notes = shaped(rows, [f"pixel{k}" for k in range(count)], asked, table.source)
        held_by = (
            f"each cell of the column {written[0]!r} holds {count} numbers, called pixel0 to pixel{count - 1} here"
        )
        return _resized(values, dims, asked, table, (held_by, *notes)), {written[0]}
    table, empty = _without_empty(table)
    if not table.number_names:
        raise DataError(
            f"{table.source} has no column of numbers or pictures beside the labels; its columns: {listed(table.names)}"
        )
    _require_numbers(table)
    values, dims, notes = shaped(table.numbers, table.number_names, asked, table.source)
    told = tuple(f"the column {name!r} is empty" for name in empty)
    return _resized(values, dims, asked, table, (*told, *notes)), set(table.number_names)


def _resized(values: NDArray[Any], dims: int, asked: Asked, table: Table, notes: tuple[str, ...]) -> Items:
    return resized(values, asked, table.source, notes) if dims == 2 else Items(values, dims, None, notes)


def _holds_items(table: Table, name: str) -> bool:
    cells = table.others[name]
    return any(is_item(cell) for cell in _first(cells))


def _holds_number_rows(table: Table, name: str) -> bool:
    return any(is_number_row(cell) for cell in _first(table.others[name]))


def _first(cells: Any) -> list[Any]:
    return next(([cell] for cell in cells if cell is not None), [])


def _parts(table: Table, split: str, notes: list[str]) -> list[str] | None:
    given = [str(cell).strip() for cell in table.others[split]]
    unknown = [name for name in dict.fromkeys(given) if name.lower() not in PARTS]
    if unknown:
        notes.append(f"the column {split!r} names no parts for training and test ({listed(unknown)})")
        return None
    notes.append(f"parts for training and test: the column {split!r}")
    return [PARTS[name.lower()] for name in given]


def _without_empty(table: Table) -> tuple[Table, list[str]]:
    """The table without columns of numbers in which no row has one."""
    empty = np.isnan(table.numbers).all(axis=0) if table.numbers.dtype.kind == "f" else np.zeros(0, dtype=bool)
    if not empty.any():
        return table, []
    names = [name for name, none in zip(table.number_names, empty, strict=True) if none]
    kept = tuple(name for name in table.number_names if name not in names)
    return replace(table, numbers=table.numbers[:, ~empty], number_names=kept), names


def _require_numbers(table: Table) -> None:
    """Refuse missing and infinite numbers."""
    numbers: NDArray[Any] = table.numbers
    if numbers.dtype.kind != "f":
        return
    bad = ~np.isfinite(numbers)
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        state = "no number" if np.isnan(numbers[row, column]) else "an infinite number"
        count = int(bad.sum())
        more = f" (and {count - 1} more)" if count > 1 else ""
        raise DataError(
            f"{table.where(row)} has {state} in the column {table.number_names[column]!r}{more}: fill such in, or "
            "leave out the rows or the column"
        )

"""Tables from frames of pandas, polars and pyarrow."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data.tables._names import find_roles
from quanvolve.data.tables._table import Cells, Table


def is_frame(data: Any) -> bool:
    """Whether data are a frame of pandas or polars, or a table of pyarrow; no library is imported to tell."""
    return any(
        library is not None and isinstance(data, getattr(library, kind, ()))
        for library, kind in (
            (sys.modules.get("pandas"), "DataFrame"),
            (sys.modules.get("polars"), "DataFrame"),
            (sys.modules.get("pyarrow"), "Table"),
        )
    )


def from_frame(
    frame: Any,
    asked: Asked,
    *,
    name: str = "frame",
    source: str | None = None,
    folder: Path | None = None,
    class_names: Mapping[str, tuple[str, ...]] | None = None,
) -> Table:
    """The table that a frame holds; rows are counted from 0.

    Raises:
        DataError: No row, columns of the same name, or labels that are not found where they were said to be.
    """
    source = source or f"the {type(frame).__module__.partition('.')[0]} {type(frame).__name__}"
    return from_columns(frame_columns(frame, source), asked, name, source, folder, class_names)


def frame_columns(frame: Any, source: str) -> dict[str, Cells]:
    """The columns of a frame by their names, as text.

    Raises:
        DataError: No row, or columns of the same name.
    """
    raw = list(frame.column_names if hasattr(frame, "column_names") else frame.columns)
    names = [str(column) for column in raw]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{source} has several columns {twice!r}: give each a name of its own")
    if not len(frame):
        raise DataError(f"{source} has no row: nothing can be learned from it")
    return {name: _column(frame[place]) for name, place in zip(names, raw, strict=True)}


def from_columns(
    columns: Mapping[str, Cells],
    asked: Asked,
    name: str,
    source: str,
    folder: Path | None = None,
    class_names: Mapping[str, tuple[str, ...]] | None = None,
) -> Table:
    """The table of columns, of which those that are arrays of numbers are such."""
    names = tuple(columns)
    classes = class_names or {}
    roles = find_roles(names, asked.label, source, tuple(classes))
    numbers = {
        column: cells
        for column, cells in columns.items()
        if column not in roles.names and isinstance(cells, np.ndarray) and cells.dtype.kind in "buif"
    }
    n_rows = len(next(iter(columns.values())))
    return Table(
        name,
        source,
        names,
        roles,
        np.stack([_counted(cells) for cells in numbers.values()], axis=1) if numbers else np.empty((n_rows, 0)),
        tuple(numbers),
        {column: cells for column, cells in columns.items() if column not in numbers},
        lambda i: f"row {i} of {source}",
        classes,
        folder,
    )


def _counted(cells: NDArray[Any]) -> NDArray[Any]:
    """Truth values as 0 and 1."""
    return cells.astype(np.float32) if cells.dtype == np.bool_ else cells


def _column(series: Any) -> Cells:
    """An array of numbers or times, with NaN and NaT for what is missing; else a list."""
    library = type(series).__module__.partition(".")[0]
    values: NDArray[Any] | Sequence[Any]
    if library == "pandas":
        kind = getattr(series.dtype, "kind", "O")
        if kind in "buif":
            return _as_numbers(
                series.to_numpy(dtype=np.float64, na_value=np.nan) if series.hasnans else series.to_numpy()
            )
        values = series.to_numpy() if kind == "M" and getattr(series.dtype, "tz", None) is None else series.tolist()
    elif library == "polars":
        values = series.to_numpy() if series.dtype.is_numeric() or series.dtype.is_temporal() else series.to_list()
        if str(series.dtype) == "Boolean":
            values = series.cast(sys.modules["polars"].Float64).to_numpy() if series.null_count() else series.to_numpy()
    else:
        pyarrow = sys.modules["pyarrow"]
        kinds = pyarrow.types
        plain = kinds.is_integer(series.type) or kinds.is_floating(series.type) or kinds.is_temporal(series.type)
        if kinds.is_boolean(series.type) and series.null_count:
            series, plain = series.cast(pyarrow.int8()), True
        values = series.to_numpy() if plain or kinds.is_boolean(series.type) else series.to_pylist()
    return _as_numbers(values) if isinstance(values, np.ndarray) else values


def _as_numbers(values: NDArray[Any]) -> Cells:
    """Arrays as they are; objects, such as dates of Python, as a list."""
    return values.tolist() if values.dtype == object else values

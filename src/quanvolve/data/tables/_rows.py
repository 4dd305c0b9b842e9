"""Rows of a table of text to predict from: without labels, or with labels that do not count."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from quanvolve._errors import DataError
from quanvolve.data._images import ImageInput
from quanvolve.data._text import quoted
from quanvolve.data.tables._csv import (
    checked_number,
    column_names,
    holds_numbers,
    names_columns,
    records_of,
    require_length,
)
from quanvolve.data.tables._names import find_roles


def read_rows(path: Path, width: int) -> list[ImageInput]:
    """Read the rows of a table (`.csv`, `.tsv`) as images, series or features of a model.

    Columns of labels, splits and numbers of rows do not count, nor do columns of text, as when such a table is learned
    from. The others are taken in their order.

    Args:
        path: the file, with names of columns or without.
        width: numbers that the model takes.

    Returns:
        One input a row, its pixels (width,).

    Raises:
        DataError: a file that is missing or damaged, or has another number of columns, text or gaps among its numbers.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "new.csv")
        ...     _ = path.write_text("width,height,kind\\n1,2,cat\\n3,4.5,dog\\n")
        ...     [row.pixels.tolist() for row in read_rows(path, 2)]
        [[1.0, 2.0], [3.0, 4.5]]
    """
    source = quoted(path)
    with records_of(path) as (records, _):
        rows = list(records)
    # A single row 1, 2, 3 would pass for names.
    numbers_alone = len(rows) == 1 and all(holds_numbers(iter([cell])) for cell in rows[0].cells)
    named = bool(rows) and not numbers_alone and names_columns(rows)
    body = rows[1:] if named else rows
    if not body:
        raise DataError(f"{source} has no row of values, expected rows of {width} numbers")
    names = column_names(rows[0].cells, source) if named else [f"column {k + 1}" for k in range(len(rows[0].cells))]
    for record in body:
        require_length(record, names, source)
    columns = list(range(len(names)))
    if named:
        roles = find_roles(names, None, source).names
        columns = [k for k in columns if names[k] not in roles]
    if len(columns) != width:
        columns = [k for k in columns if holds_numbers(record.cells[k] for record in body)]
    if len(columns) != width:
        raise DataError(f"{source} has {len(columns)} column(s) of numbers, but the model takes {width}: give it these")
    inputs = []
    for k, record in enumerate(body):
        values = np.array([checked_number(record.cells[c], record.row, names[c], source) for c in columns])
        if not np.isfinite(values).all():
            gap = names[columns[int(np.flatnonzero(~np.isfinite(values))[0])]]
            raise DataError(f"row {record.row} of {source} has no number in the column {gap!r}: fill it in")
        inputs.append(ImageInput(f"{path}[{k}]", values))
    return inputs

"""Rows of a table of text to predict from: without labels, or with labels that do not count."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
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

_LOOKED_AT = 200  # rows from which the kinds of the columns are told


def read_rows(path: Path, width: int) -> Iterator[ImageInput]:
    """Read the rows of a table (`.csv`, `.tsv`) as images, series or features of a model.

    Columns of labels, splits and numbers of rows do not count, nor do columns of text, as when such a table is learned
    from. The others are taken in their order.

    Args:
        path: the file, with names of columns or without.
        width: numbers that the model takes.

    Yields:
        One input a row, its pixels (width,); the file is read as far as they are asked for.

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
        head = list(islice(records, _LOOKED_AT))
        # A single row 1, 2, 3 would pass for names.
        numbers_alone = len(head) == 1 and all(holds_numbers(iter([cell])) for cell in head[0].cells)
        named = bool(head) and not numbers_alone and names_columns(head)
        body = head[1:] if named else head
        if not body:
            raise DataError(f"{source} has no row of values, expected rows of {width} numbers")
        names = column_names(head[0].cells, source) if named else [f"column {k + 1}" for k in range(len(head[0].cells))]
        for record in body:
            require_length(record, names, source)
        columns = list(range(len(names)))
        if named:
            roles = find_roles(names, None, source).names
            columns = [k for k in columns if names[k] not in roles]
        if len(columns) != width:
            columns = [k for k in columns if holds_numbers(record.cells[k] for record in body)]
        if len(columns) != width:
            raise DataError(
                f"{source} has {len(columns)} column(s) of numbers, but the model takes {width}: give it these"
            )
        for number, record in enumerate(chain(body, records)):
            require_length(record, names, source)
            values = np.array([checked_number(record.cells[k], record.row, names[k], source) for k in columns])
            if not np.isfinite(values).all():
                gap = names[columns[int(np.flatnonzero(~np.isfinite(values))[0])]]
                raise DataError(f"row {record.row} of {source} has no number in the column {gap!r}: fill it in")
            yield ImageInput(f"{path}[{number}]", values)

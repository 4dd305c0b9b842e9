"""Columns of text whose cells hold many numbers each, such as the pixels of FER2013 ("70 80 82 ...")."""

from __future__ import annotations

import re
from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve._lines import one_line
from quanvolve.data.tables._table import Table

_LOOKS = re.compile(r"\[?\s*(?:[+-]?\d+(?:\.\d*)?(?:[\s,;]+|\s*\]?$)){4,}")
_BETWEEN = str.maketrans(",;[]", "    ")
_KNOWN = 4096
"""Pixels are the same few numbers again and again; of others no more are kept."""


def is_number_row(cell: Any) -> bool:
    """Whether a text is four numbers or more, with spaces, commas or semicolons between them.

    Examples:
        >>> is_number_row("70 80 82 72"), is_number_row("[0.5, 1, 2, 3]"), is_number_row("call 1 2 3 4")
        (True, True, False)
    """
    # The start of a long text tells.
    return isinstance(cell, str) and _LOOKS.match(cell[:200]) is not None


def number_rows(table: Table, column: str) -> NDArray[Any]:
    """The numbers in the cells of a column, (rows, numbers).

    Raises:
        DataError: a cell with something else than numbers, or with another count than the first.
    """
    known: dict[str, float] = {}
    rows: list[NDArray[Any]] = []
    for row, cell in enumerate(table.others[column]):
        where = f"{table.where(row)}, column {column!r}"
        numbers = _numbers(cell, known, where)
        if rows and len(numbers) != len(rows[0]):
            raise DataError(
                f"{where} holds {len(numbers)} numbers, but {table.where(0)} {len(rows[0])}: give each as many"
            )
        rows.append(numbers)
    matrix = np.stack(rows)
    if matrix.dtype == np.uint8 and matrix.max() <= 127:
        matrix = matrix.astype(np.float64)  # nothing says that 255 is white
    return matrix


def _numbers(cell: Any, known: dict[str, float], where: str) -> NDArray[Any]:
    """The numbers of a cell, as uint8 where they are whole and no larger: a table has many rows."""
    texts = str("" if cell is None else cell).translate(_BETWEEN).split()
    values = array("d")
    for text in texts:
        number = known.get(text)
        if number is None:
            try:
                number = float(text)
            except ValueError:
                raise DataError(
                    f"{where} holds {one_line(text)[:40]!r} among its numbers, expected numbers alone: correct it"
                ) from None
            if len(known) < _KNOWN:
                known[text] = number
        values.append(number)
    numbers = np.frombuffer(values, dtype=np.float64) if values else np.empty(0)
    if len(numbers) and numbers.min() >= 0 and numbers.max() <= 255:
        whole = numbers.astype(np.uint8)
        if np.array_equal(whole, numbers):
            return whole
    return numbers

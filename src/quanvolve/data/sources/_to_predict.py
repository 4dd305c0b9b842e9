"""Tables whose rows are to be predicted: read as those for training, with or without a column of labels."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._images import ImageInput
from quanvolve.data._text import plural, quoted
from quanvolve.data.sources._csv import Csv
from quanvolve.data.sources._parquet import Parquet
from quanvolve.data.tables import Table, listed, values_of, with_label

_SOURCES = (Csv(), Parquet())


def is_table(path: str | os.PathLike[str]) -> bool:
    """Whether :func:`read_table` reads a file, by its ending."""
    return any(source.takes(Path(path)) for source in _SOURCES)


def read_table(path: str | os.PathLike[str], shape: tuple[int, ...], asked: Asked | None = None) -> list[ImageInput]:
    """The rows of a `.csv`, `.tsv` or `.parquet` file, to be predicted.

    Args:
        path: the file; it may have labels, which are passed over; without names of columns, if there is one more
            column than the model takes, and only one can hold labels.
        shape: of what the model takes, (C, H, W), (C, L) for series; (1, 1, n) for features.
        asked: how the table of the training was read; None where that is not known, and the shape tells.

    Returns:
        The values of each row, of that shape, as float64.

    Raises:
        DataError: a file that is missing or damaged, or has another number of values in a row.

    Examples:
        >>> import tempfile
        >>> from quanvolve.data import read_table
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "own.csv").write_text("a,b,kind\\n1,2,cat\\n3,4,dog\\n")
        ...     rows = read_table(f"{folder}/own.csv", (1, 1, 2))
        >>> [row.pixels.tolist() for row in rows]
        [[[[1.0, 2.0]]], [[[3.0, 4.0]]]]
    """
    file = Path(path)
    asked = _by_shape(shape) if asked is None else replace(asked, task="classification")
    table = _table(file, asked)
    if not table.named and len(table.names) == math.prod(shape) + 1:
        table = with_label(table)
    values = values_of(table, asked)
    forms = (shape, shape[1:] if shape[0] == 1 else shape, (math.prod(shape),) if shape[1] == 1 else shape)
    if values.shape[1:] not in forms:
        held, wanted = math.prod(values.shape[1:]), math.prod(shape)
        size = "x".join(map(str, values.shape[1:]))
        lacks = np.isnan(table.numbers).all(axis=0)
        empty = [name for name, without in zip(table.number_names, lacks, strict=True) if without]
        left_out = f", and {listed(empty)} without a value" if empty else ""
        raise DataError(
            f"{quoted(file)} holds {plural(held, 'value')} in a row ({size}), but the model takes {wanted} "
            f"({'x'.join(map(str, shape))}){left_out}: give the columns of its training, and no others"
        )
    rows = values.reshape(-1, *shape).astype(np.float64)
    return [ImageInput(f"{file}[{k}]", row) for k, row in enumerate(rows)]


def _by_shape(shape: tuple[int, ...]) -> Asked:
    if len(shape) == 2:
        return Asked(columns="series")
    return Asked(columns="features") if shape[1] == 1 else Asked(columns="pixels", image_size=(shape[1], shape[2]))


def _table(path: Path, asked: Asked) -> Table:
    source = next(source for source in _SOURCES if source.takes(path))
    if asked.label is not None:
        # What is to be predicted need not have the labels.
        with suppress(DataError):
            return source.tables(path, asked)["train"]
    return source.tables(path, replace(asked, label=None))["train"]

"""The labels in a table whose columns have no names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quanvolve._errors import DataError
from quanvolve.data.tables._names import listed
from quanvolve.data.tables._table import Table


def with_label(table: Table) -> Table:
    """The table with the one column that can hold labels in that role, if its columns have no names and none has it.

    It is the only one of text; or the first or the last, if one of them alone has whole numbers, of which there are
    at least two and on average each comes twice.

    Raises:
        DataError: No such column, or two of them.
    """
    if table.named or table.roles.label is not None:
        return table
    numbers = table.numbers
    likely = list(table.others) or [
        table.number_names[k] for k in dict.fromkeys((0, numbers.shape[1] - 1)) if _may_be_labels(numbers[:, k])
    ]
    if len(likely) != 1:
        may = f"{listed(likely)} may all hold the labels" if likely else "none can be told to hold the labels"
        raise DataError(
            f"{table.source} has no names of columns, and of its {len(table.names)} columns {may}: say which with "
            "`label`, such as `label='column 1'`",
            arguments=("label",),
        )
    label, others = likely[0], dict(table.others)
    if label in table.number_names:
        place = table.number_names.index(label)
        others[label] = [repr(value) for value in numbers[:, place].tolist()]
        numbers = np.delete(numbers, place, axis=1)
    return replace(
        table,
        roles=table.roles._replace(label=label),
        numbers=numbers,
        number_names=tuple(name for name in table.number_names if name != label),
        others=others,
        notes=(*table.notes, f"labels: {label}, which alone can hold them"),
    )


def _may_be_labels(column: np.ndarray) -> bool:
    return bool(np.all(column == np.round(column))) and 2 <= len(np.unique(column)) <= max(2, len(column) // 2)

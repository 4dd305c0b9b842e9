"""`Table`: what a file or a frame holds, before it is known what it means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data.tables._names import Roles, listed


class Cells(Protocol):
    """The cells of a column, which may be read from a disk one by one."""

    def __iter__(self) -> Iterator[Any]: ...

    def __len__(self) -> int: ...


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of numbers and others.

    Args:
        name: Of the data set.
        source: How messages name the table.
        names: Of all columns, in their order.
        roles: Which of them are no features.
        numbers: The columns of numbers that have no role, (n, columns); NaN where one is missing.
        number_names: Their names.
        others: Every other column by its name.
        where: Names row i in messages.
        class_names: The names of the classes, for columns of class numbers.
        folder: What paths in the table begin at.
        notes: What was understood so far.
        named: False if the columns have no names of their own, so that none can be the labels by its name.
    """

    name: str
    source: str
    names: tuple[str, ...]
    roles: Roles
    numbers: NDArray[Any]
    number_names: tuple[str, ...]
    others: Mapping[str, Cells]
    where: Callable[[int], str]
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    folder: Path | None = None
    notes: tuple[str, ...] = ()
    named: bool = True

    def __len__(self) -> int:
        return len(self.numbers)


class Chained:
    """Columns one after the other, none of which is read."""

    def __init__(self, parts: Sequence[Cells]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self._parts)

    def __len__(self) -> int:
        return sum(map(len, self._parts))


def joined(tables: Sequence[Table]) -> Table:
    """Tables with the same columns, one below the other.

    Raises:
        DataError: Columns that differ.
    """
    first = tables[0]
    for other in tables[1:]:
        for some, rest in ((first, other), (other, first)):
            lacking = [name for name in some.names if name not in rest.names]
            if lacking:
                raise DataError(
                    f"{rest.source} has no column {listed(lacking)}, which {some.source} has: give both the same"
                )
        texts = [name for name in first.names if (name in first.others) != (name in other.others)]
        if texts:
            raise DataError(
                f"the column {texts[0]!r} holds numbers in only one of {first.source} and {other.source}: make both "
                "equal"
            )
    starts = np.cumsum([0, *map(len, tables)])

    def where(row: int) -> str:
        part = int(np.searchsorted(starts, row, side="right")) - 1
        return tables[part].where(row - int(starts[part]))

    # The order of columns may differ between the tables.
    numbers = [first.numbers]
    for other in tables[1:]:
        place = {name: k for k, name in enumerate(other.number_names)}
        numbers.append(other.numbers[:, [place[name] for name in first.number_names]])
    notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
    return Table(
        first.name,
        f"{first.source} and {tables[-1].source}",
        first.names,
        first.roles,
        np.concatenate(numbers),
        first.number_names,
        {name: Chained([table.others[name] for table in tables]) for name in first.others},
        where,
        first.class_names,
        first.folder,
        notes,
        first.named,
    )

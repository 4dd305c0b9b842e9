"""What all sources of tables share."""

from __future__ import annotations

from typing import Any, Protocol

from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data.tables import Table, dataset_of, joined


class Tabular(Protocol):
    """A source of tables."""

    kind: str

    def takes(self, data: Any) -> bool:
        """As for every source."""

    def tables(self, data: Any, asked: Asked) -> dict[str, Table]:
        """The tables by the part that each is; a single one has yet to be split."""

    def load(self, data: Any, asked: Asked) -> Dataset:
        """As for every source."""


def loaded(tables: dict[str, Table], asked: Asked) -> Dataset:
    """The data set of tables by their part."""
    if len(tables) == 1:
        return dataset_of(next(iter(tables.values())), asked)
    parts = [part for part, table in tables.items() for _ in range(len(table))]
    return dataset_of(joined(list(tables.values())), asked, parts)

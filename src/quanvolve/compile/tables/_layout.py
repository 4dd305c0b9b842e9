"""How the circuits of a layer make up its output channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

Rows = TypeVar("Rows")


class Block(NamedTuple):
    """Rows that run the same circuit.

    Args:
        circuit: its number among the layer's.
        rows: of the weights.
        groups, filters, channels: where these rows are in the order (groups, filters, channels).
        shape: how many of each.
    """

    circuit: int
    rows: slice
    groups: slice
    filters: slice
    channels: slice
    shape: tuple[int, int, int]


class Layout(NamedTuple):
    """The rows of a layer's weights, and the outputs that are kept.

    Row (g * filters + f) * channels + c runs on channel c of group g, and is summed into filter f of that group.

    Args:
        groups: as in `nn.Conv2d`.
        filters: filters of each group.
        channels: circuits that each filter sums over.
        outputs: output channels of each group; the last filter may measure more than these.
    """

    groups: int
    filters: int
    channels: int
    outputs: int

    @property
    def rows(self) -> int:
        """How many circuits run on each window, all groups together."""
        return self.groups * self.filters * self.channels

    @property
    def shape(self) -> tuple[int, int, int]:
        """Groups, filters, channels."""
        return self.groups, self.filters, self.channels

    def place(self, row: int) -> tuple[int, int, int]:
        """The group, filter and channel of a row.

        Examples:
            >>> Layout(groups=2, filters=3, channels=2, outputs=12).place(7)
            (1, 0, 1)
        """
        group, rest = divmod(row, self.filters * self.channels)
        return group, *divmod(rest, self.channels)

    def blocks(self, circuits: int) -> list[Block]:
        """All rows as one block where they share a circuit, else each row as a block, in order.

        Args:
            circuits: how many there are: one, or one for each row.
        """
        if circuits == 1:
            every = slice(None)
            return [Block(0, every, every, every, every, self.shape)]
        blocks = []
        for row in range(self.rows):
            group, filter_, channel = self.place(row)
            blocks.append(Block(row, _only(row), _only(group), _only(filter_), _only(channel), (1, 1, 1)))
        return blocks


def _only(place: int) -> slice:
    return slice(place, place + 1)


def some_rows(values: Rows, rows: slice) -> Rows:
    """These rows of an array or tensor; one row stands for all where there are no weights.

    Examples:
        >>> import numpy as np
        >>> some_rows(np.arange(3), slice(1, 2)).tolist(), some_rows(np.array([7]), slice(1, 2)).tolist()
        ([1], [7])
    """
    chosen: Rows = values if len(values) == 1 else values[rows]  # type: ignore[arg-type, index]
    return chosen


def of_row(circuits: Sequence[Rows], row: int) -> Rows:
    """What a row has of things of which there is one for all rows, or one for each."""
    return circuits[0] if len(circuits) == 1 else circuits[row]

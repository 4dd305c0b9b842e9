"""Trees of blocks as tables: what each block reads of the level before, and where its numbers stand.

    out[i] = sum_{a, b, ...} T[i, a, b, ...] u[a] v[b] ...,      u[0] = v[0] = ... = 1

u, v, ... are what a block's inputs are known by: the functions of an encoded qubit, or the expectation values of the
Pauli words of the qubits that an earlier block has kept. Inputs of a block are independent of each other, as blocks
share no input, which is why this is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quanvolve.compile.tables._handle import Tables

Integers = npt.NDArray[np.int64]


class TreeLevel(NamedTuple):
    """The blocks of one level.

    Args:
        sizes: for each input of a block how many numbers it is known by, the constant 1 among them.
        rows: for each block and input the first of the rows of the level before that it reads, shape (blocks, inputs);
            constants have no row.
        outputs: rows that each block makes.
        shared: whether all blocks have the same numbers.
    """

    sizes: tuple[int, ...]
    rows: Integers
    outputs: int
    shared: bool

    @property
    def features(self) -> int:
        """Products of one number of each input."""
        return prod(self.sizes)

    @property
    def maps(self) -> int:
        """Blocks that have numbers of their own."""
        return 1 if self.shared else len(self.rows)

    @property
    def numbers(self) -> int:
        """Of all blocks: T[block, i, a, b, ...], the last input fastest."""
        return self.maps * self.outputs * self.features


class TreeTables(Tables):
    """Trees of the same form.

    Args:
        trees: how many.
        levels: from the leaves to the root.
    """

    def __init__(self, trees: int, levels: Sequence[TreeLevel]) -> None:
        self.trees, self.levels = trees, tuple(levels)
        self.numbers = sum(level.numbers for level in levels)
        self.products = trees * sum(len(level.rows) * level.outputs * level.features for level in levels)

    @classmethod
    def of_levels(cls, trees: int, levels: Sequence[TreeLevel]) -> TreeTables:
        """Tables that are shared with whoever has the same."""
        what_for = (trees, [(level.sizes, level.rows.tolist(), level.outputs, level.shared) for level in levels])
        return cls.shared(what_for, lambda: cls(trees, levels))

    @property
    def rows(self) -> int:
        """That the last level makes."""
        return len(self.levels[-1].rows) * self.levels[-1].outputs


def gathered(size: Sequence[int], window: Sequence[int]) -> Integers:
    """Which places a window covers, in the order of their numbers: shape (windows, places in a window).

    Args:
        size: places along each axis, multiples of the window.
        window: places along each axis.

    Examples:
        >>> gathered((2, 4), (2, 2)).tolist()
        [[0, 1, 4, 5], [2, 3, 6, 7]]
    """
    numbers = np.arange(prod(size))
    shape = [n for side, extent in zip(size, window, strict=True) for n in (side // extent, extent)]
    split = numbers.reshape(shape)
    axes = [*range(0, 2 * len(size), 2), *range(1, 2 * len(size), 2)]
    return split.transpose(axes).reshape(-1, prod(window)).astype(np.int64)

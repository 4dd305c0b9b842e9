"""Trees of blocks as tables: what each block reads of the level before, and where its numbers stand.

    out[i] = sum_{a, b, ...} T[i, a, b, ...] u[a] v[b] ...,      u[0] = v[0] = ... = 1

u, v, ... are what a block's inputs are known by: the functions of an encoded qubit, or the expectation values of the
Pauli words of the qubits that an earlier block has kept. Inputs of a block are independent of each other, as blocks
share no input, which is why this is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
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


class Climb(NamedTuple):
    """All levels as arrays; those named `starts` have for each level where it begins, and at last where all end.

    Args:
        blocks, inputs, outputs, maps: of each level, as :class:`TreeLevel` has them.
        alike: 3 or 4 for levels whose blocks have two inputs known by so many numbers, and three outputs; 0 for others.
        splits: how many leading inputs are multiplied out before the others; their products weight the others' sums.
        sizes, size_starts: of all inputs.
        rows, row_starts: that each block and input reads, counted from the first row of all.
        numbers: where each level's numbers start.
        states: the first row that each level reads, then the first that the last level makes, and one past its last.
        room: the most products of leading inputs and of the others, and words times the former, of levels not alike.
    """

    blocks: Integers
    inputs: Integers
    outputs: Integers
    maps: Integers
    alike: Integers
    splits: Integers
    sizes: Integers
    size_starts: Integers
    rows: Integers
    row_starts: Integers
    numbers: Integers
    states: Integers
    room: Integers


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
    def leaves(self) -> int:
        """Rows that the first level reads."""
        first = self.levels[0]
        return len(first.rows) * (sum(first.sizes) - len(first.sizes))

    @property
    def rows(self) -> int:
        """That the last level makes."""
        return len(self.levels[-1].rows) * self.levels[-1].outputs

    @cached_property
    def climb(self) -> Climb:
        """What the kernels take."""
        levels = self.levels
        states = _starts([self.leaves, *(len(level.rows) * level.outputs for level in levels)])
        return Climb(
            np.array([len(level.rows) for level in levels], np.int64),
            np.array([len(level.sizes) for level in levels], np.int64),
            np.array([level.outputs for level in levels], np.int64),
            np.array([level.maps for level in levels], np.int64),
            np.array([_alike(level) for level in levels], np.int64),
            np.array([_split(level.sizes) for level in levels], np.int64),
            np.concatenate([np.array(level.sizes, np.int64) for level in levels]),
            _starts([len(level.sizes) for level in levels]),
            np.concatenate([level.rows.reshape(-1) + start for level, start in zip(levels, states, strict=False)]),
            _starts([level.rows.size for level in levels]),
            _starts([level.numbers for level in levels]),
            states,
            np.array([_room(level) for level in levels], np.int64).max(0),
        )


def _starts(lengths: list[int]) -> Integers:
    return np.concatenate([[0], np.cumsum(np.array(lengths, np.int64))]).astype(np.int64)


def _alike(level: TreeLevel) -> int:
    return level.sizes[0] if level.sizes in ((3, 3), (4, 4)) and level.outputs == 3 else 0


def _room(level: TreeLevel) -> tuple[int, int, int]:
    if _alike(level):
        return 0, 0, 0
    split = _split(level.sizes)
    left = prod(level.sizes[:split])
    return left, prod(level.sizes[split:]), level.outputs * left


def _split(sizes: tuple[int, ...]) -> int:
    """Where to cut the inputs such that both sides have few products."""
    return min(range(len(sizes)), key=lambda k: prod(sizes[:k]) + prod(sizes[k:]))


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

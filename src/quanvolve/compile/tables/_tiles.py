"""Which coefficients register tiles multiply: four outputs at a time, and of the features only those that one needs.

    out[o] = sum_a left[a] * sum_b coefficients[o, a, b] right[b]

Of strongly entangling layers on four qubits, 37 of 81 features occur in an output, and other filters need the same ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Pattern = npt.NDArray[np.bool_]

ROWS = 4
"""Outputs of a tile, and the entries that begin together."""


class Tiles(NamedTuple):
    """Entries of all tiles; the entries of one tile and one leading product are a run, which begins at a multiple of
    four and is filled up with entries whose coefficient is zero.

    Args:
        outputs: of each tile, shape (tiles, 4); -1 for none.
        starts, counts: of each run, shape (tiles, leading products).
        right: the trailing product of each entry.
        all_starts, all_counts, all_right: the same for what any output needs, shape (1, leading products).
    """

    outputs: Integers
    starts: Integers
    counts: Integers
    right: Integers
    all_starts: Integers
    all_counts: Integers
    all_right: Integers


def make_tiles(needed: Pattern, left: int, right: int) -> Tiles:
    """Tiles of outputs that need the same, as far as there are such.

    Args:
        needed: shape (outputs, features).
        left, right: leading and trailing products, of which every pair is a feature.

    Examples:
        >>> needed = np.array([[True, False, True, True], [True, True, False, False]])
        >>> tiles = make_tiles(needed, 2, 2)
        >>> tiles.outputs.tolist(), tiles.counts.tolist(), tiles.right.tolist()
        ([[1, 0, -1, -1]], [[2, 2]], [0, 1, 0, 0, 0, 1, 0, 0])
    """
    order = sorted(range(len(needed)), key=lambda output: (int(needed[output].sum()), needed[output].tobytes(), output))
    tiles = [order[first : first + ROWS] for first in range(0, len(order), ROWS)]
    outputs = np.array([tile + [-1] * (ROWS - len(tile)) for tile in tiles], np.int64)
    pairs = needed.reshape(len(needed), left, right)
    return Tiles(outputs, *_entries([pairs[tile].any(0) for tile in tiles]), *_entries([pairs.any(0)]))


def _entries(patterns: list[Pattern]) -> tuple[Integers, Integers, Integers]:
    starts, counts, entries = [], [], list[int]()
    for pattern in patterns:
        for row in pattern:
            some = np.flatnonzero(row).tolist()
            starts.append(len(entries))
            counts.append(len(some))
            entries += some + [0] * (-len(some) % ROWS)
    shape = len(patterns), len(patterns[0])
    return (
        np.array(starts, np.int64).reshape(shape), np.array(counts, np.int64).reshape(shape),
        np.array(entries, np.int64),
    )  # fmt: skip

"""Trees of blocks on all images; the formula stands in `tables._tree`."""

from __future__ import annotations

from torch import Tensor

from quanvolve.compile.ops._operator import Operator
from quanvolve.compile.reference._tree import climb
from quanvolve.compile.tables._tree import TreeTables


def _shape(tables: TreeTables, leaves: Tensor, maps: Tensor) -> tuple[int, ...]:
    return tables.trees, tables.rows, leaves.shape[1]


tree = Operator("tree", TreeTables, ("leaves", "maps"), _shape, climb)
"""Leaves (rows, images) and the numbers of all blocks (trees, numbers) to (trees, rows of the last level, images)."""

"""Images to what trees read of them; the formula stands in `tables._leaves`."""

from __future__ import annotations

from torch import Tensor

from quanvolve.compile.ops._operator import Operator
from quanvolve.compile.reference._leaves import read_leaves
from quanvolve.compile.tables._leaves import LeafTables


def _shape(tables: LeafTables, images: Tensor) -> tuple[int, ...]:
    return len(tables.pixels), images.shape[0]


leaves = Operator("leaves", LeafTables, ("images",), _shape, read_leaves)
"""Images (N, channels, *size) to leaves (rows, N)."""

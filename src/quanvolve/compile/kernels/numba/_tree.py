"""Trees of blocks on all images."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.compile.kernels.numba import _climb
from quanvolve.compile.kernels.numba._launch import launch, threads
from quanvolve.compile.kernels.numba._memory import Spare, Sum, array
from quanvolve.compile.kernels.numba._tile import VECTOR_BYTES
from quanvolve.compile.tables._tree import TreeTables

_LIGHT = 100_000
"""Products that are worth another thread."""
_GROUPS, _PIECES = 8, 4
"""Parts that gradients are added up in: by trees, and where there are few of these by images."""
_VECTORS = 8
"""The most vectors of images that climb together: the more they are, the fewer sums there are across a vector."""
_ROOM = 4 * 2**20
"""Bytes that their states may take."""


class Tree:
    """The kernel of `ops.tree`."""

    def supports(self, tables: TreeTables, leaves: Tensor, maps: Tensor) -> bool:
        """Numbers of one type, and a batch that is not known to be empty."""
        empty = isinstance(leaves.shape[1], int) and not leaves.shape[1]
        return leaves.dtype == maps.dtype and not empty

    def forward(self, tables: TreeTables, leaves: Tensor, maps: Tensor) -> Tensor:
        """Shape (trees, rows of the last level, images)."""
        images, climb = leaves.shape[1], tables.climb
        tile = _tile(tables, maps)
        out = torch.empty((tables.trees, tables.rows, images), dtype=maps.dtype)
        parts = self._parts(tables, images, tables.trees * -(-images // tile))
        with _spare.array((parts, tile * (int(climb.states[-1]) + int(climb.room.sum()))), maps.dtype) as room:
            launch(
                _climb.forward, parts, array(leaves), array(maps), climb, tile, room,
                array(out),
            )  # fmt: skip
        return out

    def backward(
        self, tables: TreeTables, grad: Tensor, leaves: Tensor, maps: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Gradients by leaves and maps."""
        images, climb = leaves.shape[1], tables.climb
        tile = _tile(tables, maps)
        groups = min(tables.trees, _GROUPS)
        pieces = max(1, min(-(-images // tile), _PIECES // groups))
        d_maps = Sum(pieces, tuple(maps.shape), maps.dtype)
        d_leaves = Sum(groups if wanted[0] else 0, tuple(leaves.shape), maps.dtype)
        parts = self._parts(tables, images, groups * pieces)
        with _spare.array((parts, 2 * tile * (int(climb.states[-1]) + int(climb.room.sum()))), maps.dtype) as room:
            launch(
                _climb.backward, parts, array(leaves), array(maps), climb, tile, room, groups,
                pieces, array(grad), d_maps.parts, d_leaves.parts,
            )  # fmt: skip
        return d_leaves.total() if wanted[0] else None, d_maps.total() if wanted[1] else None

    @staticmethod
    def _parts(tables: TreeTables, images: int, tasks: int) -> int:
        return min(tasks, threads()) if tables.products * images > _LIGHT else 1


def _tile(tables: TreeTables, maps: Tensor) -> int:
    """Images that climb together."""
    fitting = _ROOM // (int(tables.climb.states[-1]) * VECTOR_BYTES)
    return max(1, min(_VECTORS, fitting)) * VECTOR_BYTES // maps.element_size()


_spare = Spare()
kernel = Tree()

"""Trees of blocks in plain torch; the formula stands in `tables._tree`."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.compile.batch._constants import constant
from quanvolve.compile.tables._tree import TreeLevel, TreeTables


def climb(tables: TreeTables, leaves: Tensor, maps: Tensor) -> Tensor:
    """What all trees have kept of all images.

    Args:
        tables: of the trees.
        leaves: what the first level reads, shape (rows, images).
        maps: the numbers of all blocks, level by level, shape (trees, numbers).

    Returns:
        Tensor of shape (trees, rows of the last level, images).
    """
    state = leaves.unsqueeze(0)
    first = 0
    for level in tables.levels:
        last = first + level.numbers
        shape = (tables.trees, level.maps, level.outputs, *level.sizes)
        state = one_level(level, state, maps[:, first:last].reshape(shape))
        first = last
    return state


def one_level(level: TreeLevel, state: Tensor, numbers: Tensor) -> Tensor:
    """All blocks of a level: shape (trees, blocks x outputs, images)."""
    value = numbers.unsqueeze(-1)
    for position in reversed(range(len(level.sizes))):
        size = level.sizes[position]
        first_rows = constant(level.rows[:, position, None], state.device)
        rows = first_rows + torch.arange(size - 1, device=state.device)
        known = torch.unflatten(state.index_select(1, rows.flatten()), 1, (len(level.rows), size - 1))
        known = torch.cat([known.new_ones(*known.shape[:2], 1, known.shape[3]), known], dim=2)
        if value.shape[-1] == 1:  # all inputs are still to come: the images enter by one product of matrices
            matrix = value.squeeze(-1).flatten(2, -2)
            value = torch.matmul(matrix, known).unflatten(2, (level.outputs, *level.sizes[:position]))
        else:
            between = (1,) * position
            value = (value * known.reshape(*known.shape[:2], *between, 1, *known.shape[2:])).sum(-2)
    return value.flatten(1, 2)

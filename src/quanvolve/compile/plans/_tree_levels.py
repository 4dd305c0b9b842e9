"""What the levels of a tree have kept on the way, for those who look into it: plain torch, differentiable."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import prod

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile.plans._tree import TreePlan
from quanvolve.compile.reference._tree import one_level


def tree_maps(plan: TreePlan, maps: Tensor) -> list[Tensor]:
    """The numbers of each level, shape (trees, blocks or 1, outputs, *numbers that each input is known by)."""
    ends = np.cumsum([0, *(level.numbers for level in plan.tables.levels)]).tolist()
    return [
        maps[:, first:last].reshape(plan.trees, level.maps, level.outputs, *level.sizes)
        for level, (first, last) in zip(plan.tables.levels, pairwise(ends), strict=True)
    ]


def tree_states(plan: TreePlan, maps: Tensor, angles: Tensor) -> list[Tensor]:
    """The expectation values of all Pauli words that the blocks of each level keep.

    Args:
        plan: of the tree.
        maps: from ``plan.compile``.
        angles: shape (N, channels, *size), of the size that the first level reads.

    Returns:
        For each level a tensor of shape (trees, blocks, words, N), the blocks row by row.
    """
    leaves = plan.leaves(angles, 1.0, ((0, 0),) * (angles.dim() - 2), maps.dtype)
    return list(_climbed(plan, maps, leaves.unsqueeze(0), 0))


def tree_onward(plan: TreePlan, maps: Tensor, state: Tensor, number: int) -> Tensor:
    """What the last level keeps, from what level `number` has kept; shapes as those of :func:`tree_states`."""
    if number == len(plan.steps) - 1:
        return state
    return list(_climbed(plan, maps, state.flatten(1, 2), number + 1))[-1]


def _climbed(plan: TreePlan, maps: Tensor, state: Tensor, first: int) -> Iterator[Tensor]:
    for level, step, numbers in list(zip(plan.tables.levels, plan.steps, tree_maps(plan, maps), strict=True))[first:]:
        state = one_level(level, state, numbers)
        yield torch.unflatten(state, 1, (prod(step.places), level.outputs))

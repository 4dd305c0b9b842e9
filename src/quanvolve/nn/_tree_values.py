"""A coherent tree as a pure function: images and the numbers of its blocks in, measured values out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from quanvolve.compile import TreePlan, wide
from quanvolve.nn._tree_shape import TreeShape


@dataclass(unsafe_hash=True)  # and not frozen, which dynamo cannot take
class TreeStatic:
    """What a tree computes beside its tensors: `torch.compile` takes it as one constant, compared by value."""

    plan: TreePlan
    shape: TreeShape


def tree_values(static: TreeStatic, maps: Tensor, images: Tensor, scale: Tensor | float) -> Tensor:
    """Measured values of a batch.

    Args:
        static: what is computed.
        maps: from :meth:`TreePlan.compile`.
        images: shape (N, channels, *input_size), checked.
        scale: a number, or a tensor that broadcasts to (channels, *input_size).

    Returns:
        Tensor of shape (N, trees x values), or (N, trees x values, *places) where several windows are left.
    """
    if isinstance(scale, Tensor):
        images, scale = wide(images) * wide(scale), 1.0
    out = static.plan.evaluate(maps, images, scale, static.shape.sides).flatten(1, 2)
    return out.flatten(1) if math.prod(static.shape.places) == 1 else out

"""The layer inside `torch.compile`: one call that dynamo records as it is, and AOTAutograd traces as tensor operations.

Plans are chosen and circuits read in Python that no bytecode tracer needs to see. This module is imported only while
`torch.compile` or `torch.export` is at work, as it loads `torch._dynamo`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch._dynamo import nonstrict_trace
from torch.utils import _pytree

from quanvolve.nn._apply import Static, apply, compile_rows
from quanvolve.nn._tree_values import TreeStatic, tree_values

_pytree.register_constant(Static)
_pytree.register_constant(TreeStatic)


def as_tensor(scale: Tensor | float, images: Tensor) -> Tensor | float:
    """A number as a tensor: dynamo, once it has seen another one in the same place, makes it a symbol, which the
    functions below cannot trace. A program that is exported keeps the number.
    """
    if isinstance(scale, Tensor) or torch.compiler.is_exporting():
        return scale
    return images.new_full((), scale, dtype=images.dtype if images.device.type == "mps" else torch.float64)


@nonstrict_trace
def traced(
    static: Static,
    images: Tensor,
    weights: dict[str, Tensor],
    like: Tensor,
    scale: Tensor | float,
    bias: dict[str, Tensor],
) -> Tensor:
    """Compile the filters and slide them over a batch of images, in one step.

    Args:
        static: what the layer computes.
        images: shape (N, C, *size).
        weights: by name, as `QuanvNd.circuit_weights` has them.
        like: gives dtype and device where there are no weights.
        scale: as in :func:`apply`.
        bias: under this name, or nothing: dynamo passes no None.
    """
    count = images.shape[0] * math.prod(static.geometry.output_size(tuple(images.shape[2:])))
    n_windows = count if isinstance(count, int) else None  # a symbol: whatever depends on it would fix it
    plan = static.planner.choose(n_windows, like.device.type)
    compiled = compile_rows(plan, weights, like, static.layout, n_windows)
    return apply(images, plan, compiled, static.layout, static.geometry, scale, static.channel_mixing, bias.get("bias"))


@nonstrict_trace
def traced_frozen(
    static: Static, images: Tensor, compiled: tuple[Tensor, ...], scale: Tensor | float, bias: dict[str, Tensor]
) -> Tensor:
    """Slide filters that are compiled already over a batch of images; arguments as in :func:`traced`."""
    plan = static.planner.choose(None)
    return apply(images, plan, compiled, static.layout, static.geometry, scale, static.channel_mixing, bias.get("bias"))


@nonstrict_trace
def traced_tree(
    static: TreeStatic, images: Tensor, weights: list[dict[str, Tensor]], like: Tensor, scale: Tensor | float
) -> Tensor:
    """Compile the blocks of a coherent tree and climb it; arguments as in :func:`tree_values`."""
    return tree_values(static, static.plan.compile(weights, like), images, scale)


@nonstrict_trace
def traced_frozen_tree(static: TreeStatic, images: Tensor, maps: Tensor, scale: Tensor | float) -> Tensor:
    """Climb a coherent tree whose blocks are compiled already; arguments as in :func:`tree_values`."""
    return tree_values(static, maps, images, scale)

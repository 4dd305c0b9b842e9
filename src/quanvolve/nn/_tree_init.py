"""The weights that a coherent tree begins with: such that signals reach the root, and gradients the leaves."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from quanvolve.nn._filters import draw_weights
from quanvolve.nn._first_weights import InitLike, first_weights
from quanvolve.nn._tree_blocks import INTERACTIONS, SU4, TreeBlock

SPREAD = 0.1
"""Of the first weights of "su4": rotations in units of (-pi, pi), interactions of (-1/2, 1/2), about pi/4."""


def first_tree_weights(
    init: InitLike,
    block: TreeBlock,
    name: str,
    rows: tuple[int, int],
    generator: torch.Generator | None,
    device: Any,
    dtype: torch.dtype | None,
) -> Tensor:
    """A weight of all blocks of a level, shape (*rows, *shape).

    "auto" is for "su4" the square root of SWAP with small rotations: the mean of its inputs plus half of their cross
    product. It neither shrinks signals as a random block does, nor hands on one input alone as the identity would: the
    root reads all pixels alike (`benchmarks/tree_signals.py`).

    Args:
        init: what the layer was given.
        block: whose weight it is.
        name: of the weight.
        rows: trees, and blocks that have weights of their own.
        generator: of random numbers; None for torch's global one.
        device, dtype: of the weight.
    """
    if block.name != SU4 or init != "auto":
        return first_weights(init, block.circuit, name, rows, generator, device, dtype)
    shape = (*rows, *dict(block.circuit.weight_shapes)[name])
    weights = draw_weights(shape, generator, device, dtype)  # uniform in [0, 2 pi)
    if weights.device.type == "meta":
        return weights
    weights = SPREAD * (weights - math.pi)
    if name == "weights":
        weights[..., INTERACTIONS] = math.pi / 4 + weights[..., INTERACTIONS] / (2 * math.pi)
    return weights

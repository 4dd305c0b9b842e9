"""A coherent tree as it is now, or its classical twin: the maps of its blocks made once, and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from quanvolve.compile import use_kernels
from quanvolve.nn._tree_values import TreeStatic, tree_values


class FrozenTree(nn.Module):
    """What :meth:`quanvolve.CoherentTree.frozen` returns: plain torch, which exporters can follow.

    Args:
        static: what the tree computes.
        maps: the numbers of all blocks.
        scale: what pixels are multiplied with.
    """

    maps: Tensor
    scale: float | Tensor

    def __init__(self, static: TreeStatic, maps: Tensor, scale: float | Tensor) -> None:
        super().__init__()
        self._static = static
        self.register_buffer("maps", maps.detach().clone())
        if isinstance(scale, Tensor):
            self.register_buffer("scale", scale.detach().clone())
        else:
            self.scale = scale

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, channels, *size) to measured values (N, values of all trees), or (N, values, *places)."""
        if torch.compiler.is_compiling():
            from quanvolve.nn._traced import as_tensor, traced_frozen_tree  # loads torch._dynamo

            return traced_frozen_tree(self._static, images, self.maps, as_tensor(self.scale, images))
        with use_kernels(False):
            return tree_values(self._static, self.maps, images, self.scale)

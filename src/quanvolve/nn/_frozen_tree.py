"""A coherent tree as it is now, or its classical twin: the maps of its blocks are made once, and only they travel on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from quanvolve.compile import use_kernels, wide

if TYPE_CHECKING:
    from quanvolve.compile import TreePlan
    from quanvolve.nn._tree_shape import TreeShape


class FrozenTree(nn.Module):
    """What :meth:`quanvolve.CoherentTree.frozen` returns: plain torch, which exporters can follow.

    Args:
        plan: how maps and images make values.
        shape: of the images, and the padding around them.
        maps: the numbers of all blocks.
        scale: what pixels are multiplied with.
    """

    scale: float | Tensor

    def __init__(self, plan: TreePlan, shape: TreeShape, maps: Tensor, scale: float | Tensor) -> None:
        super().__init__()
        self._plan, self._shape = plan, shape
        self.maps: Tensor
        self.register_buffer("maps", maps.detach().clone())
        if isinstance(scale, Tensor):
            self.register_buffer("scale", scale.detach().clone())
        else:
            self.scale = scale

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, channels, *size) to measured values (N, values of all trees), or (N, values, *places)."""
        angles = self._shape.pad(wide(images) * (wide(self.scale) if isinstance(self.scale, Tensor) else self.scale))
        with use_kernels(False):
            out = self._plan.evaluate(self.maps, angles).flatten(1, 2)
        return out if max(self._shape.places) > 1 else torch.flatten(out, 1)

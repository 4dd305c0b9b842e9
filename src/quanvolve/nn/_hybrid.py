"""Hybrid models: a backbone that makes feature maps, and a head that classifies them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve.nn._layers import Quanv2d

BACKBONES = ("quantum", "classical", "none")


class HybridModel(nn.Module):
    """A backbone and a head.

    Args:
        backbone: images (N, C, H, W) to feature maps.
        head: feature maps to class scores (N, classes).

    Examples:
        >>> from quanvolve.nn import make_head
        >>> model = HybridModel(Quanv2d(1, 4, 2, stride=2), make_head("linear", (4, 4, 4), 10))
        >>> model(torch.rand(3, 1, 8, 8)).shape
        torch.Size([3, 10])
    """

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """Class scores."""
        scores: Tensor = self.head(self.backbone(images))
        return scores

    @property
    def fixed_backbone(self) -> bool:
        """Whether the backbone has nothing to train, so that its feature maps can be computed once."""
        return not any(p.requires_grad for p in self.backbone.parameters())


def make_backbone(
    kind: str,
    in_channels: int,
    out_channels: int,
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    *,
    trainable: bool,
    seed: int | None,
    **quantum: Any,
) -> nn.Module:
    """Build a backbone.

    Args:
        kind: "quantum" (:class:`Quanv2d`), "classical" (an `nn.Conv2d` of the same shape, then ReLU) or "none" (the
            pixels themselves).
        in_channels, out_channels, kernel_size, stride: of the convolution.
        trainable: whether its weights are trained; otherwise they stay as drawn.
        seed: fixes structure and weights.
        quantum: further arguments of the quantum layer.

    Raises:
        QuanvolveError: for an unknown kind.
    """
    if kind == "quantum":
        return Quanv2d(in_channels, out_channels, kernel_size, stride, trainable=trainable, seed=seed, **quantum)
    if kind == "classical":
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
            convolution = nn.Conv2d(in_channels, out_channels, kernel_size, stride)
        # Without a nonlinearity a convolution and a linear head would be one linear map.
        return nn.Sequential(convolution.requires_grad_(trainable), nn.ReLU())
    if kind == "none":
        return nn.Identity()
    raise QuanvolveError(f"`backbone` (={kind!r}) must be one of {', '.join(map(repr, BACKBONES))}")

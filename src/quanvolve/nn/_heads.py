"""Classifier heads: feature maps in, one number a class out."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError


class Standardize(nn.Module):
    """Shift and scale each channel by statistics of the training data, so that all channels start out alike.

    Args:
        channels: number of channels.

    Shape:
        - Input and output: (N, channels, H, W).

    Examples:
        >>> layer = Standardize(1)
        >>> layer.learn(torch.tensor([[[[1.0, 3.0]]]]))
        >>> layer(torch.tensor([[[[1.0, 3.0]]]])).flatten().tolist()
        [-1.0, 1.0]
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("deviation", torch.ones(channels, 1, 1))

    def learn(self, maps: Tensor) -> None:
        """Take mean and standard deviation of each channel from feature maps (N, channels, H, W)."""
        deviation, mean = torch.std_mean(maps, dim=(0, 2, 3), correction=0)
        # A constant channel carries nothing; dividing by its rounding noise would make it look as if it did.
        deviation = torch.where(deviation > 1e-5, deviation, torch.ones_like(deviation))
        self.mean.copy_(mean[:, None, None])
        self.deviation.copy_(deviation[:, None, None])

    def forward(self, maps: Tensor) -> Tensor:
        """Standardized maps."""
        return (maps - self.mean) / self.deviation


def _linear(shape: tuple[int, int, int], n_classes: int) -> nn.Module:
    channels, height, width = shape
    return nn.Sequential(Standardize(channels), nn.Flatten(), nn.Linear(channels * height * width, n_classes))


def _cnn(shape: tuple[int, int, int], n_classes: int) -> nn.Module:
    """Two convolutions and two linear layers; it pools only where there is something left to pool."""
    channels, height, width = shape
    layers: list[nn.Module] = [Standardize(channels)]
    for width_out in (32, 64):
        layers += [
            nn.Conv2d(channels, width_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(width_out),
            nn.ReLU(),
        ]
        channels = width_out
        if min(height, width) >= 2:
            layers.append(nn.MaxPool2d(2))
            height, width = height // 2, width // 2
    layers += [
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(channels * height * width, 128),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(128, n_classes),
    ]
    return nn.Sequential(*layers)


HEADS: dict[str, Callable[[tuple[int, int, int], int], nn.Module]] = {"linear": _linear, "cnn": _cnn}
"""The heads by name: functions of the shape of the feature maps (C, H, W) and the number of classes."""


def make_head(name: str, shape: tuple[int, int, int], n_classes: int) -> nn.Module:
    """Build a head.

    Args:
        name: "linear" (standardize, then one linear layer) or "cnn" (two convolutions, two linear layers).
        shape: of the feature maps (C, H, W).
        n_classes: number of classes.

    Raises:
        QuanvolveError: for an unknown name.

    Examples:
        >>> make_head("linear", (4, 14, 14), 10)(torch.zeros(2, 4, 14, 14)).shape
        torch.Size([2, 10])
    """
    if name not in HEADS:
        raise QuanvolveError(f"`head` (={name!r}) must be one of {', '.join(map(repr, HEADS))}")
    return HEADS[name](shape, n_classes)


def learn_statistics(head: nn.Module, maps: Tensor) -> None:
    """Let a head's :class:`Standardize` layer, if it has one, see the training data's feature maps."""
    for module in head.modules():
        if isinstance(module, Standardize):
            module.learn(maps)

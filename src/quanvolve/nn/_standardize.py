"""The layer that puts all channels on one footing before they are classified."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Standardize(nn.Module):
    """Shift and scale each channel by statistics of the training data, so that all channels start out alike.

    Args:
        channels: number of channels, or of features where there are no spatial axes.
        dims: number of spatial axes.

    Shape:
        - Input and output: (N, channels, *size) with `dims` spatial axes.

    Examples:
        >>> layer = Standardize(1)
        >>> layer.learn(torch.tensor([[[[1.0, 3.0]]]]))
        >>> layer(torch.tensor([[[[1.0, 3.0]]]])).flatten().tolist()
        [-1.0, 1.0]
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int, dims: int = 2) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels, *(1,) * dims))
        self.register_buffer("deviation", torch.ones(channels, *(1,) * dims))

    def learn(self, maps: Tensor) -> None:
        """Take mean and standard deviation of each channel from feature maps (N, channels, *size)."""
        axes = (0, *range(2, maps.dim()))
        deviation, mean = torch.std_mean(maps, dim=axes, correction=0)
        # A constant channel carries nothing; dividing by its rounding noise would make it look as if it did.
        deviation = torch.where(deviation > 1e-5, deviation, torch.ones_like(deviation))
        self.mean.copy_(mean.reshape(self.mean.shape))
        self.deviation.copy_(deviation.reshape(self.mean.shape))

    def forward(self, maps: Tensor) -> Tensor:
        """Standardized maps."""
        return (maps - self.mean) / self.deviation

    def extra_repr(self) -> str:
        """The number of channels."""
        return str(len(self.mean))


def learn_statistics(head: nn.Module, maps: Tensor) -> None:
    """Let a head's :class:`Standardize` layer, if it has one, see the training data's feature maps.

    Examples:
        >>> from quanvolve.nn import make_head
        >>> head = make_head("linear", (1, 1, 2), 3)
        >>> learn_statistics(head, torch.tensor([[[[1.0, 3.0]]]]))
        >>> head[0].mean.flatten()
        tensor([2.])
    """
    for module in head.modules():
        if isinstance(module, Standardize):
            module.learn(maps)

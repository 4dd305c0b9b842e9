"""The layer that makes angles of any channels."""

from __future__ import annotations

import math

import torch
from torch import nn


class AngleNorm(nn.BatchNorm2d):
    """Batch normalisation to angles in radians around pi/2, for a quantum convolution with `scale=1`.

    Around pi/2 the cosine is steepest, so that a rotation there acts on its input almost linearly. A deviation well
    below 1 keeps the angles at first within that range, and circuits after circuits can be trained; deviation and
    centre of each channel are trained too.

    Args:
        channels: number of channels.
        deviation: standard deviation of the angles at first, in radians.

    Shape:
        - Input and output: (N, channels, H, W).

    Examples:
        >>> angles = AngleNorm(1)(torch.rand(8, 1, 5, 5))
        >>> f"{angles.mean():.2f} {angles.std(correction=0):.2f}"
        '1.57 0.40'
    """

    def __init__(self, channels: int, deviation: float = 0.4) -> None:
        super().__init__(channels)
        with torch.no_grad():
            self.weight.fill_(deviation)
            self.bias.fill_(math.pi / 2)

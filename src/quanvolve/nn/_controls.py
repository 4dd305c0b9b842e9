"""Classical stand-ins for a quantum convolution: feature maps of the same shape without anything quantum.

They are backbones to compare with, beside `nn.Conv2d` ("classical") and the pixels themselves ("none").
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quanvolve.nn._geometry import Geometry

_CONVOLUTIONS: tuple[Callable[..., Tensor], ...] = (F.conv1d, F.conv2d, F.conv3d)


class Windowed(nn.Module):
    """A linear function of each window, and a function of its values.

    Args:
        geometry: of the windows.
        weight: shape (out_channels, in_channels, *kernel_size), with the channels of a group as in_channels.
        offset: shape (out_channels,).
        after: applied to the values.
        trained: whether weight and offset are parameters.

    Shape:
        - Input: (N, groups * in_channels, *size); output: (N, out_channels, *places).
    """

    groups = 1
    weight: Tensor
    offset: Tensor

    def __init__(
        self, geometry: Geometry, weight: Tensor, offset: Tensor, after: Callable[[Tensor], Tensor], trained: bool
    ) -> None:
        super().__init__()
        self.geometry, self.after = geometry, after
        for name, value in (("weight", weight), ("offset", offset)):
            if trained:
                self.register_parameter(name, nn.Parameter(value))
            else:
                self.register_buffer(name, value)

    def forward(self, images: Tensor) -> Tensor:
        """Feature maps."""
        g = self.geometry
        padded, convolve = g.windows(images).images, _CONVOLUTIONS[len(g.kernel_size) - 1]
        return self.after(convolve(padded, self.weight, self.offset, g.stride, 0, g.dilation, self.groups))

    def extra_repr(self) -> str:
        """Its channels and its windows."""
        out, into = self.weight.shape[0], self.groups * self.weight.shape[1]
        return f"{into}, {out}, kernel_size={self.geometry.kernel_size}, stride={self.geometry.stride}"


@dataclass(frozen=True)
class Control:
    """A classical stand-in.

    Args:
        summary: what it is, in a line.
        make: from in_channels (those of a group), out_channels, geometry and whether it is trained.
        trains: whether it has weights that can be trained.
        contender: its name in comparisons, where that is another than the backbone's.
    """

    summary: str
    make: Callable[[int, int, Geometry, bool], Windowed]
    trains: bool = False
    contender: str | None = None


def _trigonometric(into: int, out: int, geometry: Geometry, trained: bool) -> Windowed:
    """Frequencies as encodings have them: a pixel of 1 is an angle of pi, more or less."""
    weight = math.pi * torch.randn(out, into, *geometry.kernel_size) / math.sqrt(into)
    return Windowed(geometry, weight, 2 * math.pi * torch.rand(out), torch.cos, trained)


def _kernels(into: int, out: int, geometry: Geometry, trained: bool) -> Windowed:
    with torch.device("cpu"):
        known = fixed_kernels(geometry.kernel_size)
    weight = torch.stack([known[channel % len(known)] for channel in range(out)]).unsqueeze(1)
    weight = weight.to(torch.get_default_device())
    return Windowed(geometry, weight.repeat_interleave(into, 1) / into, torch.zeros(out), torch.relu, False)


def _subsampled(into: int, out: int, geometry: Geometry, trained: bool) -> Windowed:
    size = into * geometry.window_size
    weight = torch.eye(size)[torch.arange(out) % size].reshape(out, into, *geometry.kernel_size)
    return Windowed(geometry, weight, torch.zeros(out), _as_it_is, False)


def _as_it_is(values: Tensor) -> Tensor:
    return values


def fixed_kernels(kernel_size: tuple[int, ...]) -> list[Tensor]:
    """Gaussian, Sobel along each axis, Laplacian, and Gabor filters in four directions, as large as the window.

    The absolute values of each add up to 1.

    References:
        Gonzalez and Woods, "Digital Image Processing", 4th edition (2018), sections 3.5 and 3.6; Daugman, J. Opt. Soc.
        Am. A 2, 1160 (1985), equation 5, for Gabor filters.

    Examples:
        >>> found = fixed_kernels((3, 3))
        >>> len(found)
        8
        >>> found[1] * 8
        tensor([[-1., -2., -1.],
                [ 0.,  0.,  0.],
                [ 1.,  2.,  1.]])
    """
    dims = len(kernel_size)
    axes = [torch.arange(n) - (n - 1) / 2 for n in kernel_size]
    smooth = [torch.tensor([float(math.comb(n - 1, k)) for k in range(n)]) for n in kernel_size]
    grid = torch.meshgrid(*axes, indexing="ij")
    distance = torch.stack([axis**2 for axis in grid]).sum(0)
    spread = max(1.0, max(kernel_size) / 3) ** 2
    kernels = [_product(smooth)]
    for axis in range(dims):
        kernels.append(_product([axes[a] if a == axis else smooth[a] for a in range(dims)]))
    bell = torch.exp(-distance / (2 * spread))
    laplacian = bell * (distance / spread - dims)
    kernels.append(laplacian - laplacian.mean())
    for turn in range(4 if dims > 1 else 2):
        angle = math.pi * turn / 4 + math.pi / 8
        along = grid[-1] * math.cos(angle) + (grid[-2] * math.sin(angle) if dims > 1 else 0.0)
        phase = math.pi / 2 * (turn % 2) + math.pi / 4
        wave = bell * torch.cos(2 * math.pi * along / max(2.0, max(kernel_size) / 1.5) + phase)
        kernels.append(wave - wave.mean())
    return [kernel / size if (size := float(kernel.abs().sum())) > 1e-6 else kernel for kernel in kernels]


def _product(rows: list[Tensor]) -> Tensor:
    product = rows[0]
    for row in itertools.islice(rows, 1, None):
        product = product.unsqueeze(-1) * row
    return product


CONTROLS: dict[str, Control] = {
    "trigonometric": Control(
        "cosines of random linear functions of the window, as many as channels", _trigonometric, True, "random-features"
    ),
    "kernels": Control("Gaussian, Sobel, Laplacian and Gabor kernels, then ReLU", _kernels),
    "subsampled": Control("one pixel of each window a channel", _subsampled),
}
"""The classical stand-ins by name, in the order in which channels go round what they have.

References:
    Rahimi and Recht, "Random features for large-scale kernel machines", NIPS (2007), algorithm 1, for "trigonometric".
"""

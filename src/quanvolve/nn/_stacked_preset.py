"""Presets of quantum convolutions one after the other, then a classical head."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import nn

from quanvolve._errors import QuanvolveError
from quanvolve.nn._angle_norm import AngleNorm
from quanvolve.nn._filters import CircuitLike
from quanvolve.nn._hybrid import HybridModel
from quanvolve.nn._layers import Quanv2d
from quanvolve.nn._preset import Preset, Shape

CIRCUIT = "strongly_entangling"
"""What the filters run, in two layers on the four pixels of a window."""

_KERNEL = 2


@dataclass(frozen=True)
class Stage:
    """A convolution with windows of 2x2, and what follows it.

    Args:
        channels: that it gives.
        stride: pixels from one window to the next.
        pool: side of the squares that are averaged after it, where enough is left for the stages to come.
    """

    channels: int
    stride: int = 1
    pool: int = 1


@dataclass(frozen=True, kw_only=True)
class StackedPreset(Preset):
    """Quantum convolutions, or with the backbone "classical" their twins, and a head.

    Args:
        stages: the convolutions, from the image on.
        head: makes what classifies the channels, from their shape and the number of classes.
    """

    stages: tuple[Stage, ...]
    head: Callable[[Shape, int], nn.Module] = field(repr=False)

    def build(
        self, name: str, shape: Shape, n_classes: int, backbone: str, circuit: CircuitLike | None
    ) -> tuple[HybridModel, Shape]:
        """The network for images; arguments as in :meth:`Preset.build`."""
        _check(name, self, shape)
        layers: list[nn.Module] = []
        before, *size = shape
        for number, stage in enumerate(self.stages):
            if backbone == "quantum":
                layers += _quantum(before, stage, number == 0, CIRCUIT if circuit is None else circuit)
            else:
                layers += _classical(before, stage)
            size = [(n - _KERNEL) // stage.stride + 1 for n in size]
            if stage.pool > 1 and min(size) // stage.pool >= _least(self.stages[number + 1 :]):
                layers.append(nn.AvgPool2d(stage.pool))
                size = [n // stage.pool for n in size]
            before = stage.channels
        maps = (before, *size)
        return HybridModel(nn.Sequential(*layers), self.head(maps, n_classes)), maps


def linear_head(shape: Shape, n_classes: int) -> nn.Module:
    """Batch normalisation and dropout, which keep one linear layer from learning the training images by heart."""
    return nn.Sequential(
        nn.BatchNorm2d(shape[0]), nn.Flatten(), nn.Dropout(0.3), nn.Linear(math.prod(shape), n_classes)
    )


def cnn_head(shape: Shape, n_classes: int) -> nn.Module:
    """Three convolutions of 3x3 and a linear layer; it pools only where there is something left to pool."""
    channels, *size = shape
    layers: list[nn.Module] = [nn.BatchNorm2d(channels)]
    for width, pools in ((32, False), (64, True), (64, True)):
        layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
        if pools and min(size) >= 2:
            layers.append(nn.MaxPool2d(2))
            size = [n // 2 for n in size]
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(channels * math.prod(size), n_classes))


def _quantum(before: int, stage: Stage, first: bool, circuit: CircuitLike) -> list[nn.Module]:
    """A quantum convolution of pixels in [0, 1], or of channels that become angles first."""
    scale = math.pi if first else 1.0
    layer = Quanv2d(before, stage.channels, _KERNEL, stage.stride, circuit=circuit, scale=scale)
    layer.circuit_name, layer.encoding_name, layer.readout_name = CIRCUIT, "ry", "z"
    return [layer] if first else [AngleNorm(before), layer]


def _classical(before: int, stage: Stage) -> list[nn.Module]:
    convolution = nn.Conv2d(before, stage.channels, _KERNEL, stage.stride, bias=False)
    return [convolution, nn.BatchNorm2d(stage.channels), nn.ReLU()]


def _least(stages: tuple[Stage, ...]) -> int:
    """Rows or columns that these stages need if none of them pools."""
    least = 1
    for stage in reversed(stages):
        least = (least - 1) * stage.stride + _KERNEL
    return least


def _check(name: str, preset: StackedPreset, shape: Shape) -> None:
    if len(shape) != 3:
        kind = "series" if len(shape) == 2 else "volumes"
        raise QuanvolveError(f"`preset` (={name!r}) is for images, got {kind} of shape {shape}: leave `preset` out")
    least = _least(preset.stages)
    if min(shape[1:]) < least:
        raise QuanvolveError(
            f"`preset` (={name!r}) needs images of at least {least}x{least} pixels, got "
            f"{shape[1]}x{shape[2]}: leave `preset` out"
        )

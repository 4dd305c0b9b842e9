"""Presets: whole networks for images, with the settings that train them well."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from quanvolve._errors import QuanvolveError
from quanvolve.nn._angle_norm import AngleNorm
from quanvolve.nn._filters import CircuitLike
from quanvolve.nn._hybrid import HybridModel
from quanvolve.nn._layers import Quanv2d

Shape = tuple[int, ...]

CIRCUIT = "strongly_entangling"
"""What the filters of all presets run, in two layers on the four pixels of a window."""

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


@dataclass(frozen=True)
class Preset:
    """A network for images, and how to train it.

    Args:
        summary: what it is, in a line.
        stages: the quantum convolutions, from the image on.
        head: makes what classifies the channels, from their shape and the number of classes.
        training: arguments of :class:`quanvolve.QuanvClassifier`, by backbone.
        shift: by how many pixels, at most, training images are moved at random along each axis.
        warmup: share of the training in which the learning rate rises to `lr`.
    """

    summary: str
    stages: tuple[Stage, ...]
    head: Callable[[Shape, int], nn.Module] = field(repr=False)
    training: dict[str, dict[str, Any]]
    shift: int
    warmup: float


def _linear(shape: Shape, n_classes: int) -> nn.Module:
    """Batch normalisation and dropout, which keep one linear layer from learning the training images by heart."""
    return nn.Sequential(
        nn.BatchNorm2d(shape[0]), nn.Flatten(), nn.Dropout(0.3), nn.Linear(math.prod(shape), n_classes)
    )


def _cnn(shape: Shape, n_classes: int) -> nn.Module:
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


PRESETS: dict[str, Preset] = {
    "quantum": Preset(
        summary="quantum convolutions one after the other, then one linear layer: nothing else is nonlinear",
        stages=(Stage(16, pool=2), Stage(32, pool=2), Stage(48)),
        head=_linear,
        training={
            "quantum": {"max_epochs": 8, "batch_size": 128, "lr": 1e-2, "weight_decay": 1e-2},
            "classical": {"max_epochs": 8, "batch_size": 128, "lr": 1e-2, "weight_decay": 1e-2},
        },
        shift=1,
        warmup=0.25,
    ),
    "hybrid": Preset(
        summary="a quantum convolution, then a small CNN",
        stages=(Stage(16, pool=2),),
        head=_cnn,
        training={
            "quantum": {"max_epochs": 8, "batch_size": 128, "lr": 1e-2, "weight_decay": 1e-2},
            "classical": {"max_epochs": 8, "batch_size": 128, "lr": 1e-2, "weight_decay": 1e-2},
        },
        shift=2,
        warmup=0.25,
    ),
}
"""The presets by name."""


def find_preset(name: str, backbone: str) -> Preset:
    """A preset by its name.

    Args:
        name: one of :data:`PRESETS`.
        backbone: "quantum", or "classical" for its twin.

    Raises:
        QuanvolveError: if there is none of this name, or it has no such backbone.
    """
    if name not in PRESETS:
        near = difflib.get_close_matches(str(name), PRESETS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise QuanvolveError(f"`preset` (={name!r}) must be one of {', '.join(map(repr, PRESETS))}{hint}")
    preset = PRESETS[name]
    if backbone not in preset.training:
        raise QuanvolveError(
            f"`backbone` (={backbone!r}) must be one of {', '.join(map(repr, preset.training))} with a preset"
        )
    return preset


def preset_model(
    name: str,
    shape: Shape,
    n_classes: int,
    backbone: str = "quantum",
    *,
    circuit: CircuitLike = CIRCUIT,
) -> tuple[HybridModel, Shape]:
    """The network of a preset, with weights drawn from torch's global generator.

    Args:
        name: one of :data:`PRESETS`.
        shape: of an image, (C, H, W).
        n_classes: number of classes.
        backbone: "quantum"; or "classical", its twin: the same shapes with `nn.Conv2d`, batch normalisation and ReLU
            in place of each quantum convolution.
        circuit: what the filters run; a description of it saves finding it anew from its name.

    Returns:
        The model, which takes images (N, C, H, W) in [0, 1] to class scores (N, n_classes), and the shape (C, H, W)
        of its feature maps.

    Raises:
        QuanvolveError: if there is no such preset, or the images are too small for it.

    Examples:
        >>> import torch
        >>> model, shape = preset_model("quantum", (1, 28, 28), 10)
        >>> shape
        (48, 5, 5)
        >>> model(torch.rand(2, 1, 28, 28)).shape
        torch.Size([2, 10])
    """
    preset = find_preset(name, backbone)
    _check(name, preset, shape)
    layers: list[nn.Module] = []
    before, *size = shape
    for number, stage in enumerate(preset.stages):
        if backbone == "quantum":
            layers += _quantum(before, stage, number == 0, circuit)
        else:
            layers += _classical(before, stage)
        size = [(n - _KERNEL) // stage.stride + 1 for n in size]
        if stage.pool > 1 and min(size) // stage.pool >= _least(preset.stages[number + 1 :]):
            layers.append(nn.AvgPool2d(stage.pool))
            size = [n // stage.pool for n in size]
        before = stage.channels
    maps = (before, *size)
    return HybridModel(nn.Sequential(*layers), preset.head(maps, n_classes)), maps


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


def _check(name: str, preset: Preset, shape: Shape) -> None:
    if len(shape) != 3:
        kind = "series" if len(shape) == 2 else "volumes"
        raise QuanvolveError(f"`preset` (={name!r}) is for images, got {kind} of shape {shape}: leave `preset` out")
    least = _least(preset.stages)
    if min(shape[1:]) < least:
        raise QuanvolveError(
            f"`preset` (={name!r}) needs images of at least {least}x{least} pixels, got "
            f"{shape[1]}x{shape[2]}: leave `preset` out"
        )

"""Backbones: what makes feature maps of the inputs, quantum or classical in matching shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from quanvolve._errors import QuanvolveError
from quanvolve.nn._apply import check_channels
from quanvolve.nn._controls import CONTROLS
from quanvolve.nn._geometry import Geometry
from quanvolve.nn._layers import Quanv1d, Quanv2d, Quanv3d
from quanvolve.nn._linear import QuantumLinear

BACKBONES = ("quantum", "unentangled", "classical", *CONTROLS, "none")
"""What can make the feature maps."""
QUANTUM_BACKBONES = ("quantum", "unentangled")
"""Those that take the arguments of a quantum layer."""

WINDOW = ("padding", "dilation", "groups", "padding_mode")
"""The options that convolutions of all kinds have, and that change the shape of feature maps or what they read."""

_QUANTUM = (Quanv1d, Quanv2d, Quanv3d)
_CLASSICAL = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def make_backbone(
    kind: str,
    in_channels: int,
    out_channels: int,
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...],
    *,
    trainable: bool,
    seed: int | None,
    padding: tuple[int, ...] | int | str = 0,
    dilation: tuple[int, ...] | int = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    **quantum: Any,
) -> nn.Module:
    """Build a backbone of convolutions.

    Args:
        kind: "quantum" (:class:`Quanv1d`, :class:`Quanv2d` or :class:`Quanv3d`); "unentangled", the same layer with
            the same weights, but without gates on two qubits; "classical" (torch's convolution of the same shape, then
            ReLU); "trigonometric", "kernels" or "subsampled" (see :data:`quanvolve.nn.CONTROLS`); or "none" (the
            inputs themselves).
        in_channels, out_channels, stride, padding, dilation, groups, padding_mode: of the convolution.
        kernel_size: one number for each of one, two or three spatial axes.
        trainable: whether its weights are trained; otherwise they stay as drawn.
        seed: fixes structure and weights.
        quantum: further arguments of the quantum layer.

    Raises:
        QuanvolveError: for an unknown kind, or a kernel of another rank.

    Examples:
        >>> make_backbone("classical", 1, 6, (3,), (1,), trainable=True, seed=0)
        Sequential(
          (0): Conv1d(1, 6, kernel_size=(3,), stride=(1,))
          (1): ReLU()
        )
    """
    dims = len(kernel_size)
    if dims not in (1, 2, 3):
        raise QuanvolveError(f"`kernel_size` (={kernel_size}) must have one, two or three numbers, one for each axis")
    if kind in QUANTUM_BACKBONES:
        layer = _QUANTUM[dims - 1](
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            padding_mode=padding_mode,
            trainable=trainable,
            seed=seed,
            **quantum,
        )
        return layer if kind == "quantum" else layer.unentangled()
    if kind in CONTROLS or kind == "classical":
        check_channels(in_channels, out_channels, groups, "sum")
        geometry = Geometry.parse(dims, kernel_size, stride, padding, dilation, padding_mode)
    if kind in CONTROLS:
        control = CONTROLS[kind]
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
            made = control.make(in_channels // groups, out_channels, geometry, trainable and control.trains)
        made.groups = groups
        return made
    if kind == "classical":
        convolution: Any = _CLASSICAL[dims - 1]  # torch types each argument by the number of axes

        def make() -> nn.Module:
            made: nn.Module = convolution(
                in_channels, out_channels, kernel_size, stride, padding, dilation, groups, padding_mode=padding_mode
            )
            return made

        return _classical(make, trainable, seed)
    return _nothing(kind)


def make_dense_backbone(
    kind: str, in_features: int, out_features: int, *, trainable: bool, seed: int | None, **quantum: Any
) -> nn.Module:
    """Build a dense backbone for features without spatial axes.

    Args:
        kind: "quantum" (:class:`QuantumLinear`), "classical" (`nn.Linear`, then ReLU), or another one of
            :func:`make_backbone`.
        in_features, out_features: of the layer.
        trainable, seed, quantum: as in :func:`make_backbone`.

    Raises:
        QuanvolveError: for an unknown kind.

    Examples:
        >>> make_dense_backbone("quantum", 2, 4, trainable=True, seed=0, n_qubits=4)
        QuantumLinear(in_features=2, out_features=4, bias=False, circuit='strongly_entangling', n_qubits=4)
    """
    if kind in QUANTUM_BACKBONES:
        layer = QuantumLinear(in_features, out_features, trainable=trainable, seed=seed, **quantum)
        return layer if kind == "quantum" else layer.unentangled()
    if kind in CONTROLS:
        window = (in_features,)
        made = make_backbone(kind, 1, out_features, window, window, trainable=trainable, seed=seed)
        return nn.Sequential(nn.Unflatten(1, (1, in_features)), made, nn.Flatten())
    if kind == "classical":
        return _classical(lambda: nn.Linear(in_features, out_features), trainable, seed)
    return _nothing(kind)


def _classical(make: Callable[[], nn.Module], trainable: bool, seed: int | None) -> nn.Module:
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        layer = make()
    # Without a nonlinearity this layer and a linear head would be one linear map.
    return nn.Sequential(layer.requires_grad_(trainable), nn.ReLU())


def _nothing(kind: str) -> nn.Module:
    if kind != "none":
        raise QuanvolveError(f"`backbone` (={kind!r}) must be one of {', '.join(map(repr, BACKBONES))}")
    return nn.Identity()

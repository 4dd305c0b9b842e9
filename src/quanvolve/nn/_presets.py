"""Presets: whole networks for images, with the settings that train them well."""

from __future__ import annotations

import difflib
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.nn._filters import CircuitLike
from quanvolve.nn._hybrid import HybridModel
from quanvolve.nn._preset import Preset, Shape
from quanvolve.nn._stacked_preset import StackedPreset, Stage, cnn_head, linear_head
from quanvolve.nn._tree_preset import TreePreset

_TREE: dict[str, Any] = {"max_epochs": 8, "batch_size": 100, "lr": 1e-2, "weight_decay": 0.0}
_TREES = {"quantum": _TREE | {"lr": 2e-2}, "unentangled": _TREE, "classical": _TREE, "cnn": _TREE}

PRESETS: dict[str, Preset] = {
    "quantum": StackedPreset(
        summary="quantum convolutions one after the other, then one linear layer: nothing else is nonlinear",
        stages=(Stage(16, pool=2), Stage(32, pool=2), Stage(48)),
        head=linear_head,
        training={
            "quantum": {"max_epochs": 8, "batch_size": 128, "lr": 1e-2, "weight_decay": 1e-2},
            "classical": {"max_epochs": 8, "batch_size": 128, "lr": 1e-2, "weight_decay": 1e-2},
        },
        shift=1,
        warmup=0.25,
    ),
    "hybrid": StackedPreset(
        summary="a quantum convolution, then a small CNN",
        stages=(Stage(16, pool=2),),
        head=cnn_head,
        training={
            "quantum": {"max_epochs": 8, "batch_size": 128, "lr": 1e-2, "weight_decay": 1e-2},
            "classical": {"max_epochs": 8, "batch_size": 128, "lr": 1e-2, "weight_decay": 1e-2},
        },
        shift=2,
        warmup=0.25,
    ),
    "tree": TreePreset(
        summary="coherent trees of qubits, one a pixel, that are measured at their roots only, then one linear layer",
        n_trees=10,
        training=_TREES | {"classical-wide": _TREE},
        shift=1,
        warmup=0.3,
    ),
    "tree-headless": TreePreset(
        summary="a coherent tree a class, whose root's Z times one trained number is the class's score: no other layer",
        n_trees=None,
        temperature=20.0,
        training=_TREES,
        shift=1,
        warmup=0.3,
    ),
}
"""The presets by name."""


def find_preset(name: str, backbone: str) -> Preset:
    """A preset by its name.

    Args:
        name: one of :data:`PRESETS`.
        backbone: "quantum", or "classical" for its twin; those of trees are in :class:`TreePreset`.

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
    circuit: CircuitLike | None = None,
) -> tuple[HybridModel, Shape]:
    """The network of a preset, with weights drawn from torch's global generator.

    Args:
        name: one of :data:`PRESETS`.
        shape: of an image, (C, H, W); of trees also of a series or a volume.
        n_classes: number of classes.
        backbone: "quantum"; or "classical", its twin: the same shapes with `nn.Conv2d`, batch normalisation and ReLU
            in place of each quantum convolution; for the backbones of trees see :class:`TreePreset`.
        circuit: what the filters run; a description of it saves finding it anew from its name.

    Returns:
        The model, which takes images (N, C, H, W) in [0, 1] to class scores (N, n_classes), and the shape (C, H, W)
        of its feature maps, or (features,) of trees.

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
    return find_preset(name, backbone).build(name, shape, n_classes, backbone, circuit)

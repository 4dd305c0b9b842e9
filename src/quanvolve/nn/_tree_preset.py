"""Presets of coherent trees, and of what they are compared with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from quanvolve._errors import QuanvolveError
from quanvolve.nn._bilinear_tree import BilinearTree
from quanvolve.nn._coherent_tree import CoherentTree
from quanvolve.nn._filters import CircuitLike
from quanvolve.nn._hybrid import HybridModel
from quanvolve.nn._preset import Preset, Shape
from quanvolve.nn._tree_controls import ChannelAxis, Temperature, TreeConv, unentangled_tree
from quanvolve.nn._tree_shape import TreeShape, Windows

MOST_CHANNELS = 3
"""That one block joins; more are joined two by two."""


@dataclass(frozen=True, kw_only=True)
class TreePreset(Preset):
    """Coherent trees on all pixels, with blocks that are any two-qubit unitary, and a head.

    Channels of a pixel are places of their own, which the first level joins. The backbones:

    - "quantum": the trees;
    - "unentangled": trees whose blocks keep one of their qubits at random;
    - "classical": :class:`BilinearTree` with about as many parameters, and therefore fewer trees, where there is a
      linear head, and as many trees otherwise;
    - "classical-wide": the same with as many trees, and more parameters;
    - "cnn": convolutions with the trees' windows and about as many parameters.

    Args:
        n_trees: with a linear head; None for a tree a class, whose Z times one trained number is the class's score.
        temperature: that number at first.
    """

    n_trees: int | None
    temperature: float = 1.0

    def build(
        self, name: str, shape: Shape, n_classes: int, backbone: str, circuit: CircuitLike | None
    ) -> tuple[HybridModel, Shape]:
        """The network; arguments as in :meth:`Preset.build`."""
        in_channels, size, window = _form(shape)
        if math.prod(size) * in_channels < 2:
            raise QuanvolveError(f"`preset` (={name!r}) needs images of at least 2 values, got the shape {shape}")
        trees, readout = (n_classes, "z") if self.n_trees is None else (self.n_trees, "xyz")
        made = self._backbone(backbone, in_channels, size, window, trees, readout)
        layers = made if in_channels == shape[0] else nn.Sequential(ChannelAxis(), made)
        features = made.out_features
        return HybridModel(layers, self._head(backbone, features, n_classes)), (features,)

    def _backbone(
        self, kind: str, channels: int, size: Shape, window: Windows | None, trees: int, readout: str
    ) -> CoherentTree | BilinearTree | TreeConv:
        if kind == "unentangled":
            return unentangled_tree(channels, size, window=window, n_trees=trees, readout=readout)
        make = partial(CoherentTree, channels, size, window=window, readout=readout)
        if kind == "quantum":
            return make(n_trees=trees)
        if kind == "classical-wide" or (kind == "classical" and self.n_trees is None):
            return BilinearTree(make(n_trees=trees))
        with torch.device("meta"):
            like = make(n_trees=trees)
            each = _count(BilinearTree(make(n_trees=1)))
        if kind == "cnn":
            return TreeConv.of_size(channels, TreeShape.parse(size, window), _count(like), like.out_features)
        return BilinearTree(make(n_trees=max(1, round(_count(like) / each))))

    def _head(self, backbone: str, features: int, n_classes: int) -> nn.Module:
        if self.n_trees is None:
            return Temperature(1.0 if backbone == "cnn" else self.temperature)
        return nn.Sequential(nn.BatchNorm1d(features), nn.Linear(features, n_classes))


def _form(shape: Shape) -> tuple[int, Shape, Windows | None]:
    """Channels and size that a tree has for images of a shape, and its windows."""
    channels, *size = shape
    if channels == 1 or len(size) == 3:
        return channels, tuple(size), None
    joins = channels if channels <= MOST_CHANNELS else 2
    count = 1 if channels <= MOST_CHANNELS else math.ceil(math.log2(channels))
    still = [1] * len(size)
    halves = [[1, *(2 if axis == turn else 1 for axis in range(len(size)))] for turn in reversed(range(len(size)))]
    return 1, (channels, *size), [*([joins, *still] for _ in range(count)), *halves]


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())

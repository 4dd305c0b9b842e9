"""What all presets have in common: a network for images, and how to train it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from quanvolve.nn._filters import CircuitLike
from quanvolve.nn._hybrid import HybridModel

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Preset(ABC):
    """A network for images, and how to train it.

    Args:
        summary: what it is, in a line.
        training: arguments of :class:`quanvolve.QuanvClassifier`, by backbone.
        shift: by how many pixels, at most, training images are moved at random along each axis.
        warmup: share of the training in which the learning rate rises to `lr`.
    """

    summary: str
    training: dict[str, dict[str, Any]]
    shift: int
    warmup: float

    @abstractmethod
    def build(
        self, name: str, shape: Shape, n_classes: int, backbone: str, circuit: CircuitLike | None
    ) -> tuple[HybridModel, Shape]:
        """The network, with weights drawn from torch's global generator.

        Args:
            name: of the preset, for errors.
            shape: of an image, (C, *size).
            n_classes: number of classes.
            backbone: one of those of `training`.
            circuit: what filters run; None for the preset's own.

        Returns:
            The model, and the shape of its feature maps.

        Raises:
            QuanvolveError: if the images do not fit it.
        """

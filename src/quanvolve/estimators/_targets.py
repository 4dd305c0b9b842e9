"""The numbers that a regressor learns: their mean and spread, by which training sees them near zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from quanvolve._errors import QuanvolveError

Array = npt.NDArray[Any]

MOST_TARGETS = 100_000
"""Targets of a saved model."""


@dataclass(frozen=True)
class Targets:
    """Mean and deviation of the training targets.

    Args:
        mean: of each target.
        scale: its standard deviation; 1 for a target that is always the same.
        flat: whether targets came without an axis of their own, as (n,).

    Examples:
        >>> import numpy as np
        >>> targets = Targets.of(np.array([[2.0], [4.0]]), None, flat=True)
        >>> targets.mean, targets.scale
        ((3.0,), (1.0,))
        >>> targets.restored(targets.scaled(np.array([[2.0], [4.0]])))
        array([2., 4.])
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    flat: bool

    @classmethod
    def of(cls, targets: Array, weights: Array | None, *, flat: bool) -> Targets:
        """Learn them.

        Args:
            targets: shape (n, targets).
            weights: of the samples, or None.
            flat: whether they came as (n,).

        Raises:
            QuanvolveError: if they are so large that their deviation is no number.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.average(targets, axis=0, weights=weights)
            scale = np.sqrt(np.average((targets - mean) ** 2, axis=0, weights=weights))
        if not np.isfinite(scale).all():
            raise QuanvolveError(
                f"y has values up to {np.abs(targets).max():g}, whose standard deviation is beyond what a number can "
                "be: divide y by a constant"
            )
        # What is left of a constant by rounding is no deviation.
        scale = np.where(scale > 1e-12 * np.abs(mean), scale, 1.0)
        return cls(tuple(mean.tolist()), tuple(scale.tolist()), flat)

    def scaled(self, targets: Array) -> Array:
        """Targets (n, targets) with mean 0 and deviation 1."""
        scaled: Array = (targets - np.array(self.mean)) / np.array(self.scale)
        return scaled

    def restored(self, outputs: Array) -> Array:
        """The inverse of `scaled`, of the form that the targets came in."""
        numbers: Array = outputs * np.array(self.scale) + np.array(self.mean)
        return numbers[:, 0] if self.flat else numbers

    def to_dict(self) -> dict[str, Any]:
        """As JSON can express it."""
        return {"mean": list(self.mean), "scale": list(self.scale), "flat": self.flat}

    @classmethod
    def from_dict(cls, entry: Any) -> Targets:
        """Read what `to_dict` gave from a file that may be anybody's.

        Raises:
            ValueError: if it is something else.
        """
        mean, scale, flat = (entry[name] for name in ("mean", "scale", "flat"))
        lists = isinstance(mean, list) and isinstance(scale, list) and len(mean) == len(scale)
        if not lists or not 1 <= len(mean) <= MOST_TARGETS or not isinstance(flat, bool) or (flat and len(mean) > 1):
            raise ValueError("its targets are not those of a model")
        if not all(type(n) in (int, float) and np.isfinite(n) for n in (*mean, *scale)) or min(scale) <= 0:
            raise ValueError("the means or deviations of its targets are not finite numbers")
        return cls(tuple(map(float, mean)), tuple(map(float, scale)), flat)

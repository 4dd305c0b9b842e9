"""Whether images are bright on dark, as handwriting in MNIST is, or dark on bright, as ink on paper."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_MOST, _LEAST = 256, 8
"""Images that are looked at, and rows and columns that they must have."""
_DARK, _BRIGHT = 0.3, 0.7


def border_of(images: npt.NDArray[Any]) -> float | None:
    """The median brightness of the outermost pixels, in [0, 1]; None for what are no images.

    Args:
        images: shape (n, C, H, W), scaled to [0, 1]; some of them are enough.

    Examples:
        >>> disc = np.zeros((1, 1, 8, 8))
        >>> disc[..., 2:6, 2:6] = 1.0
        >>> border_of(disc), border_of(1 - disc)
        (0.0, 1.0)
    """
    if images.ndim != 4 or min(images.shape[2:]) < _LEAST:
        return None
    some = images[:: max(1, len(images) // _MOST)]
    edges = [some[:, :, 0], some[:, :, -1], some[:, :, :, 0], some[:, :, :, -1]]
    return float(np.median(np.concatenate([edge.reshape(-1) for edge in edges])))


def inverted(fitted: float | None, given: float | None) -> str | None:
    """What is wrong where images are dark on bright and those of the fit were bright on dark, or the other way round.

    Args:
        fitted: the border of the images of the fit.
        given: that of the images at hand.

    Examples:
        >>> inverted(0.02, 0.95)
        'dark on bright, but the model was fitted on images that are bright on dark'
    """
    if fitted is None or given is None:
        return None
    if fitted <= _DARK and given >= _BRIGHT:
        return "dark on bright, but the model was fitted on images that are bright on dark"
    if fitted >= _BRIGHT and given <= _DARK:
        return "bright on dark, but the model was fitted on images that are dark on bright"
    return None

"""Ways to make feature maps that no layer has, because they are mistakes: the point is to see what they do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from quanvolve.nn import Quanv2d

Array = npt.NDArray[Any]


def redrawn(images: Array, params: dict[str, Any], seed: int) -> Array:
    """Filters whose weights are drawn anew for every window of every image, so that no two values belong together.

    Args:
        images: in [0, 1], (n, H, W).
        params: of the classifier: circuit, filters and windows.
        seed: of the drawing.

    Returns:
        Feature maps (n, channels, rows, columns).
    """
    generator = np.random.default_rng(seed)
    found = []
    size, stride = params["kernel_size"], params["stride"]
    rows, columns = ((side - size) // stride + 1 for side in images.shape[1:])
    places, filters = rows * columns, params["n_filters"]
    for image in images:
        layer = Quanv2d(
            1, 4 * filters * places, size, stride, circuit=params["circuit"], n_layers=params["n_layers"],
            trainable=False, seed=int(generator.integers(2**31)),
        )  # fmt: skip
        with torch.no_grad():
            values = layer(torch.from_numpy(image)[None, None].float())[0].numpy()
        own = values.reshape(filters, places, -1, rows, columns)
        index = np.arange(places)
        picked = own.reshape(filters, places, -1, places)[:, index, :, index]  # (places, filters, measured)
        found.append(picked.transpose(1, 2, 0).reshape(-1, rows, columns))
    return np.stack(found)


FEATURES: dict[str, Callable[[Array, dict[str, Any], int], Array]] = {"redrawn": redrawn}
"""By the name that a config gives."""


def unit(images: Array) -> Array:
    """Pixels in [0, 1]."""
    most = 255.0 if images.dtype == np.uint8 else float(images.max() or 1.0)
    return images.astype(np.float32) / np.float32(most if math.isfinite(most) else 1.0)

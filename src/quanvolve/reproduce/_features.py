"""Ways to make feature maps that no layer has, because they are mistakes: the point is to see what they do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from quanvolve.compile import continued
from quanvolve.nn import Quanv2d
from quanvolve.reproduce._circuits import with_circuit

Array = npt.NDArray[Any]


def redrawn(images: Array, params: dict[str, Any], seed: int, *, test: bool) -> Array:
    """Filters whose weights are drawn anew for every window of every image, so that no two values belong together.

    Args:
        images: in [0, 1], (n, H, W).
        params: of the classifier: circuit, filters and windows.
        seed: of the drawing.
        test: whether these are the test images, which get weights of their own.

    Returns:
        Feature maps (n, channels, rows, columns).
    """
    generator = np.random.default_rng(seed + 10_000 * test)
    return np.stack([_drawn(image, params, int(generator.integers(2**31))) for image in images])


def each_window(images: Array, params: dict[str, Any], seed: int, *, test: bool) -> Array:
    """Weights of its own for every window, the same for all images; arguments as for :func:`redrawn`."""
    return np.stack([_drawn(image, params, seed) for image in images])


def carried(images: Array, params: dict[str, Any], seed: int, *, test: bool) -> Array:
    """Windows one after the other on the same qubits, which nobody sets to zero in between.

    Arguments as for :func:`redrawn`; the circuit is one of `CIRCUITS`, and its filter the only one.
    """
    circuit = with_circuit(params)["circuit"]
    size, stride = params["kernel_size"], params["stride"]
    windows = torch.from_numpy(images).double().unfold(1, size, stride).unfold(2, size, stride).flatten(3)
    rows, columns = windows.shape[1:3]
    maps = np.empty((len(images), circuit.n_outputs, rows, columns), np.float32)
    state = None
    for row, column in np.ndindex(rows, columns):
        values, state = continued(circuit, windows[:, row, column].T, state)
        maps[:, :, row, column] = values.T
    return maps


def _drawn(image: Array, params: dict[str, Any], seed: int) -> Array:
    """The feature maps of an image with weights drawn for each window."""
    size, stride, filters = params["kernel_size"], params["stride"], params["n_filters"]
    rows, columns = ((side - size) // stride + 1 for side in image.shape)
    places = rows * columns
    layer = Quanv2d(
        1, 4 * filters * places, size, stride, circuit=params["circuit"], n_layers=params["n_layers"],
        trainable=False, seed=seed,
    )  # fmt: skip
    with torch.no_grad():
        values = layer(torch.from_numpy(image)[None, None].float())[0].numpy()
    index = np.arange(places)
    picked = values.reshape(filters, places, -1, places)[:, index, :, index]  # (places, filters, measured)
    maps: Array = picked.transpose(1, 2, 0).reshape(-1, rows, columns)
    return maps


FEATURES: dict[str, Callable[..., Array]] = {"redrawn": redrawn, "each_window": each_window, "carried": carried}
"""By the name that a config gives."""


def unit(images: Array) -> Array:
    """Pixels in [0, 1]."""
    most = 255.0 if images.dtype == np.uint8 else float(images.max() or 1.0)
    return images.astype(np.float32) / np.float32(most if math.isfinite(most) else 1.0)

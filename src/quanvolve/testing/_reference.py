"""What a layer should compute on one window: simulated independently of the layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import simulate
from quanvolve.nn import QuanvNd
from quanvolve.testing._subject import Subject

Window = npt.NDArray[np.float64]
Reference = Callable[[Window], Any]

_NUMPY_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def own_reference(layer: QuanvNd) -> Reference:
    """The reference of a layer of this package: its circuits on PennyLane's `default.qubit`, one by one.

    Args:
        layer: a `Quanv1d`, `Quanv2d` or `Quanv3d`.

    Returns:
        A function of a window, flattened as by `unfold` (channel, then row, then column), that returns the values of
        all output channels.

    Raises:
        QuanvolveError: for any other module.

    Examples:
        >>> import numpy as np
        >>> from quanvolve import Quanv2d
        >>> layer = Quanv2d(1, 4, 2, seed=0)
        >>> own_reference(layer)(np.zeros(4)).shape
        (4,)
    """
    if not isinstance(layer, QuanvNd):
        raise QuanvolveError(f"{type(layer).__name__} is no layer of this package: write its reference by hand")
    rows = layer.rows()
    weights = [{name: weight.detach().double().cpu().numpy() for name, weight in row.weights.items()} for row in rows]
    scales = [row.scale.detach().double().cpu().numpy() for row in rows]

    def reference(window: Window) -> Window:
        out = np.zeros(layer.out_channels) if layer.bias is None else layer.bias.detach().double().cpu().numpy().copy()
        for row, row_weights, scale in zip(rows, weights, scales, strict=True):
            values = simulate(row.circuit, (window[row.pixels.start : row.pixels.stop] * scale).tolist(), row_weights)
            for channel, value in zip(row.out_channels, values, strict=True):
                if channel is not None:
                    out[channel] += value
        return out

    return reference


def windows_of(subject: Subject, image: Window) -> dict[tuple[int, ...], Window]:
    """Every window of an image (C, *size) by its place, flattened, in plain loops."""
    padded = np.pad(image, [(0, 0), *subject.sides], mode=_NUMPY_MODES[subject.padding_mode])  # type: ignore[call-overload]
    windows = {}
    for place in np.ndindex(*subject.places):
        reach = [
            [start * t + k * d for k in range(size)]
            for start, t, size, d in zip(place, subject.stride, subject.kernel_size, subject.dilation, strict=True)
        ]
        window = padded
        for axis, rows in enumerate(reach):
            window = np.take(window, rows, axis=axis + 1)
        windows[place] = window.reshape(-1)
    return windows


def reference_for(subject: Subject, reference: Reference | None) -> Reference:
    """The reference given, that of a layer of this package, or the module itself on images of one window.

    Raises:
        QuanvolveError: if a foreign module pads its images and there is no reference.
    """
    if reference is not None:
        return reference
    if isinstance(subject.layer, QuanvNd):
        return own_reference(subject.layer)
    if any(sum(side) for side in subject.sides):
        raise QuanvolveError(
            f"{type(subject.layer).__name__} pads its images, so that windows cannot be cut out of them: give a "
            "`reference`, a function of a flattened window"
        )
    return _alone(subject)


def _alone(subject: Subject) -> Reference:
    def reference(window: Window) -> Window:
        image = np.zeros((subject.in_channels, *subject.span))
        inside = (slice(None), *(slice(None, None, d) for d in subject.dilation))
        image[inside] = window.reshape(subject.in_channels, *subject.kernel_size)
        out = subject.run(torch.from_numpy(image)[None].to(subject.dtype))
        return np.asarray(out.double().reshape(-1).numpy(), float)

    return reference

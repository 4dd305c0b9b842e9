"""What a layer should compute on one window: simulated independently of the layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

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
    weights = {name: w.detach().double().cpu().numpy() for name, w in layer.circuit_weights().items()}
    scale = layer.scale.detach().double().cpu() if isinstance(layer.scale, Tensor) else layer.scale
    full = torch.ones(layer.in_channels, *layer.kernel_size, dtype=torch.float64) * scale
    factors = full.reshape(layer.groups, layer.in_channels // layer.groups, -1).numpy()
    a_group = layer.out_channels // layer.groups
    filters, reads = layer.filter_shape[0] // layer.groups, layer.filter_shape[1]
    joint = layer.channel_mixing == "joint"

    def reference(window: Window) -> Window:
        scaled = window.reshape(factors.shape) * factors
        found = []
        for group in range(layer.groups):
            inputs = [scaled[group].reshape(-1)] if joint else list(scaled[group])
            values = []
            for f in range(filters):
                row = group * filters + f
                total = np.zeros(layer.circuits[0].n_outputs)
                for c in range(reads):
                    circuit = layer.circuits[row * reads + c if len(layer.circuits) > 1 else 0]
                    total = total + simulate(circuit, inputs[c], {name: w[row, c] for name, w in weights.items()})
                values.append(total)
            found.append(np.concatenate(values)[:a_group])
        out = np.concatenate(found)
        return out if layer.bias is None else out + layer.bias.detach().double().cpu().numpy()

    return reference


def windows_of(subject: Subject, image: Window) -> dict[tuple[int, ...], Window]:
    """Every window of an image (C, *size) by its place, flattened, in plain loops."""
    padded = np.pad(image, [(0, 0), *subject.sides], mode=_NUMPY_MODES[subject.padding_mode])  # type: ignore[call-overload]
    found = {}
    for place in np.ndindex(*subject.places):
        reach = [
            [start * t + k * d for k in range(size)]
            for start, t, size, d in zip(place, subject.stride, subject.kernel_size, subject.dilation, strict=True)
        ]
        window = padded
        for axis, rows in enumerate(reach):
            window = np.take(window, rows, axis=axis + 1)
        found[place] = window.reshape(-1)
    return found


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

"""Geometry: every place of the map holds the circuit's values on its own window."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from quanvolve.testing._reference import Reference, reference_for, windows_of
from quanvolve.testing._report import Result
from quanvolve.testing._subject import Subject

_failed = partial(Result, "geometry", False)

Array = npt.NDArray[np.float64]


def check_geometry(layer: nn.Module, reference: Reference | None = None, **where: Any) -> Result:
    """Compare every value of the map with an independent simulation of its window, on images that are not square.

    Args:
        layer: any module that takes (N, C, *size) to (N, channels, *places).
        reference: a function of a window, flattened as by `unfold`, that returns the values of all channels. Layers of
            this package have their own; any other module is compared with itself on images of one window.
        where: arguments of :class:`Subject`, for modules without the attributes of torch's convolutions.

    Returns:
        The result; where it failed, the message names the likely mistake.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> check_geometry(Quanv2d(1, 4, 2, stride=2, seed=0)).passed
        True
    """
    subject = Subject(layer, **where)
    function = reference_for(subject, reference)
    images = subject.images(2)
    try:
        out = np.asarray(subject.run(images).double().numpy(), float)
    except Exception as error:
        text = str(error).splitlines()[0] if str(error) else "no message"
        return _failed(f"images of {subject.size} are not taken: {type(error).__name__}: {text}")
    expected = _expected(subject, function, images)
    if out.shape != expected.shape:
        hint = ""
        if sorted(out.shape[1:]) == sorted(expected.shape[1:]):
            hint = ": its axes are in another order, it should be (N, channels, *places)"
        return _failed(f"the map has shape {out.shape}, expected {expected.shape}{hint}")
    tolerance = 1e-5 if subject.tolerance < 1e-5 else 1e-3
    wrong = ~np.isclose(out, expected, rtol=0, atol=tolerance)
    if not wrong.any():
        return Result("geometry", True, f"{expected[0, 0].size} windows of {expected.shape[1]} channels are right")
    index = tuple(int(n) for n in np.argwhere(wrong)[0])
    seen = f"{int(wrong.sum())} of {wrong.size} values are wrong, the first at {index}: {out[index]:.4g}, expected "
    return _failed(f"{seen}{expected[index]:.4g}{_likely(subject, function, images, out, expected, wrong, tolerance)}")


def _expected(subject: Subject, function: Reference, images: torch.Tensor) -> Array:
    maps = []
    for image in images.double().numpy():
        windows = windows_of(subject, image)
        values = np.stack([np.asarray(function(window), float).reshape(-1) for window in windows.values()], axis=-1)
        maps.append(values.reshape(-1, *subject.places))
    return np.stack(maps)


def _likely(
    subject: Subject,
    function: Reference,
    images: torch.Tensor,
    out: Array,
    expected: Array,
    wrong: npt.NDArray[np.bool_],
    tolerance: float,
) -> str:
    """The mistake that explains the values, if it is one of those that are often made."""

    def same(a: Array, b: Array) -> bool:
        return a.shape == b.shape and bool(np.allclose(a, b, rtol=0, atol=tolerance))

    spatial = tuple(range(2, out.ndim))
    if subject.dims > 1 and same(
        np.sort(out.reshape(*out.shape[:2], -1)), np.sort(expected.reshape(*out.shape[:2], -1))
    ):
        return ": the right values at the wrong places, as if rows and columns were exchanged"
    if same(np.sort(out.reshape(len(out), -1)), np.sort(expected.reshape(len(out), -1))):
        return ": the right values on the wrong axes, as if channels and places were mixed up by a reshape"
    right = ~wrong.any(axis=(0, 1))
    if right.any() and same(out[..., ~right], np.broadcast_to(out[..., ~right][..., :1], out[..., ~right].shape)):
        return f": only {int(right.sum())} of {right.size} places are computed, such as a corner of the image"
    if subject.dims > 1 and same(out, _expected_runs(subject, function, images)):
        return ": it reads runs of pixels along a row in place of windows"
    for channel in range(subject.in_channels if subject.in_channels > 1 else 0):
        only = images.clone()
        only[:, [c for c in range(subject.in_channels) if c != channel]] = 0
        if same(out - out.mean(spatial, keepdims=True), _centred(_alone_channel(subject, only), spatial)):
            return f": only input channel {channel} counts, as if the channels had overwritten each other"
    last: tuple[Any, ...] = (slice(None), slice(None), *(-1,) * subject.dims)
    if not wrong[last].any():
        return ": the last place is right, as if the windows had overwritten each other's results"
    return ""


def _centred(values: Array, axes: tuple[int, ...]) -> Array:
    centred: Array = values - values.mean(axes, keepdims=True)
    return centred


def _alone_channel(subject: Subject, images: torch.Tensor) -> Array:
    return np.asarray(subject.run(images).double().numpy(), float)


def _expected_runs(subject: Subject, function: Reference, images: torch.Tensor) -> Array:
    """What a loop makes that takes as many pixels in a row as a window has."""
    size = int(np.prod(subject.kernel_size))
    maps = []
    for image in images.double().numpy():
        padded = np.pad(image, [(0, 0), *subject.sides])
        flat = padded.reshape(len(padded), -1)
        values = []
        for place in np.ndindex(*subject.places):
            start = np.ravel_multi_index(
                tuple(p * t for p, t in zip(place, subject.stride, strict=True)), padded.shape[1:]
            )
            run = np.take(flat, np.arange(start, start + size), axis=1, mode="clip")
            values.append(np.asarray(function(run.reshape(-1)), float).reshape(-1))
        maps.append(np.stack(values, axis=-1).reshape(-1, *subject.places))
    return np.stack(maps)

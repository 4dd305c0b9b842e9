"""Independence: what a window's values depend on, and what they do not."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quanvolve.testing._reference import windows_of
from quanvolve.testing._report import Result
from quanvolve.testing._subject import Subject

_failed = partial(Result, "independence", False)
_unshared = partial(Result, "weight sharing", False)


def check_independence(layer: nn.Module, **where: Any) -> Result:
    """A pixel changes the windows that read it and no others; images and calls do not depend on those before them.

    Args:
        layer: any module that takes (N, C, *size) to (N, channels, *places).
        where: arguments of :class:`Subject`.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> check_independence(Quanv2d(1, 4, 2, seed=0)).passed
        True
    """
    subject = Subject(layer, **where)
    images = subject.images(3)
    out = subject.run(images)
    again = subject.run(images, seed=1)
    if not _same(out, again, subject):
        return _failed("a second call on the same images gives other values, as if something were drawn or kept")
    order = torch.tensor([2, 0, 1])
    if not _same(subject.run(images[order]), out[order], subject):
        return _failed("images in another order give other values, as if something were kept from one to the next")
    if not _same(subject.run(images[1:2]), out[1:2], subject):
        return _failed("an image alone gives other values than in a batch, as if something were kept or drawn anew")
    for pixel in _pixels(subject):
        changed = images.clone()
        at: tuple[Any, ...] = (slice(None), slice(None), *pixel)
        changed[at] += 0.37
        moved = (subject.run(changed) - out).abs().amax(dim=(0, 1)) > subject.tolerance
        reads = _readers(subject, pixel)
        if tuple(moved.shape) != tuple(reads.shape):
            return _failed(f"the map has {tuple(moved.shape)} places, expected {tuple(reads.shape)}")
        if bool((moved & ~reads).any()):
            place = tuple(torch.nonzero(moved & ~reads)[0].tolist())
            return _failed(
                f"pixel {pixel} changes the value at {place}, whose window does not read it, as if state were carried "
                "from one window to the next"
            )
    return Result("independence", True, "a pixel changes its own windows only; batches and calls do not mix")


def check_weight_sharing(layer: nn.Module, **where: Any) -> Result:
    """Translate the image, and the map translates: all windows, and all images, share one circuit and its weights.

    Args:
        layer: any module that takes (N, C, *size) to (N, channels, *places).
        where: arguments of :class:`Subject`.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> check_weight_sharing(Quanv2d(1, 4, 2, seed=0)).passed
        True
    """
    subject = Subject(layer, **where)
    images = subject.images(1).expand(2, *(-1,) * (subject.dims + 1)).clone()
    out = subject.run(images)
    if not _same(out[:1], out[1:], subject):
        return _unshared("two equal images give different maps, as if angles were drawn for each image")
    flat = torch.full_like(images[:1], 0.3)
    values = subject.run(flat)
    inner: tuple[Any, ...] = (slice(None), slice(None), *_inner(subject))
    inside = values[inner]
    if inside.numel() and not _same(
        inside, inside.flatten(2)[:, :, :1].reshape(*inside.shape[:2], *(1,) * subject.dims).expand_as(inside), subject
    ):
        return _unshared("windows with equal pixels give different values, as if angles were drawn for each window")
    for axis in range(subject.dims):
        size = list(subject.size)
        size[axis] += 2 * subject.stride[axis]
        large = subject.images(1, seed=5, size=tuple(size))
        step = subject.stride[axis]
        first = subject.run(large.narrow(2 + axis, 0, size[axis] - step))
        second = subject.run(large.narrow(2 + axis, step, size[axis] - step))
        border = -(-max(subject.sides[axis]) // step)
        count = first.shape[2 + axis] - 1 - 2 * border
        if count < 1:
            continue
        a, b = first.narrow(2 + axis, 1 + border, count), second.narrow(2 + axis, border, count)
        if not _same(a, b, subject):
            return _unshared(f"the image moves by {step} along axis {axis} and the map does not move by one place")
    return Result("weight sharing", True, "the map moves with the image; equal windows and images have equal values")


def _same(a: Tensor, b: Tensor, subject: Subject) -> bool:
    return a.shape == b.shape and bool(torch.allclose(a, b, rtol=0, atol=subject.tolerance))


def _pixels(subject: Subject) -> list[tuple[int, ...]]:
    middle = tuple(n // 2 for n in subject.size)
    return [(0,) * subject.dims, middle, tuple(min(s, n - 1) for s, n in zip(subject.span, subject.size, strict=True))]


def _readers(subject: Subject, pixel: tuple[int, ...]) -> Tensor:
    """The places whose windows read a pixel, found by marking it."""
    marked = np.zeros((subject.in_channels, *subject.size))
    at: tuple[Any, ...] = (slice(None), *pixel)
    marked[at] = 1.0
    windows = windows_of(subject, marked)
    reads = np.array([window.any() for window in windows.values()]).reshape(subject.places)
    return torch.from_numpy(reads)


def _inner(subject: Subject) -> tuple[slice, ...]:
    """The places whose windows read no padding."""
    slices = []
    for (before, after), step, places in zip(subject.sides, subject.stride, subject.places, strict=True):
        slices.append(slice(-(-before // step), places - -(-after // step)))
    return tuple(slices)

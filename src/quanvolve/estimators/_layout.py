"""Which axis of X holds the channels; estimators compute with channels first."""

from __future__ import annotations

from typing import Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve._warn import warn_user
from quanvolve.data import channel_axis

CHANNELS = ("auto", "first", "last")
_USUAL = (1, 3, 4)


def to_fit(X: Any, dims: int, channels: str, image_shape: Any) -> Any:
    """X of `fit` with channels first, where it is an array with an axis of channels; anything else as it is.

    Args:
        X: as the user gave it.
        dims: axes of a window: 1 for series, 2 for images, 3 for volumes.
        channels: "first", "last", or "auto", which warns where it reads the last axis as that of the channels.
        image_shape: the user's word on the shape of flat rows.

    Raises:
        QuanvolveError: if both orders fit, `channels` is another word, or `image_shape` has the channels last.
    """
    if channels not in CHANNELS:
        raise QuanvolveError(f"`channels` (={channels!r}) must be one of {', '.join(map(repr, CHANNELS))}")
    shape = _axes(X, dims)
    if shape is None:
        stated = tuple(image_shape) if np.iterable(image_shape) else ()
        if len(stated) == dims + 1 > 2 and channels != "first":
            _refuse_last(stated)
        return X
    order, note = channel_axis(shape, dims, channels, "X")
    # Images of any number of channels come first as a rule: only sizes that look wrong are worth a word.
    unusual = dims == 1 or (_even(shape[1:-1]) and not _even(shape[2:]))
    if note is not None and (order == "last" or unusual):
        known = "" if order == "first" else '; channels="last" says so and channels="first" takes it as it is'
        warn_user(note + known)
    return _first(X) if order == "last" else X


def _refuse_last(stated: tuple[int, ...]) -> None:
    """Rows of features are read channel after channel, which a shape with the channels last does not say."""
    if stated[-1] in _USUAL and stated[0] not in _USUAL:
        moved = (stated[-1], *stated[:-1])
        raise QuanvolveError(
            f"`image_shape` (={stated}) has the channels last, but rows of features are read channel after channel: "
            f"give X as (n, {', '.join(map(str, stated))}), or `image_shape={moved}` if that is the order of the "
            'features (channels="first" takes the shape as it is)'
        )


def to_use(X: Any, fitted: tuple[int, ...], channels: str) -> Any:
    """X of a fitted estimator with channels first: what has the fitted shape in the other order is brought to it.

    Args:
        X: as the user gave it.
        fitted: shape of the images, (C, *size).
        channels: as in `fit`.
    """
    shape = _axes(X, len(fitted) - 1)
    last = (*fitted[1:], fitted[0])
    if shape is None or channels == "first" or shape[1:] != last or (channels == "auto" and last == fitted):
        return X
    return _first(X)


def _axes(X: Any, dims: int) -> tuple[int, ...] | None:
    """The shape of an array with an axis of channels."""
    shape = getattr(X, "shape", None)
    if not isinstance(shape, tuple) or len(shape) != dims + 2 or not all(isinstance(n, int) and n > 0 for n in shape):
        return None
    return tuple(shape)  # that of a tensor is a tuple which prints its name


def _even(size: tuple[int, ...]) -> bool:
    return len(set(size)) == 1


def _first(X: Any) -> Any:
    return np.ascontiguousarray(np.moveaxis(np.asarray(X), -1, 1))

"""From X as scikit-learn users have it to images in [0, 1]: shape, layout and range."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import validate_data

from quanvolve._errors import QuanvolveError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class ImageSpec:
    """What the images of a fitted estimator look like.

    Args:
        shape: (C, H, W).
        derived: whether the shape was guessed from a number of features.
        range: the values that become 0 and 1.
    """

    shape: tuple[int, int, int]
    derived: bool
    range: tuple[float, float]

    def images(self, rows: Array, dtype: Any = np.float32) -> Array:
        """Rows of pixels as images (n, C, H, W), the learned range mapped to [0, 1]."""
        low, high = self.range
        # In double precision first: a large offset would swallow the differences between pixels in single.
        scaled = (rows.astype(np.float64) - low) / ((high - low) or 1.0)
        return np.ascontiguousarray(scaled, dtype=dtype).reshape(-1, *self.shape)


def stacked(X: Any) -> Any:
    """A list of image arrays as one array; anything else as it is.

    Raises:
        QuanvolveError: if the images differ in shape.
    """
    if isinstance(X, list | tuple) and X and getattr(X[0], "ndim", 0) >= 2:
        shapes = {np.shape(image) for image in X}
        if len(shapes) > 1:
            raise QuanvolveError(f"the images have the shapes {sorted(shapes)}, expected one shape: resize them first")
        return np.stack([np.asarray(image) for image in X])
    return X


def read_rows(estimator: Any, X: Any, *, reset: bool, y: Any = "no_validation", spec: ImageSpec | None = None) -> Any:
    """Check X (and y) the scikit-learn way, as (n, features) whatever its rank.

    Args:
        estimator: gets or has `n_features_in_`.
        X: (n, features), (n, H, W) or (n, C, H, W).
        reset: whether this is a fit.
        y: labels to be checked along with X.
        spec: of the fitted images; X of rank 3 or 4 must have their shape.

    Raises:
        ValueError: scikit-learn's own messages for NaN, infinite, ragged, sparse, complex or empty data.
    """
    rank = getattr(X, "ndim", None)
    if rank is not None and rank > 2:
        X = np.asarray(X)
        if rank > 4:
            raise QuanvolveError(
                f"X has shape {X.shape}, expected (n, features), (n, H, W) or (n, C, H, W): reshape it first"
            )
        if spec is not None and X.shape[1:] not in (spec.shape, spec.shape[1:] if spec.shape[0] == 1 else None):
            raise QuanvolveError(
                f"X has images of shape {X.shape[1:]}, but the model was fitted on {spec.shape} (channels, rows, "
                "columns): bring X to that shape"
            )
        X = X.reshape(len(X), -1) if len(X) else X.reshape(0, math.prod(X.shape[1:]))
    return validate_data(estimator, X, y=y, reset=reset, dtype="numeric", estimator=estimator)


def learn_spec(X: Any, rows: Array, image_shape: tuple[int, ...] | None) -> ImageSpec:
    """Shape and range of the training images.

    Args:
        X: as the user gave it; its rank tells the shape where it is more than 2.
        rows: the same, checked, as (n, features).
        image_shape: the user's word on it, (H, W) or (C, H, W), or None.

    Raises:
        QuanvolveError: if `image_shape` does not hold as many pixels as X has features.
    """
    n_features = rows.shape[1]
    given = tuple(X.shape[1:]) if getattr(X, "ndim", 2) > 2 else None
    derived = given is None and image_shape is None
    if image_shape is not None:
        wanted = tuple(int(n) for n in image_shape) if np.iterable(image_shape) else ()
        if len(wanted) not in (2, 3) or min(wanted) < 1 or math.prod(wanted) != n_features:
            raise QuanvolveError(
                f"`image_shape` (={image_shape}) must be (H, W) or (C, H, W) with {n_features} pixels in all, the "
                "features of X"
            )
        shape = wanted
    elif given is not None:
        shape = given
    else:
        side = math.isqrt(n_features)
        shape = (side, side) if side * side == n_features else (1, n_features)
    full = (1, *shape) if len(shape) == 2 else shape
    return ImageSpec((full[0], full[1], full[2]), derived, _learn_range(rows))


def _learn_range(rows: Array) -> tuple[float, float]:
    """uint8 by 255, floats in [0, 1] as they are, anything else by its own range."""
    if rows.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(rows.min()), float(rows.max())
    if rows.dtype.kind == "f" and low >= 0.0 and high <= 1.0:
        return 0.0, 1.0
    return low, high


def warn_about_range(rows: Array, spec: ImageSpec) -> None:
    """Say so when new images are on another scale than the training images were."""
    if not rows.size:
        return
    low, high = spec.range
    if high == 255.0 and low == 0.0 and rows.dtype.kind == "f" and float(rows.max()) <= 1.0:
        given = "in [0, 1]"
    elif high == 1.0 and low == 0.0 and rows.dtype == np.uint8 and int(rows.max()) > 1:
        given = "uint8 in [0, 255]"
    elif float(rows.max()) > 2 * high - low or float(rows.min()) < 2 * low - high:
        given = f"in [{float(rows.min()):g}, {float(rows.max()):g}]"
    else:
        return
    warnings.warn(
        f"X is {given}, but the model was fitted on values in [{low:g}, {high:g}]: bring X to that range",
        UserWarning,
        stacklevel=3,
    )


def fit_window(spec: ImageSpec, kernel_size: Any, stride: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Kernel and stride for these images; a derived shape may be a single row or smaller than the kernel.

    Raises:
        QuanvolveError: if they are not one or two whole numbers.
    """
    kernel, step = _pair("kernel_size", kernel_size), _pair("stride", stride)
    if not spec.derived:
        return kernel, step
    _, height, width = spec.shape
    if height == 1:
        return (1, min(kernel[1], width)), (1, step[1])
    return (min(kernel[0], height), min(kernel[1], width)), step


def _pair(argument: str, value: Any) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int | np.integer) else tuple(value) if np.iterable(value) else ()
    if len(pair) != 2 or not all(isinstance(n, int | np.integer) and n >= 1 for n in pair):
        raise QuanvolveError(f"`{argument}` (={value!r}) must be a whole number of at least 1, or two such numbers")
    return int(pair[0]), int(pair[1])

"""From X as scikit-learn users have it to images, series or volumes in [0, 1]: shape, layout and range."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import validate_data

from quanvolve._errors import QuanvolveError
from quanvolve._warn import warn_user
from quanvolve.estimators._polarity import border_of, inverted

Array = npt.NDArray[Any]

_AXES = ("channels, length", "channels, rows, columns", "channels, depth, rows, columns")
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
_FEW = 12
"""So few columns are features, and nobody takes them for pixels."""
_IMAGE = 16
"""From so many values on, images and series are looked at for how far their values lie apart."""
_SOME = 256
"""So many images are enough to tell whether they are bright on dark."""
_FORMS = (("(L,)", "(C, L)"), ("(H, W)", "(C, H, W)"), ("(D, H, W)", "(C, D, H, W)"))


@dataclass(frozen=True)
class ImageSpec:
    """What the images (or series, or volumes) of a fitted estimator look like.

    Args:
        shape: (C, H, W); (C, L) for series, (C, D, H, W) for volumes.
        derived: whether the shape was guessed from a number of features.
        range: the values that become 0 and 1.
        border: how bright the outermost pixels are, in [0, 1], where that was looked at.
        spread: how far the values of an image lie apart, in [0, 1], at the least, where that was looked at.
    """

    shape: tuple[int, ...]
    derived: bool
    range: tuple[float, float]
    border: float | None = None
    spread: float | None = None

    def images(self, rows: Array, dtype: Any = np.float32) -> Array:
        """Rows of pixels as images (n, *shape), the learned range mapped to [0, 1]."""
        low, high = self.range
        if rows.dtype == np.uint8:  # each value once
            values = (np.arange(256, dtype=np.float64) - low) / ((high - low) or 1.0)
            return values.astype(dtype)[rows].reshape(-1, *self.shape)
        # In double precision first: a large offset would swallow the differences between pixels in single.
        scaled = (rows.astype(np.float64) - low) / ((high - low) or 1.0)
        return np.ascontiguousarray(scaled, dtype=dtype).reshape(-1, *self.shape)


def stacked(X: Any) -> Any:
    """A list of image arrays, or of pictures of Pillow, as one array; anything else as it is.

    Raises:
        QuanvolveError: if the images differ in shape or kind; for paths, and data sets of torch and Hugging Face, which
            `load_dataset` reads.
    """
    _refuse_unread(X)
    if isinstance(X, list | tuple) and X and hasattr(X[0], "getbands"):
        kinds = {(getattr(picture, "size", None), getattr(picture, "mode", None)) for picture in X}
        if len(kinds) > 1 or X[0].mode not in ("L", "RGB"):
            raise QuanvolveError(
                f"X holds pictures of {len(kinds)} sizes and modes, such as {X[0].size[0]}x{X[0].size[1]} in "
                f"{X[0].mode!r}, expected one size and 'L' or 'RGB': load_dataset((pictures, labels), image_size=28) "
                "makes them equal"
            )
        return np.stack([np.asarray(picture) for picture in X])  # with the channels last, as an array that is given
    if isinstance(X, list | tuple) and X and getattr(X[0], "ndim", 0) >= 2:
        shapes = {np.shape(image) for image in X}
        if len(shapes) > 1:
            raise QuanvolveError(f"the images have the shapes {sorted(shapes)}, expected one shape: resize them first")
        return np.stack([np.asarray(image) for image in X])
    return X


def _refuse_unread(X: Any) -> None:
    """What holds images without being an array of them has to be read first."""
    first = X[0] if isinstance(X, list | tuple) and len(X) else X
    paths = isinstance(first, os.PathLike) or (isinstance(first, str) and first.lower().endswith(_PICTURES))
    sets = type(X).__module__.partition(".")[0] in ("torch", "torchvision", "datasets") and not hasattr(X, "detach")
    if paths or sets:
        given = "paths of pictures" if paths else f"a {type(X).__name__}"
        how = "(paths, labels)" if paths else "it"
        raise QuanvolveError(
            f"X is {given}, expected arrays: data = load_dataset({how}) reads them, and data.train_images and "
            "data.train_labels are what `fit` takes"
        )


def read_rows(
    estimator: Any, X: Any, *, reset: bool, y: Any = "no_validation", spec: ImageSpec | None = None, **checks: Any
) -> Any:
    """Check X (and y) the scikit-learn way, as (n, features) whatever its rank.

    Args:
        estimator: gets or has `n_features_in_`.
        X: (n, features), (n, H, W) or (n, C, H, W); (n, C, L) for series, (n, D, H, W) or (n, C, D, H, W) for volumes.
        reset: whether this is a fit.
        y: labels to be checked along with X.
        spec: of the fitted images; X of rank 3 or 4 must have their shape.
        checks: further arguments of scikit-learn's `validate_data`, about y.

    Raises:
        ValueError: scikit-learn's own messages for NaN, infinite, ragged, sparse, complex or empty data.
    """
    rank = getattr(X, "ndim", None)
    if rank is not None and rank > 2:
        X = np.asarray(X)
        if rank > 5:
            raise QuanvolveError(
                f"X has shape {X.shape}, expected (n, features), (n, H, W), (n, C, H, W) or (n, C, D, H, W): reshape "
                "it first"
            )
        if spec is not None and X.shape[1:] not in (spec.shape, spec.shape[1:] if spec.shape[0] == 1 else None):
            raise QuanvolveError(
                f"X has images of shape {X.shape[1:]}, but the model was fitted on {spec.shape} "
                f"({_AXES[len(spec.shape) - 2]}): bring X to that shape"
            )
        X = X.reshape(len(X), -1) if len(X) else X.reshape(0, math.prod(X.shape[1:]))
    return validate_data(estimator, X, y=y, reset=reset, dtype="numeric", estimator=estimator, **checks)


def spatial_axes(kernel_size: Any, X: Any) -> int:
    """How many axes a window has: as many as `kernel_size` has numbers; a single number is for images.

    Raises:
        QuanvolveError: if `kernel_size` has another length than one, two or three.
    """
    if isinstance(kernel_size, int | np.integer):
        return 3 if getattr(X, "ndim", 2) == 5 else 2
    dims = len(tuple(kernel_size)) if np.iterable(kernel_size) else 0
    if dims not in (1, 2, 3):
        raise QuanvolveError(
            f"`kernel_size` (={kernel_size!r}) must be a whole number of at least 1, or two such numbers for images, "
            "one in a tuple for series, such as (9,), or three for volumes"
        )
    return dims


def learn_spec(X: Any, rows: Array, image_shape: tuple[int, ...] | None, dims: int = 2) -> ImageSpec:
    """Shape and range of the training images.

    Args:
        X: as the user gave it; its rank tells the shape where it is more than 2.
        rows: the same, checked, as (n, features).
        image_shape: the user's word on it, (H, W) or (C, H, W), or None; for series (L,) or (C, L), for volumes
            (D, H, W) or (C, D, H, W).
        dims: axes of a window: 1 for series, 2 for images, 3 for volumes.

    Raises:
        QuanvolveError: if `image_shape` does not hold as many pixels as X has features, or X is not of that kind.
    """
    n_features = rows.shape[1]
    array_shape = tuple(X.shape[1:]) if getattr(X, "ndim", 2) > 2 else None
    derived = array_shape is None and image_shape is None
    plain, full = _FORMS[dims - 1]
    if image_shape is not None:
        wanted = tuple(int(n) for n in image_shape) if np.iterable(image_shape) else ()
        if len(wanted) not in (dims, dims + 1) or min(wanted) < 1 or math.prod(wanted) != n_features:
            raise QuanvolveError(
                f"`image_shape` (={image_shape}) must be {plain} or {full} with {n_features} pixels in all, the "
                "features of X"
            )
        if array_shape is not None and _with_channels(array_shape, dims) != _with_channels(wanted, dims):
            raise QuanvolveError(
                f"`image_shape` (={image_shape}) is for rows of features, but X has images of shape {array_shape}: "
                "leave it out"
            )
        shape = wanted
    elif array_shape is not None:
        shape = array_shape
    elif dims == 3:
        raise QuanvolveError(
            f"X has {n_features} features and no axes of volumes, which a `kernel_size` of three numbers is for: give "
            "X as (n, D, H, W) or (n, C, D, H, W), or `image_shape`"
        )
    elif dims == 1:
        shape = (n_features,)
    else:
        side = math.isqrt(n_features)
        shape = (side, side) if side * side == n_features else (1, n_features)
    if len(shape) not in (dims, dims + 1):
        raise QuanvolveError(
            f"X has items of shape {shape}, but a `kernel_size` of {dims} number(s) is for {plain} or {full}: give it "
            f"{len(shape) - 1} numbers, or reshape X"
        )
    spec = ImageSpec(_with_channels(shape, dims), derived, _learn_range(rows))
    if derived and dims == 2 and spec.shape[1] == 1 and n_features > _FEW and hasattr(X, "columns"):
        _warn_of_a_row(n_features)
    some = spec.images(rows[:: max(1, len(rows) // _SOME)])
    return replace(spec, border=border_of(some), spread=float(_spreads(rows, spec).min()) if _is_image(spec) else None)


def _with_channels(shape: tuple[int, ...], dims: int) -> tuple[int, ...]:
    return (1, *shape) if len(shape) == dims else shape


def _is_image(spec: ImageSpec) -> bool:
    return math.prod(spec.shape) >= _IMAGE


def _spreads(rows: Array, spec: ImageSpec) -> Array:
    """How far the values of each image lie apart, 1 being the range of the training data."""
    low, high = spec.range
    spreads: Array = (rows.max(axis=1).astype(np.float64) - rows.min(axis=1)) / ((high - low) or 1.0)
    return spreads


def _warn_of_a_row(n_features: int) -> None:
    warn_user(
        f"X is a table of {n_features} columns, taken as images of one row of {n_features} pixels, in which a window "
        "is a few neighbouring columns: give `image_shape` if the columns are pixels, or `kernel_size` as one number "
        "in a tuple, such as (2,), if they are a series"
    )


def _learn_range(rows: Array) -> tuple[float, float]:
    """uint8 by 255, floats in [0, 1] as they are, anything else by its own range."""
    if rows.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(rows.min()), float(rows.max())
    if rows.dtype.kind == "f" and low >= 0.0 and high <= 1.0:
        return 0.0, 1.0
    return low, high


def warn_about_range(rows: Array, spec: ImageSpec) -> None:
    """Say so when new images are on another scale than the training images were, or dark where these were bright."""
    if not rows.size:
        return
    low, high = spec.range
    part = ""
    if high == 255.0 and low == 0.0 and rows.dtype.kind == "f" and float(rows.max()) <= 1.0:
        actual = "in [0, 1]"
    elif high == 1.0 and low == 0.0 and rows.dtype == np.uint8 and int(rows.max()) > 1:
        actual = "uint8 in [0, 255]"
    elif low < high and (float(rows.max()) >= 2 * high - low or float(rows.min()) <= 2 * low - high):
        actual = _range_of(rows)
    elif spec.spread is not None and 0 < float(_spreads(rows, spec).max()) < spec.spread / 2:  # empty ones are no scale
        actual, part = _range_of(rows), ", of which each of its images spans at least twice as much"
    else:
        given = None if spec.border is None else border_of(spec.images(rows[:: max(1, len(rows) // _SOME)]))
        what = inverted(spec.border, given)
        if what is not None:
            warn_user(f"X is {what}: invert it, as {low + high:g} - X")
        return
    warn_user(f"X is {actual}, but the model was fitted on values in [{low:g}, {high:g}]{part}: bring X to that range")


def _range_of(rows: Array) -> str:
    return f"in [{float(rows.min()):g}, {float(rows.max()):g}]"


def fit_window(spec: ImageSpec, kernel_size: Any, stride: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Kernel and stride for these images; a derived shape may be a single row or smaller than the kernel.

    Raises:
        QuanvolveError: if they are not whole numbers, one or as many as there are axes.
    """
    size = spec.shape[1:]
    kernel, step = _numbers("kernel_size", kernel_size, len(size)), _numbers("stride", stride, len(size))
    if not spec.derived:
        return kernel, step
    if len(size) == 2 and size[0] == 1:
        return (1, min(kernel[1], size[1])), (1, step[1])
    return tuple(min(k, n) for k, n in zip(kernel, size, strict=True)), step


def fit_padding(spec: ImageSpec, padding: Any) -> Any:
    """The padding for these images; a derived single row gets no further rows."""
    single = spec.derived and len(spec.shape) == 3 and spec.shape[1] == 1
    return (0, padding) if single and isinstance(padding, int | np.integer) else padding


def _numbers(argument: str, value: Any, dims: int) -> tuple[int, ...]:
    whole = isinstance(value, int | np.integer)
    numbers = (value,) * dims if whole else tuple(value) if np.iterable(value) else ()
    if len(numbers) != dims or not all(isinstance(n, int | np.integer) and n >= 1 for n in numbers):
        several = ("one such number in a tuple", "two such numbers", "three such numbers")[dims - 1]
        raise QuanvolveError(f"`{argument}` (={value!r}) must be a whole number of at least 1, or {several}")
    return tuple(int(n) for n in numbers)

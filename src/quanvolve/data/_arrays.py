"""Data sets from `.npz` files with the key names in use."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve._lines import one_line
from quanvolve.data._dataset import CLASSIFICATION, Dataset
from quanvolve.data._npy import NpzReader, open_npz
from quanvolve.data._shapes import channel_first, checked_pixels
from quanvolve.data._split import set_aside
from quanvolve.data._task import AUTO, for_task, task_of
from quanvolve.data._text import quoted

_SPLIT_KEYS = (
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("x_train", "y_train", "x_test", "y_test"),
    ("X_train", "y_train", "X_test", "y_test"),
)
_KINDS = {"series": 1, "volumes": 3}
_KIND_KEYS = tuple((f"train_{kind}", "train_labels", f"test_{kind}", "test_labels") for kind in _KINDS)
_WHOLE_KEYS = (("images", "labels"), ("X", "y"), ("x", "y"), ("data", "target"))


def load_npz(path: str | os.PathLike[str], *, seed: int = 0, task: str = CLASSIFICATION) -> Dataset:
    """Load a data set from an `.npz` file.

    Series, (n, L) or (n, C, L), are named `train_series, train_labels, test_series, test_labels`; volumes, (n, D, H, W)
    or (n, C, D, H, W), `train_volumes` and `test_volumes`. For images the file has either
    four arrays, `train_images, train_labels, test_images, test_labels` or
    `x_train, y_train, x_test, y_test` (also `X_train`, `X_test`), or two, `images, labels`, `X, y`, `x, y` or
    `data, target`, of which a fifth becomes the test set, with the same share of each class where there are
    enough images. Other arrays in the file are left alone.

    Images are (n, H, W), (n, C, H, W) or (n, H, W, C), the last with 1, 3 or 4 channels and moved to (n, C,
    H, W); (n, features) is kept as it is. Labels are integers or text, (n,) or (n, 1); for regression they are numbers,
    (n,) or (n, targets), and where samples have several labels 0 and 1, (n, labels). Pickled objects are never loaded.

    Args:
        path: The file.
        seed: Fixes which images a file without its own split gives to the test set.
        task: "classification", "regression" or "multilabel"; "auto" takes numbers that are not whole for targets, and
            rows of 0 and 1 for several labels.

    Returns:
        The data set, named like the file without its extension. Integer labels come as int64.

    Raises:
        DataError: The file is missing, damaged, or lacks the keys, or its arrays do not make a data set.

    Examples:
        >>> import tempfile, numpy as np
        >>> from quanvolve.data import load_npz
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.savez(f"{folder}/shapes.npz", images=np.zeros((10, 6, 6, 3)), labels=["disc", "ring"] * 5)
        ...     load_npz(f"{folder}/shapes.npz")
        Dataset('shapes': 8 train + 2 test, 3x6x6 float64, 2 classes)
    """
    path = Path(path)
    with open_npz(path) as file:
        keys = _find_keys(file, path)
        names = [f"`{key}` in {quoted(path)}" for key in keys]
        arrays = [file[key] for key in keys]
    dims = _KINDS.get(keys[0].removeprefix("train_"), 2)
    if task == AUTO:
        task = task_of([_one_axis(labels) for labels in arrays[1::2]])
    parts = [
        (_images(arrays[i], names[i], dims), _labels(arrays[i + 1], names[i + 1], arrays[i], names[i], task))
        for i in range(0, len(keys), 2)
    ]
    if len(parts) == 1:
        images, labels = parts[0]
        if len(labels) < 2:
            raise DataError(f"{names[0]} holds 1 image, expected at least 2: one to train with and one to test with")
        # Classes keep their shares; numbers are drawn as if all were of one class.
        test = set_aside(labels if task == CLASSIFICATION else np.zeros(len(labels), np.int64), seed)
        parts = [(images[~test], labels[~test]), (images[test], labels[test])]
    elif parts[0][0].shape[1:] != parts[1][0].shape[1:]:
        raise DataError(
            f"{names[2]} holds images of shape {parts[1][0].shape[1:]}, expected {parts[0][0].shape[1:]} as "
            f"in `{keys[0]}`: make both equal"
        )
    elif parts[0][1].dtype.kind != parts[1][1].dtype.kind:
        raise DataError(
            f"{names[3]} holds {_kind(parts[1][1])}, expected {_kind(parts[0][1])} as in `{keys[1]}`: make both equal"
        )
    (train_images, train_labels), (test_images, test_labels) = parts
    if train_labels.shape[1:] != test_labels.shape[1:]:
        raise DataError(
            f"{names[3]} has the shape {test_labels.shape}, but `{keys[1]}` has the "
            f"shape {train_labels.shape}: make both equal"
        )
    classes = np.unique(np.concatenate([train_labels, test_labels])) if task == CLASSIFICATION else np.array([])
    return Dataset(
        path.stem, train_images, train_labels, test_images, test_labels, tuple(str(c) for c in classes), dims,
        task=task,
    )  # fmt: skip


def _find_keys(file: NpzReader, path: Path) -> tuple[str, ...]:
    accepted: tuple[tuple[str, ...], ...] = _SPLIT_KEYS + _KIND_KEYS + _WHOLE_KEYS
    for keys in accepted:
        if set(keys) <= set(file.keys):
            return keys
    present = one_line(", ".join(file.keys)) or "none"
    raise DataError(
        f"{quoted(path)} has the keys: {present}; expected one of: "
        f"{'; '.join(', '.join(keys) for keys in accepted)}. Save it with np.savez under such names"
    )


def _images(array: NDArray[Any], name: str, dims: int) -> NDArray[Any]:
    if dims != 2:
        form = "(n, L) or (n, C, L)" if dims == 1 else "(n, D, H, W) or (n, C, D, H, W)"
        if array.ndim not in (dims + 1, dims + 2):
            raise DataError(f"{name} has the shape {array.shape}, expected {form}: reshape it")
        return checked_pixels(array, name)
    if array.ndim not in (2, 3, 4):
        raise DataError(
            f"{name} has the shape {array.shape}, expected (n, H, W), (n, C, H, W), (n, H, W, C) or (n, "
            f"features): reshape it"
        )
    return channel_first(checked_pixels(array, name))


def _one_axis(labels: NDArray[Any]) -> NDArray[Any]:
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


def _labels(array: NDArray[Any], name: str, images: NDArray[Any], images_name: str, task: str) -> NDArray[Any]:
    """The labels as int64 or text, one for each image; for other tasks as these have them."""
    array = _one_axis(array)
    if task != CLASSIFICATION and array.ndim in (1, 2) and len(array) == len(images):
        return for_task(array, task, name)
    if array.ndim != 1 or len(array) != len(images):
        raise DataError(
            f"{name} has the shape {array.shape}, expected ({len(images)},), one label for each image of {images_name}"
        )
    kind = array.dtype.kind
    if kind == "U":
        _require_text(array, name)
        return array
    if kind == "S":
        try:
            return np.char.decode(array, "utf-8")
        except UnicodeDecodeError:
            raise DataError(f"{name} holds bytes that are no UTF-8 text: save the labels as text or integers") from None
    whole = kind in "bui" or (kind == "f" and bool(np.all(np.isfinite(array) & (array == np.round(array)))))
    if not whole:
        raise DataError(
            f"{name} has the type {array.dtype}, expected classes as whole numbers or text: convert it, or "
            "ask for the task regression where they are numbers to be predicted"
        )
    return array.astype(np.int64)


def _require_text(array: NDArray[Any], name: str) -> None:
    """Refuse numbers in a text array that are no characters: NumPy does not look at them, and Python cannot show them.

    Raises:
        DataError: naming the label and the number.
    """
    if not array.dtype.itemsize:
        return
    numbers = np.ascontiguousarray(array).view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
    wrong = np.flatnonzero((numbers > sys.maxunicode) | ((numbers >= 0xD800) & (numbers < 0xE000)))
    if len(wrong):
        where = int(wrong[0]) // (array.dtype.itemsize // 4)
        raise DataError(
            f"{name} holds the number {int(numbers[wrong[0]]):#x} in place of a character, in label {where}, which no "
            "text has: save the labels as text or integers"
        )


def _kind(labels: NDArray[Any]) -> str:
    return "whole numbers" if labels.dtype.kind == "i" else "text"

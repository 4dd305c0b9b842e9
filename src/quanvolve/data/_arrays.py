"""Data sets from `.npz` files with the key names in use."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve._lines import one_line
from quanvolve.data._dataset import CLASSIFICATION, Dataset
from quanvolve.data._npy import NpzReader, open_npz
from quanvolve.data._npz_keys import USUAL, Pair, dims_of, find_pairs
from quanvolve.data._shapes import channel_axis, checked_pixels, moved_first
from quanvolve.data._split import set_aside
from quanvolve.data._task import AUTO, for_task, task_of
from quanvolve.data._text import plural, quoted

_TEST_SHARE = 0.2


def load_npz(
    path: str | os.PathLike[str],
    *,
    seed: int = 0,
    channels: str = "auto",
    test_fraction: float = _TEST_SHARE,
    task: str = CLASSIFICATION,
) -> Dataset:
    """Load a data set from an `.npz` file.

    The keys name the arrays. Each is a part and a word, in either order, with capitals or without, with `_`, `-` or
    nothing between (`train_images`, `X_train`, `val_labels`, `ytest`):

    - parts: `train`, `training` or `tr`; `val`, `valid`, `validation` or `dev`; `test`, `testing` or `te`;
    - words of the data: `images`, `image`, `imgs`, `img`, `x`, `data`, `inputs` or `features`; `series` for series,
      `volumes` for volumes;
    - words of the labels: `labels`, `label`, `lbls`, `lbl`, `y`, `targets` or `target`.

    So MedMNIST's six arrays are read, and Keras' four. Without arrays for the test, or with words alone (`images,
    labels`, `X, y`, `data, target`), a fifth of the images becomes the test set, with the same share of each class
    where there are enough. Arrays for validation choose the best epoch. What else is in the file is left alone and
    named in the notes of the data set.

    Images are (n, H, W), (n, C, H, W) or (n, H, W, C); (n, features) is kept as it is. Series are (n, L) or (n, C, L),
    volumes (n, D, H, W) or (n, C, D, H, W); with the channels last too. Which axis holds the channels is seen by its
    length (1, 3 or 4), the notes say what was concluded, and channels that come last are moved to the front. Labels
    are integers or text, (n,) or (n, 1); for regression they are numbers, (n,) or (n, targets), and where samples have
    several labels 0 and 1, (n, labels). Pickled objects are never loaded.

    Args:
        path: The file.
        seed: Fixes which images a file without its own split gives to the test set.
        channels: Which axis holds the channels: "first", "last", or "auto" where only one can.
        test_fraction: The share of the images that becomes the test set where the file has none.
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
        ...     shapes = load_npz(f"{folder}/shapes.npz")
        >>> shapes
        Dataset('shapes': 8 train + 2 test, 3x6x6 float64, 2 classes)
        >>> for note in shapes.notes:
        ...     print(note)
        `images` (10, 6, 6, 3): read with the channels last, 3 channels of 6x6
        2 of 10 images became the test set (the same share of each class, seed 0)
    """
    path = Path(path)
    with open_npz(path) as file:
        pairs = find_pairs(file.keys)
        if not pairs:
            raise DataError(_no_pairs(file, path))
        arrays = {key: file[key] for pair in pairs.values() for key in pair}
        rest = [f"`{one_line(key)}` {file.shape(key)}" for key in file.keys if key not in arrays]
    main = pairs.get("train") or pairs["whole"]
    dims = dims_of(main)
    notes: list[str] = []
    order, note = channel_axis(arrays[main.data].shape, dims, channels, f"`{main.data}`")
    if note is not None:
        notes.append(note + _or_volumes(arrays[main.data].shape, dims))
    if task == AUTO:
        task = task_of([_one_axis(arrays[pair.labels]) for pair in pairs.values()])
    parts = {
        part: _Part(
            _ordered(_images(arrays[pair.data], _named(pair.data, path), dims), dims, order),
            _labels(arrays[pair.labels], _named(pair.labels, path), arrays[pair.data], _named(pair.data, path), task),
        )
        for part, pair in pairs.items()
    }
    for part in ("valid", "test"):
        if part in parts:
            _require_alike(pairs[part], parts[part], main, next(iter(parts.values())), path)
    train = parts.get("train") or parts["whole"]
    if "test" in parts:
        test = parts["test"]
    else:
        if len(train.labels) < 2:
            raise DataError(
                f"{_named(main.data, path)} holds 1 image, expected at least 2: one to train with and one to test with"
            )
        # Classes keep their shares; numbers are drawn as if all were of one class.
        groups = train.labels if task == CLASSIFICATION else np.zeros(len(train.labels), np.int64)
        rows = set_aside(groups, seed, test_fraction)
        how = "the same share of each class, " if task == CLASSIFICATION else ""
        notes.append(f"{np.count_nonzero(rows)} of {len(rows)} images became the test set ({how}seed {seed})")
        test, train = _Part(train.images[rows], train.labels[rows]), _Part(train.images[~rows], train.labels[~rows])
    valid = parts.get("valid")
    if valid is not None:
        notes.append(f"`{pairs['valid'].data}` ({plural(len(valid.labels), 'image')}) choose the best epoch")
    if rest:
        notes.append(f"left alone: {', '.join(rest)}")
    classes = np.unique(np.concatenate([train.labels, test.labels])) if task == CLASSIFICATION else np.array([])
    return Dataset(
        path.stem,
        *train,
        *test,
        tuple(str(c) for c in classes),
        dims,
        None if valid is None else valid.images,
        None if valid is None else valid.labels,
        notes=tuple(notes),
        task=task,
    )


def _or_volumes(shape: tuple[int, ...], dims: int) -> str:
    """What else an array may be that has as many channels as rows, as the volumes of MedMNIST have."""
    if dims != 2 or len(set(shape[1:])) > 1:
        return ""
    return "; under the word `volumes`, as in `train_volumes`, they are read as volumes"


class _Part(NamedTuple):
    images: NDArray[Any]
    labels: NDArray[Any]


def _named(key: str, path: Path) -> str:
    return f"`{key}` in {quoted(path)}"


def _no_pairs(file: NpzReader, path: Path) -> str:
    present = one_line(", ".join(file.keys)) or "none"
    return (
        f"{quoted(path)} has the keys: {present}; expected one of: {'; '.join(USUAL)}. Save it with np.savez under "
        "such names"
    )


def _ordered(images: NDArray[Any], dims: int, order: str) -> NDArray[Any]:
    return moved_first(images) if order == "last" and images.ndim == dims + 2 else images


def _require_alike(pair: Pair, part: _Part, main: Pair, train: _Part, path: Path) -> None:
    """Refuse images of another shape than those to train with, and labels of another kind."""
    if part.images.shape[1:] != train.images.shape[1:]:
        raise DataError(
            f"{_named(pair.data, path)} holds images of shape {part.images.shape[1:]}, expected "
            f"{train.images.shape[1:]} as in `{main.data}`: make both equal"
        )
    if part.labels.dtype.kind != train.labels.dtype.kind:
        raise DataError(
            f"{_named(pair.labels, path)} holds {_kind(part.labels)}, expected {_kind(train.labels)} as in "
            f"`{main.labels}`: make both equal"
        )
    if part.labels.shape[1:] != train.labels.shape[1:]:
        raise DataError(
            f"{_named(pair.labels, path)} has the shape {part.labels.shape}, but `{main.labels}` has the shape "
            f"{train.labels.shape}: make both equal"
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
    return checked_pixels(array, name)


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
            + _several(array, images)
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


def _several(labels: NDArray[Any], images: NDArray[Any]) -> str:
    """What to do about labels (n, k)."""
    if labels.ndim != 2 or len(labels) != len(images):
        return ""
    return (
        ": where each row has a single 1, keep labels.argmax(axis=1); for several labels an image say "
        "`task='multilabel'`, for several numbers `task='regression'`"
    )


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

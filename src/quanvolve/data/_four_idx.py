"""Data sets of four IDX files: the images and the labels, to train with and for the test."""

from __future__ import annotations

import os
import string
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._blob import Blob
from quanvolve.data._dataset import Dataset
from quanvolve.data._idx import parse_idx, read_idx
from quanvolve.data._text import quoted

_ENDS = ("images-idx3-ubyte", "labels-idx1-ubyte")
FILES = tuple(f"{part}-{end}" for part in ("train", "t10k") for end in _ENDS)
"""The names of the files of the MNIST family, without `.gz`."""


class Four(NamedTuple):
    """What is known of four files by their names.

    Args:
        stems: The names, without `.gz`: images and labels to train with, then for the test.
        class_names: One name for each label; None for the labels as they are.
        transposed: Whether rows and columns are exchanged in the files.
        first_label: The lowest label.
    """

    stems: tuple[str, ...]
    class_names: tuple[str, ...] | None = None
    transposed: bool = False
    first_label: int = 0


def _emnist(split: str, class_names: str, first_label: int = 0) -> Four:
    stems = tuple(f"emnist-{split}-{part}-{end}" for part in ("train", "test") for end in _ENDS)
    return Four(stems, tuple(class_names), True, first_label)


# Small letters that look like the capital one are counted as that.
_MERGED = string.digits + string.ascii_uppercase + "abdefghnqrt"
EMNIST = {
    "balanced": _emnist("balanced", _MERGED),
    "bymerge": _emnist("bymerge", _MERGED),
    "byclass": _emnist("byclass", string.digits + string.ascii_uppercase + string.ascii_lowercase),
    "letters": _emnist("letters", string.ascii_lowercase, 1),
    "digits": _emnist("digits", string.digits),
    "mnist": _emnist("mnist", string.digits),
}
"""The six sets of EMNIST; Cohen et al., "EMNIST: an extension of MNIST to handwritten letters", arXiv:1702.05373."""


def four_files(folder: Path, four: Four) -> tuple[list[Path], list[str]]:
    """Those of the four files that a folder has, and the names of those that it lacks."""
    found = [(stem, _variant(folder, stem)) for stem in four.stems]
    return [path for _, path in found if path is not None], [f"{stem}.gz" for stem, path in found if path is None]


def _variant(folder: Path, stem: str) -> Path | None:
    """The file under any of the names in use: with `-idx` or `.idx`, with `.gz` or without."""
    for base in (stem, stem.replace("-idx", ".idx")):
        for path in (folder / f"{base}.gz", folder / base):
            # Unlike `Path.is_file`, this is False too where the folder may not be searched.
            if os.path.isfile(path):
                return path
    return None


def read_four(name: str, four: Four, files: list[Path] | list[Blob]) -> Dataset:
    """The data set of four IDX files, in the order of `Four.stems`.

    Returns:
        The data set, with uint8 pixels and int64 labels from 0.

    Raises:
        DataError: A file is damaged, or they do not fit together.
    """
    arrays = [read_idx(file) if isinstance(file, Path) else parse_idx(file) for file in files]
    _check(four, [quoted(file) if isinstance(file, Path) else file.what for file in files], arrays)
    if four.transposed:
        arrays = [np.ascontiguousarray(a.transpose(0, 2, 1)) if a.ndim == 3 else a for a in arrays]
    train_images, train_labels, test_images, test_labels = arrays
    train_labels, test_labels = (labels.astype(np.int64) - four.first_label for labels in (train_labels, test_labels))
    class_names = four.class_names
    if class_names is None:
        class_names = tuple(str(label) for label in np.unique(np.concatenate([train_labels, test_labels])))
    return Dataset(name, train_images, train_labels, test_images, test_labels, class_names)


def _check(four: Four, whats: list[str], arrays: list[NDArray[Any]]) -> None:
    """Raise where the four arrays are no data set."""
    for what, array, rank in zip(whats, arrays, (3, 1, 3, 1), strict=True):
        if array.dtype != np.uint8 or array.ndim != rank or array.size == 0:
            raise DataError(
                f"{what} holds {array.dtype} of shape {array.shape}, expected uint8 of rank {rank} and not empty: "
                "check that this is the right file"
            )
    for images, labels in ((0, 1), (2, 3)):
        if len(arrays[images]) != len(arrays[labels]):
            raise DataError(
                f"{whats[labels]} holds {len(arrays[labels])} labels, expected {len(arrays[images])} as there are "
                f"images in {four.stems[images]}: get both files from one source"
            )
        if four.class_names is None:
            continue
        lowest, highest = int(arrays[labels].min()), int(arrays[labels].max())
        least, most = four.first_label, four.first_label + len(four.class_names) - 1
        if lowest < least or highest > most:
            raise DataError(
                f"{whats[labels]} holds the label {highest if highest > most else lowest}, expected {least} to {most}: "
                "check that this is the right file"
            )
    if arrays[0].shape[1:] != arrays[2].shape[1:]:
        raise DataError(
            f"{whats[2]} holds images of {arrays[2].shape[1:]} pixels, expected {arrays[0].shape[1:]} as in "
            f"{four.stems[0]}: get both files from one source"
        )

"""Which data a run works on: names, and what is behind them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quanvolve._errors import DataError
from quanvolve._lines import one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from quanvolve.data import Dataset, Preparation


def canonical(name: str) -> str:
    """A data set's own name, or the absolute path of a file, so that it means the same in any folder.

    Raises:
        DataError: if there is no such data set or file.
    """
    from quanvolve.data import dataset_key, where  # loads numpy

    key = dataset_key(name)
    if isinstance(key, str):
        return key
    # It refuses a file that is not there.
    where(key)
    return os.path.abspath(key)


def load_data(
    name: str,
    data_dir: Path | None,
    progress: Callable[[str, int, int | None], None] | None = None,
    asked: Mapping[str, Any] | None = None,
    preparation: Preparation | None = None,
) -> Dataset:
    """The data set with that canonical name.

    Args:
        name: of a data set, or path.
        data_dir: the folder with its files.
        progress: told of downloads.
        asked: how it is to be read, as `load_dataset` takes it.
        preparation: what a model does to pictures.
    """
    from quanvolve.data import load_dataset  # loads numpy

    return load_dataset(name, data_dir=data_dir, progress=progress, preparation=preparation, **(asked or {}))


def label_names(dataset: Dataset, labels: NDArray[Any]) -> list[str]:
    """Names for people of these labels."""
    return dataset.names_of(labels)


def held_out(dataset: Dataset) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """The images and labels that choose the best epoch, where they come apart from the others."""
    if dataset.valid_images is None or dataset.valid_labels is None:
        return None
    return dataset.valid_images, dataset.valid_labels


def check_fits(dataset: Dataset, clf: Any, run: Path) -> None:
    """Refuse test images that the model cannot take, and say which labels it does not know.

    Raises:
        DataError: naming both sizes, or the labels.
    """
    import numpy as np

    from quanvolve.estimators import warn_of_unknown_labels  # loads scikit-learn

    pixels, expected = dataset.test_images.shape[1:], tuple(clf.image_shape_)
    one_channel = expected[1:] if expected[0] == 1 else expected
    fits = pixels in (expected, one_channel) if len(pixels) > 1 else pixels[0] == clf.n_features_in_
    if not fits:
        raise DataError(
            f"the images of data set {dataset.name!r} are {size(pixels)}, but the model in {run} takes {size(expected)}"
        )
    if dataset.task == "regression":
        columns = 1 if dataset.test_labels.ndim == 1 else dataset.test_labels.shape[1]
        if columns != clf.n_outputs_:
            raise DataError(
                f"data set {dataset.name!r} has {columns} target(s), but the model in {run} gives {clf.n_outputs_}"
            )
        return
    if dataset.task == "multilabel":
        if dataset.test_labels.shape[1] != len(clf.classes_):
            raise DataError(
                f"data set {dataset.name!r} has {dataset.test_labels.shape[1]} labels, but the model in {run} gives "
                f"{len(clf.classes_)}"
            )
        return
    if not np.isin(dataset.test_labels, clf.classes_).any():
        raise DataError(
            f"no label of data set {dataset.name!r} is one of those that the model in {run} tells apart: "
            f"{one_line(', '.join(map(str, clf.classes_[:12])))}"
        )
    warn_of_unknown_labels(clf.classes_, dataset.test_labels)


def size(shape: tuple[int, ...]) -> str:
    """A size as people write it: 28x28, 3x32x32; a single channel goes without saying."""
    return "x".join(map(str, shape[1:] if len(shape) == 3 and shape[0] == 1 else shape))

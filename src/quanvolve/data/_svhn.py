"""SVHN: house numbers in MATLAB's form."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._blob import Blob
from quanvolve.data._dataset import Dataset
from quanvolve.data._mat import read_mat

FILES: tuple[str, str] = ("train_32x32.mat", "test_32x32.mat")
CLASSES = tuple("0123456789")


def read_svhn(name: str, train: Blob, test: Blob) -> Dataset:
    """The data set of two `.mat` files, each with the images `X` (H, W, 3, n) and the labels `y`, in which 10 means 0.

    Raises:
        DataError: A file is damaged, or holds something else.

    References:
        Netzer et al., "Reading Digits in Natural Images with Unsupervised Feature Learning", NIPS workshop (2011).
    """
    parts = [_read(file) for file in (train, test)]
    (train_images, train_labels), (test_images, test_labels) = parts
    if train_images.shape[1:] != test_images.shape[1:]:
        raise DataError(
            f"{test.what} holds images of shape {test_images.shape[1:]}, expected {train_images.shape[1:]} as in "
            f"{train.name}: get both files from one source"
        )
    return Dataset(name, train_images, train_labels, test_images, test_labels, CLASSES)


def _read(file: Blob) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    found = read_mat(file, ("X", "y"))
    images, labels = found["X"], found["y"].ravel()
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[2] not in (1, 3) or images.size == 0:
        raise DataError(
            f"{file.what} holds `X` of {images.dtype} and shape {images.shape}, expected uint8 of shape (H, W, 3, n): "
            "check that this is the right file"
        )
    if labels.shape != images.shape[3:]:
        raise DataError(
            f"{file.what} holds {labels.size} labels for {images.shape[3]} images, expected as many: get the file again"
        )
    return np.array(images.transpose(3, 2, 0, 1), order="C"), _digits(labels, file)


def _digits(labels: NDArray[Any], file: Blob) -> NDArray[np.int64]:
    wrong = labels[~np.isin(labels, np.arange(11))]
    if wrong.size:
        raise DataError(
            f"{file.what} holds the label {wrong[0]}, expected 1 to 10, where 10 means 0: check that this is the right "
            "file"
        )
    return (labels % 10).astype(np.int64)

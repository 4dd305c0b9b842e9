"""Scikit-learn's bundled digits: a data set that needs no network."""

from __future__ import annotations

import numpy as np

from quanvolve.data._dataset import Dataset

N_TEST = 360


def load_digits() -> Dataset:
    """Scikit-learn's bundled digits: 1,797 images of 8x8 pixels, 10 classes.

    The pixels, 0 to 16 in the source, are divided by 16. The split is always the same: 1,437 images for
    training and 360 for the test, with the same share of each class.

    Returns:
        The data set, with float32 pixels in [0, 1] and int64 labels.

    Examples:
        >>> from quanvolve.data import load_digits
        >>> digits = load_digits()
        >>> digits
        Dataset('digits': 1437 train + 360 test, 8x8 float32, 10 classes)
        >>> float(digits.train_images.max())
        1.0

    References:
        E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
        1998.
    """
    from sklearn import datasets, model_selection

    pixels, labels = datasets.load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32).reshape(-1, 8, 8)
    train_images, test_images, train_labels, test_labels = model_selection.train_test_split(
        images, labels.astype(np.int64), test_size=N_TEST, stratify=labels, random_state=0
    )
    names = tuple(str(digit) for digit in range(10))
    return Dataset("digits", train_images, train_labels, test_images, test_labels, names)

"""Two moons: the smallest data set that a linear classifier cannot separate."""

from __future__ import annotations

import numpy as np

from quanvolve.data._dataset import Dataset

N_TEST = 300


def load_moons() -> Dataset:
    """Two interleaved half circles with noise: 1,000 points of two features, two classes.

    The points are always the same: 700 for training and 300 for the test. There is nothing to slide along: with a
    window of both features a quantum convolution is a dense quantum layer.

    Returns:
        The data set, with float32 features and int64 labels.

    Examples:
        >>> from quanvolve.data import load_moons
        >>> load_moons()
        Dataset('moons': 700 train + 300 test, 2 float32, 2 classes)
    """
    from sklearn import datasets

    points, labels = datasets.make_moons(1000, noise=0.2, random_state=0)
    points, labels = points.astype(np.float32), labels.astype(np.int64)
    split = len(points) - N_TEST
    return Dataset("moons", points[:split], labels[:split], points[split:], labels[split:], ("upper", "lower"), dims=1)

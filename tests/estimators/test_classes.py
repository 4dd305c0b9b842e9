"""Classes with a single sample and labels of the test set only: a warning that names them, before the training."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

from quanvolve import QuanvClassifier
from quanvolve.estimators import warn_of_unknown_labels

RNG = np.random.default_rng(0)


def data(labels: list[object]) -> tuple[np.ndarray, np.ndarray]:
    return RNG.random((len(labels), 4, 4)), np.array(labels)


def test_a_class_with_a_single_sample() -> None:
    X, y = data(["a", "b"] * 10 + ["lone"])
    message = (
        "1 of 3 classes has a single training sample ('lone'): the samples set aside for validation are drawn without "
        "regard to classes, and a class whose only sample is among them is not learned; give each class at least 2 "
        "samples, or `validation_fraction=0`"
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        QuanvClassifier("none", max_epochs=1, random_state=0).fit(X, y)
    message = "(7, 8, 9, 10, 11 and 3 more): what is learned of such a class is that sample; give each class at least 2"
    X, y = data([0, 1] * 10 + [7, 8, 9, 10, 11, 12, 13, 14])
    with pytest.warns(UserWarning, match=f"^8 of 10 classes have a single training sample {re.escape(message)}$"):
        QuanvClassifier("none", max_epochs=1, random_state=0, validation_fraction=0).fit(X, y)


def test_labels_of_the_test_samples_only() -> None:
    X, y = data([0, 1] * 10)
    clf = QuanvClassifier("none", max_epochs=1, random_state=0).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        right = clf.score(X, y)
        warn_of_unknown_labels(clf.classes_, y)
    message = (
        "5 of 25 test samples have labels that no training sample has (2, 9): they are always counted as wrong; leave "
        "them out, or train on samples of them"
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        found = clf.score(np.concatenate([X, X[:5]]), np.append(y, [2, 9, 9, 9, 2]))
    assert found == pytest.approx(right * 20 / 25)

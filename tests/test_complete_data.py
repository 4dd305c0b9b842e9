"""Short checks on the complete data sets of QUANVOLVE_DATA, of which other tests read excerpts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from quanvolve import QuanvClassifier, load_dataset
from quanvolve._errors import DataError
from quanvolve.reproduce._data import cut
from tests import datasets
from tests.data import excerpts
from tests.datasets import EXCERPTS, complete

slow = pytest.mark.slow


@slow
def test_mnist_is_the_published_one() -> None:
    data = load_dataset("mnist", data_dir=complete("mnist"))
    assert repr(data) == "Dataset('mnist': 60000 train + 10000 test, 28x28 uint8, 10 classes)"
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(data.train_labels).tolist() == counts
    assert np.bincount(data.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.train_images.mean() / 255 == pytest.approx(0.13066, abs=5e-6)
    assert data.train_images.std() / 255 == pytest.approx(0.30811, abs=5e-6)
    with pytest.raises(DataError, match="holds mnist, expected fashion-mnist"):
        load_dataset("fashion-mnist", data_dir=complete("mnist"))


@slow
def test_threes_and_fives_are_as_many_as_bowles_et_al_have() -> None:
    settings = {"dataset": "mnist", "classes": [3, 5], "side": 8, "draw": "first"}
    train, train_labels, test, test_labels = cut(settings, complete("mnist"), 0)
    assert train.shape == (11_552, 8, 8)
    assert test.shape == (1_902, 8, 8)
    assert set(train_labels) == set(test_labels) == {3, 5}


@slow
def test_text_and_arrays_hold_the_same_series() -> None:
    for name, shape, n_test, tolerance in (("ArrowHead", (36, 1, 251), 175, 1e-9), ("Coffee", (28, 1, 286), 28, 1e-6)):
        folder = complete("timeseries") / name
        text, arrays = load_dataset(folder), load_dataset(folder / f"{name}.npz")
        assert text.train_images.shape == shape
        assert len(text.test_images) == n_test
        np.testing.assert_allclose(text.train_images[:, 0], arrays.train_images, rtol=0, atol=tolerance)
        np.testing.assert_allclose(text.test_images[:, 0], arrays.test_images, rtol=0, atol=tolerance)
        np.testing.assert_array_equal(text.train_labels, arrays.train_labels)
        np.testing.assert_array_equal(text.test_labels, arrays.test_labels)


@slow
def test_a_classifier_learns_coffee() -> None:
    coffee = load_dataset(complete("timeseries") / "Coffee")
    clf = QuanvClassifier(kernel_size=(4,), stride=2, trainable=True, max_epochs=20, random_state=0)
    clf.fit(coffee.train_images, coffee.train_labels)
    assert clf.score(coffee.test_images, coffee.test_labels) > 0.8


@slow
def test_colour_images_train_in_both_ways_of_mixing() -> None:
    rgb = load_dataset(complete("rgb") / "cifar10_subset.npz").subset(64, 16)
    assert rgb.train_images.shape == (64, 3, 32, 32)
    for options in ({"channel_mixing": "sum"}, {"channel_mixing": "joint", "encoding": "dense"}):
        clf = QuanvClassifier(
            n_filters=1, kernel_size=2, stride=4, trainable=True, max_epochs=1, random_state=0, **options
        )
        clf.fit(rgb.train_images, rgb.train_labels)
        assert torch.isfinite(torch.as_tensor(clf.predict_proba(rgb.test_images))).all()


@slow
def test_the_excerpts_are_cut_from_them(tmp_path: Path) -> None:
    excerpts.cut(complete("mnist"), complete("timeseries"), tmp_path)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    there = {path.relative_to(EXCERPTS): path.read_bytes() for path in EXCERPTS.rglob("*") if path.is_file()}
    assert {path for path in there if path not in made} == {Path("README.md")}
    for path, content in made.items():
        assert there[path] == content, path


def test_without_them_a_slow_test_fails_and_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "_COMPLETE", None)
    with pytest.raises(pytest.fail.Exception, match=r"^QUANVOLVE_DATA is not set: set it to a folder with mnist/"):
        complete("mnist")
    monkeypatch.setattr(datasets, "_COMPLETE", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match=r"lacks rgb/: set it to a folder with .*; rgb/ \(cifar10"):
        complete("rgb")

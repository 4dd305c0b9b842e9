"""Estimators on series, volumes, features and colour images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_sample_images
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

from quanvolve import Quanv1d, Quanv3d, QuanvClassifier, QuanvTransformer, load
from quanvolve._errors import ModelError, QuanvolveError
from quanvolve.data import load_dataset
from tests.datasets import SERIES


@parametrize_with_checks(
    [
        QuanvTransformer(kernel_size=(2,), stride=(1,), random_state=0),
        QuanvClassifier(kernel_size=(2,), stride=1, max_epochs=30, random_state=0, head="mlp"),
    ]
)
def test_one_dimensional_estimators_pass_scikit_learns_checks(estimator, check) -> None:
    check(estimator)


def test_a_classifier_of_real_series_learns_and_is_saved(tmp_path: Path) -> None:
    coffee = load_dataset(SERIES / "Coffee")
    # So few series leave none to choose an epoch by.
    clf = QuanvClassifier(
        kernel_size=(4,), stride=2, trainable=True, max_epochs=20, lr=1e-2, batch_size=4, validation_fraction=0.0,
        random_state=0,
    )  # fmt: skip
    clf.fit(coffee.train_images, coffee.train_labels)
    assert isinstance(clf.module_.backbone, Quanv1d)
    assert clf.image_shape_ == (1, 286)
    assert clf.score(coffee.test_images, coffee.test_labels) > 0.8
    clf.save(tmp_path)
    again = load(tmp_path)
    np.testing.assert_array_equal(again.predict_proba(coffee.test_images), clf.predict_proba(coffee.test_images))
    np.testing.assert_array_equal(
        clf.predict(coffee.test_images[:, 0]), clf.predict(coffee.test_images), "one channel goes without saying"
    )


def test_several_channels() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.random((40, 3, 12)), np.arange(40) % 2
    X[y == 1, 1] += 0.8
    clf = QuanvClassifier(kernel_size=(3,), stride=(2,), random_state=0).fit(X, y)
    assert clf.image_shape_ == (3, 12)
    assert clf.module_.backbone.in_channels == 3
    assert clf.score(X, y) > 0.9
    with pytest.raises(QuanvolveError, match=r"fitted on \(3, 12\) \(channels, length\): bring X to that shape"):
        clf.predict(X[:, :, :11])


def test_volumes() -> None:
    rng = np.random.default_rng(0)
    X = rng.random((20, 4, 5, 6))
    found = QuanvTransformer(kernel_size=(2, 2, 2), circuit="none", n_filters=1, random_state=0).fit(X)
    assert isinstance(found.module_, Quanv3d)
    assert found.output_shape_ == (8, 2, 2, 3)
    assert found.transform(X).shape == (20, 96)
    assert found.get_feature_names_out()[-1] == "quanv7_1_1_2"
    whole = QuanvTransformer(kernel_size=2, circuit="none", n_filters=1, random_state=0).fit(X[:, None])
    np.testing.assert_array_equal(whole.transform(X[:, None]), found.transform(X))


@pytest.mark.parametrize(
    ("kernel", "shape", "message"),
    [
        ((2, 2, 2), (6, 64), r"X has 64 features and no axes of volumes"),
        (
            (2,),
            (6, 2, 3, 4),
            r"X has items of shape \(2, 3, 4\), but a `kernel_size` of 1 number\(s\) is for \(L,\) or",
        ),
        (
            (1, 1, 1, 1),
            (6, 8),
            r"`kernel_size` \(=\(1, 1, 1, 1\)\) must be a whole number .* one in a tuple for series",
        ),
    ],
)
def test_windows_that_do_not_fit_the_data(kernel: tuple, shape: tuple, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        QuanvTransformer(kernel_size=kernel, stride=1).fit(np.random.default_rng(0).random(shape))


def test_strides_of_another_length_are_refused() -> None:
    with pytest.raises(QuanvolveError, match=r"`stride` \(=\(2, 2\)\) must be .* or one such number in a tuple"):
        QuanvTransformer(kernel_size=(3,), stride=(2, 2)).fit(np.random.default_rng(0).random((5, 12)))


@pytest.mark.parametrize("backbone", ["quantum", "classical"])
@pytest.mark.parametrize("head", ["quantum", "linear", "mlp"])
def test_the_four_combinations_learn_moons(backbone: str, head: str) -> None:
    moons = load_dataset("moons")
    clf = QuanvClassifier(backbone, head, kernel_size=(2,), trainable=True, max_epochs=12, lr=1e-2, random_state=0)
    clf.fit(moons.train_images, moons.train_labels)
    assert clf.score(moons.test_images, moons.test_labels) > 0.8


@pytest.mark.parametrize(("backbone", "head"), [("quantum", "quantum"), ("classical", "quantum")])
def test_quantum_heads_learn_digits_and_are_saved(backbone: str, head: str, tmp_path: Path) -> None:
    digits = load_dataset("digits")
    clf = QuanvClassifier(backbone, head, max_epochs=10, lr=1e-2, random_state=0)
    clf.fit(digits.train_images, digits.train_labels)
    assert clf.score(digits.test_images, digits.test_labels) > 0.85
    clf.save(tmp_path)
    np.testing.assert_array_equal(load(tmp_path).predict(digits.test_images), clf.predict(digits.test_images))


def test_any_module_can_be_the_head_but_only_named_ones_are_saved(tmp_path: Path) -> None:
    digits = load_dataset("digits").subset(200, 50)

    def head(shape: tuple[int, ...], n_classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), n_classes))

    clf = QuanvClassifier(head=head, max_epochs=3, random_state=0)
    clone(clf).fit(digits.train_images, digits.train_labels)
    clf.fit(digits.train_images, digits.train_labels)
    given = QuanvClassifier(head=head((16, 4, 4), 10), max_epochs=2, random_state=0)
    given.fit(digits.train_images, digits.train_labels)
    assert given.head is not given.module_.head
    with pytest.raises(
        ModelError, match="a head given as function cannot be saved, as that needs its code: use a named"
    ):
        clf.save(tmp_path)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Tiles of scikit-learn's two photographs, to tell one from the other."""
    whole = np.stack(load_sample_images().images)[:, :416]
    tiles = whole.reshape(2, 13, 32, 20, 32, 3).swapaxes(2, 3).reshape(2, 260, 32, 32, 3)
    images, labels = tiles[:, ::6].swapaxes(0, 1).reshape(-1, 32, 32, 3), np.arange(88) % 2
    np.savez(
        tmp_path / "tiles.npz", train_images=images[:64], train_labels=labels[:64], test_images=images[64:80],
        test_labels=labels[64:80],
    )  # fmt: skip
    return tmp_path / "tiles.npz"


def test_colour_images_train_in_both_ways_of_mixing(photographs: Path) -> None:
    rgb = load_dataset(photographs)
    assert rgb.train_images.shape == (64, 3, 32, 32)
    for options in ({"channel_mixing": "sum"}, {"channel_mixing": "joint", "encoding": "dense"}):
        clf = QuanvClassifier(
            n_filters=1, kernel_size=2, stride=4, trainable=True, max_epochs=1, random_state=0, **options
        )
        clf.fit(rgb.train_images, rgb.train_labels)
        assert torch.isfinite(torch.as_tensor(clf.predict_proba(rgb.test_images))).all()

"""Presets in the classifier: schedule, shifts, repeatability, saving and resuming, and what does not go with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits

import quanvolve
from quanvolve import QuanvClassifier
from quanvolve._errors import QuanvolveError
from quanvolve.estimators import Monitor
from quanvolve.estimators._augment import random_shift
from quanvolve.estimators._batches import Batches, TensorData
from quanvolve.estimators._training import Settings
from quanvolve.nn import PRESETS

X, Y = load_digits(return_X_y=True)
X, Y = X[:200], Y[:200]


TREES = [("tree", backbone) for backbone in PRESETS["tree"].training] + [("tree-headless", "quantum")]


def _make(preset="quantum", backbone="quantum", **changes):
    return QuanvClassifier.from_preset(
        preset, backbone, **{"max_epochs": 2, "batch_size": 64, "random_state": 0, **changes}
    )


class _Killed(Exception):
    pass


class _KillInSecondEpoch(Monitor):
    def on_epoch(self, row):
        if row["epoch"] == 2:
            raise _Killed

    def on_batch(self, epoch, batch, loss):
        if epoch == 2:
            raise _Killed


@pytest.mark.parametrize(
    ("preset", "backbone"), [("quantum", "quantum"), ("quantum", "classical"), ("hybrid", "quantum"), *TREES]
)
def test_resumed_and_saved_it_predicts_the_same(tmp_path, preset, backbone):
    whole = _make(preset, backbone).fit(X, Y)
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(_Killed):
        _make(preset, backbone).fit_watched(X, Y, monitor=_KillInSecondEpoch(), checkpoint=path)
    torch.manual_seed(99)
    resumed = _make(preset, backbone).fit_watched(X, Y, checkpoint=path, resume=True)
    np.testing.assert_array_equal(whole.predict_proba(X), resumed.predict_proba(X))
    whole.save(tmp_path / "model")
    loaded = quanvolve.load(tmp_path / "model")
    np.testing.assert_array_equal(whole.predict_proba(X), loaded.predict_proba(X))
    assert loaded.get_params() == whole.get_params()


def test_from_preset_sets_what_is_not_given():
    clf = QuanvClassifier.from_preset("hybrid", "classical", lr=0.5)
    wanted = {**PRESETS["hybrid"].training["classical"], "lr": 0.5, "backbone": "classical", "preset": "hybrid"}
    params = clf.get_params()
    assert {name: params[name] for name in wanted} == wanted
    assert clone(clf).get_params() == params
    assert QuanvClassifier().preset is None


def test_what_does_not_go_with_a_preset():
    with pytest.raises(
        QuanvolveError,
        match=r"^`n_filters` \(=3\) has no meaning with `preset` \(='quantum'\), which fixes the network",
    ):
        _make(n_filters=3).fit(X, Y)
    with pytest.raises(QuanvolveError, match=r"`kernel_size` \(=\(2, 2\)\) has no meaning"):
        _make(kernel_size=(2, 2)).fit(X, Y)
    with pytest.raises(QuanvolveError, match="is for images, got series"):
        _make(kernel_size=(4,)).fit(X, Y)
    with pytest.raises(QuanvolveError, match=r"`preset` \(='none'\) must be one of"):
        QuanvClassifier(preset="none").fit(X, Y)
    with pytest.raises(QuanvolveError, match=r"`preset` \(='none'\) must be one of"):
        QuanvClassifier.from_preset("none")
    with pytest.raises(QuanvolveError, match=r"`backbone` \(='none'\) must be one of"):
        QuanvClassifier(backbone="none", preset="quantum").fit(X, Y)


@pytest.mark.parametrize("preset", ["tree", "tree-headless"])
def test_trees_take_series_and_volumes(preset):
    for shape in ((1, 64), (1, 4, 4, 4), (2, 32)):
        images = X.reshape(len(X), *shape)
        clf = _make(preset, kernel_size=(2,) * (len(shape) - 1), stride=(2,) * (len(shape) - 1), max_epochs=1)
        assert clf.fit(images, Y).image_shape_ == shape
        assert clf.predict(images).shape == (len(X),)
    with pytest.raises(QuanvolveError, match=r"`kernel_size` \(=\(4,\)\) has no meaning with `preset` \(='tree"):
        _make(preset, kernel_size=(4,)).fit(X.reshape(len(X), 1, 64), Y)


@pytest.mark.parametrize("preset", ["tree", "tree-headless"])
def test_trees_take_weights_of_classes_and_several_labels(preset):
    weighted = _make(preset, class_weight={digit: 1 + digit for digit in range(10)}, max_epochs=1).fit(X, Y)
    assert weighted.predict(X).shape == (len(X),)
    several = _make(preset, max_epochs=1).fit(X, np.stack([Y > 4, Y % 2 == 0], axis=1).astype(int))
    assert several.predict(X).shape == (len(X), 2)


def test_trees_learn_digits():
    clf = _make("tree", max_epochs=8, random_state=1).fit(X[:150], Y[:150])
    assert clf.score(X[150:], Y[150:]) > 0.6


def test_the_rate_rises_and_falls_within_an_epoch():
    settings = Settings(4, 8, 0.1, 0.0, None, 0, "cpu", warmup=0.25)
    rates = [settings.rate(epoch, done) for epoch in (1, 2, 3, 4) for done in (0, 0.5)]
    assert rates[0] == pytest.approx(0.004)
    assert rates[2] == pytest.approx(0.1)
    assert rates[0] < rates[1] < rates[2] > rates[3] > rates[4] > rates[5] > rates[6] > rates[7]
    assert settings.rate(4, 1) == pytest.approx(0)
    plain = Settings(4, 8, 0.1, 0.0, None, 0, "cpu")
    assert plain.rate(1) == 0.1
    assert plain.rate(3, 0.7) == plain.rate(3) == pytest.approx(0.05)


def test_shifted_images_are_windows_of_the_padded_ones():
    torch.manual_seed(0)
    images = torch.rand(60, 2, 5, 4)
    moved = random_shift(images, 1)
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1))
    seen = set()
    for image, after in zip(padded, moved, strict=True):
        places = [(i, j) for i in range(3) for j in range(3) if torch.equal(image[:, i : i + 5, j : j + 4], after)]
        assert len(places) == 1
        seen.update(places)
    assert len(seen) == 9
    assert torch.equal(random_shift(images, 0), images)


def test_only_training_batches_are_augmented():
    data = TensorData(torch.ones(10, 1), torch.arange(10))
    batches = list(Batches(data, 4, augment=lambda samples: -samples))
    assert [x.sum().item() for x, _ in batches] == [-4, -4, -2]
    assert torch.cat([y for _, y in batches]).tolist() == list(range(10))

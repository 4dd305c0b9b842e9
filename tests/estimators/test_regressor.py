"""The regressor: targets of any scale, one and several, weights, losses, resumed and saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes
from sklearn.ensemble import AdaBoostRegressor
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import GridSearchCV

import quanvolve
from quanvolve import QuanvRegressor
from quanvolve._errors import ModelError, QuanvolveError
from quanvolve.estimators import Monitor
from quanvolve.estimators._save import config_digest

random = np.random.default_rng(0)
X = random.random((240, 8))
Y = np.stack([X[:, 0] + X[:, 1], 100 * (X[:, 6] - X[:, 7]) + 5000], axis=1)
y = Y[:, 1]


def regressor(**params: Any) -> QuanvRegressor:
    return QuanvRegressor(
        **{"kernel_size": (2,), "stride": 1, "lr": 0.02, "max_epochs": 15, "random_state": 0, **params}
    )


def test_targets_of_other_units_are_learned_alike() -> None:
    """Scaled inside: the same targets in another unit give the same predictions in that unit."""
    one = regressor().fit(X, y).predict(X)
    other = regressor().fit(X, 1e6 * y - 3).predict(X)
    np.testing.assert_allclose((other + 3) / 1e6, one, rtol=1e-5)
    assert r2_score(y, one) > 0.9


def test_several_targets_keep_their_shape_and_one_does_too() -> None:
    model = regressor().fit(X, Y)
    assert model.n_outputs_ == 2
    assert model.predict(X).shape == (240, 2)
    assert model.score(X, Y) > 0.9
    assert regressor().fit(X, Y[:, :1]).predict(X).shape == (240, 1)
    assert regressor().fit(X, Y[:, 0]).predict(X).shape == (240,)


def test_weights_decide_what_is_learned() -> None:
    """Where the same image has two targets, the prediction is their mean by weight, and zero weights are left out."""
    flat = np.full((64, 8), 0.5)
    flat[0] = 0.0  # so that there is a range
    targets = np.tile([0.0, 1.0], 32)
    weight = np.tile([3.0, 1.0], 32)
    model = regressor(max_epochs=60, validation_fraction=0.0).fit(flat, targets, sample_weight=weight)
    assert abs(model.predict(flat[1:2])[0] - 0.25) < 0.05
    kept = regressor().fit(X[:100], y[:100])
    dropped = regressor().fit(X[:120], y[:120], sample_weight=np.arange(120) < 100)
    np.testing.assert_array_equal(kept.predict(X), dropped.predict(X))


@pytest.mark.parametrize("loss", ["mse", "huber", "mae", torch.nn.SmoothL1Loss()])
def test_losses(loss: Any) -> None:
    assert regressor(loss=loss).fit(X, Y).score(X, Y) > 0.85


def test_mae_is_not_drawn_by_outliers() -> None:
    spoiled = y.copy()
    spoiled[::15] += 1000

    def error(loss: str) -> float:
        model = regressor(loss=loss, lr=0.1, max_epochs=40, monitor="loss").fit(X, spoiled)
        return float(mean_absolute_error(y, model.predict(X)))

    assert error("mae") < error("mse") / 3


@pytest.mark.parametrize("monitor", [None, "r2", "mae", "rmse", "loss"])
def test_the_best_epoch_is_the_best_by_what_is_watched(monitor: str | None) -> None:
    model = regressor(monitor=monitor, max_epochs=8, lr=0.3).fit(X[:150], y[:150], validation_data=(X[150:], y[150:]))
    name = f"valid_{monitor or 'r2'}"
    values = [row[name] for row in model.history_]
    assert values[model.best_epoch_ - 1] == (max(values) if name == "valid_r2" else min(values))
    if monitor in (None, "r2", "mae"):
        measure = mean_absolute_error if monitor == "mae" else r2_score
        got = measure(y[150:], model.predict(X[150:]))
        np.testing.assert_allclose(got, values[model.best_epoch_ - 1], rtol=1e-4)


def test_an_interrupted_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    class Stop(Monitor):
        def on_epoch(self, row: dict[str, Any]) -> None:
            if row["epoch"] == 3:
                raise KeyboardInterrupt

    whole = regressor(max_epochs=6).fit(X, Y)
    with pytest.raises(KeyboardInterrupt):
        regressor(max_epochs=6).fit_watched(X, Y, checkpoint=tmp_path / "c", monitor=Stop())
    resumed = regressor(max_epochs=6).fit_watched(X, Y, checkpoint=tmp_path / "c", resume=True)
    np.testing.assert_array_equal(whole.predict(X), resumed.predict(X))
    with pytest.raises(ModelError, match="other data or settings"):
        regressor(max_epochs=6, loss="mae").fit_watched(X, Y, checkpoint=tmp_path / "c", resume=True)


@pytest.mark.parametrize("targets", [y, Y], ids=["one", "two"])
def test_saved_and_loaded_it_predicts_bit_equally(tmp_path: Path, targets: Any) -> None:
    model = regressor(max_epochs=2, head="mlp").fit(X, targets)
    model.save(tmp_path)
    loaded = quanvolve.load(tmp_path)
    assert isinstance(loaded, QuanvRegressor)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.history_ == model.history_
    assert loaded.best_epoch_ == model.best_epoch_
    loaded.save(tmp_path)
    np.testing.assert_array_equal(quanvolve.load(tmp_path).predict(X), model.predict(X))


@pytest.mark.parametrize(
    "targets",
    [
        None, {}, {"mean": [0], "scale": [0.0], "flat": True}, {"mean": [0, 1], "scale": [1, 1], "flat": True},
        {"mean": ["0"], "scale": [1], "flat": True}, {"mean": [], "scale": [], "flat": False},
        {"mean": [0.0], "scale": [1.0], "flat": 1},
    ],
)  # fmt: skip
def test_a_folder_of_other_targets_is_refused(tmp_path: Path, targets: Any) -> None:
    regressor(max_epochs=1).fit(X, y).save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text()) | {"targets": targets}
    (tmp_path / "config.json").write_text(json.dumps({**config, "config_sha256": config_digest(config)}))
    with pytest.raises(ModelError, match="not a valid model"):
        quanvolve.load(tmp_path)


def test_a_constant_target_is_learned() -> None:
    assert np.abs(regressor(max_epochs=30).fit(X, np.full(240, 1e9)).predict(X) - 1e9).max() < 1


def test_portions_and_warm_starts() -> None:
    model = regressor()
    for _ in range(15):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.9
    assert len(model.history_) == 15
    model = regressor(warm_start=True, max_epochs=3)
    first = model.fit(X, y).score(X, y)
    assert model.fit(X, y).score(X, y) > first
    with pytest.raises(QuanvolveError, match=r"y has 2 target\(s\), but the model was fitted on 1"):
        model.fit(X, Y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loss": "cross_entropy"}, "must be one of 'mse', 'huber', 'mae'"),
        ({"loss": None}, "give it again, or one of 'mse'"),
        ({"monitor": "accuracy"}, "must be one of 'r2', 'mae', 'rmse', 'loss'"),
    ],
)
def test_what_it_cannot_learn_from_is_named(params: dict[str, Any], message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        regressor(**params).fit(X, y)


def test_words_and_numbers_beyond_all_are_refused() -> None:
    with pytest.raises(ValueError, match="expected numbers"):
        regressor().fit(X, np.array(["much", "little"] * 120))
    with pytest.raises(QuanvolveError, match="divide y by a constant"):
        regressor().fit(X, y * 1e300)


def test_it_is_searched_and_boosted_as_any_regressor() -> None:
    data, targets = load_diabetes(return_X_y=True)
    search = GridSearchCV(QuanvRegressor(n_filters=1, max_epochs=3, random_state=0), {"lr": [1e-3, 1e-2]}, cv=2)
    assert search.fit(data, targets).best_params_ == {"lr": 1e-2}
    boosted = AdaBoostRegressor(QuanvRegressor(n_filters=1, max_epochs=5, lr=0.02, random_state=0), n_estimators=2)
    assert boosted.fit(data, targets).score(data, targets) > 0


@pytest.mark.parametrize("preset", ["hybrid", "tree", "tree-headless"])
def test_a_preset_gives_numbers_too(preset: str) -> None:
    images = random.random((40, 16, 16))
    model = QuanvRegressor.from_preset(preset, max_epochs=1, random_state=0).fit(images, images.mean(axis=(1, 2)))
    assert model.predict(images).shape == (40,)


@pytest.mark.parametrize("targets", [1, 3])
def test_an_image_has_the_same_answer_in_any_company(targets: int) -> None:
    """To the last digit, however many images are asked for at once."""
    rng = np.random.default_rng(0)
    images, numbers = rng.random((1100, 12)), 100 * rng.normal(size=(1100, targets))
    model = QuanvRegressor(stride=1, max_epochs=1, random_state=0).fit(images[:40], numbers[:40])
    together = model.predict(images)
    for count in (1, 2, 7, 513, 1025):
        np.testing.assert_array_equal(model.predict(images[-count:]), together[-count:])

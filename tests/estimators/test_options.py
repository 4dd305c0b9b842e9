"""The options of the layer in estimators: their signatures, what reaches the layer, and what is saved."""

from __future__ import annotations

import inspect
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import quanvolve
from quanvolve import QuanvClassifier, QuanvRegressor, QuanvTransformer
from quanvolve._options import model_options
from quanvolve.estimators._save import config_digest

RELEASED = {
    QuanvClassifier: [
        "backbone", "head", "n_filters", "kernel_size", "stride", "circuit", "encoding", "readout", "n_layers",
        "n_qubits", "channel_mixing", "scale", "weight_shapes", "init", "noise", "shots", "trainable", "image_shape",
        "max_epochs", "batch_size", "lr", "weight_decay", "validation_fraction", "patience", "random_state", "device",
        "verbose", "preset", "loss", "label_smoothing", "class_weight", "monitor", "warm_start", "callbacks",
    ],
    QuanvTransformer: [
        "n_filters", "kernel_size", "stride", "circuit", "encoding", "readout", "n_layers", "n_qubits",
        "channel_mixing", "scale", "weight_shapes", "init", "noise", "shots", "image_shape", "random_state", "device",
    ],
}  # fmt: skip
X = np.random.default_rng(0).random((40, 2, 6, 6))
y = np.arange(40) % 2
CHOSEN: dict[str, Any] = {
    "padding": 1, "padding_mode": "circular", "dilation": 2, "groups": 2, "bias": True, "scale": 1.5, "init": "small",
    "engine": "statevector", "channel_mixing": "joint", "n_qubits": 5, "n_layers": 1, "readout": "x",
}  # fmt: skip


@pytest.mark.parametrize("kind", [QuanvClassifier, QuanvTransformer])
def test_signatures_keep_their_order_and_have_every_option(kind: type[Any]) -> None:
    names = list(inspect.signature(kind).parameters)
    assert [name for name in names if name in RELEASED[kind]] == RELEASED[kind]
    assert set(names) - set(RELEASED[kind]) == {
        "padding", "dilation", "groups", "bias", "padding_mode", "engine", "diff_method", "channels",
    }  # fmt: skip
    assert set(names) >= set(model_options()) - {"trainable"}
    for name in names:
        assert name in kind.__doc__, name
    assert sorted(names) == sorted(kind().get_params())
    with pytest.raises(TypeError, match=rf"{kind.__name__}.__init__\(\) got an unexpected keyword argument 'paddin'"):
        kind(paddin=1)


def test_what_is_chosen_reaches_the_layer_and_comes_back(tmp_path: Path) -> None:
    clf = QuanvClassifier(n_filters=2, kernel_size=(1, 2), stride=1, max_epochs=1, random_state=0, **CHOSEN)
    assert repr(clone(clf)) == repr(pickle.loads(pickle.dumps(clf))) == repr(clf)
    assert "padding_mode" in clf._repr_html_()
    clf.fit(X, y).save(tmp_path / "model")
    loaded = quanvolve.load(tmp_path / "model")
    for one in (clf, loaded):
        layer = one.module_.backbone
        g = layer.geometry
        assert (g.padding, g.padding_mode, g.dilation) == ((1, 1), "circular", (2, 2))
        assert (layer.groups, layer.bias is None, layer.scale, layer.engine) == (2, False, 1.5, "statevector")
        assert (layer.channel_mixing, layer.circuits[0].n_wires, layer.out_channels) == ("joint", 5, 10)
    assert {name: loaded.get_params()[name] for name in CHOSEN} == CHOSEN
    assert np.array_equal(loaded.predict_proba(X), clf.predict_proba(X))


def test_models_from_before_there_were_these_options(tmp_path: Path) -> None:
    clf = QuanvClassifier(max_epochs=1, random_state=0).fit(X, y)
    clf.save(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    later = (
        "padding",
        "dilation",
        "groups",
        "bias",
        "padding_mode",
        "engine",
        "diff_method",
        "channels",
        "loss",
        "label_smoothing",
    )
    for name in (*later, "class_weight", "monitor", "warm_start", "callbacks"):
        del config["params"][name]
    del config["border"]
    path.write_text(json.dumps(config | {"config_sha256": config_digest(config)}))
    assert np.array_equal(quanvolve.load(tmp_path).predict_proba(X), clf.predict_proba(X))


def test_what_classifiers_and_regressors_share_is_the_same() -> None:
    ours, others = (dict(inspect.signature(kind).parameters) for kind in (QuanvClassifier, QuanvRegressor))
    of_classes = {"label_smoothing", "class_weight"}
    assert set(ours) - set(others) == of_classes
    assert [name for name in ours if name not in of_classes] == list(others)
    assert {name for name in others if others[name] != ours[name]} == {"loss"}


def test_padding_of_a_stranger_is_limited(tmp_path: Path) -> None:
    QuanvTransformer(random_state=0).fit(X).save(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    config["params"]["padding"] = 10**5
    path.write_text(json.dumps(config | {"config_sha256": config_digest(config)}))
    with pytest.raises(quanvolve._errors.ModelError, match=r"`padding` is 100000, which makes images of more than"):
        quanvolve.load(tmp_path)


@pytest.mark.parametrize("backbone", ["classical", "kernels"])
def test_classical_twins_have_the_same_maps(backbone: str) -> None:
    window = {"padding": 1, "dilation": 2, "groups": 2, "kernel_size": 2, "stride": 1, "max_epochs": 1}
    quantum, twin = (QuanvClassifier(kind, random_state=0, **window).fit(X, y) for kind in ("quantum", backbone))
    assert quantum.output_shape_ == twin.output_shape_ == (16, 6, 6)


def test_a_row_of_features_gets_no_further_rows() -> None:
    rows = np.random.default_rng(0).random((9, 7))
    assert QuanvTransformer(padding=1, random_state=0).fit(rows).output_shape_ == (8, 1, 4)


def test_filters_must_fit_the_groups() -> None:
    with pytest.raises(ValueError, match=r"`n_filters` \(=3\) must be divisible by `groups` \(=2\)"):
        QuanvTransformer(3, groups=2).fit(X)


def test_options_can_be_searched() -> None:
    grid = {"padding": [0, 1], "engine": ["auto", "statevector"]}
    found = GridSearchCV(QuanvClassifier(n_filters=1, max_epochs=1, random_state=0), grid, cv=2).fit(X, y)
    assert found.best_params_["padding"] in (0, 1)


def test_presets_refuse_what_they_fix() -> None:
    with pytest.raises(ValueError, match=r"`padding` \(=1\) has no meaning with `preset` \(='quantum'\)"):
        QuanvClassifier.from_preset("quantum", padding=1, max_epochs=1).fit(X, y)

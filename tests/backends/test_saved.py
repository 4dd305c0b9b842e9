"""Calibrated models on disk: what was paid for can be loaded again, whatever layers it has."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from quanvolve import QuanvClassifier, load
from quanvolve.backends import calibrate_model
from quanvolve.circuits import Circuit

from .simulated import Simulated

IMAGES = np.random.default_rng(0).random((24, 10, 10)).astype(np.float32)
LABELS = np.arange(24) % 2

MODELS: dict[str, dict[str, Any]] = {
    "one layer": {"n_filters": 1},
    "different circuits": {"n_filters": 2, "circuit": "random"},
    "two filters and a quantum head": {"n_filters": 2, "head": "quantum", "kernel_size": (1, 2), "stride": 5},
    "different circuits and a quantum head": {"n_filters": 1, "head": "quantum", "circuit": "random", "stride": 8},
    "a quantum head alone": {"backbone": "classical", "head": "quantum", "n_filters": 1, "stride": 8},
    "stacked layers": {"preset": "quantum"},
}


class Noise(Simulated):
    """Values of no circuit, different ones for each: so that every filter is known by its own."""

    def __init__(self) -> None:
        super().__init__(values=False)
        self.rng = np.random.default_rng(0)

    def run(self, circuit: Circuit, weights: Any, inputs: Any) -> Any:
        """Run a job."""
        measured = super().run(circuit, weights, inputs)
        measured.values[:] = self.rng.uniform(-1, 1, measured.values.shape)
        return measured


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "stacked layers" else name for name in MODELS]
)
def test_a_calibrated_model_is_loaded_as_it_was_saved(name: str, tmp_path: Path) -> None:
    clf = QuanvClassifier(max_epochs=1, random_state=0)
    clf.set_params(**MODELS[name])
    clf.fit(IMAGES, LABELS)
    calibrated = copy.copy(clf)
    if name == "stacked layers":
        for layer in (clf.module_.backbone[0], clf.module_.backbone[3]):
            assert len(layer.circuits) == 1
    calibrated.module_, found = calibrate_model(clf.module_, Noise(), held_out=1)
    calibrated.save(tmp_path)
    loaded = load(tmp_path)
    images = torch.from_numpy(clf.prepared(IMAGES))
    with torch.no_grad():
        assert torch.equal(loaded.module_(images), calibrated.module_(images))
        assert not torch.allclose(loaded.module_(images), clf.module_.eval()(images), atol=1e-2)
    clf.save(tmp_path)
    assert np.array_equal(load(tmp_path).predict_proba(IMAGES), clf.predict_proba(IMAGES))
    assert len(found) >= 1

"""Calibration: exact where the device is, and within its error bars where that has shots."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from quanvolve import Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.backends import (
    Cache,
    PennyLaneBackend,
    QiskitBackend,
    Rates,
    calibrate,
    calibrate_model,
    calibrated_model,
    estimate,
    measure,
    named_backend,
)
from quanvolve.circuits import named_circuit

EXACT = PennyLaneBackend("default.qubit")
IMAGES = torch.rand(3, 2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

LAYERS: dict[str, Any] = {
    "sum": {"kernel_size": (1, 2)},
    "random": {"kernel_size": 2, "circuit": "random", "out_channels": 8},
    "threshold": {"kernel_size": 2, "encoding": "threshold"},
    "rx": {"kernel_size": (1, 2), "encoding": "rx", "groups": 2},
    "dense": {"kernel_size": (1, 2), "encoding": "dense", "n_qubits": 1, "out_channels": 2},
}


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", list(LAYERS))
def test_an_exact_device_is_reproduced(name: str, sparse: bool) -> None:
    layer = Quanv2d(2, **{"out_channels": 4, "seed": 0, "dtype": torch.float64, **LAYERS[name]})
    copy, found = calibrate_model(layer, EXACT, sparse=sparse, held_out=4)
    torch.testing.assert_close(copy(IMAGES), layer(IMAGES).detach(), rtol=0, atol=1e-7)
    assert all(one.rms < 1e-7 for one in found)
    levels = 2 if name == "threshold" else 3
    assert all(len(one.settings) <= levels ** layer.circuits[0].n_inputs for one in found)


def test_a_sparse_filter_needs_fewer_settings() -> None:
    circuit = named_circuit("random", 4, n_layers=1, seed=3)
    weights = {name: np.full(shape, 0.7) for name, shape in circuit.weight_shapes}
    few = calibrate(circuit, weights, EXACT, sparse=True)
    assert len(few.settings) < 41
    assert few.rms < 1e-7


def test_a_fake_device_is_predicted_within_its_error_bars() -> None:
    layer = Quanv2d(1, 4, 2, stride=2, circuit="random", seed=3, dtype=torch.float64)
    backend = QiskitBackend("fake_manila", shots=4096, seed=1)
    copy, (found,) = calibrate_model(layer, backend, held_out=40)
    assert len(found.settings) == 81
    assert 0.7 < found.chi2 < 1.4
    assert found.rms < 1.2 * found.expected_rms
    images = torch.rand(4, 1, 6, 6, dtype=torch.float64)
    noisy = layer.with_circuits([backend.noisy_circuits(circuit)[0] for circuit in layer.circuits])
    ideal, exact, fitted = layer(images).detach(), noisy(images), copy(images)
    assert (fitted - exact).square().mean().sqrt() < 0.03
    assert (ideal - exact).square().mean() > 2 * (fitted - exact).square().mean()
    # The standard errors of the coefficients are those of the differences from the exact ones.
    windows = torch.from_numpy(found.settings).reshape(-1, 1, 2, 2) / np.pi
    there = noisy(windows).detach().numpy().reshape(81, 4)
    true = np.linalg.solve(found.design.matrix(found.settings, found.columns), there).T
    pulls = (found.coefficients - true) / found.errors
    assert 0.7 < float(np.sqrt(np.mean(pulls**2))) < 1.3


def test_models_and_their_heads() -> None:
    model = nn.Sequential(Quanv2d(1, 4, (1, 2), seed=0), nn.Flatten(), nn.Linear(48, 2))
    copy, found = calibrate_model(model, EXACT)
    assert len(found) == 2
    images = torch.rand(2, 1, 4, 4)
    torch.testing.assert_close(copy(images), model(images).detach(), rtol=0, atol=1e-5)
    assert model[0].trainable
    assert not copy[0].trainable


REFUSED = [
    (
        lambda: calibrate(named_circuit("none", 2, encoding="iqp"), {"weights": np.zeros((2, 2, 3))}, EXACT),
        "angles of the circuit are functions of the window other than multiples",
    ),
    (
        lambda: calibrate(named_circuit("none", 2, encoding="amplitude"), {}, EXACT),
        "so it is not a product encoding",
    ),
    (lambda: calibrate(named_circuit("none", 2), {}, EXACT, held_out=0), r"`held_out` \(=0\) must be a whole number"),
    (lambda: calibrate(named_circuit("none", 16), {}, EXACT), r"whose 3\^16 settings are more than 100,000"),
    (lambda: estimate(nn.Linear(2, 2), torch.zeros(1, 1, 2, 2)), r"the model \(Linear\) has no quantum layer"),
    (lambda: Rates(price_a_shot=-1.0), r"`price_a_shot` \(=-1.0\) must be a number of at least 0"),
    (
        lambda: calibrated_model(Quanv2d(1, 4, 2, seed=0), []),
        "`circuits` must be 1 or 1 circuits that read 4 inputs and measure 4 values",
    ),
    (lambda: named_backend("no.device"), "the PennyLane device 'no.device' cannot be made"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[m[:40] for _, m in REFUSED])
def test_what_cannot_be_done_is_named(make: Any, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        make()


RESULTS: dict[str, tuple[str, str]] = {
    "a text": ("UPDATE results SET measured = 'x'", "a result is not 1 values and their errors"),
    "short": ("UPDATE results SET measured = x'00'", "a result is not 1 values and their errors"),
    "not a number": ("UPDATE results SET measured = x'000000000000f87f0000000000000000'", "a result is not 1 values"),
    "negative errors": (
        "UPDATE results SET measured = x'0000000000000000000000000000f0bf'",
        "a result is not 1 values",
    ),
    "a view": ("CREATE VIEW more AS SELECT 1", "it has views or triggers"),
    "a trigger": ("CREATE TRIGGER more AFTER INSERT ON results BEGIN SELECT 1; END", "it has views or triggers"),
    "other columns": ("ALTER TABLE results RENAME COLUMN measured TO other", "no such column"),
}


@pytest.mark.parametrize("kind", RESULTS)
def test_results_that_were_not_written_so_are_refused(kind: str, tmp_path: Path) -> None:
    statement, message = RESULTS[kind]
    circuit, weights = named_circuit("basic_entangler", 1, n_layers=1), {"weights": np.array([[0.5]])}
    backend, settings = PennyLaneBackend("default.qubit", None), np.array([[0.1], [0.2]])
    measure(backend, circuit, weights, settings, cache=Cache(tmp_path))
    connection = sqlite3.connect(tmp_path / "results.sqlite")
    with connection:
        connection.execute(statement)
    connection.close()
    with pytest.raises(QuanvolveError) as caught:
        measure(backend, circuit, weights, settings, cache=Cache(tmp_path))
    assert message in str(caught.value)
    assert "results.sqlite" in str(caught.value)
    assert "\n" not in str(caught.value)

"""Layers on PennyLane's and Qiskit's devices: the values of the layer itself, and shot noise as theory says."""

from __future__ import annotations

import sqlite3
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from quanvolve import Quanv1d, Quanv2d, QuanvClassifier
from quanvolve._errors import QuanvolveError
from quanvolve.backends import (
    Cache,
    Measured,
    PennyLaneBackend,
    QiskitBackend,
    measure,
    on_backend,
    quantisation_error,
    quantise,
    run_layer,
)
from quanvolve.circuits import Observable, named_circuit, simulate, with_noise

RNG = np.random.default_rng(2)
IMAGES = torch.rand(2, 2, 4, 5, generator=torch.Generator().manual_seed(0))

LAYERS: dict[str, Any] = {
    "sum": lambda: Quanv2d(2, 5, 2, stride=2, seed=0, bias=True),
    "groups and padding": lambda: Quanv2d(2, 4, 2, stride=3, padding=1, groups=2, circuit="random", seed=0),
    "joint": lambda: Quanv2d(2, 4, (1, 2), stride=2, channel_mixing="joint", seed=0),
    "scale": lambda: Quanv2d(2, 2, (1, 2), stride=2, scale=torch.tensor([[[1.0, 2.0]], [[3.0, 0.5]]]), seed=0),
    "threshold": lambda: Quanv2d(2, 2, (1, 2), stride=2, encoding="threshold", seed=0),
    "amplitude": lambda: Quanv2d(2, 2, 2, stride=2, encoding="amplitude", seed=0),
    "readout": lambda: Quanv2d(2, 3, (1, 2), stride=2, readout="zz", seed=0),
}


@pytest.mark.parametrize("device", ["default.qubit", "lightning.qubit", "default.mixed"])
@pytest.mark.parametrize("name", list(LAYERS))
def test_a_layer_on_an_exact_device_is_the_layer(name: str, device: str) -> None:
    layer = LAYERS[name]()
    found = run_layer(layer, IMAGES, PennyLaneBackend(device))
    torch.testing.assert_close(found, layer(IMAGES).detach(), rtol=0, atol=1e-5)


def test_series_and_a_device_of_the_users() -> None:
    layer, series = Quanv1d(1, 3, 3, stride=2, seed=0), torch.rand(2, 1, 7)
    backend = PennyLaneBackend(qp.device("default.qubit", wires=3))
    torch.testing.assert_close(run_layer(layer, series, backend), layer(series).detach(), rtol=0, atol=1e-5)


def backends(shots: int) -> dict[str, Any]:
    return {
        "pennylane": PennyLaneBackend("default.qubit", shots=shots, seed=1),
        "aer": QiskitBackend("aer", shots=shots, seed=1),
    }


@pytest.mark.parametrize("which", ["pennylane", "aer"])
@pytest.mark.parametrize("readout", ["z", "x", "y", "zz", "probs"])
def test_samples_have_the_errors_that_they_state(readout: str, which: str) -> None:
    circuit = named_circuit("strongly_entangling", 3, readout=readout)
    weights = {"weights": RNG.uniform(0, 6, (2, 3, 3))}
    settings = RNG.uniform(0, 3, (20, 3))
    measured = backends(400)[which].run(circuit, weights, settings)
    exact = np.array([simulate(circuit, row, weights) for row in settings])
    pulls = (measured.values - exact) / np.maximum(measured.errors, 1e-3)
    assert 0.7 < np.sqrt(np.mean(pulls**2)) < 1.35


def test_correlated_words_are_measured_together() -> None:
    # A Bell pair: Z0 and Z1 are random, their product is not.
    from quanvolve.circuits import Circuit, Gate, Observable

    words = ((1.0, ((0, "Z"),)), (-1.0, ((1, "Z"),)))
    bell = Circuit(2, 0, (Gate("H", (0,)), Gate("CNOT", (0, 1))), (Observable(words), Observable(words[:1])))
    for backend in backends(1000).values():
        measured = backend.run(bell, {}, np.zeros((1, 0)))
        assert measured.values[0, 0] == 0
        assert measured.errors[0, 0] == 0
        assert measured.errors[0, 1] == pytest.approx(1 / np.sqrt(1000), rel=0.01)


def test_a_fake_backend_gives_what_its_noise_model_says() -> None:
    backend = QiskitBackend(FakeManilaV2(), shots=20000, seed=3)
    circuit = named_circuit("strongly_entangling", 4, n_layers=1)
    weights = {"weights": RNG.uniform(0, 6, (1, 4, 3))}
    settings = RNG.uniform(0, 3, (8, 4))
    measured = backend.run(circuit, weights, settings)
    (noisy,) = backend.noisy_circuits(circuit)
    expected = np.array([simulate(noisy, row, weights) for row in settings])
    ideal = np.array([simulate(circuit, row, weights) for row in settings])
    pulls = (measured.values - expected) / measured.errors
    assert np.sqrt(np.mean(pulls**2)) < 1.4
    assert np.sqrt(np.mean(((measured.values - ideal) / measured.errors) ** 2)) > 4
    info = backend.transpiled(circuit)
    assert info.two_qubit_gates >= 4
    assert info.depth > info.two_qubit_gates / 2
    assert len(info.qubits) == 4


@pytest.mark.parametrize("readout", ["x", "y", "zz", "pauli"])
def test_noisy_circuits_of_other_bases_add_up_to_what_is_measured(readout: str) -> None:
    backend = QiskitBackend(FakeManilaV2(), shots=20000, seed=3)
    circuit = named_circuit("basic_entangler", 3, n_layers=1, readout="z" if readout == "pauli" else readout)
    if readout == "pauli":
        words = (((0, "Z"), (1, "X")), ((2, "Y"),), ((0, "X"),))
        circuit = replace(circuit, observables=(Observable(tuple((0.5, word) for word in words)),))
    weights, settings = {"weights": RNG.uniform(0, 6, (1, 3))}, RNG.uniform(0, 3, (40, 3))
    measured = backend.run(circuit, weights, settings)
    noisy = backend.noisy_circuits(circuit)
    assert len(noisy) == (2 if readout == "pauli" else 1)
    expected = np.array([sum(simulate(one, row, weights) for one in noisy) for row in settings])
    assert np.sqrt(np.mean(((measured.values - expected) / measured.errors) ** 2)) < 1.4
    assert len({backend.transpiled(circuit).qubits}) == 1


class Counting:
    """A backend that counts what it runs, and may fail."""

    name, identity, shots, settings_a_job = "counting", "counting", None, 4

    def __init__(self, fails_after: int | None = None) -> None:
        self.jobs: list[int] = []
        self.fails_after = fails_after

    def run(self, circuit: Any, weights: Any, inputs: Any) -> Measured:
        if self.fails_after is not None and len(self.jobs) >= self.fails_after:
            raise KeyboardInterrupt
        self.jobs.append(len(inputs))
        values = np.array([simulate(circuit, row, weights) for row in inputs])
        return Measured(values, np.zeros_like(values))


CIRCUIT = named_circuit("basic_entangler", 2, n_layers=1)
WEIGHTS = {"weights": np.array([[0.3, 0.4]])}


def test_equal_settings_run_once_in_jobs() -> None:
    backend = Counting()
    settings = np.repeat(RNG.uniform(0, 3, (6, 2)), 5, axis=0)
    seen: list[tuple[int, int]] = []
    measured = measure(backend, CIRCUIT, WEIGHTS, settings, progress=lambda done, total: seen.append((done, total)))
    assert backend.jobs == [4, 2]
    assert seen == [(0, 6), (4, 6), (6, 6)]
    assert measured.values == pytest.approx(np.array([simulate(CIRCUIT, row, WEIGHTS) for row in settings]))


def test_an_interrupted_run_goes_on_and_a_second_one_costs_nothing(tmp_path: Path) -> None:
    settings = RNG.uniform(0, 3, (10, 2))
    first = Counting(fails_after=2)
    with pytest.raises(KeyboardInterrupt):
        measure(first, CIRCUIT, WEIGHTS, settings, cache=Cache(tmp_path))
    second = Counting()
    measured = measure(second, CIRCUIT, WEIGHTS, settings, cache=Cache(tmp_path))
    assert second.jobs == [2]
    third = Counting(fails_after=0)
    again = measure(third, CIRCUIT, WEIGHTS, settings, cache=Cache(tmp_path))
    np.testing.assert_array_equal(again.values, measured.values)
    other = Counting()
    measure(other, CIRCUIT, {"weights": np.array([[0.3, 0.5]])}, settings, cache=Cache(tmp_path))
    assert other.jobs == [4, 4, 2], "other weights are another circuit"


def test_a_file_that_is_no_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / "results.sqlite").write_text("not a database at all, but long enough to be taken for one" * 20)
    with pytest.raises(
        QuanvolveError, match=r"results.sqlite cannot be used as a cache of results: file is not a data"
    ):
        Cache(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(QuanvolveError, match="cannot be used as a cache"):
        Cache(tmp_path / "file" / "sub")
    sqlite3.connect(tmp_path / "other.sqlite").close()


def test_quantisation_says_what_it_changes() -> None:
    layer = Quanv2d(1, 4, 2, stride=2, seed=0)
    images = torch.rand(3, 1, 6, 6)
    worst, usual = quantisation_error(layer, images, levels=4)
    assert 0 < usual < worst < 1
    found = run_layer(layer, images, PennyLaneBackend("default.qubit"), levels=4)
    exact = layer(images).detach()
    assert (found.detach() - exact).abs().max() == pytest.approx(worst, abs=1e-5)
    assert len(torch.unique(quantise(images, 4))) == 4
    with pytest.raises(QuanvolveError, match=r"`levels` \(=1\) must be a whole number of at least 2"):
        quantise(images, 1)


def test_a_classifier_on_a_device() -> None:
    X = np.random.default_rng(0).random((40, 4, 4)).astype(np.float32)
    y = (X[:, :2].sum((1, 2)) > X[:, 2:].sum((1, 2))).astype(int)
    clf = QuanvClassifier(max_epochs=2, random_state=0).fit(X, y)
    images = torch.from_numpy(X[:5]).unsqueeze(1)
    there = on_backend(clf.module_, PennyLaneBackend("lightning.qubit"))
    torch.testing.assert_close(there(images), clf.module_(images).detach(), rtol=0, atol=1e-4)
    with pytest.raises(QuanvolveError, match=r"the model \(Linear\) has no quantum layer"):
        on_backend(torch.nn.Linear(2, 2), PennyLaneBackend("default.qubit"))


ERRORS = [
    (lambda: PennyLaneBackend("default.nothing"), "the PennyLane device 'default.nothing' cannot be made: "),
    (
        lambda: PennyLaneBackend("default.qubit", shots=0),
        r"`shots` \(=0\) must be a whole number of at least 1, or None",
    ),
    (lambda: QiskitBackend("aer", shots=None), r"`shots` \(=None\) must be a whole number of at least 1"),
    (lambda: QiskitBackend("fake_nothing"), "there is no fake backend 'fake_nothing', known are .*fake_manila"),
    (lambda: QiskitBackend("nothing"), "there is no Qiskit backend 'nothing': give 'aer', a fake backend"),
    (
        lambda: QiskitBackend("fake_manila").transpiled(named_circuit("none", 6)),
        "6 qubits, the backend fake_manila has 5",
    ),
    (
        lambda: run_layer(LAYERS["amplitude"](), IMAGES, QiskitBackend("aer", shots=10)),
        "prepares amplitudes, for which each window needs a circuit of its own",
    ),
    (
        lambda: run_layer(LAYERS["sum"](), IMAGES, PennyLaneBackend(qp.device("default.qubit", wires=2))),
        r"the circuit has 4 qubits, the device default.qubit has the wires \[0, 1\]: it needs 0 to 3",
    ),
    (
        lambda: measure(Counting(), with_noise(CIRCUIT, {"bit_flip": 0.1}), WEIGHTS, np.zeros((1, 2))),
        "the circuit has noise channels; counting has noise of its own",
    ),
    (
        lambda: measure(Counting(), named_circuit("none", 2, readout="popcount"), WEIGHTS, np.zeros((1, 2))),
        "the number of ones in a bit string .*popcount_expected",
    ),
    (
        lambda: PennyLaneBackend("default.qubit").run(CIRCUIT, WEIGHTS, np.zeros((1, 3))),
        "3 inputs, the circuit reads 2",
    ),
]


@pytest.mark.parametrize(("make", "message"), ERRORS, ids=[m[:40] for _, m in ERRORS])
def test_what_cannot_run_is_named(make: Any, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        make()


def test_without_an_account_one_line_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("QISKIT_IBM_TOKEN", raising=False)
    with pytest.raises(
        QuanvolveError, match=r"'ibm_fez' cannot be reached: .*save_account.*or set QISKIT_IBM_TOKEN"
    ) as caught:
        QiskitBackend("ibm_fez")
    assert "\n" not in str(caught.value)


def test_without_qiskit_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qiskit_aer", None)
    with pytest.raises(QuanvolveError, match=r"install it with pip install 'quanvolve\[qiskit\]'"):
        QiskitBackend("aer")

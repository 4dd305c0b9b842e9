"""Error mitigation: exact where its assumptions hold, and closer to the ideal filter on a fake device."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error
from torch import nn

from quanvolve import Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.backends import (
    Cache,
    Measured,
    PennyLaneBackend,
    QiskitBackend,
    calibrate,
    extrapolate,
    mitigate,
    mitigate_model,
    readout_errors,
)
from quanvolve.circuits import Circuit, Gate, Observable, absorbed, named_circuit, simulate, with_readout_errors

RNG = np.random.default_rng(2)
WEIGHTS = {"weights": np.array([[0.4, 0.7, 0.3]])}
CIRCUIT = named_circuit("basic_entangler", 3, n_layers=1)
EXACT = PennyLaneBackend("default.qubit")


@pytest.mark.parametrize("readout", ["z", "zz", "x", "probs"])
def test_inverted_observables_undo_errors_of_the_readout(readout: str) -> None:
    from quanvolve.backends import ReadoutErrors

    circuit = named_circuit("basic_entangler", 3, n_layers=1, readout=readout)
    wrong = {0: (0.02, 0.07), 1: (0.1, 0.0), 2: (0.03, 0.2)}
    window = RNG.uniform(0, 3, 3)
    there = absorbed(with_readout_errors(ReadoutErrors(wrong).inverted(circuit), wrong))
    assert simulate(there, window, WEIGHTS) == pytest.approx(simulate(circuit, window, WEIGHTS), abs=1e-12)
    bare = simulate(absorbed(with_readout_errors(circuit, wrong)), window, WEIGHTS)
    assert np.abs(bare - simulate(circuit, window, WEIGHTS)).max() > 0.01


def test_readout_errors_are_found_on_the_qubits_that_are_measured() -> None:
    """A device with five qubits, each wrong in its own way, whose transpiler chooses among them."""
    model = NoiseModel()
    for qubit in range(5):
        a, b = 0.02 * qubit, 0.03 * qubit + 0.01
        model.add_readout_error(ReadoutError([[1 - a, a], [b, 1 - b]]), [qubit])
    simulator = AerSimulator(noise_model=model, coupling_map=[[4, 3], [3, 2], [2, 1], [1, 0]], seed_simulator=1)
    backend = QiskitBackend(simulator, shots=20000, seed=5)
    backend = backend.pinned((4, 2, 3))
    qubits = backend.transpiled(CIRCUIT).qubits
    assert set(qubits) <= {0, 1, 2, 3, 4}
    found = readout_errors(CIRCUIT, backend).wrong
    for wire, qubit in enumerate(qubits):
        assert found[wire] == pytest.approx((0.02 * qubit, 0.03 * qubit + 0.01), abs=0.006)


def test_readout_inversion_gives_the_ideal_filter_where_only_the_readout_is_noisy() -> None:
    backend = _Wrong(0.03, 0.1)
    found = mitigate(CIRCUIT, WEIGHTS, backend, scales=(1,))
    ideal = calibrate(CIRCUIT, WEIGHTS, EXACT).coefficients
    assert found.coefficients == pytest.approx(ideal, abs=1e-9)
    assert np.abs(found.raw.coefficients - ideal).max() > 0.05
    assert found.raw.rms < 1e-9


def test_the_inverted_values_have_the_error_bars_of_their_shots() -> None:
    model = NoiseModel()
    model.add_all_qubit_readout_error(ReadoutError([[0.92, 0.08], [0.12, 0.88]]))
    backend = QiskitBackend(AerSimulator(noise_model=model), shots=2000, seed=3)
    circuit = named_circuit("basic_entangler", 2, n_layers=1, readout="zz")
    weights = {"weights": np.full((1, 2), 0.7)}
    found = mitigate(circuit, weights, backend, scales=(1,), held_out=40)
    ideal = calibrate(circuit, weights, EXACT).coefficients
    assert 0.5 < np.sqrt(np.mean(((found.coefficients - ideal) / found.errors) ** 2)) < 1.6
    assert 0.7 < found.scaled[0].chi2 < 1.4
    assert (found.errors > found.raw.errors).all()


def test_folded_gates_do_the_same_with_more_noise() -> None:
    backend = QiskitBackend("fake_manila", seed=0)
    window, counts = RNG.uniform(0, 3, 3), []
    for scale in (1, 3, 5):
        there = backend.folded(scale)
        counts.append(there.transpiled(CIRCUIT).two_qubit_gates)
        (noisy,) = there.noisy_circuits(CIRCUIT)
        silent = replace(noisy, gates=tuple(gate for gate in noisy.gates if gate.transfer is None))
        assert simulate(silent, window, WEIGHTS) == pytest.approx(simulate(CIRCUIT, window, WEIGHTS), abs=1e-9)
    assert counts == [counts[0], 3 * counts[0], 5 * counts[0]]
    sizes = [
        np.abs(calibrate(CIRCUIT, WEIGHTS, _Described(backend.folded(scale))).coefficients).sum() for scale in (1, 3, 5)
    ]
    assert sizes[0] > sizes[1] > sizes[2]
    assert len({backend.folded(scale).identity for scale in (1, 3, 5)}) == 3
    assert backend.folded(1).identity == backend.identity


class _Wrong:
    """A device that is exact but for the readout of its bits."""

    name, identity, shots, settings_a_job = "wrong", "wrong", None, 100

    def __init__(self, a: float, b: float) -> None:
        self.pair = a, b

    def run(self, circuit: Circuit, weights: Any, inputs: Any) -> Measured:
        there = absorbed(with_readout_errors(circuit, dict.fromkeys(range(circuit.n_wires), self.pair)))
        values = np.array([simulate(there, row, weights) for row in inputs])
        return Measured(values, np.zeros_like(values))


class _Described:
    """The exact noise model of a backend as a backend."""

    name, shots, settings_a_job = "described", None, 100

    def __init__(self, backend: QiskitBackend) -> None:
        self.backend, self.identity = backend, backend.identity

    def run(self, circuit: Circuit, weights: Any, inputs: Any) -> Measured:
        noisy = self.backend.noisy_circuits(circuit)
        values = np.array([sum(simulate(one, row, weights) for one in noisy) for row in inputs])
        return Measured(values, np.zeros_like(values))


def test_extrapolation_finds_what_each_curve_means() -> None:
    scales, errors = (1, 3, 5), np.full((3, 2), 1e-3)
    line = np.array([[0.7, -0.2], [0.5, -0.1], [0.3, 0.0]])
    assert extrapolate(scales, line, errors, "linear")[0] == pytest.approx([0.8, -0.25])
    square = np.array([0.9 - 0.1 * s + 0.004 * s * s for s in scales])[:, None]
    assert extrapolate(scales, square, errors[:, :1], "richardson")[0] == pytest.approx([0.9])
    decay = np.array([[0.8 * np.exp(-0.3 * s), -0.4 * np.exp(-0.1 * s)] for s in scales])
    assert extrapolate(scales, decay, errors, "exponential")[0] == pytest.approx([0.8, -0.4])
    hidden = np.array([[0.002, 0.5], [-0.001, 0.4], [0.0, 0.3]])  # no exponential where values are within their errors
    both = extrapolate(scales, hidden, errors, "exponential")[0]
    assert both[0] == pytest.approx(extrapolate(scales, hidden, errors, "linear")[0][0])
    assert both[1] != pytest.approx(extrapolate(scales, hidden, errors, "linear")[0][1])


@pytest.mark.parametrize("method", ["linear", "richardson", "exponential"])
def test_the_errors_of_extrapolated_values_are_their_scatter(method: str) -> None:
    scales, sigma = (1, 3, 5), np.array([0.01, 0.02, 0.015])
    true = np.array([0.8 * np.exp(-0.1 * s) for s in scales])
    drawn = true[:, None] + sigma[:, None] * RNG.normal(size=(3, 20000))
    values, errors = extrapolate(scales, drawn, np.repeat(sigma[:, None], 20000, 1), method)
    assert values.std() == pytest.approx(errors.mean(), rel=0.05)


def test_a_depolarized_device_is_brought_nearer_to_the_ideal_filter(tmp_path: Any) -> None:
    model = NoiseModel(basis_gates=["rz", "sx", "x", "cx"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.04, 2), ["cx"])
    model.add_all_qubit_readout_error(ReadoutError([[0.97, 0.03], [0.06, 0.94]]))
    simulator = AerSimulator(noise_model=model, basis_gates=["rz", "sx", "x", "cx"])
    backend = QiskitBackend(simulator, shots=20000, seed=3)
    cache = Cache(tmp_path)
    ideal = calibrate(CIRCUIT, WEIGHTS, EXACT).coefficients

    def error(coefficients: Any) -> float:
        return float(np.sqrt(np.mean((coefficients - ideal) ** 2)))

    full = mitigate(CIRCUIT, WEIGHTS, backend, extrapolation="exponential", cache=cache)
    inverted = full.scaled[0].coefficients
    assert error(full.coefficients) < 0.6 * error(inverted) < 0.5 * error(full.raw.coefficients)
    again = mitigate(CIRCUIT, WEIGHTS, backend, extrapolation="linear", cache=cache)  # nothing runs again
    assert np.array_equal(again.raw.coefficients, full.raw.coefficients)
    assert error(again.coefficients) < error(inverted)


def test_models_keep_their_heads() -> None:
    model = nn.Sequential(Quanv2d(1, 4, (1, 2), seed=0), nn.Flatten(), nn.Linear(48, 2))
    copy, found = mitigate_model(model, _Wrong(0.05, 0.1), scales=(1,))
    images = torch.rand(2, 1, 4, 4)
    assert len(found) == 2
    torch.testing.assert_close(copy(images), model(images).detach(), rtol=0, atol=1e-5)


REFUSED = [
    ({"scales": (1, 2)}, r"`scales` \(=\(1, 2\)\) must be odd whole numbers, the first of them 1, as in \(1, 3, 5\)"),
    ({"scales": ()}, "must be odd whole numbers"),
    ({"scales": (1, 3)}, r"needs a Qiskit backend, whose transpiled gates are repeated; on default.qubit only readout"),
    ({"scales": (1,), "extrapolation": "cubic"}, r"`extrapolation` \(='cubic'\) must be one of 'linear', 'richardson'"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=[m[:30] for _, m in REFUSED])
def test_what_cannot_be_mitigated_is_named(options: Any, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        mitigate(CIRCUIT, WEIGHTS, EXACT, **options)


def test_other_refusals() -> None:
    with pytest.raises(QuanvolveError, match=r"`scale` \(=2\) must be an odd number"):
        QiskitBackend("aer").folded(2)
    with pytest.raises(QuanvolveError, match=r"`scales` \(=\(1, 1\)\) must be two or more different numbers"):
        extrapolate((1, 1), np.zeros((2, 1)), np.zeros((2, 1)), "linear")
    with pytest.raises(QuanvolveError, match=r"reads wire 0 as 1 in 50% of cases where it is 0.*cannot be undone"):
        readout_errors(CIRCUIT, _Wrong(0.5, 0.5))
    simulator = AerSimulator(basis_gates=["rz", "sx", "iswap"])
    circuit = Circuit(2, 1, (Gate("ISWAP", (0, 1)),), (Observable(((1.0, ((0, "Z"),)),)),))
    with pytest.raises(QuanvolveError, match="'iswap' on two qubits, which is not its own inverse"):
        QiskitBackend(simulator).folded(3).run(circuit, {}, np.zeros((1, 1)))

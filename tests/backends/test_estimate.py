"""What is stated before a run is what runs: counted on a backend of our own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from quanvolve import QuantumLinear, Quanv1d, Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.backends import (
    Measured,
    QiskitBackend,
    Rates,
    calibrate_model,
    check_model,
    estimate,
    mitigate_model,
    on_backend,
    run_layer,
    with_noise_of,
)
from quanvolve.circuits import bases_of
from quanvolve.nn import hybrid_model, make_head, preset_model

from .simulated import Simulated


def rand(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def twice() -> nn.Module:
    layer = QuantumLinear(2, 2, seed=0)
    return nn.Sequential(layer, nn.Identity(), layer, QuantumLinear(2, 3, readout="x", seed=1))


MODELS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "a layer": (lambda: Quanv2d(1, 4, 2, stride=2, seed=0), (2, 1, 4, 4)),
    "several input channels": (lambda: Quanv2d(3, 6, (1, 2), seed=0), (2, 3, 2, 3)),
    "groups": (lambda: Quanv2d(4, 8, (1, 2), groups=2, seed=0), (2, 4, 2, 3)),
    "joint": (lambda: Quanv2d(2, 8, (1, 2), channel_mixing="joint", seed=0), (2, 2, 2, 3)),
    "threshold": (lambda: Quanv2d(1, 4, 2, encoding="threshold", seed=0), (5, 1, 4, 4)),
    "random": (lambda: Quanv2d(1, 12, 2, circuit="random", seed=0), (2, 1, 3, 3)),
    "equal filters": (lambda: Quanv2d(2, 4, (1, 2), circuit="none", seed=0), (2, 2, 2, 3)),
    "features": (lambda: QuantumLinear(3, 7, readout="zz", seed=0), (2, 5, 3)),
    "dense head": (lambda: hybrid_model((1, 4, 4), 3, "quantum", "quantum", seed=0), (3, 1, 4, 4)),
    "head only": (lambda: make_head("quantum", (1, 2, 2), 2), (3, 1, 2, 2)),
    "two layers": (
        lambda: nn.Sequential(Quanv2d(1, 3, 2, seed=0), nn.ReLU(), Quanv2d(3, 2, 2, encoding="threshold", seed=1)),
        (3, 1, 4, 4),
    ),
    "behind classical layers": (
        lambda: nn.Sequential(nn.Conv1d(2, 3, 2), nn.Sigmoid(), Quanv1d(3, 4, 2, seed=0)),
        (3, 2, 5),
    ),
    "one that is called twice": (twice, (3, 2)),
}


@pytest.mark.parametrize("name", list(MODELS))
def test_as_many_settings_run_as_are_stated(name: str) -> None:
    make, shape = MODELS[name]
    torch.manual_seed(0)
    model, images = make().eval(), rand(*shape)
    found = estimate(model, images, held_out=3)
    calibrated = Simulated(values=False)
    calibrate_model(model, calibrated, held_out=3)
    assert found.calibration is not None
    assert found.held_out is not None
    assert found.to_calibrate is not None
    assert found.calibration.settings + found.held_out.settings == found.to_calibrate.settings == calibrated.settings
    ran = Simulated()
    with torch.no_grad():
        on_backend(model, ran)(images)
    assert found.distinct.settings == ran.settings
    assert found.distinct.circuits == sum(count * len(bases_of(circuit)) for circuit, count in ran.ran)
    for way in ("windows", "distinct", "calibration", "held_out"):
        for part in ("settings", "circuits", "shots"):
            each = [getattr(getattr(layer, way), part) for layer in found.layers]
            assert sum(each) == getattr(getattr(found, way), part)


@pytest.mark.parametrize(("preset", "settings"), [("quantum", 41_796), ("hybrid", 324)])
def test_presets(preset: str, settings: int) -> None:
    torch.manual_seed(0)
    model, _ = preset_model(preset, (1, 28, 28), 10)
    found = estimate(model.eval(), rand(1, 1, 28, 28))
    assert found.calibration is not None
    assert found.calibration.settings == settings
    assert found.to_calibrate is not None
    backend = Simulated(values=False)
    calibrate_model(model, backend)
    assert backend.settings == found.to_calibrate.settings
    if preset == "quantum":
        assert [(one.name, one.filters) for one in found.layers] == [
            ("backbone.0", 4), ("backbone.3", 128), ("backbone.6", 384),
        ]  # fmt: skip
        assert [one.windows.settings for one in found.layers] == [4 * 27**2, 128 * 12**2, 384 * 5**2]


def test_a_quantum_head_counts() -> None:
    found = estimate(hybrid_model((1, 8, 8), 10, "quantum", "quantum", seed=0), rand(2, 1, 8, 8))
    assert found.calibration is not None
    assert found.calibration.settings == 3**4 + 3**8
    assert [layer.name for layer in found.layers] == ["backbone", "head.4"]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(("readout", "scales"), [(False, (1,)), (True, (1,)), (True, (1, 3))])
def test_options_of_the_calibration_are_counted(
    readout: bool, scales: tuple[int, ...], sparse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = QiskitBackend("fake_manila", shots=10, seed=0)
    model = nn.Sequential(Quanv2d(1, 4, (1, 2), circuit="random", seed=0), nn.Flatten(), nn.Linear(48, 3).eval())
    images = rand(2, 1, 4, 4)
    options: dict[str, Any] = {"sparse": sparse, "held_out": 4, "seed": 5}
    found = estimate(model, images, backend=backend, readout=readout, scales=scales, **options)
    model.append(nn.Sigmoid())
    model.append(QuantumLinear(3, 3, circuit="basic_entangler", n_layers=1, seed=0))
    more = estimate(model, images, backend=backend, readout=readout, scales=scales, **options)
    ran: list[int] = []

    def run(self: QiskitBackend, circuit: Any, weights: Any, inputs: Any) -> Measured:
        ran.append(len(inputs))
        values = 1.0 - 2.0 * any(gate.name == "X" for gate in circuit.gates)
        return Measured(np.full((len(inputs), circuit.n_outputs), values), np.zeros((len(inputs), circuit.n_outputs)))

    monkeypatch.setattr(QiskitBackend, "run", run)
    mitigate_model(model, backend, readout=readout, scales=scales, **options)
    assert more.to_calibrate is not None
    assert found.to_calibrate is not None
    assert sum(ran) == more.to_calibrate.settings > found.to_calibrate.settings
    assert (more.readout is not None) == readout


def test_an_estimate_counts_and_prices() -> None:
    images = torch.zeros(2, 1, 6, 6)
    images[0, 0, :2, :2] = torch.rand(2, 2)
    layer = Quanv2d(1, 8, 2, stride=2, readout="x", seed=0)
    rates = Rates(seconds_a_shot=1e-3, seconds_a_circuit=0.5, price_a_second=2.0, price_a_circuit=1.0)
    found = estimate(layer, images, shots=100, rates=rates)
    assert (found.windows.circuits, found.distinct.circuits) == (2 * 18, 2 * 2)
    assert found.calibration is not None
    assert found.calibration.circuits == 2 * 81
    assert found.distinct.shots == 400
    assert found.distinct.seconds == pytest.approx(4 * (0.1 + 0.5))
    assert found.distinct.price == pytest.approx(2 * 2.4 + 4)
    there = estimate(layer, images, backend=QiskitBackend("fake_manila", seed=0))
    assert there.depth > found.depth
    assert there.two_qubit_gates >= found.two_qubit_gates


def test_a_layer_that_cannot_be_calibrated_is_named_and_the_total_is_not_that_of_the_others() -> None:
    model = nn.Sequential(Quanv2d(1, 4, 2, seed=0), nn.Flatten(), QuantumLinear(16, 2, encoding="amplitude", seed=0))
    found = estimate(model, rand(2, 1, 3, 3))
    assert (found.calibration, found.to_calibrate) == (None, None)
    assert [layer.calibration is None for layer in found.layers] == [False, True]
    assert "so it is not a product encoding" in str(found.layers[1].not_calibrated)
    assert found.distinct.settings == 8 + 2


@pytest.mark.parametrize("levels", [2, 3])
def test_levels_make_windows_alike(levels: int) -> None:
    images = rand(20, 1, 4, 4)
    model = nn.Sequential(Quanv2d(1, 4, 2, stride=2, seed=0), Quanv2d(4, 2, 2, seed=1))
    found = estimate(model, images, levels=levels)
    assert found.layers[0].distinct.circuits <= levels**4
    assert estimate(model, images).layers[0].distinct.circuits == 80
    ran = Simulated()
    with torch.no_grad():
        on_backend(model, ran, levels=levels)(images)
    assert ran.settings == found.distinct.settings


def test_many_images_are_counted_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    images = rand(7, 1, 3, 3).round(decimals=1).repeat(2, 1, 1, 1)
    model = nn.Sequential(Quanv2d(1, 2, (1, 2), seed=0), Quanv2d(2, 2, (2, 1), seed=1))
    whole = estimate(model, images)
    monkeypatch.setattr("quanvolve.backends._seen._BATCH", 20)
    assert estimate(model, images) == whole
    assert estimate(model, images[:0]).windows.settings == 0


FITS = Quanv2d(1, 4, 2, seed=0)
MISFITS: dict[str, tuple[nn.Module, str]] = {
    "qubits": (QuantumLinear(5, 2, seed=0), r"the layer '1' \(QuantumLinear\) cannot run there: 5 qubits, there are 4"),
    "encoding": (
        QuantumLinear(4, 2, encoding="iqp", seed=0),
        "the layer '1' .* functions of the window",
    ),
    "settings": (QuantumLinear(16, 2, seed=0), r"whose 3\^16 settings are more than 100,000"),
    "noise": (
        QuantumLinear(4, 2, noise={"bit_flip": 0.1}),
        "the circuit has noise channels; simulated has",
    ),
    "counts": (QuantumLinear(4, 1, readout="popcount", trainable=False), "the number of ones in a bit string"),
}


@pytest.mark.parametrize("name", list(MISFITS))
@pytest.mark.parametrize("run", [calibrate_model, mitigate_model])
def test_a_layer_that_does_not_fit_is_refused_before_any_circuit_runs(name: str, run: Any) -> None:
    misfit, message = MISFITS[name]
    backend = Simulated(wires=16 if name in ("settings", "terms") else 4)
    options: dict[str, Any] = {"scales": (1,)} if run is mitigate_model else {}
    with pytest.raises(QuanvolveError, match=message + r".*\(no circuit has run\)"):
        run(nn.Sequential(FITS, misfit), backend, **options)
    assert backend.ran == []


@pytest.mark.parametrize("name", ["qubits", "noise", "counts"])
def test_what_no_device_or_this_one_runs_is_refused_everywhere(name: str) -> None:
    misfit, message = MISFITS[name]
    backend, model = Simulated(wires=4), nn.Sequential(FITS, misfit)
    images = rand(1, 1, 2, 2)
    for attempt in (
        lambda: on_backend(model, backend),
        lambda: check_model(model, backend),
        lambda: estimate(model, images, backend=backend),
        lambda: run_layer(misfit, rand(1, misfit.in_features), backend),  # type: ignore[arg-type, operator]
    ):
        with pytest.raises(QuanvolveError, match=message.split("cannot run there: ")[-1].replace("simulated", ".*")):
            attempt()
    assert backend.ran == []
    if name != "qubits":
        with pytest.raises(QuanvolveError, match="a device"):
            estimate(model, images)


def test_a_head_larger_than_a_device_of_qiskit_or_pennylane() -> None:
    import pennylane as qp

    from quanvolve.backends import PennyLaneBackend

    model = hybrid_model((1, 4, 4), 2, "quantum", "quantum", seed=0)
    for backend in (QiskitBackend("fake_manila", shots=10), PennyLaneBackend(qp.device("default.qubit", wires=5))):
        backend.run = None  # type: ignore[assignment, method-assign, union-attr]
        with pytest.raises(QuanvolveError, match=r"'head.4' .*the circuit has 8 qubits, the .*no circuit has run"):
            calibrate_model(model, backend)  # type: ignore[arg-type]
    with pytest.raises(QuanvolveError, match=r"'head.4' .*8 qubits, the backend fake_manila has 5"):
        with_noise_of(model, QiskitBackend("fake_manila"))


def test_gates_that_a_device_lacks_are_named_without_a_run() -> None:
    import pennylane as qp
    from pennylane.devices import Device, preprocess

    from quanvolve.backends import PennyLaneBackend

    class Few(Device):
        name = "few gates"

        def preprocess_transforms(self, execution_config: Any = None) -> Any:
            program = qp.CompilePipeline()
            program.add_transform(preprocess.decompose, stopping_condition=lambda op: op.name == "RZ", name="few")
            return program

        def execute(self, circuits: Any, execution_config: Any = None) -> Any:
            raise AssertionError("it ran")

    with pytest.raises(QuanvolveError, match=r"few gates cannot run the circuit: Operator .* not supported"):
        calibrate_model(FITS, PennyLaneBackend(Few(wires=4)))


def test_a_whole_head_of_eight_qubits_is_fitted() -> None:
    torch.manual_seed(0)
    head = make_head("quantum", (1, 3, 3), 2).double().eval()
    circuit = head[4]
    copy, (found,) = calibrate_model(circuit, _Fast(), held_out=5)
    assert found.coefficients.shape == (8, 3**8)
    assert (found.rms < 1e-9, found.residual < 1e-9) == (True, True)
    features = torch.rand(4, 8, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(copy(features), circuit(features), rtol=0, atol=1e-7)


class _Fast:
    """Exact values from a layer, for more settings than the slow simulator takes."""

    name, identity, shots, settings_a_job = "fast", "fast", None, 10**9

    def run(self, circuit: Any, weights: Any, inputs: Any) -> Measured:
        given = {name: torch.from_numpy(value)[None, None] for name, value in weights.items()}
        layer = QuantumLinear(
            circuit.n_inputs, circuit.n_outputs, circuit=circuit, weights=given, dtype=torch.float64, trainable=False
        )
        values = layer(torch.from_numpy(inputs)).numpy()
        return Measured(values, np.zeros_like(values))

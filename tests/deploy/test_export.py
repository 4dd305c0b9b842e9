"""Exported models and circuits: they run elsewhere, and give the same."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve import Quanv2d, QuanvClassifier, QuanvRegressor, load_dataset
from quanvolve._errors import QuanvolveError
from quanvolve.analysis import filter_circuits
from quanvolve.backends import qiskit_circuit, save_qpy
from quanvolve.circuits import Bound, bind, capture, named_circuit, openqasm, simulate
from quanvolve.deploy import export_onnx, export_torch
from tests.waiting import PATIENCE


def classifier(**params: Any) -> tuple[QuanvClassifier, np.ndarray]:
    data = load_dataset("digits")
    images = data.test_images
    if "kernel_size" in params and isinstance(params["kernel_size"], tuple):
        images = images.reshape(len(images), 1, 64) if len(params["kernel_size"]) == 1 else images
    train = data.train_images.reshape(-1, *images.shape[1:])
    made = QuanvClassifier.from_preset(**params) if "preset" in params else QuanvClassifier(**params)
    made.set_params(max_epochs=1, random_state=0)
    return made.fit(train[:100], data.train_labels[:100]), images[:40]


def variances(inputs: Any, weights: Any, c: Any) -> list[Any]:
    qp.AngleEmbedding(3.0 * inputs, wires=range(4), rotation="Y")
    qp.StronglyEntanglingLayers(weights, wires=range(4))
    weighted = qp.dot(c, [qp.Z(1), qp.X(1) @ qp.X(2), qp.Identity(0)])
    return [qp.var(qp.Z(0)), qp.expval(weighted), qp.purity(wires=[3]), qp.var(weighted)]


MODELS: dict[str, dict[str, Any]] = {
    "default": {},
    "trained, joint head": {"trainable": True, "head": "quantum"},
    "cnn head": {"head": "cnn", "n_filters": 1},
    "re-uploading": {"encoding": "reupload", "n_filters": 1},
    "amplitudes": {"encoding": "amplitude", "n_filters": 2},
    "thresholds, counted": {"encoding": "threshold", "readout": "popcount"},
    "noise": {"noise": {"depolarizing": 0.02, "readout": 0.01}},
    "series": {"kernel_size": (4,), "stride": (4,)},
    "preset": {"preset": "hybrid"},
    "tree": {"preset": "tree"},
    "classical twin of trees": {"preset": "tree", "backbone": "classical"},
    "functions of what is measured": {"circuit": capture(variances, 4, {"weights": (1, 4, 3), "c": 3}), "n_filters": 1},
}


LONG = (
    "cnn head", "noise", "amplitudes", "trained, joint head", "series", "classical twin of trees", "nine qubits",
)  # fmt: skip


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in [*MODELS, LONG[-1]]]
)
def test_onnx_gives_the_same_probabilities(name: str, tmp_path: Path) -> None:
    import onnxruntime

    clf, images = classifier(**{**MODELS, "nine qubits": {"kernel_size": 3, "n_filters": 1}}[name])
    path = tmp_path / "model.onnx"
    assert export_onnx(clf, path) < 1e-5
    session = onnxruntime.InferenceSession(str(path))
    given = images.astype(np.float32).reshape(-1, *clf.image_shape_)
    for count in (1, 7, 40):
        (found,) = session.run(None, {"images": given[:count]})
        np.testing.assert_allclose(found, clf.predict_proba(images[:count]), rtol=0, atol=1e-5)
    notes = session.get_modelmeta().custom_metadata_map
    assert json.loads(notes["classes"]) == list(range(10))
    shape = ", ".join(map(str, clf.image_shape_))
    assert notes["input"] == f"images: float32, shape (N, {shape}), values from 0 to {clf.input_range_[1]:g}"
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]


@pytest.mark.parametrize(
    "name",
    ["default", "tree", *(pytest.param(name, marks=pytest.mark.slow) for name in ("re-uploading", "preset")),
     "functions of what is measured"],
)  # fmt: skip
def test_torch_programs_run_without_this_package(name: str, tmp_path: Path) -> None:
    clf, images = classifier(**MODELS[name])
    path = tmp_path / "model.pt2"
    assert export_torch(clf, path) < 1e-5
    given = images.astype(np.float32).reshape(-1, *clf.image_shape_)
    np.save(tmp_path / "images.npy", given)
    code = f"""
import sys, json, numpy as np, torch
sys.modules["quanvolve"] = None
notes = {{"quanvolve.json": ""}}
model = torch.export.load({str(path)!r}, extra_files=notes).module()
images = torch.from_numpy(np.load({str(tmp_path / "images.npy")!r}))
np.save({str(tmp_path / "found.npy")!r}, model(images).detach().numpy())
assert json.loads(json.loads(notes["quanvolve.json"])["classes"]) == list(range(10))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE, cwd=tmp_path)
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), clf.predict_proba(images), rtol=0, atol=1e-5)


@pytest.mark.parametrize("frozen", [True, False])
def test_onnx_takes_a_layer_that_looks_its_values_up(frozen: bool) -> None:
    import onnxruntime

    layer = Quanv2d(1, 4, 2, encoding="threshold", seed=0).eval()
    assert layer.plan.startswith("table")
    images = 3 * torch.rand(3, 1, 5, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own
        made = torch.onnx.export(layer.frozen().eval() if frozen else layer, (images,), dynamo=True, verbose=False)
    assert made is not None
    session = onnxruntime.InferenceSession(made.model_proto.SerializeToString())
    (found,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    np.testing.assert_allclose(found, layer(images).detach().numpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("target", ["labels", "numbers", "number"])
def test_other_aims_than_classes(target: str, tmp_path: Path) -> None:
    """Several labels have probabilities of their own, and numbers the unit of their targets."""
    import onnxruntime

    images, rng = load_dataset("digits").train_images[:60], np.random.default_rng(0)
    onnx, torch_file = tmp_path / "m.onnx", tmp_path / "m.pt2"
    if target == "labels":
        model: Any = QuanvClassifier(max_epochs=1, random_state=0).fit(images, rng.integers(0, 2, (60, 3)))
        expected, name = model.predict_proba(images), "probabilities"
        assert not np.allclose(expected.sum(axis=1), 1, atol=0.05), "a softmax would give other values"
    else:
        numbers = rng.normal(1e3, 50, (60, 2))
        model = QuanvRegressor(max_epochs=1, random_state=0).fit(
            images, numbers if target == "numbers" else numbers[:, 0]
        )
        expected, name = model.predict(images).reshape(60, -1), "numbers"
    assert export_onnx(model, onnx) < 1e-5
    assert export_torch(model, torch_file) < 1e-5
    given = images.astype(np.float32).reshape(-1, 1, 8, 8)
    session = onnxruntime.InferenceSession(str(onnx))
    (found,) = session.run([name], {"images": given})
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-5)
    loaded = torch.export.load(torch_file).module()
    np.testing.assert_allclose(loaded(torch.from_numpy(given)).detach().numpy(), expected, rtol=1e-6, atol=1e-5)
    notes = session.get_modelmeta().custom_metadata_map
    assert notes["output"] == {
        "labels": "probabilities: float32, shape (N, labels), each a label's own",
    }.get(target, "numbers: float32, shape (N, targets)")


def test_shots_become_exact_values(tmp_path: Path) -> None:
    clf, images = classifier(shots=50)
    exact, _ = classifier()
    exact.module_.head.load_state_dict(clf.module_.head.state_dict())
    export_onnx(clf, tmp_path / "m.onnx")
    import onnxruntime

    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    (found,) = session.run(None, {"images": images.astype(np.float32).reshape(-1, 1, 8, 8)})
    np.testing.assert_allclose(found, exact.predict_proba(images), rtol=0, atol=1e-5)


def test_values_drawn_at_random_cannot_be_exported(tmp_path: Path) -> None:
    clf, _ = classifier(readout="popcount_sampled", n_filters=1)
    for export in (export_onnx, export_torch):
        with pytest.raises(QuanvolveError, match="the model draws bit strings at random"):
            export(clf, tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_only_classifiers_and_writable_files(tmp_path: Path) -> None:
    with pytest.raises(QuanvolveError, match="`model` is a Quanv2d, expected a fitted QuanvClassifier or QuanvReg"):
        export_torch(Quanv2d(1, 1, 2), tmp_path / "m.pt2")
    clf, _ = classifier()
    with pytest.raises(QuanvolveError, match=r"cannot write .*missing/m\.pt2: No such file or directory"):
        export_torch(clf, tmp_path / "missing" / "m.pt2")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clf, _ = classifier()
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(QuanvolveError, match=r"this needs onnxscript, .*pip install 'quanvolve\[export\]'"):
        export_onnx(clf, tmp_path / "m.onnx")


# -- circuits ---------------------------------------------------------------------------------------------------------


def functions(inputs: Any, weights: Any) -> Any:
    import pennylane as qp

    qp.RY(torch.arctan(inputs[0]) + weights[0], wires=0)
    qp.RX(inputs[0] * inputs[1] * weights[1], wires=1)
    qp.ISWAP(wires=[0, 1])
    qp.CRX(inputs[1] + weights[2] ** 2, wires=[1, 0])
    return [qp.expval(qp.Z(0)), qp.expval(qp.X(0) @ qp.Y(1) + 0.5 * qp.Z(1))]


CIRCUITS: dict[str, Any] = {
    "strongly entangling": named_circuit("strongly_entangling", 4),
    "random, x": named_circuit("random", 4, readout="x", seed=3),
    "probabilities": named_circuit("hardware_efficient", 2, readout="probs"),
    "thresholds": named_circuit("basic_entangler", 3, encoding="threshold"),
    "amplitudes": named_circuit("basic_entangler", 8, encoding="amplitude"),
    "amplitudes of five": named_circuit("basic_entangler", 5, encoding="amplitude"),
    "iqp": named_circuit("strongly_entangling", 3, encoding="iqp"),
    "re-uploading": named_circuit("strongly_entangling", 2, encoding="reupload"),
    "functions": capture(functions, 2, {"weights": 3}),
}


def bound_of(name: str) -> tuple[Bound, dict[str, np.ndarray]]:
    circuit = CIRCUITS[name]
    rng = np.random.default_rng(1)
    weights = {n: rng.uniform(0, 6, shape) for n, shape in circuit.weight_shapes}
    return bind(circuit, weights, scale=[1.5 - 0.2 * k for k in range(circuit.n_inputs)], first=4), weights


def by_qiskit(circuit: Any, bound: Bound, window: np.ndarray) -> list[float]:
    from qiskit.quantum_info import SparsePauliOp, Statevector

    values = bound.values(window)
    plain = circuit.remove_final_measurements(inplace=False) or circuit
    state = Statevector(plain.assign_parameters({p: values[p.name] for p in plain.parameters}))
    n = bound.circuit.n_wires
    found = []
    for observable in bound.circuit.observables:
        terms = []
        for coefficient, word in observable.pauli_terms():
            letters = dict(word)
            terms.append(("".join(letters.get(wire, "I") for wire in reversed(range(n))), coefficient))
        found.append(float(state.expectation_value(SparsePauliOp.from_list(terms)).real))
    return found


@pytest.mark.parametrize("name", CIRCUITS)
@pytest.mark.parametrize("form", ["openqasm3", "qiskit"])
def test_qiskit_computes_the_same_from_what_is_written(name: str, form: str, tmp_path: Path) -> None:
    import qiskit.qasm3
    import qiskit.qpy

    bound, weights = bound_of(name)
    if form == "openqasm3":
        read = qiskit.qasm3.loads(openqasm(bound, "a title\nof two lines"))
        assert {p.name for p in read.parameters} == {name for name, _ in bound.parameters}
    else:
        save_qpy([qiskit_circuit(bound, "own"), qiskit_circuit(bound)], tmp_path / "c.qpy")
        with (tmp_path / "c.qpy").open("rb") as file:
            read, second = qiskit.qpy.load(file)
        assert (read.name, second.name) == ("own", "filter")
        assert read.metadata["parameters"] == dict(bound.parameters)
        assert len(read.metadata["outputs"]) == bound.circuit.n_outputs
    rng = np.random.default_rng(2)
    for _ in range(5):
        window = rng.uniform(-0.5, 1.5, bound.circuit.n_inputs)
        expected = simulate(bound.circuit, window * bound.scales, weights)
        np.testing.assert_allclose(by_qiskit(read, bound, window), expected, rtol=0, atol=1e-8)


def test_a_window_of_zeros_prepares_basis_state_0() -> None:
    bound, _ = bound_of("amplitudes")
    assert set(bound.values(np.zeros(8)).values()) == {0.0}


def test_parameters_say_what_they_are() -> None:
    assert dict(bound_of("thresholds")[0].parameters)["b5"] == "1 if 1.3 * pixel 5 > 1.5707963267948966, else 0"
    assert dict(bound_of("iqp")[0].parameters)["v0"] == "1.5 x4 1.3 x5"
    assert dict(bound_of("strongly entangling")[0].parameters)["x4"] == "pixel 4 of the window"


def test_measurements_are_written_where_one_basis_is_enough() -> None:
    assert openqasm(bound_of("thresholds")[0]).endswith("c = measure q;\n")
    text = openqasm(bound_of("functions")[0])
    assert "measure" not in text
    assert "// output 1: X of q[0] times Y of q[1] + 0.5 * Z of q[1]" in text


def test_noise_is_left_out_and_said_so() -> None:
    layer = Quanv2d(1, 4, 2, noise={"depolarizing": 0.1}, seed=0)
    (one,) = filter_circuits(layer)
    assert "noise channels are left out: a device has its own" in openqasm(one.bound)
    (quiet,) = filter_circuits(Quanv2d(1, 4, 2, seed=0))
    assert one.bound.gates == quiet.bound.gates


def test_circuits_of_a_model_are_its_channels() -> None:
    layer = Quanv2d(4, 6, (1, 2), groups=2, seed=0, dtype=torch.float64, scale=torch.rand(4, 1, 2))
    found = filter_circuits(torch.nn.Sequential(layer))
    assert [one.name for one in found[:3]] == ["0_filter0_channel0", "0_filter0_channel1", "0_filter1_channel0"]
    image = torch.rand(1, 4, 1, 2, dtype=torch.float64)
    expected = layer(image).detach().flatten().numpy()
    total = np.zeros(6)
    for one in found:
        first = one.bound.first
        window = image.flatten()[first : first + 2].numpy()
        values = simulate(one.bound.circuit, window * one.bound.scales, one.bound.weights)
        for channel, value in zip(one.channels, values, strict=True):
            if channel is not None:
                total[channel] += value
    np.testing.assert_allclose(total, expected, atol=1e-8)


def test_wrong_arguments_are_named() -> None:
    circuit = named_circuit("none", 2, n_layers=1)
    with pytest.raises(QuanvolveError, match=r"`weights` has the names \['w'\], the circuit needs 'weights'"):
        bind(circuit, {"w": 0})
    with pytest.raises(QuanvolveError, match=r"weight 'weights' has shape \(2,\), the circuit's own is \(1, 2, 3\)"):
        bind(circuit, {"weights": [1, 2]})
    with pytest.raises(QuanvolveError, match="`scale` has 3 numbers, the circuit reads 2 inputs"):
        bind(circuit, {"weights": np.zeros((1, 2, 3))}, scale=[1, 2, 3])
    with pytest.raises(QuanvolveError, match="`window` has 3 pixels, the circuit reads 2"):
        bind(circuit, {"weights": np.zeros((1, 2, 3))}).values([1, 2, 3])
    with pytest.raises(QuanvolveError, match="`model` is a Linear without a quantum layer: it has no circuits"):
        filter_circuits(torch.nn.Linear(1, 1))

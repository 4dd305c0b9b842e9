"""Scripts and torch layers of PennyLane as filters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve import Quanv2d
from quanvolve._errors import CaptureError, QuanvolveError
from quanvolve.circuits import circuit_of, from_script, simulate, source_of


def script(**options: Any) -> Any:
    rng = np.random.default_rng(0)
    operations = [
        qp.RY(0.1, "b"),
        qp.AngleEmbedding(torch.tensor([0.2, 0.3]), wires=["a", "b"]),
        qp.QubitUnitary(np.array([[0.6, -0.8], [0.8, 0.6]]), wires="a"),
        qp.StronglyEntanglingLayers(torch.tensor(rng.uniform(0, 6, (1, 2, 3))), wires=["a", "b"]),
        qp.PauliRot(0.7, "XY", wires=["a", "b"]),
    ]
    measurements = [qp.expval(qp.Z("a")), qp.probs(wires=["b"]), qp.expval(0.3 * qp.X("a") @ qp.Y("b"))]
    return qp.tape.QuantumScript(operations, measurements, **options)


def executed(made: Any) -> np.ndarray:
    (results,) = qp.execute([made], qp.device("default.qubit"), diff_method=None)
    parts = results if isinstance(results, tuple) else (results,)
    return np.concatenate([np.asarray(part).reshape(-1) for part in parts])


def test_a_script_begins_with_its_own_values() -> None:
    made = script()
    source = from_script(made, inputs=[0, 1])
    assert source.n_inputs == 3
    assert {name: tuple(shape) for name, shape in source.weight_shapes.items()} == {
        "parameter_3": (1, 2, 3),
        "parameter_4": (),
    }, "matrices and coefficients stay"
    circuit = circuit_of(source)
    assert source.weights is not None
    values = simulate(circuit, [0.1, 0.2, 0.3], source.weights)
    np.testing.assert_allclose(values, executed(made), atol=1e-9)
    np.testing.assert_allclose(source.reference([0.1, 0.2, 0.3], source.weights), values, atol=1e-9)
    layer = Quanv2d(1, 8, (1, 3), circuit=source, dtype=torch.float64)
    ours = layer(torch.tensor([[[0.1, 0.2, 0.3]]], dtype=torch.float64)).detach().flatten()
    np.testing.assert_allclose(ours.numpy(), np.tile(executed(made), 2), atol=1e-9)
    assert layer.parameter_4.requires_grad


def test_the_order_of_inputs_is_that_of_the_window() -> None:
    made = script()
    turned = from_script(made, inputs=[4, 0])
    changed = made.bind_new_parameters([-0.4, 0.9], [0, 4])
    assert turned.weights is not None
    np.testing.assert_allclose(turned.reference([0.9, -0.4], turned.weights), executed(changed), atol=1e-9)


def test_parameters_that_are_not_trainable_stay() -> None:
    source = from_script(script(trainable_params=[0, 4]), inputs=[1])
    assert (source.n_inputs, dict(source.weight_shapes)) == (1, {"parameter_0": ()})


def test_the_window_may_be_a_state() -> None:
    operations = [
        qp.AmplitudeEmbedding(torch.ones(4, dtype=torch.float64), range(2), normalize=True),
        qp.RX(0.3, 0),
        qp.CNOT([0, 1]),
    ]
    made = qp.tape.QuantumScript(operations, [qp.expval(qp.Z(1))])
    circuit = circuit_of(from_script(made, inputs=[0]))
    assert circuit.preparation is not None
    window = np.array([0.1, 0.5, -0.2, 0.7])
    changed = made.bind_new_parameters([window / np.linalg.norm(window)], [0])
    np.testing.assert_allclose(simulate(circuit, window.tolist(), {"parameter_1": 0.3}), executed(changed), atol=1e-9)


def test_a_script_that_does_not_say_its_window_is_refused() -> None:
    listed = r"it has 0: RY on wires \['b'\], shape \(\); 1: AngleEmbedding on wires \['a', 'b'\], shape .*2"
    with pytest.raises(CaptureError, match=r"`inputs` is not given: say which trainable parameters .*" + listed):
        Quanv2d(1, 4, 2, circuit=script())
    for inputs in ([5], [0, 0], []):
        with pytest.raises(CaptureError, match=r"`inputs` \(=\[.*\]\) does not fit: say which trainable parameters"):
            from_script(script(), inputs=inputs)
    with pytest.raises(CaptureError, match="the script has shots or a batch of parameters"):
        from_script(script(shots=100), inputs=[0])


@qp.qnode(qp.device("default.qubit", wires=4))
def node(inputs: Any, turns: Any, tilt: Any) -> Any:
    qp.AngleEmbedding(inputs, wires=range(4))
    qp.BasicEntanglerLayers(turns, wires=range(4))
    qp.RY(tilt, wires=3)
    return [qp.expval(qp.Z(wire)) for wire in range(4)]


def test_a_torch_layer_brings_its_weights() -> None:
    trained = qp.qnn.TorchLayer(node, {"turns": (2, 4), "tilt": ()}).double()
    layer = Quanv2d(1, 8, 2, circuit=trained, dtype=torch.float64)
    windows = torch.rand(5, 4, dtype=torch.float64)
    ours = layer(windows.reshape(5, 1, 2, 2)).reshape(5, 8)
    torch.testing.assert_close(ours, trained(windows).repeat(1, 2), atol=1e-9, rtol=0)
    with torch.no_grad():
        layer.tilt.add_(1.0)
    assert not torch.equal(layer.tilt[0, 0], trained.tilt), "a copy"
    by_hand = Quanv2d(1, 4, 2, circuit=trained, weights={"turns": torch.zeros(2, 4), "tilt": torch.zeros(())})
    assert not by_hand.turns.any()
    with pytest.raises(QuanvolveError, match="a TorchLayer has its own: leave it out"):
        Quanv2d(1, 4, 2, circuit=trained, weight_shapes={"turns": (2, 4)})
    assert source_of(node) is None

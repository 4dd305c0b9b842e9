"""The circuits of a layer's channels as QNodes of PennyLane and circuits of Qiskit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp

from quanvolve import QuantumLinear, Quanv1d, Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import ENCODINGS, from_qiskit


def double(*arguments: Any, **options: Any) -> Quanv2d:
    return Quanv2d(*arguments, dtype=torch.float64, seed=1, **options)


def windows(n: int, *shape: int) -> torch.Tensor:
    return torch.rand(n, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 - 0.5


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("readout", ["z", "probs", "popcount_expected"])
def test_a_qnode_has_the_value_of_its_channel(encoding: str, readout: str) -> None:
    layer = double(1, 4, 2, encoding=encoding, readout=readout, n_layers=1)
    images = windows(3, 1, 2, 2)
    ours = layer(images)[:, :, 0, 0]
    for channel in (0, 3):
        node = layer.qnode(channel)
        together = node(images.reshape(3, 4))
        torch.testing.assert_close(together.reshape(3), ours[:, channel], atol=1e-9, rtol=0)
        torch.testing.assert_close(node(images[1].flatten()).reshape(()), ours[1, channel], atol=1e-9, rtol=0)


def test_a_window_of_zeros_is_encoded_as_by_the_layer() -> None:
    layer = double(1, 2, 2, encoding="amplitude", n_layers=1)
    nothing = torch.zeros(2, 4, dtype=torch.float64)
    nothing[1] = 0.3
    torch.testing.assert_close(layer.qnode(1)(nothing), layer(nothing.reshape(2, 1, 2, 2))[:, 1, 0, 0])


def test_a_qnode_has_gradients_noise_and_a_drawing() -> None:
    layer = double(1, 4, 2, n_layers=1, noise={"depolarizing": 0.1}, scale=1.5)
    window = windows(1, 4)[0].requires_grad_()
    image = window.detach().reshape(1, 1, 2, 2).requires_grad_()
    value, expected = layer.qnode(2)(window), layer(image)[0, 2, 0, 0]
    torch.testing.assert_close(value, expected, atol=1e-9, rtol=0)
    value.backward()
    expected.backward()
    assert window.grad is not None
    assert image.grad is not None
    torch.testing.assert_close(window.grad, image.grad.flatten(), atol=1e-9, rtol=0)
    plain = double(1, 4, 2, circuit="basic_entangler", n_layers=1)
    drawing = qp.draw(plain.qnode(0))(window)
    assert "RY" in drawing
    assert "<Z>" in drawing
    assert qp.specs(plain.qnode(0))(window)["resources"].gate_types["CNOT"] == 4
    before = plain.qnode(0)(window)
    with torch.no_grad():
        plain.weights.add_(0.5)
    assert not torch.equal(plain.qnode(0)(window), before), "with the weights of now"


def test_a_sum_is_taken_apart() -> None:
    layer = double(3, 5, (1, 2), n_layers=1)
    images = windows(1, 3, 1, 2)
    parts = [layer.qnode(4, in_channel=c)(images[0, c].flatten()) for c in range(3)]
    torch.testing.assert_close(torch.stack(parts).sum(), layer(images)[0, 4, 0, 0], atol=1e-9, rtol=0)
    with pytest.raises(
        QuanvolveError, match=r"channel 4 is a sum of circuits, one for each of the input channels \[0, 1, "
    ):
        layer.qnode(4)
    with pytest.raises(
        QuanvolveError, match=r"`in_channel` \(=3\) must be one of the input channels that channel 0 reads"
    ):
        layer.quantum_circuit(0, in_channel=3)
    with pytest.raises(QuanvolveError, match=r"`channel` \(=5\) must be in 0 to 4"):
        layer.qnode(5)
    joint = double(3, 2, (1, 2), n_layers=1, channel_mixing="joint", circuit="basic_entangler")
    torch.testing.assert_close(joint.qnode(1)(images.flatten()), joint(images)[0, 1, 0, 0], atol=1e-9, rtol=0)


def test_other_dimensions_have_them() -> None:
    series = Quanv1d(1, 3, 3, dtype=torch.float64, n_layers=1, seed=0)
    values = windows(1, 3)
    torch.testing.assert_close(series.qnode(2)(values[0]), series(values)[2, 0], atol=1e-9, rtol=0)
    dense = QuantumLinear(3, 2, dtype=torch.float64, n_layers=1, seed=0)
    torch.testing.assert_close(dense.qnode(1)(values[0]), dense(values)[0, 1], atol=1e-9, rtol=0)
    assert [p.name for p in dense.quantum_circuit(1).parameters] == ["inputs[0]", "inputs[1]", "inputs[2]"]


def of_qiskit(written: Any, window: torch.Tensor) -> float:
    observable = SparsePauliOp.from_list([tuple(entry) for entry in written.metadata["observable"]])
    values = [float(window[parameter.index].detach()) for parameter in written.parameters]
    (result,) = StatevectorEstimator().run([(written, observable, values)]).result()
    return float(result.data.evs)


def computed(inputs: torch.Tensor, stretch: torch.Tensor) -> Any:
    first, second = inputs[0], inputs[1]
    qp.RY(torch.arctan(first) * stretch + torch.sin(second) / 3, wires=0)
    qp.RY(torch.sqrt(torch.abs(second)) - torch.exp(-first) ** 2, wires=1)
    qp.RX(torch.square(stretch), wires=0)
    qp.RX(torch.stack([first, second]).sum() * 0.3 - torch.cos(first), wires=1)
    qp.CNOT(wires=[0, 1])
    return [qp.expval(0.5 * qp.Z(0) + 0.25 * qp.X(0) @ qp.Y(1)), qp.probs(wires=[1, 0])]


@pytest.mark.parametrize("encoding", sorted(set(ENCODINGS) - {"threshold", "amplitude"}))
def test_a_quantum_circuit_has_the_value_of_its_channel(encoding: str) -> None:
    layer = double(1, 4, 2, encoding=encoding, n_layers=1)
    images = windows(1, 1, 2, 2)
    for channel in (1, 3):
        written = layer.quantum_circuit(channel)
        assert of_qiskit(written, images.flatten()) == pytest.approx(
            float(layer(images)[0, channel, 0, 0].detach()), abs=1e-9
        )
        again = Quanv2d(
            1, 1, 2, circuit=from_qiskit(written, observables=SparsePauliOp.from_list(written.metadata["observable"])),
            dtype=torch.float64,
        )  # fmt: skip
        torch.testing.assert_close(again(images)[:, 0], layer(images)[:, channel], atol=1e-9, rtol=0)


def test_functions_of_pixels_become_expressions() -> None:
    layer = double(1, 5, (1, 2), circuit=computed, weight_shapes={"stretch": ()}, scale=0.7)
    images = windows(1, 1, 1, 2)
    for channel in range(5):
        expected = float(layer(images)[0, channel, 0, 0].detach())
        assert of_qiskit(layer.quantum_circuit(channel), images.flatten()) == pytest.approx(expected, abs=1e-9)
    assert layer.quantum_circuit(4).metadata["output"] == "the probability of q[1] = 1, q[0] = 1"


def squashed(inputs: torch.Tensor) -> Any:
    qp.RY(torch.tanh(inputs[0]), wires=0)
    return qp.expval(qp.Z(0))


def test_what_qiskit_cannot_say_is_refused_with_the_reason() -> None:
    with pytest.raises(
        QuanvolveError, match=r"computed with torch.tanh, which Qiskit's expressions of parameters do not h"
    ):
        double(1, 1, 1, circuit=squashed).quantum_circuit(0)
    with pytest.raises(QuanvolveError, match=r"it reads bits, 1 where an input is above a threshold, .* no comparison"):
        double(1, 4, 2, encoding="threshold").quantum_circuit(0)
    with pytest.raises(QuanvolveError, match="cannot be written with the window as parameters: it prepares amplitudes"):
        double(1, 2, 2, encoding="amplitude").quantum_circuit(0)
    counted = double(1, 1, 2, readout="popcount", trainable=False)
    with pytest.raises(QuanvolveError, match=r"it counts the ones in a bit string \(most_probable\)"):
        counted.quantum_circuit(0)
    with pytest.raises(QuanvolveError, match="which is no expectation value: a QNode cannot return it"):
        counted.qnode(0)


def test_noise_is_left_to_the_device() -> None:
    noisy = double(1, 4, 2, circuit="basic_entangler", n_layers=1, noise={"bit_flip": 0.1})
    plain = double(1, 4, 2, circuit="basic_entangler", n_layers=1)
    window = np.array([0.1, 0.2, 0.3, 0.4])
    assert of_qiskit(noisy.quantum_circuit(1), torch.tensor(window)) == pytest.approx(
        float(plain(torch.tensor(window).reshape(1, 2, 2))[1].detach()), abs=1e-9
    )

"""Longer checks on the real thing, run by `make test-slow` with the complete MNIST of QUANVOLVE_DATA."""

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve import Quanv2d, QuanvClassifier, load_dataset
from tests.datasets import complete


@pytest.mark.slow
def test_four_fixed_filters_reach_95_percent_on_mnist():
    mnist = load_dataset("mnist", data_dir=complete("mnist"))
    clf = QuanvClassifier(n_filters=4, max_epochs=3, batch_size=128, lr=1e-3, random_state=0)
    clf.fit(mnist.train_images, mnist.train_labels)
    assert clf.score(mnist.test_images, mnist.test_labels) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("circuit", ["random", "basic_entangler", "strongly_entangling"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_nine_qubits_equal_default_qubit(circuit, dtype, tolerance):
    layer = Quanv2d(1, 9, 3, stride=2, circuit=circuit, seed=1, dtype=dtype)
    images = torch.rand(2, 1, 9, 9, dtype=dtype)
    weights = layer.weights.detach().double().numpy()[0, 0]
    device = qp.device("default.qubit", wires=9)
    description = layer.circuits[0]

    @qp.qnode(device)
    def node(pixels):
        for gate in description.gates:
            if gate.angle is None:
                getattr(qp, gate.name)(wires=gate.wires)
                continue
            angle = gate.angle.offset + sum(c * pixels[i] for i, c in gate.angle.inputs)
            angle += sum(c * weights.flat[i] for _, i, c in gate.angle.weights)
            getattr(qp, gate.name)(angle, wires=gate.wires[0])
        return [qp.expval(qp.Z(wire)) for wire in range(9)]

    found = layer(images).detach().double().numpy()
    for n in range(2):
        for row in range(found.shape[2]):
            for column in range(found.shape[3]):
                window = images[n, 0, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3].double().numpy()
                expected = node(np.pi * window.ravel())
                np.testing.assert_allclose(found[n, :, row, column], expected, rtol=0, atol=tolerance)

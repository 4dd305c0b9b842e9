"""Circuits the way PennyLane's demos and documentation write them: what users bring."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pennylane as qp
import torch


@dataclass(frozen=True)
class UserCircuit:
    """A function, and what `qp.qnn.TorchLayer` needs to know about it."""

    function: Callable[..., Any]
    n_inputs: int
    n_wires: int
    weight_shapes: dict[str, Any]


def torch_layer_tutorial(inputs, weights):
    qp.AngleEmbedding(inputs, wires=range(2))
    qp.BasicEntanglerLayers(weights, wires=range(2))
    return [qp.expval(qp.PauliZ(wires=i)) for i in range(2)]


def quanvolution_demo(inputs, weights):
    for j in range(4):
        qp.RY(torch.pi * inputs[j], wires=j)
    qp.RandomLayers(weights, wires=list(range(4)), seed=3)
    return [qp.expval(qp.PauliZ(j)) for j in range(4)]


def dressed_circuit(inputs, weights):
    """Transfer learning demo: Hadamards, embedding of tanh, entangling layers of CNOTs and RYs."""
    for idx in range(4):
        qp.Hadamard(wires=idx)
    for idx, element in enumerate(torch.tanh(inputs) * torch.pi / 2.0):
        qp.RY(element, wires=idx)
    for k in range(2):
        for i in range(0, 3, 2):
            qp.CNOT(wires=[i, i + 1])
        for i in range(1, 3, 2):
            qp.CNOT(wires=[i, i + 1])
        for idx, element in enumerate(weights[k]):
            qp.RY(element, wires=idx)
    return tuple(qp.expval(qp.PauliZ(position)) for position in range(4))


def arctan_encoding(inputs, weights):
    """Angles arctan(x) and arctan(x^2), as quantum long short-term memory networks have them."""
    for i in range(3):
        qp.Hadamard(wires=i)
        qp.RY(torch.arctan(inputs[i]), wires=i)
        qp.RZ(torch.arctan(inputs[i] ** 2), wires=i)
    for layer in weights:
        for i in range(3):
            qp.CNOT(wires=[i, (i + 1) % 3])
        for i in range(3):
            qp.Rot(*layer[i], wires=i)
    return [qp.expval(qp.PauliZ(i)) for i in range(3)]


def iqp_kernel(inputs, weights):
    qp.IQPEmbedding(inputs, wires=range(4), n_repeats=2)
    qp.StronglyEntanglingLayers(weights, wires=range(4))
    return [qp.expval(qp.Z(i)) for i in range(4)]


def amplitudes_padded(inputs, weights):
    qp.AmplitudeEmbedding(features=inputs, wires=range(3), pad_with=0.3, normalize=True)
    qp.StronglyEntanglingLayers(weights, wires=range(3))
    return qp.probs(wires=[0, 2])


def amplitudes(inputs, weights):
    qp.AmplitudeEmbedding(inputs, wires=range(2), normalize=True)
    qp.BasicEntanglerLayers(weights, wires=range(2), rotation=qp.RY)
    return qp.expval(qp.X(0) @ qp.Y(1)), qp.expval(qp.Z(1))


def qaoa_embedding(inputs, weights):
    qp.QAOAEmbedding(features=inputs, weights=weights, wires=range(4))
    return [qp.expval(qp.Z(i)) for i in range(4)]


def data_reuploading(inputs, params, biases):
    """Universal classifier demo: weights times inputs plus biases, again and again on one qubit."""
    for p, b in zip(params, biases, strict=True):
        qp.Rot(*(p * inputs[:3] + b), wires=0)
        qp.Rot(p[0] * inputs[3], b[1], p[2], wires=0)
    return qp.expval(qp.Hermitian([[1, 0], [0, 0]], wires=[0]))


def fourier_series(inputs, weights):
    """Expressivity of quantum models demo: a trainable block before and after each encoding."""
    qp.StronglyEntanglingLayers(weights[0], wires=range(2))
    for block in weights[1:]:
        qp.RX(inputs[0], wires=0)
        qp.RX(inputs[1] - inputs[0], wires=1)
        qp.StronglyEntanglingLayers(block, wires=range(2))
    return qp.expval(qp.PauliZ(wires=0))


def variational_classifier(inputs, weights, shift):
    """Variational classifier demo: controlled rotations from the inputs, a bias as an angle."""
    qp.RY(inputs[0], wires=0)
    qp.CNOT(wires=[0, 1])
    qp.ctrl(qp.RY, control=0)(inputs[1] / 2, wires=1)
    qp.adjoint(qp.RX)(inputs[2] * inputs[3], wires=1)
    for layer in weights:
        for wire in range(2):
            qp.Rot(layer[wire, 0], layer[wire, 1], layer[wire, 2], wires=wire)
        qp.CNOT(wires=[0, 1])
    qp.RX(shift, wires=0)
    return qp.expval(qp.Hamiltonian([0.5, -1.5], [qp.Z(0), qp.X(0) @ qp.Z(1)]))


def tree_tensor_network(inputs, weights):
    """Tensor-network circuits demo."""

    def block(weights, wires):
        qp.RX(weights[0], wires=wires[0])
        qp.RY(weights[1], wires=wires[1])
        qp.CNOT(wires=wires)

    qp.AngleEmbedding(inputs, wires=range(4), rotation="Y")
    qp.TTN(wires=range(4), n_block_wires=2, block=block, n_params_block=2, template_weights=weights)
    return qp.expval(qp.Z(3))


def two_design(inputs, initial, weights):
    qp.AngleEmbedding(inputs, wires=range(3), rotation="Z")
    qp.SimplifiedTwoDesign(initial_layer_weights=initial, weights=weights, wires=range(3))
    return [qp.expval(qp.PauliX(i)) for i in range(3)]


def batches_of_inputs(inputs, weights):
    """Written for a batch axis, as TorchLayer allows."""
    for i in range(3):
        qp.RY(torch.sin(inputs[:, i]), wires=i)
    for i in range(3):
        qp.CRX(weights[i], wires=[i, (i + 1) % 3])
    return [qp.expval(qp.Z(i)) for i in range(3)]


def loops_and_halves(inputs, weights):
    """`qp.for_loop`, a square root of a gate, phases and multi-qubit rotations."""

    @qp.for_loop(0, 3, 1)
    def encode(i):
        qp.RX(inputs[i], wires=i)
        qp.SX(wires=i)

    encode()
    qp.MultiRZ(weights[0], wires=[0, 1, 2])
    qp.IsingXX(weights[1], wires=[0, 2])
    qp.ControlledPhaseShift(weights[2] * inputs[0], wires=[1, 2])
    qp.Toffoli(wires=[0, 1, 2])
    qp.SingleExcitation(weights[3], wires=[0, 1])
    return qp.probs(wires=[2, 0])


USER_CIRCUITS = {
    circuit.function.__name__: circuit
    for circuit in (
        UserCircuit(torch_layer_tutorial, 2, 2, {"weights": (3, 2)}),
        UserCircuit(quanvolution_demo, 4, 4, {"weights": (1, 4)}),
        UserCircuit(dressed_circuit, 4, 4, {"weights": (2, 4)}),
        UserCircuit(arctan_encoding, 3, 3, {"weights": (2, 3, 3)}),
        UserCircuit(iqp_kernel, 4, 4, {"weights": (1, 4, 3)}),
        UserCircuit(amplitudes_padded, 6, 3, {"weights": (1, 3, 3)}),
        UserCircuit(amplitudes, 4, 2, {"weights": (2, 2)}),
        UserCircuit(qaoa_embedding, 4, 4, {"weights": (1, 8)}),
        UserCircuit(data_reuploading, 4, 1, {"params": (2, 3), "biases": (2, 3)}),
        UserCircuit(fourier_series, 2, 2, {"weights": (3, 1, 2, 3)}),
        UserCircuit(variational_classifier, 4, 2, {"weights": (2, 2, 3), "shift": 1}),
        UserCircuit(tree_tensor_network, 4, 4, {"weights": (3, 2)}),
        UserCircuit(two_design, 3, 3, {"initial": 3, "weights": (2, 2, 2)}),
        UserCircuit(batches_of_inputs, 3, 3, {"weights": 3}),
        UserCircuit(loops_and_halves, 3, 3, {"weights": 4}),
    )
}

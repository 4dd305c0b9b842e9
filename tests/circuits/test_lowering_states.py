"""Prepared states: from the inputs a preparation, from constants and weights gates."""

from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve.circuits import capture
from quanvolve.circuits.capture._lowering import lowered
from quanvolve.circuits.capture._traced import PREPARE
from tests.circuits.lowering import agree, refused, run, wants_gradients


def vector(n: int, kind: str) -> Any:
    rng = np.random.default_rng(n)
    state = rng.normal(size=2**n) + 1j * rng.normal(size=2**n) * (kind == "complex")
    if kind == "sparse":
        state[rng.random(2**n) < 0.7] = 0.0
        state[0] = -0.5
    if kind == "real":
        state = state.real
    return state / np.linalg.norm(state)


def measured() -> Any:
    return [qp.expval(qp.Z(0)), qp.expval(qp.X(0) @ qp.Y(1)), qp.expval(qp.X(2) @ qp.X(1))]


@pytest.mark.parametrize("kind", ["real", "complex", "sparse"])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_constant_states(n: int, kind: str) -> None:
    state = vector(n, kind)
    for operation in (qp.StatePrep(state, range(n)), qp.MottonenStatePreparation(torch.tensor(state), range(n))):
        gates = lowered([operation], reads=wants_gradients)
        made = run(gates, range(n), torch.eye(2**n)[:, :1])[:, 0].numpy()
        np.testing.assert_allclose(np.abs(made @ state.conj()), 1.0, atol=1e-12)
        assert PREPARE not in {gate.name for gate in gates}


def test_constant_basis_states() -> None:
    assert [g.wires for g in lowered([qp.BasisState([1, 0, 1], wires=["a", "b", "c"])])] == [("a",), ("c",)]
    assert [g.name for g in lowered([qp.BasisEmbedding(2, wires=[4, 5])])] == ["X"]


@pytest.mark.parametrize("kind", ["real", "complex"])
def test_constant_states_before_and_after_gates(kind: str) -> None:
    def function(inputs):
        qp.StatePrep(vector(2, kind), wires=[1, 0])
        qp.RX(inputs[0], wires=0)
        qp.CNOT(wires=[0, 2])
        qp.StatePrep(vector(2, kind), wires=[2, 0])
        qp.ctrl(qp.StatePrep(vector(1, kind), wires=0), control=1)
        qp.adjoint(qp.MottonenStatePreparation(vector(2, kind), wires=[0, 1]))
        qp.BasisState([1, 1], wires=[0, 2])
        qp.RY(inputs[1], wires=1)
        return measured()

    agree(function)
    assert capture(function, 2).preparation is None


def test_thresholded_pixels_become_bits() -> None:
    def function(inputs, w):
        qp.BasisEmbedding(inputs > 0.1, wires=range(3))
        qp.RX(w[0], wires=0)
        qp.CNOT(wires=[0, 1])
        qp.BasisEmbedding((inputs[:2] > 0.3).double(), wires=[2, 0])
        qp.RY(w[1], wires=1)
        return measured()

    gates = agree(function, 3, {"w": (2,)})
    assert [gate.name for gate in gates[:3]] == ["RX"] * 3
    circuit = capture(function, 3, {"w": (2,)})
    assert circuit.preparation is None
    assert circuit.program is not None


def test_states_of_weights_are_rotations() -> None:
    def function(inputs, w, v):
        qp.StatePrep(w / w.norm(), wires=[0, 1])
        qp.AmplitudeEmbedding(v, wires=[2], normalize=True)
        qp.RX(inputs[0], wires=0)
        qp.CNOT(wires=[0, 1])
        return measured()

    for seed in range(3):
        agree(function, 1, {"w": (4,), "v": (2,)}, seed=seed)
    circuit = capture(function, 1, {"w": (4,), "v": (2,)})
    assert circuit.preparation is None


def test_moettoenens_preparation_of_weights_and_inputs() -> None:
    def function(inputs, w):
        qp.MottonenStatePreparation(w / w.norm(), wires=[2, 0])
        qp.MottonenStatePreparation(inputs / inputs.norm(), wires=[1])
        qp.RX(inputs[0], wires=0)
        qp.CNOT(wires=[0, 1])
        return measured()

    def reference(inputs, w):
        qp.StatePrep(torch.kron(w / w.norm(), inputs / inputs.norm()), wires=[2, 0, 1])
        qp.RX(inputs[0], wires=0)
        qp.CNOT(wires=[0, 1])
        return measured()

    agree(function, 2, {"w": (4,)}, reference=reference)


def test_complex_amplitudes_of_weights_and_inputs() -> None:
    def function(inputs, w):
        state = torch.complex(inputs, w)
        qp.StatePrep(state / torch.linalg.norm(state), wires=[0, 2])
        qp.RX(w[0], wires=0)
        qp.CNOT(wires=[0, 1])
        return measured()

    for seed in range(3):
        agree(function, 4, {"w": (4,)}, seed=seed)


def test_several_embeddings_of_inputs_are_one_preparation() -> None:
    def function(inputs, w):
        qp.AmplitudeEmbedding(inputs[:2], wires=[1], normalize=True)
        qp.RX(w[0], wires=1)
        qp.AmplitudeEmbedding(inputs[2:], wires=[2, 0], normalize=True, pad_with=0.3)
        qp.CNOT(wires=[0, 1])
        return measured()

    gates = agree(function, 5, {"w": (1,)})
    assert [gate.wires for gate in gates if gate.name == PREPARE] == [(1, 2, 0)]
    circuit = capture(function, 5, {"w": (1,)})
    assert circuit.preparation is not None
    assert circuit.preparation.wires == (1, 2, 0)


def test_an_embedding_after_gates_on_other_wires_and_one_after_gates_on_its_own() -> None:
    def function(inputs, w):
        qp.RX(w[0], wires=2)
        qp.AmplitudeEmbedding(inputs, wires=[0, 1], normalize=True)
        qp.CNOT(wires=[1, 2])
        qp.AmplitudeEmbedding(inputs**2, wires=[1, 2], normalize=True)
        return measured()

    gates = agree(function, 4, {"w": (1,)})
    assert [gate.wires for gate in gates if gate.name == PREPARE] == [(0, 1)]
    positive = {"inputs": [0.3, 0.8, 0.1, 0.5], "w": [0.4]}
    agree(function, 4, {"w": (1,)}, point=positive)


def test_uploading_amplitudes_again_is_captured() -> None:
    def function(inputs, w):
        for layer in range(2):
            qp.AmplitudeEmbedding(inputs, wires=[0, 1], normalize=True)
            qp.RX(w[layer], wires=0)
            qp.CNOT(wires=[0, 1])
        return [qp.expval(qp.Z(0)), qp.expval(qp.X(1))]

    circuit = capture(function, 4, {"w": (2,)})
    assert circuit.preparation is not None
    assert circuit.program is not None


def test_a_state_of_norm_one_need_not_be_validated() -> None:
    def function(inputs):
        qp.StatePrep(torch.stack([torch.cos(inputs[0]), torch.sin(inputs[0])]), wires=0, validate_norm=False)
        qp.RX(inputs[1], wires=0)
        return qp.expval(qp.Z(0)), qp.expval(qp.X(0))

    agree(function, wires=range(1))
    assert capture(function, 2).preparation is not None


def test_a_state_of_another_norm_is_refused() -> None:
    def function(inputs, w):
        qp.RX(inputs[0], wires=2)
        qp.StatePrep(w, wires=[0, 1], validate_norm=False)
        return qp.expval(qp.Z(0))

    with refused(r"operation 1 \(StatePrep\) .* have the norm \d.*, expected 1: use normalize=True"):
        capture(function, 1, {"w": 4})


def test_a_density_matrix_is_refused() -> None:
    with refused(r"operation 0 \(QubitDensityMatrix\) .* start in a mixed state, .* noise channels"):
        lowered([qp.QubitDensityMatrix(np.eye(2) / 2, wires=0)])


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (qp.Displacement(0.1, 0.2, wires=0), r"Displacement\) .* acts on optical modes, .* use gates on qubits"),
        (qp.TRX(0.1, wires=0), r"TRX\) .* acts on qutrits, .* use gates on qubits"),
    ],
)
def test_what_does_not_act_on_qubits_is_refused(operation: Any, message: str) -> None:
    with refused(message):
        lowered([operation])


def test_several_states_at_once_are_refused() -> None:
    with refused(r"operation 0 \(StatePrep\) prepares 3 states at once \(shape \(3, 2\)\)"):
        lowered([qp.StatePrep(torch.tensor([[1.0, 0.0]] * 3), wires=0)])

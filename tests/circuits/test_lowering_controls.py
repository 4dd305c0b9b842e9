"""Controlled, inverted and repeated operations: the gates are the operation, with its phase."""

from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from scipy.stats import unitary_group

from quanvolve.circuits import capture, simulate
from quanvolve.circuits.capture._lowering import exact, lowered
from tests.circuits.lowering import agree, refused, same_matrix


def unitary(n: int) -> Any:
    return unitary_group.rvs(2**n, random_state=n)


HAMILTONIAN = qp.Hamiltonian([0.3, -0.7, 0.5], [qp.X(0) @ qp.Z(1), qp.Z(0), qp.Y(1) @ qp.X(2)])
OPERATIONS = [
    *(kind(0) for kind in (qp.X, qp.Y, qp.Z, qp.Hadamard, qp.S, qp.T, qp.SX, qp.Identity)),
    *(kind(0.7, 0) for kind in (qp.RX, qp.RY, qp.RZ, qp.PhaseShift, qp.U1, qp.GlobalPhase)),
    qp.Rot(0.3, 0.4, 0.5, 0),
    qp.U2(0.3, 0.4, 0),
    qp.U3(0.3, 0.4, 0.5, 0),
    *(kind([0, 1]) for kind in (qp.CNOT, qp.CY, qp.CZ, qp.CH, qp.SWAP, qp.ISWAP, qp.SISWAP, qp.ECR)),
    *(kind(0.7, [0, 1]) for kind in (qp.CRX, qp.CRY, qp.CRZ, qp.ControlledPhaseShift, qp.IsingXX, qp.IsingXY)),
    *(kind(0.7, [0, 1]) for kind in (qp.PSWAP, qp.CPhaseShift00, qp.SingleExcitationPlus, qp.FermionicSWAP)),
    qp.CRot(0.3, 0.4, 0.5, [0, 1]),
    *(kind([0, 1, 2]) for kind in (qp.CSWAP, qp.CCZ, qp.Toffoli, qp.QFT, qp.GroverOperator)),
    qp.MultiControlledX([0, 1, 2, 3], [1, 0, 1]),
    qp.PauliRot(0.3, "XYZ", [0, 1, 2]),
    qp.MultiRZ(0.3, [0, 1, 2]),
    qp.DoubleExcitation(0.3, [0, 1, 2, 3]),
    qp.QubitUnitary(unitary(2), [1, 0]),
    qp.QubitUnitary(unitary(3), [0, 1, 2]),
    qp.ControlledQubitUnitary(unitary(1), [0, 1, 2], control_values=[0, 1]),
    qp.evolve(HAMILTONIAN, 0.7),
    qp.TrotterProduct(HAMILTONIAN, 0.4, n=2, order=2),
    *(qp.SelectPauliRot(np.linspace(0.1, 1, 4), [0, 1], 2, axis) for axis in "XYZ"),
    qp.Select([qp.X(2), qp.RX(0.3, 2) @ qp.Y(3), qp.SX(2), qp.S(3)], control=[0, 1]),
    qp.ControlledSequence(qp.RX(0.3, 2), control=[0, 1]),
    qp.ControlledSequence(qp.QFT([2, 3]), control=[0, 1]),
    qp.TemporaryAND([0, 1, 2]),
]
MODIFIERS = {
    "plain": lambda operation: operation,
    "inverted": qp.adjoint,
    "squared": lambda operation: qp.pow(operation, 2),
    "controlled": lambda operation: qp.ctrl(operation, "c"),
    "where two are zero and one": lambda operation: qp.ctrl(operation, ["c", "d"], control_values=[0, 1]),
    "controlled inverse": lambda operation: qp.ctrl(qp.adjoint(operation), "c", control_values=[0]),
    "inverse of controlled": lambda operation: qp.adjoint(qp.ctrl(operation, "c")),
    "square of controlled": lambda operation: qp.pow(qp.ctrl(operation, "c"), 2),
}


@pytest.mark.parametrize("modifier", MODIFIERS)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_gates_are_the_operation(operation: Any, modifier: str) -> None:
    same_matrix(MODIFIERS[modifier](operation))


@pytest.mark.parametrize("count", range(3, 8))
def test_many_controls(count: int) -> None:
    values = [k % 3 > 0 for k in range(count)]
    same_matrix(qp.ctrl(qp.RY(0.7, "t"), range(count), control_values=values))
    same_matrix(qp.MultiControlledX([*range(count), "t"], control_values=values))


@pytest.mark.parametrize("exponent", [-3, -1, 0, 5, 0.5, -1.7])
@pytest.mark.parametrize(
    "operation", [qp.X(0), qp.S(0), qp.Hadamard(0), qp.SWAP([0, 1]), qp.CNOT([1, 0]), qp.RY(0.7, 0)]
)
def test_powers(operation: Any, exponent: float) -> None:
    same_matrix(qp.pow(operation, exponent, lazy=True))


def test_fractional_powers_of_inputs_are_principal_ones() -> None:
    def function(inputs):
        for wire in range(3):
            qp.RY(0.4, wires=wire)
        qp.pow(qp.CRX(inputs[0], wires=[0, 1]), 0.5)
        qp.pow(qp.ctrl(qp.PhaseShift(inputs[1], wires=2), control=[0, 1]), 0.3)
        qp.pow(qp.IsingXX(inputs[1], wires=[0, 2]), 0.7)
        return [qp.expval(qp.X(0)), qp.expval(qp.Y(2) @ qp.X(1))]

    circuit = capture(function, 2)
    for inputs in ([0.3, 0.4], [125.0, 56.0], [-7.0, 9.0]):
        node = qp.QNode(function, qp.device("default.qubit"), diff_method=None)
        np.testing.assert_allclose(simulate(circuit, inputs, {}), node(torch.tensor(inputs)), atol=1e-6)


def test_controlled_rotations_of_inputs_and_weights() -> None:
    def function(inputs, w):
        for wire in range(4):
            qp.Hadamard(wires=wire)
        qp.ctrl(qp.RY(inputs[0], wires=3), control=[0, 1, 2], control_values=[1, 0, 1])
        qp.ctrl(qp.Rot, control=[2, 0])(w[0], inputs[1] * w[1], w[2], wires=1)
        qp.adjoint(qp.ctrl(qp.PhaseShift(w[0] + inputs[1], wires=2), control=[3, 1]))
        qp.pow(qp.ctrl(qp.IsingXY(w[1], wires=[0, 1]), control=3), 3)
        qp.pow(qp.RX(inputs[0], wires=0), 0.3)
        qp.pow(qp.RX(w[1], wires=0), inputs[1])
        qp.ctrl(qp.GlobalPhase(w[1]), control=[0, 2])
        return [qp.expval(qp.X(0) @ qp.Y(3)), qp.expval(qp.Z(1) + 0.5 * qp.X(2))]

    agree(function, 2, {"w": (3,)}, wires=range(4))


def test_the_flexible_representation_of_images() -> None:
    def frqi(inputs):  # one rotation of the color for each pixel, controlled by its place
        qp.Hadamard(wires=0)
        qp.Hadamard(wires=1)
        for pixel in range(4):
            qp.ctrl(qp.RY(2 * inputs[pixel], wires=2), control=[0, 1], control_values=[pixel // 2, pixel % 2])
        return qp.expval(qp.Z(2)), qp.expval(qp.X(0) @ qp.X(2))

    agree(frqi, 4)
    circuit = capture(frqi, 4)
    assert circuit.program is None
    assert {abs(c) for gate in circuit.gates if gate.angle for _, c in gate.angle.inputs} == {0.5}


def test_uniformly_controlled_rotations_of_inputs_and_weights() -> None:
    def circuit(select):
        def function(inputs, w):
            qp.Hadamard(wires=0)
            qp.RX(w[0], wires=1)
            select(inputs, [0, 1], 2, "Y")
            select(w[:2] ** 2, [2], 0, "X")
            qp.Select([qp.RX(w[k] * 2, wires=2) for k in range(4)], control=[0, 1])
            qp.ControlledSequence(qp.RZ(inputs[2], wires=0), control=[2, 1])
            return [qp.expval(qp.Z(0)), qp.expval(qp.Y(1) @ qp.X(2))]

        return function

    def one_by_one(angles, controls, target, axis):  # of SelectPauliRot, PennyLane 0.45 drops imaginary parts in torch
        for k in range(len(angles)):
            bits = [k >> place & 1 for place in reversed(range(len(controls)))]
            qp.ctrl(getattr(qp, f"R{axis}")(angles[k], wires=target), controls, control_values=bits)

    gates = agree(circuit(qp.SelectPauliRot), 4, {"w": (4,)}, reference=circuit(one_by_one))
    assert sum(gate.name == "RY" for gate in gates) == 4


def test_a_controlled_template_is_captured() -> None:
    def function(inputs, w):
        qp.AngleEmbedding(inputs, wires=range(3))
        qp.ctrl(qp.StronglyEntanglingLayers, control=0, control_values=[0])(w, wires=[1, 2])
        qp.MultiControlledX(wires=[1, 2, 0])
        return qp.expval(qp.Z(0)), qp.expval(qp.Z(2))

    agree(function, 3, {"w": (1, 2, 3)})
    assert capture(function, 3, {"w": (1, 2, 3)}).program is None


def test_controlled_paulis_stay_clifford_gates() -> None:
    operations = [qp.ctrl(qp.X(1), 0), qp.ctrl(qp.Y(1), 0, control_values=[0]), qp.ctrl(qp.Z(1), 0)]
    assert [gate.name for gate in lowered(operations)] == ["CNOT", "X", "CY", "X", "CZ"]


def test_a_rotation_under_k_controls_is_two_to_the_k_rotations() -> None:
    for k in range(2, 6):
        gates = exact([qp.ctrl(qp.RX(0.3, "t"), range(k))])
        assert [gate.name for gate in gates] == ["RX", "CZ"] * 2**k


def test_too_many_controls_are_refused() -> None:
    with refused(r"operation 1 \(MultiControlledX\) .* has 11 control wires, and at most 10 .*extra"):
        lowered([qp.X(0), qp.MultiControlledX(range(12))])


def test_what_is_no_unitary_gate_cannot_be_controlled() -> None:
    class Noisy(qp.operation.Operation):
        num_wires = 1

        @staticmethod
        def compute_decomposition(wires):
            return [qp.X(wires), qp.BitFlip(0.1, wires=wires)]

    for operation in (qp.ctrl(Noisy(0), 1), qp.adjoint(Noisy(0))):
        with refused(r"operation 0 \(.*Noisy\)?\) .* contains a noise channel, which cannot be co"):
            lowered([operation])


def test_an_exponent_of_inputs_is_refused_where_it_is_no_angle() -> None:
    def function(inputs):
        qp.pow(qp.Hadamard(wires=0), inputs[0])
        return qp.expval(qp.Z(0))

    with refused(r"operation 0 \(Hadamard.*a power of Hadamard that depends on inputs or w.* rotations"):
        capture(function, 1)

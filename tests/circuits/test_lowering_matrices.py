"""Operations that are matrices: constant ones of any kind, and those on one wire and diagonal ones of the inputs."""

from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from scipy.stats import ortho_group, unitary_group

from quanvolve.circuits import capture
from quanvolve.circuits.capture._lowering import lowered
from quanvolve.circuits.capture._matrices import matrix_of_gates, turn_gates, unitary_gates
from tests.circuits.lowering import agree, matrix_of, refused, same_matrix


class Custom(qp.operation.Operation):
    """A gate of a user's own, of which only the matrix is known."""

    num_params = 1

    @staticmethod
    def compute_matrix(matrix):
        return matrix


def special(n: int) -> list[np.ndarray]:
    """Matrices whose blocks or eigenvalues coincide."""
    size = 2**n
    permutation = np.eye(size)[np.random.default_rng(n).permutation(size)]
    walsh = np.array([[(-1.0) ** (i & j).bit_count() for j in range(size)] for i in range(size)]) / np.sqrt(size)
    fourier = np.exp(2j * np.pi * np.outer(np.arange(size), np.arange(size)) / size) / np.sqrt(size)
    swap_halves = np.roll(np.eye(size), size // 2, axis=0)
    nearly = unitary_group.rvs(size, random_state=n) * 1e-9
    return [
        np.eye(size),
        -1j * np.eye(size),
        permutation,
        walsh,
        fourier,
        swap_halves,
        np.kron(np.eye(size // 2), [[0, 1j], [1j, 0]]),
        np.linalg.qr(np.eye(size) + nearly)[0],
        ortho_group.rvs(size, random_state=n) if size > 1 else np.eye(1),
        unitary_group.rvs(size, random_state=n),
    ]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_every_unitary_matrix_is_made_of_gates(n: int) -> None:
    wires = ["a", 3, 0, "b", 1][:n]
    for matrix in special(n):
        gates = unitary_gates(matrix.astype(complex), wires, "")
        np.testing.assert_allclose(matrix_of_gates(gates, wires), matrix, atol=1e-10)
        assert len(gates) < 3.5 * 4**n


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_matrix_operations(n: int) -> None:
    wires = [2, 0, 3, 1][:n]
    for matrix in special(n):
        same_matrix(qp.QubitUnitary(matrix, wires))
        same_matrix(Custom(matrix, wires=wires))
        same_matrix(Custom(torch.tensor(matrix), wires=wires))


@pytest.mark.parametrize(
    "operation",
    [
        qp.DiagonalQubitUnitary(np.exp(1j * np.linspace(0, 5, 8)), [1, 0, 2]),
        qp.DiagonalQubitUnitary([1, -1, 1j, 1], [0, 1]),
        qp.PCPhase(0.7, 3, [0, 1]),
        qp.PCPhase(0.7, 5, [0, 1, 2]),
        qp.BlockEncode([[0.1, 0.2], [0.3, 0.4]], [0, 1]),
        qp.BlockEncode(0.3, 0),
        qp.SpecialUnitary(np.linspace(0.1, 0.5, 15), [0, 1]),
        qp.SpecialUnitary([0.1, 0.2, 0.3], 0),
        qp.QSVT(qp.BlockEncode([[0.1, 0.2], [0.3, 0.4]], [0, 1]), [qp.PCPhase(a, 2, [0, 1]) for a in (0.3, 0.5, 0.7)]),
        qp.IntegerComparator(3, [0, 1, 2], True),
        qp.DoubleExcitationPlus(0.3, [0, 1, 2, 3]),
        qp.FABLE(np.array([[0.1, 0.2], [0.3, 0.4]]), [0, 1, 2]),
        qp.BasisRotation(wires=range(3), unitary_matrix=ortho_group.rvs(3, random_state=0)),
    ],
    ids=lambda operation: operation.name,
)
def test_operations_with_constant_matrices(operation: Any) -> None:
    same_matrix(operation)
    same_matrix(qp.ctrl(operation, "c"))
    same_matrix(qp.adjoint(operation))


def test_fractional_powers_of_constant_matrices() -> None:
    for operation in (qp.QubitUnitary(unitary_group.rvs(4, random_state=1), [0, 1]), qp.QFT([0, 1]), qp.ECR([0, 1])):
        same_matrix(qp.pow(operation, 0.3, lazy=True))


def euler(a: Any, b: Any, c: Any) -> Any:
    """exp(i (a - c)) times RZ(a) RY(b) RX(c), of torch."""

    def turn(axis: str, angle: Any) -> Any:
        pauli = torch.tensor(qp.matrix(getattr(qp, axis)(0)), dtype=torch.complex128)
        return torch.cos(angle / 2) * torch.eye(2, dtype=torch.complex128) - 1j * torch.sin(angle / 2) * pauli

    return torch.exp(1j * (a - c)) * (turn("Z", a) @ turn("Y", b) @ turn("X", c))


def matrices_of_inputs_and_weights(inputs, w):
    qp.Hadamard(wires=1)
    qp.RY(0.4, wires=0)
    qp.QubitUnitary(euler(inputs[0], w[0] * inputs[1], w[1]), wires=0)
    Custom(euler(w[0], w[1], inputs[1] ** 2), wires=1)
    qp.ctrl(qp.QubitUnitary(euler(inputs[1], w[1], w[2]), wires=2), control=1)
    real = torch.stack([torch.cos(w[2]), -torch.sin(w[2]), torch.sin(w[2]), torch.cos(w[2])]).reshape(2, 2)
    qp.QubitUnitary(real, wires=0)
    return [qp.expval(qp.Z(0)), qp.expval(qp.X(0) @ qp.Y(1)), qp.expval(qp.Y(2) @ qp.X(1))]


@pytest.mark.parametrize("seed", range(4))
def test_matrices_on_one_wire_may_depend_on_inputs_and_weights(seed: int) -> None:
    agree(matrices_of_inputs_and_weights, 2, {"w": (3,)}, seed=seed)


def test_rotations_given_as_matrices_have_gradients_where_the_angle_is_zero() -> None:
    def function(inputs):
        cos, sin = torch.cos(inputs / 2), torch.sin(inputs / 2)
        for wire in range(2):
            qp.QubitUnitary(torch.stack([cos[wire], -sin[wire], sin[wire], cos[wire]]).reshape(2, 2), wires=wire)
        qp.CNOT(wires=[0, 1])
        return [qp.expval(qp.X(0) @ qp.X(1)), qp.expval(qp.X(1)), qp.expval(qp.Z(1))]

    agree(function, 2, point={"inputs": [0.0, 0.0]})
    agree(function, 2, point={"inputs": [0.0, 0.7]})


@pytest.mark.parametrize("middle", [np.pi / 2, -np.pi / 2, np.pi, 0.0, np.pi / 2 - 1e-11])
def test_where_two_of_the_angles_do_the_same_the_value_is_right(middle: float) -> None:
    matrix = euler(*(torch.tensor(angle, dtype=torch.float64) for angle in (0.3, middle, 0.4)))
    np.testing.assert_allclose(matrix_of(turn_gates(matrix, 0, ""), [0]), matrix, atol=1e-10)


def test_diagonal_matrices_may_depend_on_inputs_and_weights() -> None:
    def function(inputs, w):
        for wire in range(3):
            qp.Hadamard(wires=wire)
        qp.DiagonalQubitUnitary(torch.exp(1j * torch.cat([inputs, w * inputs])), wires=[2, 0, 1])
        qp.RX(w[0], wires=0)
        qp.PCPhase(w[1] * inputs[0], dim=3, wires=[0, 1])
        qp.QubitUnitary(torch.diag(torch.exp(1j * w)), wires=[1, 2])
        qp.ctrl(qp.DiagonalQubitUnitary(torch.exp(1j * inputs[:2]), wires=0), control=2)
        return [qp.expval(qp.X(0) @ qp.Y(1)), qp.expval(qp.X(2) + qp.Y(0)), qp.expval(qp.X(1))]

    agree(function, 4, {"w": (4,)}, seed=5)


class Generated(qp.operation.Operation):
    """A gate of a user's own with a matrix and its generator."""

    num_params = 1
    num_wires = 2

    def generator(self):
        return qp.Hamiltonian([0.5, 0.25], [qp.X(self.wires[0]) @ qp.Y(self.wires[1]), qp.Z(self.wires[0])])

    @staticmethod
    def compute_matrix(angle):
        generator = 0.5 * qp.matrix(qp.X(0) @ qp.Y(1)) + 0.25 * qp.matrix(qp.Z(0) @ qp.Identity(1))
        return torch.linalg.matrix_exp(1j * angle * torch.tensor(generator))


def test_gates_with_a_generator_may_depend_on_inputs_and_weights() -> None:
    def function(inputs, w):
        for wire in range(4):
            qp.RX(0.5 + wire, wires=wire)
        qp.DoubleExcitationPlus(inputs[0], wires=range(4))
        qp.ctrl(qp.DoubleExcitationMinus(w[0], wires=[3, 0, 2, 1]), control="c")
        Generated(inputs[1] * w[0], wires=[1, 2])
        return [qp.expval(qp.Z(0)), qp.expval(qp.X(1) @ qp.Y(3))]

    agree(function, 2, {"w": (1,)}, wires=[*range(4), "c"])


def test_a_special_unitary_of_weights_is_captured_on_one_wire() -> None:
    def function(inputs, w):
        qp.RY(inputs[0], wires=0)
        qp.SpecialUnitary(w, wires=0)
        return [qp.expval(qp.X(0)), qp.expval(qp.Z(0))]

    agree(function, 1, {"w": (3,)}, wires=range(1))
    assert capture(function, 1, {"w": (3,)}).program is not None


def test_what_is_not_unitary_is_refused() -> None:
    with refused(r"operation 0 \(Custom\) .* its matrix is not unitary: no gate"):
        lowered([Custom(np.array([[1.0, 1.0], [0.0, 1.0]]), wires=0)])


def test_large_matrices_are_refused() -> None:
    with refused(r"operation 0 \(QubitUnitary\) .* on 9 wires, and at most 8 .*with gates"):
        lowered([qp.QubitUnitary(np.eye(512), wires=range(9))])


def test_a_matrix_of_inputs_on_three_wires_is_refused() -> None:
    def function(inputs):
        qp.RX(inputs[0], wires=0)
        qp.QubitUnitary(torch.kron(euler(inputs[0], inputs[0], inputs[1]), torch.eye(4)), wires=[0, 1, 2])
        return qp.expval(qp.Z(0))

    with refused(r"operation 1 \(QubitUnitary\) .* 8 x 8 matrix depends on .* one or two wires .* such as qp.RY"):
        capture(function, 2)


def test_an_operation_without_matrix_or_decomposition_is_refused() -> None:
    class Nothing(qp.operation.Operation):
        num_wires = 1

    with refused(r"operation 0 \(Nothing\) .* it is not a unitary gate .* matrix"):
        lowered([Nothing(wires=0)])

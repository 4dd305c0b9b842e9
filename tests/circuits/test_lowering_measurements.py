"""What a circuit function returns, and what it measures on the way."""

from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from scipy.sparse import csr_matrix
from scipy.stats import unitary_group

from quanvolve.circuits import capture, simulate
from tests.circuits.lowering import agree, refused


def gates(inputs: Any, w: Any) -> None:
    qp.AngleEmbedding(inputs, wires=range(3))
    qp.StronglyEntanglingLayers(w, wires=range(3))


WEIGHTS = {"w": (1, 3, 3)}
MATRIX = unitary_group.rvs(4, random_state=2)
HERMITIAN = MATRIX + MATRIX.conj().T
SINGLE = {"w": (2,)}
OBSERVABLES = {
    "X": lambda: qp.X(1),
    "product of two": lambda: qp.Y(2) @ qp.X(0),
    "all Z": lambda: qp.Z(2) @ qp.Z(0) @ qp.Z(1),
    "Hadamard": lambda: qp.Hadamard(1),
    "scaled": lambda: 2.5 * qp.X(0) @ qp.Z(1),
    "projector": lambda: qp.Projector([1, 0], wires=[2, 0]),
    "projector on a state": lambda: qp.Projector(np.array([0.6, 0.8j]), wires=[1]),
    "product of others": lambda: qp.prod(qp.Hadamard(0), qp.Y(1), qp.Hermitian(HERMITIAN[:2, :2] + 0.0, 2)),
    "sum": lambda: qp.sum(qp.X(0), qp.Y(1)),
}


@pytest.mark.parametrize("name", OBSERVABLES)
def test_probabilities_of_observables(name: str) -> None:
    def function(inputs, w):
        gates(inputs, w)
        return qp.probs(op=OBSERVABLES[name]())

    agree(function, 3, WEIGHTS)


@pytest.mark.filterwarnings("ignore:Using qp.probs with a Hermitian")
def test_probabilities_of_a_hermitian_matrix() -> None:
    def function(inputs, w):
        gates(inputs, w)
        return qp.probs(op=qp.Hermitian(HERMITIAN, wires=[2, 1]))

    agree(function, 3, WEIGHTS)


def test_probabilities_of_a_product_of_z_stay_outcomes() -> None:
    def function(inputs, w):
        gates(inputs, w)
        return qp.probs(op=qp.Z(2) @ qp.Z(0))

    assert capture(function, 3, WEIGHTS).observables[1].outcome == ((2, 0), (0, 1))


EXPECTED = {
    "projector": lambda: qp.Projector([1, 0], wires=[2, 0]),
    "projector on a state": lambda: qp.Projector(np.array([0.6, 0.0, 0.0, 0.8j]), wires=[1, 2]),
    "Hermitian": lambda: qp.Hermitian(HERMITIAN, wires=[2, 1]),
    "Hermitian and Pauli": lambda: qp.Hermitian(HERMITIAN, wires=[2, 1]) @ qp.X(0),
    "Hadamard": lambda: qp.Hadamard(0) @ qp.Hadamard(2),
    "sum": lambda: 0.3 * qp.Hadamard(0) - qp.sum(qp.Y(1), 2 * qp.Projector([1], wires=[2])),
    "Hamiltonian": lambda: qp.Hamiltonian([0.3, -0.4], [qp.X(0) @ qp.Y(2), qp.Identity(1)]),
    "power": lambda: (qp.X(0) + 0.5 * qp.Z(1)) ** 2,
    "identity": lambda: qp.Identity(1),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_expectation_values(name: str) -> None:
    def function(inputs, w):
        gates(inputs, w)
        return qp.expval(EXPECTED[name]())

    agree(function, 3, WEIGHTS)


def test_sparse_matrices() -> None:
    def function(inputs, w):
        gates(inputs, w)
        return qp.expval(qp.SparseHamiltonian(csr_matrix(HERMITIAN), wires=[2, 1]))

    def reference(inputs, w):
        gates(inputs, w)
        return qp.expval(qp.Hermitian(HERMITIAN, wires=[2, 1]))

    agree(function, 3, WEIGHTS, reference=reference)


def test_nested_returns_are_one_row() -> None:
    def function(inputs, w):
        gates(inputs, w)
        return [qp.expval(qp.Z(0)), (qp.probs(wires=[2, 1]), [qp.expval(qp.X(1))])], qp.expval(qp.Y(2))

    agree(function, 3, WEIGHTS)
    assert capture(function, 3, WEIGHTS).n_outputs == 7


# -- in the middle -----------------------------------------------------------------------------------------------------


def pooling(inputs, w):
    gates(inputs, w[:9].reshape(1, 3, 3))
    m = qp.measure(0)
    qp.cond(m, qp.RY, qp.RX)(w[9], wires=1)
    n = qp.measure(1)
    qp.cond(n == 0, qp.Rot)(w[9], inputs[0], w[10], wires=2)
    return qp.expval(qp.Z(2)), qp.expval(qp.X(2))


def reused(inputs, w):
    qp.RX(inputs[0], wires=0)
    m = qp.measure(0)
    qp.RY(w[0], wires=0)
    n = qp.measure(0, reset=True)
    qp.cond(m & n, qp.RX)(inputs[1], wires=1)
    qp.cond((m + 2 * n) > 1, lambda: qp.RY(w[1], wires=1))()
    qp.RZ(0.3, wires=1)
    qp.RY(inputs[1], wires=0)
    return [
        qp.expval(m),
        qp.expval(2 * m - n),
        qp.probs(op=[n, m]),
        qp.probs(op=m),
        qp.expval(qp.X(0)),
        qp.probs(wires=1),
    ]


def several_cases(inputs, w):
    qp.AngleEmbedding(inputs, wires=range(2))
    m, n = qp.measure(0), qp.measure(1)
    qp.cond(m == n, lambda: qp.StronglyEntanglingLayers(w.reshape(1, 1, 2).repeat(1, 2, 2)[..., :3], wires=[0, 2]))()
    return qp.expval(qp.Z(2)), qp.expval(qp.X(0) @ qp.X(2)), qp.expval(m)


def test_pooling_by_measurements() -> None:
    agree(pooling, 3, {"w": (11,)})
    circuit = capture(pooling, 3, {"w": (11,)})
    assert circuit.n_wires == 3


def test_wires_that_go_on_after_a_measurement() -> None:
    agree(reused, 2, SINGLE, wires=range(2), extra=2)
    circuit = capture(reused, 2, SINGLE)
    assert circuit.n_wires == 4
    assert circuit.n_outputs == 11


def test_conditions_that_hold_in_several_cases() -> None:
    agree(several_cases, 2, SINGLE, extra=1)


def test_a_measured_qnode_is_its_own_value() -> None:
    circuit = capture(qp.QNode(reused, qp.device("default.qubit")), 2, SINGLE)
    inputs, w = [0.4, 0.9], [0.3, -0.7]
    node = qp.QNode(reused, qp.device("default.qubit"))
    values = np.concatenate([np.ravel(part) for part in node(torch.tensor(inputs), torch.tensor(w))])
    np.testing.assert_allclose(simulate(circuit, inputs, {"w": w}), values, atol=1e-6)


def test_operations_are_counted_as_they_were_written() -> None:
    def function(inputs):
        qp.cond(qp.measure(0), qp.X)(wires=1)
        qp.measure(1, reset=True)
        turn = torch.stack([torch.cos(inputs[0]), torch.sin(inputs[0]), -torch.sin(inputs[0]), torch.cos(inputs[0])])
        qp.QubitUnitary(torch.kron(turn.reshape(2, 2), torch.eye(4)), wires=[0, 1, 2])
        return qp.expval(qp.Z(0))

    with refused(r"operation 3 \(QubitUnitary\) cannot be captured"):
        capture(function, 1)


def test_probabilities_of_all_wires_are_refused_where_measurements_add_some() -> None:
    def function(inputs):
        qp.RX(inputs[0], wires=0)
        qp.measure(0, reset=True)
        return qp.probs()

    with refused(r"measurement 0 \(ProbabilityMP\) has no wires, but measurements in the middle .*: name the wires"):
        capture(function, 1)


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (
            lambda: qp.density_matrix(0),
            r"\(DensityMatrixMP\) .* no states; return the expectation values of the Pauli",
        ),
        (lambda: qp.counts(wires=0), r"\(CountsMP\) .* drawn at random; return qp.expval or qp.probs, .* `shots=`"),
        (lambda: qp.classical_shadow(0), r"\(ClassicalShadowMP\) .* drawn at random; return qp.expval"),
        (lambda: qp.shadow_expval(qp.Z(0)), r"\(ShadowExpvalMP\) .* drawn at random; return qp.expval"),
        (
            lambda: qp.vn_entropy(0),
            r"\(VnEntropyMP\) .* an entropy is not linear in the state; return expectation",
        ),
        (lambda: qp.mutual_info(0, 1), r"\(MutualInfoMP\) .* mutual information is not linear in the state"),
        (lambda: qp.probs(op=qp.prod(*(qp.X(k) for k in range(7)))), r"\(probs of Prod\) is on 7 wires, and at most 6"),
        (
            lambda: qp.expval(qp.Hermitian(np.eye(2**11), range(11))),
            r"\(expval of Hermitian\) is a matrix on 11 wires, and at most 10 .* sum of products of Pauli",
        ),
        (
            lambda: qp.expval(qp.Hermitian(np.array([[0, 1], [0, 0]]), 0)),
            r"\(expval of Hermitian\) has the complex coefficient .* must be Hermitian",
        ),
    ],
)
def test_refused(measure: Any, message: str) -> None:
    def function(inputs):
        qp.RX(inputs[0], wires=0)
        return qp.expval(qp.Z(1)), measure()

    with refused("measurement 1 " + message):
        capture(function, 1)

"""Time evolution: gates whose angles are affine in the time."""

from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from scipy.stats import unitary_group

from quanvolve.circuits import capture
from quanvolve.circuits.capture._lowering import lowered
from tests.circuits.lowering import agree, refused, same_matrix

ISING = qp.Hamiltonian([0.3, -0.7, 0.5, 0.2], [qp.X(0), qp.Z(0) @ qp.Z(1), qp.X(1), qp.Identity(0)])
COMMUTING = qp.Hamiltonian([0.3, -0.7, 0.5], [qp.X(0) @ qp.X(1), qp.Y(0) @ qp.Y(1), qp.Z(0) @ qp.Z(1)])
PAIRS = qp.sum(*(0.3 * qp.X(k) + 0.2 * qp.Z(k) @ qp.Z(k + 1) for k in range(0, 8, 2)))


def hermitian(n: int) -> Any:
    matrix = unitary_group.rvs(2**n, random_state=n)
    return matrix + matrix.conj().T


@pytest.mark.parametrize(
    "operation",
    [
        qp.evolve(ISING, 0.7),
        qp.exp(ISING, -0.3j),
        qp.exp(qp.X(0) @ qp.Y(1), 0.4j),
        qp.exp(qp.Z(0), 2j),
        qp.evolve(COMMUTING, 0.7),
        qp.evolve(2.0 * qp.X(0) + 3.0 * qp.Identity(0), 0.7),
        qp.evolve(qp.Hermitian(hermitian(2), [0, 1]), 0.7),
        qp.evolve(qp.Projector([1, 0], [0, 1]), 0.7),
        qp.evolve(PAIRS, 0.7),
        qp.TrotterProduct(ISING, 0.4, n=3, order=2),
        qp.ApproxTimeEvolution(ISING, 0.4, 2),
        qp.CommutingEvolution(COMMUTING, 0.4),
        qp.QDrift(ISING, 0.4, n=5, seed=3),
    ],
    ids=str,
)
def test_evolutions(operation: Any) -> None:
    same_matrix(operation)
    same_matrix(qp.ctrl(operation, "c"))
    same_matrix(qp.adjoint(operation))


def test_time_may_come_from_inputs_and_weights() -> None:
    def function(inputs, w):
        qp.RY(0.4, wires=0)
        qp.evolve(ISING, inputs[0])
        qp.evolve(COMMUTING, w[0])
        qp.exp(ISING, -1j * w[1])
        qp.TrotterProduct(ISING, inputs[1] * w[0], n=2, order=2)
        qp.ApproxTimeEvolution(ISING, w[1], 2)
        qp.CommutingEvolution(COMMUTING, inputs[1])
        qp.QDrift(ISING, w[0], n=4, seed=3)
        qp.ctrl(qp.evolve(ISING, inputs[1]), control=2)
        return [qp.expval(qp.Z(0)), qp.expval(qp.Y(1) @ qp.X(0))]

    agree(function, 2, {"w": (2,)})


def test_coefficients_may_come_from_inputs_and_weights_where_terms_commute() -> None:
    def function(inputs, w):
        qp.Hadamard(wires=0)
        qp.evolve(w[0] * qp.X(0) @ qp.Z(1) + inputs[0] * qp.Z(1), 0.5)
        qp.evolve(qp.Hamiltonian(torch.cat([w, inputs]), [qp.Z(0), qp.Z(1), qp.Z(0) @ qp.Z(1), qp.Z(2)]), w[1])
        return [qp.expval(qp.Y(0)), qp.expval(qp.X(1) @ qp.X(0))]

    agree(function, 2, {"w": (2,)})


def test_a_hamiltonian_layer_of_inputs_stays_affine() -> None:
    def function(inputs, w):
        qp.evolve(ISING, inputs[0])
        qp.evolve(COMMUTING, w[0])
        return qp.expval(qp.Z(0)), qp.expval(qp.Z(1))

    circuit = capture(function, 1, {"w": (1,)})
    assert circuit.program is None
    assert sum(bool(gate.angle and gate.angle.inputs) for gate in circuit.gates) <= 3


def test_energies_of_zero_make_no_gates() -> None:
    assert len(lowered([qp.evolve(qp.Hermitian(np.diag([0.0, 1.0]), 0), 0.3)])) == 1


def test_an_operator_that_is_not_hermitian_is_refused() -> None:
    with refused(r"operation 0 \(Exp\) .* not Hermitian, so that its exponential is no unitary"):
        lowered([qp.exp(qp.X(0) @ qp.Z(0), 1j)])
    with refused(r"operation 0 \(Exp\) .* has the real part 0.3, .* use qp.exp\(H, -1j \* t\)"):
        lowered([qp.exp(qp.X(0), 0.3 + 1j)])


def test_coefficients_of_inputs_where_terms_do_not_commute_are_refused() -> None:
    def function(inputs):
        qp.evolve(inputs[0] * qp.X(0) + inputs[1] * qp.Z(0), 0.3)
        return qp.expval(qp.Z(0))

    with refused(r"operation 0 \(Evolution\) .* do not commute and have coeff.* use qp.Trotter"):
        capture(function, 2)


def test_many_wires_whose_terms_do_not_commute_are_refused() -> None:
    chain = qp.sum(*(qp.X(k) for k in range(7)), *(qp.Z(k) @ qp.Z(k + 1) for k in range(6)))
    with refused(r"operation 0 \(Evolution\) .* on 7 wires that do not .* 6 wires .* qp.Trotter"):
        lowered([qp.evolve(chain, 0.3)])
    with refused(r"operation 0 \(Evolution\) .* Hermitian is a matrix on 7 wires, and at most 6"):
        lowered([qp.evolve(qp.Hermitian(np.eye(128), range(7)), 0.3)])

"""Matrices of inputs and weights on two wires: their gates, values and derivatives, also where no formula has any."""

from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from scipy.stats import unitary_group
from torch import Tensor

from quanvolve import Quanv2d
from quanvolve.circuits import Circuit, capture
from quanvolve.circuits.capture._matrices import block_encoding
from quanvolve.circuits.capture._two_wires import two_wire_gates
from tests.circuits.lowering import agree, matrix_of, refused, run

_RNG = np.random.default_rng(5)
_HALVES = _RNG.normal(size=(3, 4, 4)) + 1j * _RNG.normal(size=(3, 4, 4))
GENERATORS = torch.tensor(_HALVES + _HALVES.conj().transpose(0, 2, 1)) / 2


def unitary(x: Tensor) -> Tensor:
    """A matrix of three numbers that do not commute, the identity where they are zero."""
    angles = (x[0], x[0] * x[1], x[2])
    first, second, third = (torch.linalg.matrix_exp(1j * f * g) for f, g in zip(angles, GENERATORS, strict=True))
    return first @ second @ third


def special() -> list[np.ndarray]:
    """Matrices in which entries are zero, or eigenvalues equal, and some without either."""
    swap = np.eye(4)[[0, 2, 1, 3]]
    mixed = np.kron(np.eye(2), [[0, 1j], [1, 0]])
    cycle = 1j * np.eye(4)[[3, 1, 0, 2]]
    hadamards = qp.matrix(qp.H(0) @ qp.H(1))
    return [
        np.eye(4),
        -np.eye(4),
        swap,
        mixed,
        cycle,
        hadamards,
        *(unitary_group.rvs(4, random_state=k) for k in (0, 1)),
    ]


@pytest.mark.parametrize("number", range(8))
def test_the_gates_are_the_matrix_with_its_phase(number: int) -> None:
    matrix = special()[number]
    gates = two_wire_gates(torch.tensor(matrix), ["a", 3], "")
    np.testing.assert_allclose(matrix_of(gates, ["a", 3]), matrix, atol=1e-12)


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("point", [[0.0, 0.0, 0.0], [0.3, -0.7, 0.4]])
def test_derivatives_up_to_the_third_are_those_of_the_matrix(number: int, point: list[float]) -> None:
    fixed = torch.tensor(special()[number].astype(complex))
    factors = torch.tensor(unitary_group.rvs(4, random_state=9))

    def theirs(x: Tensor) -> Tensor:
        return (factors * (fixed @ unitary(x))).sum().real

    def ours(x: Tensor) -> Tensor:
        gates = two_wire_gates(fixed @ unitary(x), [0, 1], "")
        return (factors * run(gates, [0, 1], torch.eye(4))).sum().real

    x = torch.tensor(point, dtype=torch.float64)
    functional = torch.autograd.functional
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-12, rtol=0)
    for order in (1, 2, 3):
        theirs_, ours_ = theirs, ours
        for _ in range(order):
            theirs_, ours_ = (lambda x, f=f: functional.jacobian(f, x, create_graph=True) for f in (theirs_, ours_))
        torch.testing.assert_close(ours_(x), theirs_(x), atol=1e-10, rtol=0)


def of_inputs_and_weights(inputs, w):
    for wire in range(3):
        qp.RY(0.3 + wire, wires=wire)
    qp.QubitUnitary(unitary(inputs), wires=[2, 0])
    qp.SpecialUnitary(torch.cat([inputs, w, inputs * w, w, inputs]), wires=[0, 1])
    qp.ctrl(qp.QubitUnitary(unitary(w), wires=[0, 1]), control=2, control_values=[0])
    qp.pow(qp.QubitUnitary(unitary(inputs * w), wires=[1, 2]), -3)
    qp.adjoint(qp.SpecialUnitary(torch.cat([w] * 5), wires=[2, 1]))
    qp.pow(qp.DiagonalQubitUnitary(torch.exp(1j * torch.cat([inputs, w[:1]])), wires=[0, 1]), 0.3)
    return [qp.expval(qp.Z(0)), qp.expval(qp.X(0) @ qp.Y(1)), qp.expval(qp.Y(2) @ qp.X(1)), qp.probs(wires=[2])]


@pytest.mark.parametrize("at", ["generic", "inputs zero", "all zero"])
def test_values_and_gradients_are_those_of_default_qubit(at: str) -> None:
    point = {
        "inputs": torch.tensor([0.4, -0.9, 0.7]) * (at == "generic"),
        "w": torch.tensor([-0.5, 1.2, 0.3]) * (at != "all zero"),
    }
    agree(of_inputs_and_weights, 3, {"w": (3,)}, point=point)


def test_a_layer_has_the_gradients_of_default_qubit_at_zero() -> None:
    shapes = {"w": (3,)}
    layer = Quanv2d(1, 5, (1, 3), circuit=of_inputs_and_weights, weight_shapes=shapes, dtype=torch.float64)
    with torch.no_grad():
        layer.w.zero_()
    image = torch.zeros(1, 1, 1, 3, dtype=torch.float64, requires_grad=True)
    factors = torch.linspace(-1.0, 2.0, 5, dtype=torch.float64)
    values = layer(image)[0, :, 0, 0]
    mine = torch.autograd.grad(values @ factors, [image, layer.w])

    device = qp.device("default.qubit", wires=3)
    node = qp.QNode(of_inputs_and_weights, device, interface="torch", diff_method="backprop")
    inputs, w = (torch.zeros(3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    expected = torch.cat([torch.as_tensor(value).reshape(-1) for value in node(inputs, w)])
    theirs = torch.autograd.grad(expected @ factors, [inputs, w])
    torch.testing.assert_close(values, expected, atol=1e-10, rtol=0)
    for got, wanted in zip(mine, theirs, strict=True):
        assert float(wanted.abs().max()) > 0.1
        torch.testing.assert_close(got.reshape(-1), wanted, atol=1e-9, rtol=0)


def test_the_circuit_is_made_of_the_usual_gates() -> None:
    circuit = capture(of_inputs_and_weights, 3, {"w": (3,)})
    assert Circuit.from_json(circuit.to_json()) == circuit
    assert circuit.program is not None


def test_a_weight_of_zero_that_is_closed_over_does_not_make_the_matrix_diagonal() -> None:
    angles = torch.zeros(3, dtype=torch.float64, requires_grad=True)

    def function(inputs):
        qp.RY(inputs[0], wires=0)
        qp.QubitUnitary(unitary(angles), wires=[0, 1])
        return qp.expval(qp.Z(0) @ qp.X(1))

    layer = Quanv2d(1, 1, 1, circuit=function, dtype=torch.float64)
    (parameter,) = layer.parameters()
    image = torch.full((1, 1, 1, 1), 0.8, dtype=torch.float64)
    (mine,) = torch.autograd.grad(layer(image).sum(), parameter)
    node: Any = qp.QNode(function, qp.device("default.qubit"), interface="torch", diff_method="backprop")
    (theirs,) = torch.autograd.grad(node(image.reshape(-1)), angles)
    torch.testing.assert_close(mine.reshape(-1), theirs, atol=1e-9, rtol=0)


def test_a_layer_of_single_precision_runs() -> None:
    arguments = {"circuit": of_inputs_and_weights, "weight_shapes": {"w": (3,)}}
    single, double = (Quanv2d(1, 5, (1, 3), dtype=dtype, **arguments) for dtype in (torch.float32, torch.float64))
    with torch.no_grad():
        single.w.copy_(double.w)
    images = torch.rand(4, 1, 1, 3, dtype=torch.float64)
    torch.testing.assert_close(single(images.float()).double(), double(images), atol=1e-4, rtol=0)


def test_where_a_matrix_on_two_wires_is_controlled_only_rotations_are() -> None:
    def function(inputs):
        qp.ctrl(qp.QubitUnitary(unitary(inputs), wires=[0, 1]), control=2)
        return qp.expval(qp.Z(0))

    assert len(capture(function, 3).gates) < 300


@pytest.mark.parametrize("shape", [(2, 2), (1, 2), (2, 1), (1, 3), (3, 1), (1, 1)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_block_encodings_are_those_of_pennylane(shape: tuple[int, int], dtype: torch.dtype) -> None:
    torch.manual_seed(2)
    block = 0.3 * torch.randn(shape, dtype=dtype)
    expected = qp.BlockEncode(block.numpy(), wires=[0, 1]).matrix()
    np.testing.assert_allclose(block_encoding(block, 4), expected, atol=1e-12)
    zero = torch.zeros(shape, dtype=dtype, requires_grad=True)
    (gradient,) = torch.autograd.grad(block_encoding(zero, 4).real.sum(), zero)
    assert bool(gradient.isfinite().all())


@pytest.mark.filterwarnings("ignore:To copy construct from a tensor:UserWarning")
def test_a_block_encoding_sends_no_gradient_back_as_with_default_qubit() -> None:
    def function(inputs, w):
        qp.RY(inputs[0], wires=0)
        qp.BlockEncode((inputs[1] * w).reshape(2, 2), wires=[0, 1])
        return [qp.expval(qp.Z(0)), qp.expval(qp.X(1))]

    layer = Quanv2d(1, 2, (1, 2), circuit=function, weight_shapes={"w": (4,)}, dtype=torch.float64)
    image = torch.tensor([0.7, 0.3], dtype=torch.float64).reshape(1, 1, 1, 2).requires_grad_()
    values = layer(image)[0, :, 0, 0]
    mine = torch.autograd.grad(values.sum(), [image, layer.w], materialize_grads=True)
    node: Any = qp.QNode(function, qp.device("default.qubit"), interface="torch", diff_method="backprop")
    window = image.detach().reshape(-1).requires_grad_()
    expected = torch.stack(node(window, layer.w.reshape(-1)))
    theirs = torch.autograd.grad(expected.sum(), [window, layer.w], allow_unused=True, materialize_grads=True)
    torch.testing.assert_close(values, expected, atol=1e-10, rtol=0)
    for got, wanted in zip(mine, theirs, strict=True):
        torch.testing.assert_close(got.reshape(-1), wanted.reshape(-1), atol=1e-9, rtol=0)


def test_several_matrices_at_once_are_refused() -> None:
    def function(inputs):
        qp.QubitUnitary(torch.stack([unitary(inputs), unitary(2 * inputs)]), wires=[0, 1])
        return qp.expval(qp.Z(0))

    with refused(r"operation 0 \(QubitUnitary\) has 2 matrices at once \(shape \(2, 4, 4\)\), expected one matrix"):
        capture(function, 3)

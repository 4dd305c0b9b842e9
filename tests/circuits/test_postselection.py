"""Measurements in the middle that select their outcome: values and gradients are those of default.qubit."""

from collections.abc import Callable
from typing import Any

import pennylane as qp
import pytest
import torch

from quanvolve import Quanv2d
from quanvolve.circuits import Observable
from quanvolve.circuits.capture._selecting import restricted

CASES: dict[str, tuple[Callable[..., Any], int]] = {}


def case(outputs: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        CASES[function.__name__] = (function, outputs)
        return function

    return register


def begin(inputs, w):
    qp.AngleEmbedding(inputs, wires=range(2))
    qp.RY(w[0], wires=0)
    qp.CNOT([0, 1])


@case(4)
def a_wire_that_ends(inputs, w):
    begin(inputs, w)
    qp.measure(0, postselect=1)
    qp.RY(w[1], wires=1)
    return qp.expval(qp.Z(1)), qp.probs(wires=[1]), qp.var(qp.X(1))


@case(3)
def a_wire_that_goes_on(inputs, w):
    begin(inputs, w)
    qp.measure(0, postselect=0)
    qp.RX(w[1], wires=0)
    qp.CNOT([0, 1])
    return qp.expval(qp.X(0)), qp.expval(qp.Z(1) @ qp.Z(0)), qp.purity(wires=[1])


@case(2)
def two_of_them_and_a_condition(inputs, w):
    begin(inputs, w)
    first = qp.measure(0, postselect=1, reset=True)
    qp.cond(first, qp.RX)(w[1], wires=1)
    qp.RY(0.4, wires=0)
    qp.CNOT([1, 0])
    qp.measure(1, postselect=0)
    return qp.expval(qp.Z(0)), qp.expval(qp.Y(0))


@case(1)
def trained_coefficients(inputs, w):
    begin(inputs, w)
    qp.measure(0, postselect=0)
    return qp.expval(qp.dot(w, [qp.Z(1), qp.X(1)]))


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_default_qubit(name: str) -> None:
    function, outputs = CASES[name]
    layer = Quanv2d(
        1, outputs, (1, 2), circuit=function, weight_shapes={"w": 2}, weights={"w": [0.7, -0.4]}, dtype=torch.float64
    )
    windows = torch.tensor([[0.3, 0.8], [-1.0, 2.0], [0.1, 0.0], [2.5, 1.7]], dtype=torch.float64)
    images = windows.reshape(4, 1, 1, 2).clone().requires_grad_()
    out = layer(images).reshape(4, -1)
    factors = torch.linspace(0.5, 1.5, out.shape[1], dtype=torch.float64)
    (out @ factors).sum().backward()
    node = qp.QNode(function, qp.device("default.qubit"), diff_method="backprop")
    twin, weights = windows.clone().requires_grad_(), layer.w.detach()[0, 0].clone().requires_grad_()
    rows = [node(window, weights) for window in twin]
    parts = [row if isinstance(row, tuple) else (row,) for row in rows]
    expected = torch.stack([torch.cat([part.reshape(-1) for part in row]) for row in parts])
    (expected @ factors).sum().backward()
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(images.grad.reshape(4, 2), twin.grad)
    torch.testing.assert_close(layer.w.grad[0, 0], weights.grad)


def test_observables_between_projectors() -> None:
    assert restricted(Observable(((1.0, ((0, "X"),)),)), {0: 0}) == Observable(())
    assert restricted(Observable((), outcome=((0, 1),)), {0: 0}) == Observable(())
    assert restricted(Observable((), outcome=((1, 1),)), {0: 0}) == Observable((), outcome=((0, 0), (1, 1)))

"""Tensors that a circuit function fills and changes in place mean what they mean in torch."""

from collections.abc import Callable

import numpy as np
import pennylane as qp
import pytest
import torch
from torch import Tensor

from quanvolve import Quanv2d
from quanvolve._errors import CaptureError
from quanvolve.circuits import capture

CASES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {}


def case(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    CASES[function.__name__] = function
    return function


def zeros(*shape: int) -> Tensor:
    return torch.zeros(*shape, dtype=torch.float64)


@case
def entries(x, w):
    angles = zeros(2)
    angles[0] = x[0] * x[1]
    angles[1] = w[0]
    return angles


@case
def added_to_entries(x, w):
    angles = zeros(2)
    angles[1] += w[0]
    angles[0] = x[0]
    angles[:1].mul_(x[1])
    return angles


@case
def through_a_view(x, w):
    angles = torch.ones(2, 2, dtype=torch.float64)
    row = angles[1]
    row[0] = x[0]
    row[1] = w[0] * x[1]
    return angles.reshape(-1)[2:]


@case
def filled(x, w):
    angles = x.clone()
    angles.zero_()
    angles += w
    angles[0].fill_(x[1])
    copied = torch.empty(2, dtype=torch.float64)
    copied.copy_(angles)
    return copied


@case
def by_a_mask(x, w):
    angles = x.clone()
    angles[angles > 0.5] = 0.25
    angles[x < 0] = w[0]
    return angles


@case
def by_a_list(x, w):
    angles = zeros(3)
    angles[[2, 0]] = torch.sin(x)
    angles[1:2] -= w[1]
    return angles[:2]


@case
def in_place_functions(x, w):
    return x.clone().sin_().add_(w).clamp_(-0.5, 0.9).mul_(2)


@case
def equal_entries(x, w):
    return torch.stack([x.max() + x.median(), w.min() * x.min()])


@case
def truth_values(x, w):
    return torch.stack([((x[0] > 0) & ~(x[0] > 1) | (w[0] > 9)).double() * x[1], x[0]])


@case
def transformed(x, w):
    return torch.fft.rfft(x).real * w


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_torch(name: str) -> None:
    def function(inputs, w):
        for wire, angle in enumerate(CASES[name](inputs, w)):
            qp.RY(angle, wires=wire)
        return [qp.expval(qp.Z(0)), qp.expval(qp.Z(1))]

    layer = Quanv2d(1, 2, (1, 2), circuit=function, weight_shapes={"w": 2}, dtype=torch.float64)
    windows = torch.tensor([[0.2, 0.9], [0.7, 0.3], [-1.0, 2.0], [0.4, 0.4], [130.0, 7.0]], dtype=torch.float64)
    images = windows.reshape(5, 1, 1, 2).clone().requires_grad_()
    out = layer(images)
    factors = torch.tensor([0.7, -1.3], dtype=torch.float64)
    (out.reshape(5, 2) @ factors).sum().backward()
    twin = windows.clone().requires_grad_()
    weights = layer.w.detach()[0, 0].clone().requires_grad_()
    expected = torch.stack([torch.cos(CASES[name](row, weights)) for row in twin])
    (expected @ factors).sum().backward()
    torch.testing.assert_close(out.reshape(5, 2), expected)
    torch.testing.assert_close(images.grad.reshape(5, 2), twin.grad)
    none = torch.zeros(1, 1, 2, dtype=torch.float64)
    theirs = none[0, 0] if weights.grad is None else weights.grad
    torch.testing.assert_close((none if layer.w.grad is None else layer.w.grad)[0, 0], theirs)


def test_a_view_that_was_made_before_a_change_is_refused() -> None:
    def function(inputs):
        angles = inputs.clone()
        first = angles[:1]
        angles[0] = inputs[1]
        qp.RY(first[0], wires=0)
        return qp.expval(qp.Z(0))

    with pytest.raises(CaptureError, match="through a view of a tensor that was changed in place"):
        capture(function, 2)


def test_inputs_cannot_be_changed_through_numpy_either() -> None:
    def function(inputs):
        np.asarray(inputs.detach())[0] = 0.0
        qp.RY(inputs[0], wires=0)
        return qp.expval(qp.Z(0))

    with pytest.raises(CaptureError, match="takes a NumPy array out of a tensor"):
        capture(function, 1)

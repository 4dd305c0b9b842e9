"""Which gradients the parameter-shift rule of layers with shots gives, and which it refuses."""

from __future__ import annotations

from typing import Any

import pennylane as qp
import pytest
import torch

from quanvolve import QuantumLinear
from quanvolve._errors import QuanvolveError


def product(inputs: Any, w: Any, v: Any) -> Any:
    qp.RX(inputs[0] * w[0], wires=0)
    qp.RY(v[0], wires=0)
    return qp.expval(qp.Z(0))


def layer(diff_method: str) -> QuantumLinear:
    return QuantumLinear(
        1, 1, circuit=product, weight_shapes={"w": (1,), "v": (1,)}, shots=1_000_000, diff_method=diff_method, seed=0
    )


def test_angles_that_multiply_weights_with_pixels_have_gradients_of_the_weights() -> None:
    gradients = []
    for diff_method in ("exact", "parameter-shift"):
        torch.manual_seed(0)
        one = layer(diff_method)
        one(torch.full((3, 1), 0.7)).sum().backward()
        assert one.w.grad is not None
        gradients.append(torch.stack([one.w.grad.flatten(), one.v.grad.flatten()]))
    torch.testing.assert_close(*gradients, rtol=0, atol=0.02)
    assert gradients[0][0].abs() > 0.1


def test_amplitudes_have_no_shift() -> None:
    one = QuantumLinear(4, 2, encoding="amplitude", shots=100, diff_method="parameter-shift", seed=0)
    one(torch.rand(3, 4)).sum().backward()
    assert one.weights.grad is not None
    with pytest.raises(
        QuanvolveError, match=r"prepares amplitudes, which are no angles: .*\(its inputs\); use diff_meth"
    ):
        one(torch.rand(3, 4, requires_grad=True))


def test_second_derivatives_are_refused() -> None:
    one = layer("parameter-shift")
    (first,) = torch.autograd.grad(one(torch.rand(3, 1)).sum(), [one.w], create_graph=True)
    with pytest.raises(QuanvolveError, match=r"second derivatives are not measured: .*diff_method='exact' has them"):
        first.sum().backward()

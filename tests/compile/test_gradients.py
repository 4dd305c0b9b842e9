"""Derivatives against finite differences, in float64."""

import torch
from hypothesis import assume, given, settings

from quanvolve.circuits import Angle, Circuit, Gate, Observable

from .reference import draw_point, product_circuits, run_compiled, run_description


@given(circuit=product_circuits(max_wires=3))
@settings(max_examples=15)
def test_gradcheck_of_random_circuits(circuit: Circuit) -> None:
    assume(circuit.threshold is None)
    windows, weights = draw_point(circuit, filters=2, windows=2)
    names = list(weights)
    leaves = [windows.requires_grad_(), *(weights[name].requires_grad_() for name in names)]

    def function(w: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        return run_compiled(circuit, w, dict(zip(names, values, strict=True)))

    assume(function(*leaves).requires_grad)
    assert torch.autograd.gradcheck(function, leaves)


def _circuit(threshold: float | None = None) -> Circuit:
    gates = (
        Gate("RY", (0,), Angle(0.0, ((0, 1.0),), (("w", 0, 1.0),))),
        Gate("RX", (1,), Angle(0.0, ((1, 2.0),))),
        Gate("CNOT", (0, 1)),
        Gate("RX", (0,), Angle(0.1, (), (("w", 1, 1.0),))),
        Gate("RZ", (1,), Angle(0.0, (), (("w", 2, -1.5),))),
    )
    observables = (Observable(((1.0, ((0, "Z"),)),)), Observable(((0.7, ((0, "Y"), (1, "X"))),)))
    return Circuit(2, 2, gates, observables, (("w", (3,)),), threshold)


def test_gradients_equal_differences_of_the_simulator() -> None:
    circuit = _circuit()
    windows, weights = draw_point(circuit, filters=1, windows=1)
    w = weights["w"].requires_grad_()
    run_compiled(circuit, windows.requires_grad_(), {"w": w}).sum().backward()
    step = 1e-5

    def value(shift_input: int | None, shift_weight: int | None, sign: int) -> float:
        x, v = windows.detach().clone()[0].numpy(), w.detach().clone()[0].numpy()
        if shift_input is not None:
            x[shift_input] += sign * step
        if shift_weight is not None:
            v[shift_weight] += sign * step
        return float(run_description(circuit, x, {"w": v}).sum())

    for k in range(2):
        slope = (value(k, None, 1) - value(k, None, -1)) / (2 * step)
        assert abs(slope - float(windows.grad[0, k])) < 1e-8
    for k in range(3):
        slope = (value(None, k, 1) - value(None, k, -1)) / (2 * step)
        assert abs(slope - float(w.grad[0, k])) < 1e-8


def test_second_derivatives() -> None:
    circuit = _circuit()
    windows, weights = draw_point(circuit, filters=2, windows=2)
    leaves = (windows.requires_grad_(), weights["w"].requires_grad_())
    assert torch.autograd.gradgradcheck(lambda x, w: run_compiled(circuit, x, {"w": w}), leaves)


def test_weights_behind_a_threshold_still_train() -> None:
    circuit = _circuit(threshold=0.5)
    windows, weights = draw_point(circuit, filters=2, windows=3)
    assert torch.autograd.gradcheck(
        lambda w: run_compiled(circuit, windows, {"w": w}), (weights["w"].requires_grad_(),)
    )

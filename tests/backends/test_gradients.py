"""Gradients through a backend: measured by the parameter-shift rule on request, never zero in silence."""

from __future__ import annotations

from typing import Any

import pennylane as qp
import pytest
import torch
from torch import Tensor, nn

from quanvolve import QuantumLinear, Quanv1d, Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.backends import Cache, PennyLaneBackend, calibrate_model, on_backend, run_layer

from .simulated import Simulated

SHIFT: dict[str, Any] = {"diff_method": "parameter-shift"}
DOUBLE: dict[str, Any] = {"dtype": torch.float64, "seed": 0}


def rand(*shape: int) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def gradients(values: Tensor, sources: list[Tensor]) -> list[Tensor]:
    upstream = rand(*values.shape) - 0.5
    return list(torch.autograd.grad((values * upstream).sum(), sources))


def mixing(inputs: Any, w: Any, v: Any) -> Any:
    qp.RX(inputs[0] * w[0], wires=0)
    qp.RY(torch.sin(v[0]) + inputs[1] ** 2, wires=1)
    qp.CRZ(v[1], wires=[0, 1])
    qp.RX(0.3, wires=1)
    return [qp.expval(qp.Z(0)), qp.expval(qp.Y(1))]


LAYERS: dict[str, Any] = {
    "dense": lambda: QuantumLinear(2, 3, bias=True, **DOUBLE),
    "sum": lambda: Quanv2d(2, 3, (1, 2), bias=True, **DOUBLE),
    "joint": lambda: Quanv2d(2, 2, (1, 1), channel_mixing="joint", **DOUBLE),
    "groups": lambda: Quanv2d(2, 4, (1, 2), groups=2, circuit="basic_entangler", **DOUBLE),
    "random": lambda: Quanv2d(2, 4, (1, 2), circuit="random", **DOUBLE),
    "one scale": lambda: Quanv2d(2, 2, (1, 2), scale=nn.Parameter(torch.tensor(2.0).double()), **DOUBLE),
    "scales": lambda: Quanv2d(2, 2, (1, 2), scale=nn.Parameter(rand(2, 1, 2)), **DOUBLE),
    "reupload": lambda: QuantumLinear(2, 2, encoding="reupload", **DOUBLE),
    "iqp": lambda: QuantumLinear(2, 2, encoding="iqp", **DOUBLE),
    "threshold": lambda: QuantumLinear(2, 2, encoding="threshold", **DOUBLE),
    "probs": lambda: QuantumLinear(2, 4, readout="probs", **DOUBLE),
    "function": lambda: QuantumLinear(2, 3, circuit=mixing, weight_shapes={"w": (1,), "v": (2,)}, **DOUBLE),
    "fixed": lambda: QuantumLinear(2, 2, trainable=False, **DOUBLE),
    "nothing to turn": lambda: QuantumLinear(2, 2, circuit="none", **DOUBLE),
}


@pytest.mark.parametrize("name", list(LAYERS))
def test_measured_gradients_are_those_of_the_layer(name: str) -> None:
    layer = LAYERS[name]()
    shape = (3, 2) if layer.dense else (2, 2, 1, 3)
    inputs = rand(*shape).requires_grad_()
    sources = [inputs, *layer.parameters()]
    found = gradients(run_layer(layer, inputs, Simulated(), **SHIFT), sources)
    for mine, exact in zip(found, gradients(layer(inputs), sources), strict=True):
        torch.testing.assert_close(mine, exact, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["dense", "scales", "function"])
def test_each_gradient_alone(name: str) -> None:
    layer = LAYERS[name]()
    inputs = rand(3, 2) if layer.dense else rand(2, 2, 1, 3)
    named = {"inputs": inputs, **dict(layer.named_parameters())}
    for only in named.values():
        for one in named.values():
            one.requires_grad_(one is only)
        (found,) = gradients(run_layer(layer, inputs, Simulated(), **SHIFT), [only])
        (exact,) = gradients(layer(inputs), [only])
        torch.testing.assert_close(found, exact, rtol=0, atol=1e-6)


def test_a_model_is_trained_on_a_device() -> None:
    model = nn.Sequential(
        Quanv1d(1, 2, 2, stride=2, circuit="basic_entangler", n_layers=1, **DOUBLE), nn.Flatten(),
        nn.Linear(4, 2).double(), nn.Sigmoid(), QuantumLinear(2, 2, circuit="basic_entangler", n_layers=1, **DOUBLE),
    )  # fmt: skip
    there = on_backend(model, PennyLaneBackend("default.qubit"), **SHIFT)
    inputs = rand(2, 1, 4)
    for copy in (model, there):
        copy(inputs).square().sum().backward()
    for mine, exact in zip(there.parameters(), model.parameters(), strict=True):
        assert mine.grad is not None
        torch.testing.assert_close(mine.grad, exact.grad, rtol=0, atol=1e-6)
    optimizer = torch.optim.SGD(there.parameters(), lr=0.1)
    before = float(there(inputs).square().sum().detach())
    optimizer.step()
    assert float(there(inputs).square().sum().detach()) < before


def test_gradients_from_shots_are_right_on_average() -> None:
    layer, inputs = QuantumLinear(2, 2, circuit="basic_entangler", n_layers=1, **DOUBLE), rand(2, 2)
    exact = gradients(layer(inputs), list(layer.parameters()))
    shots = 5000
    backend = PennyLaneBackend("default.qubit", shots=shots, seed=3)
    found = gradients(run_layer(layer, inputs, backend, **SHIFT), list(layer.parameters()))
    for mine, true in zip(found, exact, strict=True):
        # Four values and two outputs are added up, each half a difference of two means.
        assert 0 < float((mine - true).abs().max()) < 5 * (4 / (2 * shots)) ** 0.5


def test_shifts_run_once_for_each_distinct_window(tmp_path: Any) -> None:
    layer = Quanv2d(1, 2, (1, 2), circuit="basic_entangler", n_layers=1, trainable=True, **DOUBLE)
    images = torch.zeros(3, 1, 2, 4, dtype=torch.float64)
    backend = Simulated()
    run_layer(layer, images, backend, cache=Cache(tmp_path), **SHIFT).sum().backward()
    assert backend.settings == 1 + 2 * layer.weights.numel()
    run_layer(layer, images, backend, cache=Cache(tmp_path), **SHIFT).sum().backward()
    assert backend.settings == 1 + 2 * layer.weights.numel(), "a cache has shifted settings too"


REMEDY = (
    "give diff_method='parameter-shift' to on_backend or run_layer, .*or, to train other layers only, .*requires_grad_"
)


@pytest.mark.parametrize("wanting", ["weights", "images", "scale"])
def test_a_gradient_that_nobody_measures_is_refused(wanting: str) -> None:
    layer = Quanv2d(1, 2, (1, 2), scale=nn.Parameter(torch.tensor(1.0).double()), bias=True, **DOUBLE)
    images = rand(1, 1, 2, 2)
    sources = {"weights": layer.weights, "scale": layer.scale, "images": images}
    for name, tensor in sources.items():
        tensor.requires_grad_(name == wanting)
    model = nn.Sequential(nn.Identity(), layer, nn.Flatten(), nn.Linear(4, 1).double())
    there = on_backend(model, Simulated())
    values = there(images)
    with pytest.raises(QuanvolveError, match=REMEDY):
        values.sum().backward()
    with torch.no_grad():
        torch.testing.assert_close(there(images), model(images), rtol=0, atol=1e-6)
        assert not there(images).requires_grad


def test_heads_and_biases_are_trained_without_gradients_of_the_device() -> None:
    layer = Quanv2d(1, 2, (1, 2), bias=True, trainable=False, **DOUBLE)
    model = nn.Sequential(layer, nn.Flatten(), nn.Linear(4, 1).double())
    there, images = on_backend(model, Simulated()), rand(1, 1, 2, 2)
    for copy in (model, there):
        copy(images).sum().backward()
    for mine, exact in zip(there.parameters(), model.parameters(), strict=True):
        assert mine.grad is not None
        torch.testing.assert_close(mine.grad, exact.grad, rtol=0, atol=1e-6)
    with torch.no_grad():
        assert not run_layer(layer, images, Simulated()).requires_grad
    with torch.inference_mode():
        torch.testing.assert_close(run_layer(layer, images, Simulated()), layer(images), rtol=0, atol=1e-6)


def test_what_has_no_such_gradient_is_named() -> None:
    layer, images = Quanv2d(1, 2, (1, 2), **DOUBLE), rand(1, 1, 2, 2).requires_grad_()
    with pytest.raises(QuanvolveError, match=r"`diff_method` \(='exact'\) must be 'parameter-shift', or None"):
        on_backend(layer, Simulated(), diff_method="exact")
    with pytest.raises(QuanvolveError, match=r"`levels` \(=4\) rounds the images, which has no gradient"):
        run_layer(layer, images, Simulated(), levels=4, **SHIFT)
    amplitude = QuantumLinear(4, 2, encoding="amplitude", **DOUBLE)
    backend, features = Simulated(), rand(2, 4)
    (found,) = gradients(run_layer(amplitude, features, backend, **SHIFT), [amplitude.weights])
    (exact,) = gradients(amplitude(features), [amplitude.weights])
    torch.testing.assert_close(found, exact, rtol=0, atol=1e-6)
    backend.ran.clear()
    with pytest.raises(QuanvolveError, match=r"prepares amplitudes, which are no angles: .*\(its inputs\)"):
        run_layer(amplitude, features.requires_grad_(), backend, **SHIFT).sum().backward()
    twice = run_layer(layer, images, Simulated(), **SHIFT).sum()
    (once,) = torch.autograd.grad(twice, [images], create_graph=True)
    with pytest.raises(QuanvolveError, match=r"second derivatives are not measured: .*'parameter-shift'"):
        once.sum().backward()


def test_a_calibrated_layer_has_the_gradient_of_its_polynomial() -> None:
    layer = QuantumLinear(2, 2, bias=True, **DOUBLE)
    copy, _ = calibrate_model(layer, PennyLaneBackend("default.qubit"), held_out=1)
    inputs = rand(3, 2).requires_grad_()
    (found,), (exact,) = gradients(copy(inputs), [inputs]), gradients(layer(inputs), [inputs])
    torch.testing.assert_close(found, exact, rtol=0, atol=1e-6)
    assert [name for name, _ in copy.named_parameters()] == ["bias"], "its filters have nothing to train"

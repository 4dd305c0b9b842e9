"""Parameters and modules that a circuit function closes over become weights of the layer, and are trained."""

from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve import Quanv2d
from quanvolve._errors import CaptureError, QuanvolveError
from quanvolve.circuits import capture, captured, simulate


def encoded(angles: Any) -> list[Any]:
    for wire, angle in enumerate(angles):
        qp.RY(angle, wires=wire)
    return [qp.expval(qp.Z(wire)) for wire in range(len(angles))]


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.a = torch.nn.Parameter(torch.rand(2, generator=generator, dtype=torch.float64))
        self.layer = torch.nn.Linear(2, 2).double()
        self.table = {"angle": torch.tensor(0.7, dtype=torch.float64, requires_grad=True)}
        self.fixed = torch.tensor(0.2, dtype=torch.float64)

    def times(self, inputs):
        return encoded(self.a * inputs)

    def linear(self, inputs):
        return encoded(torch.tanh(self.layer(inputs)))

    def is_an_angle(self, inputs):
        qp.RX(self.a[0], wires=0)
        qp.RX(self.table["angle"], wires=1)
        return encoded(inputs)

    def with_weights(self, inputs, weights):
        qp.RX(weights[0] + self.fixed, wires=0)
        qp.CNOT(wires=[0, 1])
        return encoded(self.a * inputs)

    def for_batches(self, inputs):
        for wire in range(2):
            qp.RY(self.a[wire] * inputs[:, wire], wires=wire)
        return [qp.expval(qp.Z(wire)) for wire in range(2)]


GLOBAL = torch.tensor([0.3, 0.4], dtype=torch.float64, requires_grad=True)


def of_the_module(inputs):
    return encoded(GLOBAL + inputs)


MODEL = Model()
CASES: dict[str, tuple[Any, dict[str, Any], dict[str, torch.Tensor]]] = {
    "attribute": (MODEL.times, {}, {"a": MODEL.a}),
    "module": (
        MODEL.linear,
        {},
        {"layer_weight": MODEL.layer.weight, "layer_bias": MODEL.layer.bias},
    ),
    "constant angle": (MODEL.is_an_angle, {}, {"a": MODEL.a, "table_angle": MODEL.table["angle"]}),
    "beside arguments": (MODEL.with_weights, {"weights": (2,)}, {"a": MODEL.a}),
    "batched": (MODEL.for_batches, {}, {"a": MODEL.a}),
    "global": (of_the_module, {}, {"GLOBAL": GLOBAL}),
}


@pytest.mark.parametrize("name", CASES)
def test_they_are_weights_by_their_names_and_values(name: str) -> None:
    function, shapes, tensors = CASES[name]
    found = captured(function, 2, shapes)
    assert dict(found.circuit.weight_shapes) == {**shapes, **{key: tuple(t.shape) for key, t in tensors.items()}}
    assert found.values.keys() == tensors.keys()
    for key, tensor in tensors.items():
        torch.testing.assert_close(found.values[key], tensor.detach())


@pytest.mark.parametrize("name", CASES)
def test_the_layer_has_the_values_and_the_gradients_of_the_function(name: str) -> None:
    function, shapes, tensors = CASES[name]
    layer = Quanv2d(1, 2, (1, 2), stride=(1, 2), circuit=function, weight_shapes=shapes or None, dtype=torch.float64)
    parameters = dict(layer.named_parameters())
    assert set(parameters) - {"bias"} == {*shapes, *tensors}
    images = torch.rand(3, 1, 4, 6, dtype=torch.float64, requires_grad=True)
    out = layer(images)
    factors = torch.rand_like(out)
    (out * factors).sum().backward()
    node = qp.QNode(function, qp.device("default.qubit", wires=2), diff_method="backprop")
    twin = images.detach().clone().requires_grad_()
    windows = twin.reshape(3, 4, 3, 2)
    weights = {key: parameters[key].detach()[0, 0].clone().requires_grad_() for key in shapes}
    batched = name == "batched"
    expected = torch.stack(
        [
            torch.stack(node(windows[i, j, k][None] if batched else windows[i, j, k], **weights)).reshape(2)
            for i in range(3)
            for j in range(4)
            for k in range(3)
        ]
    )
    expected = expected.reshape(3, 4, 3, 2).permute(0, 3, 1, 2)
    torch.testing.assert_close(out, expected)
    for tensor in tensors.values():
        tensor.grad = None
    (expected * factors).sum().backward()
    torch.testing.assert_close(images.grad, twin.grad)
    for key, tensor in tensors.items():
        torch.testing.assert_close(parameters[key].grad[0, 0], tensor.grad)


def test_they_are_trained_and_the_function_s_own_stay_as_they_are() -> None:
    model = Model()
    before = model.a.detach().clone()
    layer = Quanv2d(1, 4, (1, 2), circuit=model.times, dtype=torch.float64)
    assert layer.a.shape == (2, 1, 2)  # one for each of the two filters
    optimizer = torch.optim.SGD(layer.parameters(), 0.1)
    images = torch.rand(2, 1, 3, 4, dtype=torch.float64)
    layer(images)[:, 0].sum().backward()
    optimizer.step()
    assert not torch.equal(layer.a[0, 0], before)
    torch.testing.assert_close(layer.a[1, 0], before)
    torch.testing.assert_close(model.a.detach(), before)
    layer.reset_parameters()
    torch.testing.assert_close(layer.a[0, 0].detach(), before)


def test_without_training_they_are_fixed_at_their_values() -> None:
    layer = Quanv2d(1, 2, (1, 2), circuit=MODEL.times, trainable=False)
    assert "a" not in dict(layer.named_parameters())
    torch.testing.assert_close(layer.a[0, 0].double(), MODEL.a.detach(), rtol=1e-6, atol=1e-6)


def test_names_that_the_layer_needs_itself_are_refused() -> None:
    scale = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(QuanvolveError, match=r"the weight name 'scale' is taken by the layer itself: rename"):
        Quanv2d(1, 2, (1, 2), circuit=lambda inputs: encoded(scale * inputs))


def test_two_of_one_name_are_told_apart() -> None:
    one, other = Model(), Model()

    def function(inputs):
        return encoded(one.a * inputs + other.a)

    assert [name for name, _ in capture(function, 2).weight_shapes] == ["one_a", "other_a"]
    unnamed = [torch.ones((), requires_grad=True), torch.ones((), requires_grad=True)]

    def hidden(inputs, tensors=tuple(unnamed)):
        return encoded(torch.stack(tensors) * inputs)

    assert [name for name, _ in capture(hidden, 2).weight_shapes] == ["parameter", "parameter_2"]


def test_whole_numbers_are_no_weights_and_detached_tensors_are_constants() -> None:
    def detached(inputs):
        return encoded(MODEL.a.detach() * inputs)

    def of_data(inputs):
        return encoded(MODEL.a.data * inputs)

    for function in (detached, of_data):
        circuit = capture(function, 2)
        assert circuit.weight_shapes == ()
        a = MODEL.a.detach().numpy()
        np.testing.assert_allclose(simulate(circuit, [0.3, 0.4], {}), np.cos(a * [0.3, 0.4]), atol=1e-12)


def test_complex_parameters_are_refused() -> None:
    z = torch.nn.Parameter(torch.ones(2, dtype=torch.complex128))

    def function(inputs):
        return encoded(z.real * inputs)

    with pytest.raises(CaptureError, match=r"a tensor of torch\.complex128 and shape \(2,\) that wants gradients"):
        capture(function, 2)


def test_a_function_that_reads_little_of_its_window_is_said() -> None:
    def first_two(inputs):
        return encoded(inputs[:2])

    with pytest.warns(
        UserWarning, match=r"'first_two' reads 2 of the 9 values of its window: inputs\[0\], inputs\[1\]; if"
    ):
        layer = Quanv2d(1, 2, 3, circuit=first_two)
    assert "7 of 9 values of the window unread" in repr(layer)
    assert layer.plan.endswith("; it reads 2 of 9 values of its window")
    assert "unread" not in repr(Quanv2d(1, 2, (1, 2), circuit=first_two))
    assert "1 of 3 values of the window unread" in repr(Quanv2d(1, 2, (1, 3), circuit=first_two))

    def products(inputs):
        return encoded([inputs[0] * inputs[1], torch.sin(inputs[3])])

    assert capture(products, 6).inputs_read() == (0, 1, 3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_they_may_have_any_precision(dtype: torch.dtype) -> None:
    linear = torch.nn.Linear(2, 2).to(dtype)
    factors = torch.nn.Parameter(torch.tensor([0.3, 0.6], dtype=dtype))
    matrix = torch.tensor([[0.5, 0.1], [0.2, 0.7]])

    def function(inputs, weights):
        return encoded(matrix @ linear(inputs) * factors + weights)

    found = captured(function, 2, {"weights": 2})
    assert list(found.values) == ["linear_weight", "linear_bias", "factors"]
    weights = {"weights": np.array([0.1, 0.2]), **{k: v.double().numpy() for k, v in found.values.items()}}
    with torch.no_grad():
        double = torch.nn.Linear(2, 2).double()
        double.weight.copy_(linear.weight)
        double.bias.copy_(linear.bias)
        angles = matrix.double() @ double(torch.tensor([0.4, -0.7], dtype=torch.float64)) * factors.double()
    expected = np.cos(angles.detach().numpy() + np.array([0.1, 0.2]))
    np.testing.assert_allclose(simulate(found.circuit, [0.4, -0.7], weights), expected, atol=1e-12)
    layer = Quanv2d(1, 2, (1, 2), circuit=function, weight_shapes={"weights": 2})
    layer(torch.rand(2, 1, 3, 4)).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.dtype == torch.float32 for parameter in layer.parameters())

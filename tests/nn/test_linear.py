"""`QuantumLinear`: the form of `nn.Linear`, the values of its circuits."""

import math

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve import QuantumLinear, Quanv1d
from quanvolve._errors import QuanvolveError
from tests.compile.reference import run_description


def features(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize("circuit", ["random", "basic_entangler", "strongly_entangling"])
def test_output_f_m_plus_j_is_measurement_j_of_circuit_f(circuit: str) -> None:
    layer = QuantumLinear(3, 7, circuit=circuit, scale=0.7, seed=0, dtype=torch.float64)
    x = features(2, 3)
    out = layer(x)
    for f in range(3):
        description = layer.circuits[f if len(layer.circuits) > 1 else 0]
        weights = {"weights": layer.weights[f, 0].detach().numpy()}
        for row in range(2):
            values = run_description(description, 0.7 * x[row].numpy(), weights)
            for j in range(3):
                if 3 * f + j < 7:
                    assert abs(float(out[row, 3 * f + j].detach()) - values[j]) < 1e-12


def test_a_users_circuit_is_that_of_torch_layer() -> None:
    def function(inputs, weights):
        qp.AngleEmbedding(inputs, wires=range(3))
        qp.BasicEntanglerLayers(weights, wires=range(3))
        return [qp.expval(qp.Z(wire)) for wire in range(3)]

    layer = QuantumLinear(3, 3, circuit=function, weight_shapes={"weights": (2, 3)}, seed=0)
    twin = qp.qnn.TorchLayer(qp.QNode(function, qp.device("default.qubit", wires=3)), {"weights": (2, 3)})
    twin.weights.data = layer.weights.detach()[0, 0].clone()
    x = features(4, 3, dtype=torch.float32)
    assert layer.scale == 1.0
    torch.testing.assert_close(layer(x), twin(x).to(torch.float32), rtol=0, atol=1e-5)


@pytest.mark.parametrize("leading", [(), (1,), (0,), (5,), (2, 3), (2, 0, 3), (2, 1, 2, 2)])
def test_shapes_are_linears(leading: tuple[int, ...]) -> None:
    x = features(*leading, 4, dtype=torch.float32)
    layer, linear = QuantumLinear(4, 6, bias=True, seed=0), torch.nn.Linear(4, 6)
    assert layer(x).shape == linear(x).shape
    rows = layer(x.reshape(-1, 4))
    torch.testing.assert_close(layer(x).reshape(-1, 6), rows)


def test_positional_arguments_and_attributes_are_linears() -> None:
    arguments = (2, 3, True, "cpu", torch.float64)
    layer, linear = QuantumLinear(*arguments), torch.nn.Linear(*arguments)
    assert (layer.in_features, layer.out_features) == (linear.in_features, linear.out_features)
    assert layer.bias.shape == linear.bias.shape
    assert layer.bias.dtype == torch.float64
    assert layer.extra_repr().startswith(linear.extra_repr())


def test_it_equals_one_window_of_a_convolution() -> None:
    layer, window = QuantumLinear(4, 10, bias=True, seed=3), Quanv1d(1, 10, 4, bias=True, seed=3)
    x = features(5, 4, dtype=torch.float32)
    assert torch.equal(layer(x), window(x.unsqueeze(1)).squeeze(-1))


def test_the_state_has_plain_names_and_travels() -> None:
    layer, other = (QuantumLinear(3, 4, bias=True, circuit="random", seed=seed) for seed in (0, 1))
    assert set(layer.state_dict()) == {"weights", "bias", "_extra_state"}
    x = features(2, 3, dtype=torch.float32)
    assert not torch.allclose(layer(x), other(x))
    other.load_state_dict(layer.state_dict())
    assert torch.equal(layer(x), other(x))
    assert not list(QuantumLinear(3, 4, trainable=False).parameters())


@pytest.mark.parametrize("scale", [2.0, torch.tensor([1.0, 2.0, 3.0]), torch.nn.Parameter(torch.tensor([0.5]))])
def test_features_times_the_scale_are_angles(scale: float | torch.Tensor) -> None:
    def function(inputs):
        qp.AngleEmbedding(inputs, wires=range(3), rotation="Y")
        return [qp.expval(qp.Z(wire)) for wire in range(3)]

    layer = QuantumLinear(3, 3, circuit=function, scale=scale)
    x = features(4, 3, dtype=torch.float32)
    torch.testing.assert_close(layer(x), (scale * x).cos())
    assert (len(list(layer.parameters())) == 1) == isinstance(scale, torch.nn.Parameter)


def test_a_named_circuit_turns_features_by_pi() -> None:
    assert QuantumLinear(2, 2).scale == math.pi


def test_gradcheck_of_features_weights_and_bias() -> None:
    layer = QuantumLinear(3, 4, bias=True, n_layers=1, seed=0, dtype=torch.float64)
    x = features(2, 3).requires_grad_()
    leaves = [value.detach().clone().requires_grad_() for value in layer.parameters()]
    names = [name for name, _ in layer.named_parameters()]

    def function(x: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(function, (x, *leaves))


def test_the_closed_form_is_there_too() -> None:
    layer = QuantumLinear(2, 2, circuit="basic_entangler", n_layers=1, weights=[[[[0.0, 0.0]]]])
    assert layer.formula(1) == "ch1 = cos(pi x0) cos(pi x1)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 2), r"`in_features` \(=0\) must be a whole number of at least 1"),
        ((2, -1), r"`out_features` \(=-1\) must be a whole number of at least 1"),
        ((2, 1.5), r"`out_features` \(=1.5\) must be a whole number"),
        ((80, 2), r"no plan can run this circuit.*80 qubits"),
    ],
)
def test_arguments_that_do_not_fit(arguments: tuple, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        QuantumLinear(*arguments)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (torch.rand(2, 4), r"expected features of shape \(\*, 3\) \(`in_features`\), got shape \(2, 4\)"),
        (torch.tensor(1.0), r"expected features of shape \(\*, 3\) \(`in_features`\), got shape \(\)"),
        (torch.rand(2, 3).double(), r"the features are float64 and the layer is float32.*features\.to\(torch\.float32"),
        (torch.full((2, 3), torch.inf), r"the features contain 6 value\(s\) that are not finite, such as inf"),
        (np.zeros((2, 3)), r"expected a torch\.Tensor, got ndarray: convert it.*as_tensor\(features\)"),
    ],
)
def test_features_that_do_not_fit(given: torch.Tensor, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        QuantumLinear(3, 2)(given)

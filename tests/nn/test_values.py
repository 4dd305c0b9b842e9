"""Every pixel of `Quanv2d`'s output against a loop over windows with default.qubit."""

import math
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve import Quanv2d
from tests.compile.reference import run_description, run_qnode, slow_layer, slow_quanv2d

# name: (in_channels, out_channels, arguments of Conv2d, other arguments, image size)
CASES: dict[str, tuple[int, int, dict[str, Any], dict[str, Any], tuple[int, int]]] = {
    "one channel": (1, 4, {"kernel_size": 2}, {}, (3, 5)),
    "stride": (1, 4, {"kernel_size": 2, "stride": 2}, {}, (5, 8)),
    "stride of each axis": (1, 2, {"kernel_size": (1, 2), "stride": (2, 3)}, {}, (4, 9)),
    "oblong window": (1, 3, {"kernel_size": (3, 1)}, {}, (4, 3)),
    "one pixel": (1, 2, {"kernel_size": 1}, {}, (3, 4)),
    "padding": (1, 2, {"kernel_size": 2, "padding": 1}, {}, (2, 3)),
    "padding of each axis": (1, 2, {"kernel_size": (1, 2), "padding": (0, 2), "stride": 2}, {}, (4, 3)),
    "same": (1, 2, {"kernel_size": (2, 2), "padding": "same"}, {}, (3, 4)),
    "same and dilation": (1, 2, {"kernel_size": (2, 1), "padding": "same", "dilation": 3}, {}, (3, 2)),
    "valid": (1, 2, {"kernel_size": (1, 3), "padding": "valid", "stride": 2}, {}, (3, 6)),
    "reflect": (1, 2, {"kernel_size": 2, "padding": (1, 2), "padding_mode": "reflect"}, {}, (3, 4)),
    "replicate": (1, 2, {"kernel_size": 2, "padding": (2, 1), "padding_mode": "replicate"}, {}, (2, 3)),
    "circular": (1, 2, {"kernel_size": 2, "padding": (1, 2), "padding_mode": "circular"}, {}, (3, 3)),
    "same and reflect": (1, 2, {"kernel_size": 2, "padding": "same", "padding_mode": "reflect"}, {}, (3, 4)),
    "dilation": (1, 2, {"kernel_size": 2, "dilation": (2, 1), "stride": (1, 2)}, {}, (5, 4)),
    "sum over channels": (3, 4, {"kernel_size": (1, 2)}, {}, (2, 4)),
    "sum, several filters": (2, 6, {"kernel_size": (2, 1), "padding": 1}, {}, (3, 2)),
    "groups": (4, 4, {"kernel_size": (1, 2), "groups": 2}, {}, (2, 4)),
    "depthwise": (3, 6, {"kernel_size": (1, 2), "groups": 3}, {}, (2, 4)),
    "groups with surplus": (2, 6, {"kernel_size": (1, 2), "groups": 2}, {}, (2, 4)),
    "joint": (2, 4, {"kernel_size": (1, 2)}, {"channel_mixing": "joint"}, (2, 4)),
    "joint with groups": (4, 4, {"kernel_size": (2, 1), "groups": 2}, {"channel_mixing": "joint"}, (4, 2)),
    "surplus": (1, 7, {"kernel_size": (2, 2)}, {}, (3, 3)),
    "fewer channels than measured": (1, 3, {"kernel_size": 2}, {}, (3, 4)),
    "random structures": (1, 9, {"kernel_size": 2, "stride": 2}, {"circuit": "random"}, (4, 6)),
    "random, sum": (2, 5, {"kernel_size": (1, 2)}, {"circuit": "random", "n_layers": 3}, (2, 3)),
    "random, joint, groups": (
        4,
        6,
        {"kernel_size": (1, 2), "groups": 2},
        {"circuit": "random", "channel_mixing": "joint"},
        (2, 3),
    ),
    "basic": (1, 4, {"kernel_size": 2}, {"circuit": "basic_entangler", "encoding": "rx", "n_layers": 3}, (3, 4)),
    "threshold": (1, 8, {"kernel_size": 2, "stride": 2}, {"encoding": "threshold"}, (4, 6)),
    "ancillas": (1, 5, {"kernel_size": (1, 2)}, {"n_qubits": 4, "n_layers": 1}, (3, 3)),
    "scale": (2, 4, {"kernel_size": (1, 2)}, {"scale": 1.7}, (2, 4)),
    "fixed": (1, 4, {"kernel_size": 2}, {"trainable": False}, (3, 4)),
}


@pytest.mark.parametrize("case", CASES)
def test_layer_equals_the_loop(case: str) -> None:
    in_channels, out_channels, arguments, others, size = CASES[case]
    generator = torch.Generator().manual_seed(2)
    images = torch.rand(2, in_channels, *size, generator=generator, dtype=torch.float64)
    layer = Quanv2d(in_channels, out_channels, **arguments, **others, seed=3, dtype=torch.float64)
    pairs = {
        name: (value, value) if isinstance(value, int) and name != "groups" else value
        for name, value in arguments.items()
    }
    reference = slow_layer(
        layer,
        images,
        out_channels=out_channels,
        scale=others.get("scale", math.pi),
        channel_mixing=others.get("channel_mixing", "sum"),
        **pairs,
    )
    found = layer(images)
    torch.testing.assert_close(found, reference, rtol=0, atol=1e-10)
    single = layer.float()(images.float())
    assert single.dtype == torch.float32
    # a pixel within rounding of one half may fall on the other side of a threshold; these images have none
    torch.testing.assert_close(single.double(), reference, rtol=0, atol=1e-5)


def test_windows_arrive_as_unfold_has_them() -> None:
    def function(inputs):
        for wire in range(8):
            qp.RY(inputs[wire], wires=wire)
        return [qp.expval(qp.Z(wire)) for wire in range(8)]

    layer = Quanv2d(2, 8, 2, stride=(1, 2), circuit=function, channel_mixing="joint")
    images = torch.rand(3, 2, 4, 6)
    columns = torch.nn.functional.unfold(images, 2, stride=(1, 2))  # (3, 2 * 2 * 2, places)
    torch.testing.assert_close(layer(images).flatten(2), columns.cos())


@pytest.mark.parametrize("dilation", [1, (2, 1)])
@pytest.mark.parametrize("padding", [0, (1, 0)])
def test_unfold_with_padding_and_dilation(dilation: Any, padding: Any) -> None:
    def function(inputs):
        for wire in range(6):
            qp.RY(inputs[wire], wires=wire)
        return [qp.expval(qp.X(wire)) for wire in range(6)]

    layer = Quanv2d(1, 6, (2, 3), circuit=function, dilation=dilation, padding=padding)
    images = torch.rand(2, 1, 5, 6)
    columns = torch.nn.functional.unfold(images, (2, 3), dilation=dilation, padding=padding)
    torch.testing.assert_close(layer(images).flatten(2), columns.sin())


def test_channel_f_m_plus_j_is_measurement_j_of_filter_f() -> None:
    layer = Quanv2d(1, 7, (1, 3), seed=0, dtype=torch.float64)
    window = torch.tensor([0.1, 0.5, 0.8], dtype=torch.float64)
    found = layer(window.reshape(1, 1, 1, 3)).detach().flatten()
    assert layer.weights.shape == (3, 1, 2, 3, 3)
    for f in range(3):
        weights = {"weights": layer.weights[f, 0].detach()}
        values = run_description(layer.circuits[0], math.pi * window, weights)
        for j in range(3):
            if 3 * f + j < 7:
                assert abs(float(found[3 * f + j]) - values[j]) < 1e-12


def test_a_function_of_the_users_reads_pixels_as_they_are() -> None:
    def function(inputs, theta, phi):
        qp.AngleEmbedding(np.pi * inputs, wires=range(4), rotation="Y")
        qp.BasicEntanglerLayers(theta, wires=range(4))
        qp.CRX(phi, wires=[3, 0])
        return [qp.expval(qp.Z(wire)) for wire in (0, 3)]

    shapes = {"theta": (2, 4), "phi": 1}
    layer = Quanv2d(2, 4, 2, stride=2, circuit=function, weight_shapes=shapes, seed=1, dtype=torch.float64)
    assert layer.scale == 1.0
    images = torch.rand(2, 2, 4, 6, dtype=torch.float64)

    def measure(row: int, channel: int, window: np.ndarray) -> np.ndarray:
        weights = {name: getattr(layer, name)[row, channel].detach() for name in shapes}
        return run_qnode(function, window, weights, 4)

    reference = slow_quanv2d(images, measure, out_channels=4, n_outputs=2, kernel_size=(2, 2), stride=(2, 2))
    torch.testing.assert_close(layer(images), reference, rtol=0, atol=1e-10)


def test_a_qnode_as_the_circuit() -> None:
    @qp.qnode(qp.device("default.qubit", wires=2), interface="torch")
    def node(inputs, weights):
        qp.AngleEmbedding(inputs[:, :2], wires=range(2), rotation="Y")
        qp.StronglyEntanglingLayers(weights, wires=range(2))
        return qp.probs(wires=[0, 1])

    layer = Quanv2d(1, 4, (2, 1), circuit=node, weight_shapes={"weights": (1, 2, 3)}, dtype=torch.float64)
    images = torch.rand(2, 1, 3, 2, dtype=torch.float64)
    torch_layer = qp.qnn.TorchLayer(node, {"weights": (1, 2, 3)})
    torch_layer.weights.data = layer.weights[0, 0].detach().clone()
    columns = torch.nn.functional.unfold(images, (2, 1)).mT
    reference = torch_layer(columns.reshape(-1, 2)).reshape(2, 4, 4).mT
    torch.testing.assert_close(layer(images).flatten(2), reference.to(torch.float64), rtol=0, atol=1e-6)
    torch.testing.assert_close(layer(images).sum(1), torch.ones(2, 2, 2, dtype=torch.float64))


@pytest.mark.parametrize("kind", ["number", "channel", "pixel", "one", "parameter"])
@pytest.mark.parametrize("mixing", ["sum", "joint"])
@pytest.mark.parametrize("groups", [1, 2])
def test_scale_of_every_form(kind: str, mixing: str, groups: int) -> None:
    generator = torch.Generator().manual_seed(4)
    shape = {"number": (), "channel": (4, 1, 1), "pixel": (4, 1, 2), "one": (1,), "parameter": (4, 1, 2)}[kind]
    scale: Any = 1 + 2 * torch.rand(shape, generator=generator, dtype=torch.float64)
    factors = scale.numpy()
    if kind == "number":
        scale = float(scale)
    if kind == "parameter":
        scale = torch.nn.Parameter(scale)
    arguments = {"kernel_size": (1, 2), "groups": groups, "channel_mixing": mixing}
    layer = Quanv2d(4, 8, **arguments, n_layers=1, scale=scale, seed=0, dtype=torch.float64)
    images = torch.rand(1, 4, 2, 3, generator=generator, dtype=torch.float64)
    reference = slow_layer(layer, images, out_channels=8, scale=factors, **arguments)
    torch.testing.assert_close(layer(images), reference, rtol=0, atol=1e-10)


def test_a_scale_parameter_is_trained_and_a_tensor_is_not() -> None:
    parameter = torch.nn.Parameter(torch.full((1, 2, 2), 2.0))
    layer = Quanv2d(1, 4, 2, scale=parameter, seed=0)
    layer(torch.rand(2, 1, 4, 4)).square().sum().backward()
    assert dict(layer.named_parameters())["scale"] is parameter
    assert parameter.grad.abs().min() > 0
    fixed = Quanv2d(1, 4, 2, scale=torch.full((1, 1, 1), 2.0), seed=0)
    assert [name for name, _ in fixed.named_buffers()] == ["scale"]
    assert "scale" in fixed.state_dict()


@pytest.mark.parametrize("bias", [True, False])
def test_bias_is_added_to_each_channel(bias: bool) -> None:
    layer = Quanv2d(1, 3, (1, 2), bias=bias, seed=0)
    images = torch.rand(2, 1, 3, 4)
    plain = Quanv2d(1, 3, (1, 2), seed=0)(images)
    torch.testing.assert_close(layer(images), plain, msg="the bias starts at zero")
    if bias:
        shift = torch.tensor([1.0, -2.0, 0.5])
        layer.bias.data.copy_(shift)
        torch.testing.assert_close(layer(images), plain + shift[:, None, None])
        layer(images).sum().backward()
        torch.testing.assert_close(layer.bias.grad, torch.full((3,), 2.0 * 3 * 3))
    else:
        assert layer.bias is None


def test_weights_by_hand() -> None:
    given = torch.arange(24.0, dtype=torch.float64).reshape(2, 3, 1, 4) / 7
    arguments = {"kernel_size": 2, "circuit": "basic_entangler", "n_layers": 1}
    layer = Quanv2d(3, 8, **arguments, weights=given, dtype=torch.float64)
    assert torch.equal(layer.weights, given)
    assert layer.weights.data_ptr() != given.data_ptr()
    named = Quanv2d(3, 8, **arguments, weights={"weights": given.numpy()}, dtype=torch.float64)
    assert torch.equal(named.weights, given)
    single = Quanv2d(1, 4, **arguments, weights=[[0.1, 0.2, 0.3, 0.4]])
    torch.testing.assert_close(single.weights, torch.tensor([[[[0.1, 0.2, 0.3, 0.4]]]]))


def test_the_demo_against_one_qnode_call_a_window() -> None:
    np.random.seed(0)
    weights = np.random.uniform(high=2 * np.pi, size=(1, 4))

    @qp.qnode(qp.device("default.qubit", wires=4), diff_method=None)
    def circuit(phi):
        for j in range(4):
            qp.RY(np.pi * phi[j], wires=j)
        qp.RandomLayers(weights, wires=list(range(4)), seed=42)
        return [qp.expval(qp.PauliZ(j)) for j in range(4)]

    image = np.random.rand(6, 8)
    reference = np.zeros((3, 4, 4))
    for j in range(0, 6, 2):
        for k in range(0, 8, 2):
            values = circuit([image[j, k], image[j, k + 1], image[j + 1, k], image[j + 1, k + 1]])
            for c in range(4):
                reference[j // 2, k // 2, c] = values[c]

    def function(inputs, weights):
        for j in range(4):
            qp.RY(np.pi * inputs[j], wires=j)
        qp.RandomLayers(weights, wires=list(range(4)), seed=42)
        return [qp.expval(qp.PauliZ(j)) for j in range(4)]

    layer = Quanv2d(
        1, 4, 2, stride=2, circuit=function, weight_shapes={"weights": (1, 4)}, weights=weights, dtype=torch.float64
    )
    found = layer(torch.from_numpy(image)[None, None])[0].permute(1, 2, 0)
    np.testing.assert_allclose(found.detach().numpy(), reference, rtol=0, atol=1e-10)

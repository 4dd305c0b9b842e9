"""The functional twin equals the module, and refuses what does not fit."""

import math
from typing import Any

import pytest
import torch

from quanvolve import Quanv2d, quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Angle, Circuit, Gate, Observable, named_circuit

FOUR = named_circuit("basic_entangler", 4, n_layers=1)
X = torch.rand(2, 1, 4, 5, generator=torch.Generator().manual_seed(0))
W = torch.rand(2, 1, 1, 4, generator=torch.Generator().manual_seed(1))
Z0 = Observable(((1.0, ((0, "Z"),)),))


@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_size": 2},
        {"kernel_size": (1, 2), "stride": (2, 1), "padding": 1, "dilation": 2},
        {"kernel_size": 2, "padding": "same", "padding_mode": "circular"},
        {"kernel_size": (1, 2), "groups": 2},
        {"kernel_size": (1, 2), "channel_mixing": "joint"},
        {"kernel_size": (1, 2), "circuit": "random", "n_layers": 3},
        {"kernel_size": (2, 1), "encoding": "threshold", "out_channels": 3},
        {"kernel_size": (2, 1), "scale": torch.rand(4, 1, 1) + 1},
        {"kernel_size": (2, 1), "bias": True},
    ],
    ids=lambda arguments: " ".join(map(str, list(arguments)[1:])) or "plain",
)
def test_it_equals_the_module(arguments: dict[str, Any]) -> None:
    layer = Quanv2d(**{"in_channels": 4, "out_channels": 4, "seed": 0, **arguments})
    images = torch.rand(2, 4, 5, 6)
    names = ("kernel_size", "stride", "padding", "dilation", "groups", "padding_mode", "channel_mixing", "scale")
    kept = {name: arguments[name] for name in names if name in arguments}
    circuit = layer.circuits if len(layer.circuits) > 1 else layer.circuits[0]
    call = {"bias": layer.bias, "out_channels": layer.out_channels, **kept}
    assert torch.equal(quanv2d(images, layer.weights, circuit, **call), layer(images))
    assert torch.equal(quanv2d(images[0], {"weights": layer.weights}, circuit, **call), layer(images[0]))


def test_all_that_is_measured_by_default() -> None:
    assert quanv2d(X, W, FOUR, 2).shape == (2, 8, 3, 4)
    assert quanv2d(X, W, FOUR, 2, out_channels=5).shape == (2, 5, 3, 4)
    assert torch.equal(quanv2d(X, W, FOUR, 2, out_channels=5), quanv2d(X, W, FOUR, 2)[:, :5])


def test_the_scale_is_pi_unless_given_and_may_be_any_number() -> None:
    assert torch.equal(quanv2d(X, W, FOUR, 2), quanv2d(X, W, FOUR, 2, scale=math.pi))
    torch.testing.assert_close(quanv2d(X, W, FOUR, 2, scale=2), quanv2d(X, W, FOUR, 2, scale=2.0))


def test_gradients_of_images_weights_scale_and_bias() -> None:
    leaves = [
        torch.rand(shape, dtype=torch.float64, requires_grad=True) for shape in ((1, 1, 2, 3), W.shape, (1, 1, 1), (8,))
    ]
    assert torch.autograd.gradcheck(lambda x, w, s, b: quanv2d(x, w, FOUR, 2, b, scale=s), leaves, fast_mode=True)


def test_a_circuit_without_weights_is_one_filter() -> None:
    circuit = Circuit(1, 1, (Gate("RY", (0,), Angle(0.0, ((0, 1.0),))),), (Z0,))
    torch.testing.assert_close(quanv2d(X, {}, circuit, 1, scale=1.0), X.cos())
    torch.testing.assert_close(quanv2d(X.double(), {}, circuit, 1, scale=1.0), X.double().cos())


TWO_WEIGHTS = Circuit(
    1,
    4,
    (Gate("RY", (0,), Angle(0.0, ((0, 1.0),), (("a", 0, 1.0), ("b", 0, 1.0)))),),
    (Z0,),
    (("a", ()), ("b", (1,))),
)


def test_weights_by_name_in_any_order() -> None:
    a, b = torch.rand(3, 1), torch.rand(3, 1, 1)
    found = quanv2d(X, {"b": b, "a": a}, TWO_WEIGHTS, 2, scale=1.0)
    angle = X[:, :, :-1, :-1] + a.reshape(3, 1, 1) + b.reshape(3, 1, 1)
    torch.testing.assert_close(found, angle.cos())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": W[:, 0]}, r"weight 'weights' has shape \(2, 1, 4\), expected \(filters, 1, 1, 4\)"),
        ({"weights": W[:0]}, r"weight 'weights' has shape \(0, 1, 1, 4\)"),
        ({"weights": {"w": W}}, r"`weights` has the names \['w'\], the circuit has \['weights'\]"),
        ({"circuit": TWO_WEIGHTS}, r"the circuit has the weights \['a', 'b'\]: give `weights` as a mapping"),
        (
            {"circuit": TWO_WEIGHTS, "weights": {"a": torch.rand(2, 1), "b": torch.rand(3, 1, 1)}},
            r"weight 'b' has shape \(3, 1, 1\)",
        ),
        ({"kernel_size": 3}, r"the circuit reads 4 inputs, but a window has 9"),
        ({"out_channels": 9}, r"`weights` has 2 filters with 4 measured values each: .*`out_channels` \(=9\)"),
        ({"groups": 2}, r"`in_channels` \(=1\) must be divisible by `groups` \(=2\)"),
        ({"channel_mixing": "mean"}, r"`channel_mixing` \(='mean'\)"),
        ({"padding_mode": "mirror"}, r"`padding_mode` \(='mirror'\)"),
        ({"input": X.double()}, r"the images are float64 and the layer is float32"),
        ({"input": X[0, 0]}, r"expected images of shape \(N, C, H, W\) or \(C, H, W\), got shape \(4, 5\)"),
        ({"input": X * float("nan")}, r"contain 40 value\(s\) that are not finite"),
        ({"input": X[:, :, :1]}, r"a window of 2x2 is larger than the padded image of 1x5"),
        ({"bias": torch.ones(3)}, r"`bias`.*\(3,\)"),
        ({"bias": torch.ones(1)}, r"`bias`.*\(1,\)"),
        ({"scale": torch.ones(3)}, r"`scale` has shape \(3,\)"),
        ({"circuit": [FOUR, FOUR, FOUR]}, r"3 circuits"),
        ({"circuit": []}, r"circuit"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        quanv2d(**{"input": X, "weights": W, "circuit": FOUR, "kernel_size": 2, **arguments})

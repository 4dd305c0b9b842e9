"""Formulas: read back as Python and evaluated, they are the layer."""

import math
import re
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
import torch.nn.functional as F

from quanvolve import Quanv2d
from quanvolve._errors import PlanError, QuanvolveError


def value_of(formula: str, pixels: list[torch.Tensor]) -> torch.Tensor:
    """Evaluate the text with Python: a blank between two factors is a product, brackets are a bit."""
    name, text = formula.split(" = ")
    assert re.fullmatch(r"ch\d+", name)
    text = text.replace("[", "bit(").replace("]", ")")
    text = re.sub(r"(?<=[\w)]) (?=[\w(])", "*", text)
    names: dict[str, Any] = {f"x{number}": pixel for number, pixel in enumerate(pixels)}
    names |= {"cos": torch.cos, "sin": torch.sin, "pi": math.pi, "bit": lambda flag: flag.to(pixels[0].dtype)}
    return torch.zeros_like(pixels[0]) + eval(text, {"__builtins__": {}}, names)


def pixels_of(images: torch.Tensor, kernel_size: tuple[int, int], **arguments: Any) -> list[torch.Tensor]:
    """Pixel k of every window, numbered channel, row, column, each as (images, places)."""
    return list(F.unfold(images, kernel_size, **arguments).unbind(1))


def demo() -> Quanv2d:
    np.random.seed(0)
    weights = np.random.uniform(high=2 * np.pi, size=(1, 4))

    def circuit(inputs, weights):
        for j in range(4):
            qp.RY(np.pi * inputs[j], wires=j)
        qp.RandomLayers(weights, wires=list(range(4)), seed=42)
        return [qp.expval(qp.PauliZ(j)) for j in range(4)]

    return Quanv2d(1, 4, 2, stride=2, circuit=circuit, weight_shapes={"weights": (1, 4)}, weights=weights)


def test_the_demo_circuit_is_seven_monomials() -> None:
    assert demo().formula().splitlines() == [
        "ch0 = cos(pi x0)",
        "ch1 = -0.9533 cos(pi x1) + 0.3019 sin(pi x1)",
        "ch2 = 0.4254 cos(pi x2) + 0.1675 sin(pi x2)",
        "ch3 = -0.9533 cos(pi x1) cos(pi x3) + 0.3019 sin(pi x1) cos(pi x3)",
    ]


def dense(inputs, w):
    for wire in range(2):
        qp.RY(2 * inputs[wire], wires=wire)
        qp.RZ(inputs[1 - wire] - 0.5 * inputs[wire], wires=wire)
        qp.RX(w[wire] + inputs[wire] / 3, wires=wire)
    qp.CNOT(wires=[0, 1])
    qp.RX(0.3, wires=1)
    return [qp.expval(qp.Z(0)), qp.expval(0.5 * qp.X(0) @ qp.Z(1) + 2 * qp.Identity(0))]


LAYERS: dict[str, tuple[int, int, tuple[int, int], dict[str, Any]]] = {
    "four pixels": (1, 4, (2, 2), {}),
    "two filters": (1, 7, (1, 3), {"circuit": "basic_entangler", "encoding": "rx"}),
    "random structures": (1, 12, (2, 2), {"circuit": "random"}),
    "sum over channels": (3, 4, (1, 2), {}),
    "joint": (2, 4, (1, 2), {"channel_mixing": "joint"}),
    "groups": (4, 4, (1, 2), {"groups": 2}),
    "joint groups": (4, 8, (1, 2), {"groups": 2, "channel_mixing": "joint", "n_layers": 1}),
    "threshold": (1, 4, (2, 2), {"encoding": "threshold"}),
    "threshold, other scale": (2, 2, (1, 2), {"encoding": "threshold", "scale": 4.0}),
    "threshold, negative scale": (1, 4, (2, 2), {"encoding": "threshold", "scale": -4.0}),
    "bias": (1, 2, (1, 2), {"bias": True}),
    "ancillas": (1, 4, (1, 2), {"n_qubits": 4}),
    "scale": (1, 4, (2, 2), {"scale": 1.2345}),
    "negative scale": (1, 2, (1, 2), {"scale": -2.0}),
    "scale of each pixel": (2, 2, (1, 2), {"scale": torch.tensor([[[1.0, -0.5]], [[math.pi / 3, 0.0]]])}),
    "scale of each pixel, joint": (
        2,
        4,
        (1, 2),
        {"scale": torch.tensor([[[1.0, -0.5]], [[2 * math.pi, 0.1]]]), "channel_mixing": "joint"},
    ),
    "several encodings of a qubit": (1, 2, (1, 2), {"circuit": dense, "weight_shapes": {"w": (2,)}}),
    "fixed": (1, 4, (2, 2), {"trainable": False}),
}


@pytest.mark.parametrize("name", LAYERS)
def test_formulas_evaluate_to_the_layer(name: str) -> None:
    in_channels, out_channels, kernel_size, arguments = LAYERS[name]
    layer = Quanv2d(in_channels, out_channels, kernel_size, **arguments, seed=5, dtype=torch.float64)
    if layer.bias is not None:
        layer.bias.data.copy_(torch.tensor([0.75, -1.5]))
    generator = torch.Generator().manual_seed(6)
    images = 2 * torch.rand(3, in_channels, 4, 5, generator=generator, dtype=torch.float64) - 0.5
    out = layer(images).detach().flatten(2)
    lines = layer.formula(digits=12, tolerance=0.0).splitlines()
    assert [line.split(" = ")[0] for line in lines] == [f"ch{c}" for c in range(out_channels)]
    pixels = pixels_of(images, kernel_size)
    for c, line in enumerate(lines):
        assert line == layer.formula(c, digits=12, tolerance=0.0)
        # factors in front of a pixel are written with six digits
        torch.testing.assert_close(value_of(line, pixels), out[:, c], rtol=0, atol=2e-5)


def test_pixels_are_numbered_within_the_window_whatever_the_stride() -> None:
    layer = Quanv2d(2, 2, (1, 2), stride=2, dilation=(1, 2), padding=1, n_layers=1, seed=0, dtype=torch.float64)
    images = torch.rand(2, 2, 5, 6, dtype=torch.float64)
    pixels = pixels_of(images, (1, 2), stride=2, dilation=(1, 2), padding=1)
    out = layer(images).detach().flatten(2)
    for c in range(2):
        torch.testing.assert_close(value_of(layer.formula(c, digits=12), pixels), out[:, c], rtol=0, atol=1e-5)


def test_digits_round_and_small_terms_are_left_out() -> None:
    layer = demo()
    assert layer.formula(1, digits=2) == "ch1 = -0.95 cos(pi x1) + 0.30 sin(pi x1)"
    assert layer.formula(1, tolerance=0.5) == "ch1 = -0.9533 cos(pi x1)"
    assert layer.formula(1, digits=0) == "ch1 = -cos(pi x1)"
    assert layer.formula(2, tolerance=0.9) == "ch2 = 0"


def test_formulas_follow_the_weights() -> None:
    layer = Quanv2d(1, 1, 1, circuit="basic_entangler", n_layers=1, weights=[[[[0.0]]]])
    assert layer.formula(0) == "ch0 = cos(pi x0)"
    layer.weights.data.fill_(math.pi / 3)
    assert layer.formula(0) == "ch0 = 0.5000 cos(pi x0)"


def test_float32_layers_are_written_in_full_precision() -> None:
    weights = np.array([[[[1.0]]]])
    layer = Quanv2d(1, 1, 1, circuit="basic_entangler", n_layers=1, weights=weights)
    assert layer.formula(0, digits=10) == f"ch0 = {math.cos(1.0):.10f} cos(pi x0)"


@pytest.mark.parametrize(
    ("scale", "text"),
    [(1.0, "x0"), (math.pi / 2, "pi/2 x0"), (2 * math.pi, "2 pi x0"), (2.5, "2.5 x0"), (2 * math.pi / 3, "2 pi/3 x0")],
)
def test_factors_in_front_of_a_pixel_are_readable(scale: float, text: str) -> None:
    layer = Quanv2d(1, 1, 1, circuit="basic_entangler", n_layers=1, weights=[[[[0.0]]]], scale=scale)
    assert layer.formula(0) == f"ch0 = cos({text})"


def test_a_threshold_is_written_as_a_bit() -> None:
    layer = Quanv2d(1, 1, 1, circuit="basic_entangler", n_layers=1, encoding="threshold", weights=[[[[0.0]]]])
    assert layer.formula(0) == "ch0 = cos(pi [x0 > 0.5])"


@pytest.mark.parametrize("channel", [-1, 4, 100])
def test_no_such_channel(channel: int) -> None:
    with pytest.raises(QuanvolveError, match=rf"`channel` \(={channel}\) must be in 0 to 3"):
        demo().formula(channel)


def test_angles_that_are_not_affine_stand_in_the_formula_as_they_are():
    def circuit(inputs):
        qp.RY(torch.arctan(inputs[0]), wires=0)
        qp.RX(inputs[1] ** 2, wires=1)
        qp.CNOT(wires=[0, 1])
        return qp.expval(qp.Z(1))

    layer = Quanv2d(1, 1, (1, 2), circuit=circuit, scale=2.0)
    assert layer.formula(0) == "ch0 = cos(arctan(2 x0)) cos((2 x1)^2)"
    x = torch.rand(1, 1, 1, 2)
    expected = torch.cos(torch.arctan(2 * x[..., 0])) * torch.cos((2 * x[..., 1]) ** 2)
    torch.testing.assert_close(layer(x).flatten(), expected.flatten())


def test_a_circuit_that_is_no_product_encoding_has_no_such_formula():
    layer = Quanv2d(1, 4, 2, encoding="iqp", seed=0)
    with pytest.raises(PlanError, match="reads an input after its qubit met another one"):
        layer.formula(0)

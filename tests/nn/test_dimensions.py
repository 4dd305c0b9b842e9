"""One, two and three dimensions: shapes and refusals are torch's, values those of a slow loop over windows."""

import math
import warnings
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import quanvolve
from quanvolve import Quanv1d, Quanv2d, Quanv3d, quanv1d, quanv2d, quanv3d
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Angle, Circuit, Gate, Observable
from tests.nn.slow import repeated, slow_quanv

LAYERS = {1: Quanv1d, 2: Quanv2d, 3: Quanv3d}
TWINS = {1: quanv1d, 2: quanv2d, 3: quanv3d}
CONVOLUTIONS = {1: torch.nn.Conv1d, 2: torch.nn.Conv2d, 3: torch.nn.Conv3d}


@st.composite
def geometries(draw: st.DrawFn, dims: int, largest: int = 3) -> dict[str, Any]:
    """Arguments of a convolution along `dims` axes, each left out or given as a number or one for each axis."""

    def numbers(least: int, most: int) -> st.SearchStrategy[Any]:
        one = st.integers(least, most)
        return st.one_of(one, st.tuples(*[one] * dims))

    optional = {
        "stride": numbers(1, 3),
        "padding": st.one_of(st.sampled_from(("same", "valid")), numbers(0, 2)),
        "dilation": numbers(1, 2),
        "padding_mode": st.sampled_from(("zeros", "reflect", "replicate", "circular")),
        "groups": st.integers(1, 2),
    }
    return draw(st.fixed_dictionaries({"kernel_size": numbers(1, largest)}, optional=optional))


def shape_of_torchs(dims: int, channels: tuple[int, int], arguments: dict[str, Any], images: torch.Tensor) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns that 'same' with even windows may be slow
            return CONVOLUTIONS[dims](*channels, **arguments, dtype=images.dtype)(images).shape
    except (RuntimeError, ValueError):
        return None


def one_qubit(pixels: int) -> Circuit:
    """A circuit that reads the first value of the window: here only the geometry counts."""
    gate = Gate("RY", (0,), Angle(0.0, ((0, 1.0),), (("w", 0, 1.0),)))
    return Circuit(1, pixels, (gate,), (Observable(((1.0, ((0, "Z"),)),)),), (("w", (1,)),))


@pytest.mark.parametrize("dims", [1, 2, 3])
@given(data=st.data())
def test_shapes_and_refusals_are_torchs(dims: int, data: st.DataObject) -> None:
    arguments = data.draw(geometries(dims))
    size = data.draw(st.tuples(*[st.integers(1, 7)] * dims))
    batch = data.draw(st.sampled_from(((), (0,), (1,), (2,))))
    dtype = data.draw(st.sampled_from((torch.float32, torch.float64)))
    groups = arguments.get("groups", 1)
    channels = (groups * data.draw(st.integers(1, 2)), groups * data.draw(st.integers(1, 3)))
    images = torch.rand(*batch, channels[0], *size, dtype=dtype)
    expected = shape_of_torchs(dims, channels, arguments, images)
    circuit = one_qubit(math.prod(repeated(arguments["kernel_size"], dims)))

    def run() -> torch.Tensor:
        return LAYERS[dims](*channels, **arguments, circuit=circuit, dtype=dtype)(images)

    if expected is None:
        with pytest.raises(QuanvolveError):
            run()
    else:
        out = run()
        assert out.shape == expected
        assert out.dtype == dtype


@pytest.mark.parametrize("dims", [1, 2, 3])
@settings(max_examples=30)
@given(data=st.data())
def test_values_equal_a_loop_over_windows(dims: int, data: st.DataObject) -> None:
    arguments = data.draw(geometries(dims, largest=2))
    size = data.draw(st.tuples(*[st.integers(1, 4)] * dims))
    mixing = data.draw(st.sampled_from(("sum", "joint")))
    groups = arguments.get("groups", 1)
    channels = (groups * data.draw(st.integers(1, 2)), groups * data.draw(st.integers(1, 3)))
    window = math.prod(repeated(arguments["kernel_size"], dims))
    assume(window * (channels[0] // groups if mixing == "joint" else 1) <= 4)
    images = torch.rand(2, channels[0], *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = shape_of_torchs(dims, channels, arguments, images)
    assume(expected is not None and expected.numel() <= 200)
    circuit = data.draw(st.sampled_from(("random", "basic_entangler", "strongly_entangling")))
    options = {"circuit": circuit, "channel_mixing": mixing, "n_layers": 1, "seed": 3, "dtype": torch.float64}
    layer = LAYERS[dims](*channels, **arguments, **options)
    reference = slow_quanv(layer, images, channel_mixing=mixing, **arguments)
    torch.testing.assert_close(layer(images), reference, rtol=0, atol=1e-10)
    torch.testing.assert_close(layer.float()(images.float()).double(), reference, rtol=0, atol=1e-5)


FULL: dict[int, dict[str, Any]] = {
    1: {"kernel_size": 3, "stride": 2, "padding": 2, "dilation": 2, "groups": 2, "padding_mode": "reflect"},
    2: {"kernel_size": (1, 2), "stride": (2, 1), "padding": (0, 1), "groups": 2, "padding_mode": "circular"},
    3: {"kernel_size": (2, 1, 2), "stride": (1, 2, 1), "padding": (1, 0, 0), "dilation": (1, 1, 2), "groups": 2},
}
SIZES = {1: (7,), 2: (3, 4), 3: (3, 2, 4)}


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("mixing", ["sum", "joint"])
def test_everything_at_once(dims: int, mixing: str) -> None:
    channels = 4 if mixing == "sum" or dims == 2 else 2
    images = torch.rand(2, channels, *SIZES[dims], dtype=torch.float64)
    layer = LAYERS[dims](channels, 6, **FULL[dims], channel_mixing=mixing, n_layers=1, seed=1, dtype=torch.float64)
    reference = slow_quanv(layer, images, channel_mixing=mixing, **FULL[dims])
    torch.testing.assert_close(layer(images), reference, rtol=0, atol=1e-10)
    torch.testing.assert_close(layer(images[0]), reference[0], rtol=0, atol=1e-10)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_the_functional_twin_equals_the_layer(dims: int) -> None:
    layer = LAYERS[dims](4, 6, **FULL[dims], bias=True, n_layers=1, seed=1)
    with torch.no_grad():
        layer.bias.add_(torch.rand(6))
    images = torch.rand(2, 4, *SIZES[dims])
    call = {"bias": layer.bias, "out_channels": 6, **FULL[dims]}
    found = TWINS[dims](images, layer.weights, layer.circuits[0], **call)
    assert torch.equal(found, layer(images))
    assert torch.equal(TWINS[dims](images[0], {"weights": layer.weights}, layer.circuits, **call), layer(images[0]))
    with pytest.raises(QuanvolveError, match=r"expected images of shape \(N, C"):
        TWINS[dims](images[0, 0], layer.weights[:, :1], layer.circuits[0], FULL[dims]["kernel_size"])


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_positional_arguments_and_attributes_are_torchs(dims: int) -> None:
    arguments = (4, 6, 1, 2, 1, 2, 2, True, "circular", "cpu", torch.float64)
    theirs, ours = CONVOLUTIONS[dims](*arguments), LAYERS[dims](*arguments)
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
    assert [getattr(ours, name) for name in names] == [getattr(theirs, name) for name in names]
    images = torch.rand(1, 4, *(5,) * dims, dtype=torch.float64)
    assert ours(images).shape == theirs(images).shape
    beginning = repr(theirs).removesuffix(")").replace("Conv", "Quanv")
    assert repr(ours).startswith(beginning)


def test_a_window_arrives_channel_first_then_the_outermost_axis() -> None:
    def function(inputs):
        import pennylane as qp

        qp.AngleEmbedding(inputs, wires=range(8), rotation="Y")
        return [qp.expval(qp.Z(wire)) for wire in range(8)]

    layer = Quanv3d(2, 8, (1, 2, 2), circuit=function, channel_mixing="joint")
    images = torch.rand(1, 2, 1, 2, 2)
    torch.testing.assert_close(layer(images).flatten(), images.flatten().cos())


@pytest.mark.parametrize(
    ("dims", "images", "message"),
    [
        (1, torch.rand(5), r"expected images of shape \(N, C, L\) or \(C, L\), got shape \(5,\)"),
        (1, torch.rand(2, 3, 5), r"expected 1 input channel\(s\).*got 3"),
        (1, torch.rand(2, 1, 1), r"a window of 2 is larger than the padded image of 1"),
        (3, torch.rand(2, 4, 4), r"expected images of shape \(N, C, D, H, W\) or \(C, D, H, W\), got shape"),
        (3, torch.rand(1, 4, 4, 1), r"a window of 2x2x2 is larger than the padded image of 4x4x1"),
        (3, torch.rand(1, 4, 4, 4).double(), r"the images are float64 and the layer is float32"),
    ],
)
def test_what_does_not_fit_is_refused(dims: int, images: torch.Tensor, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        LAYERS[dims](1, 2, 2, n_layers=1)(images)


def test_the_layers_are_public() -> None:
    assert {"Quanv1d", "Quanv2d", "Quanv3d", "QuantumLinear", "quanv1d", "quanv2d", "quanv3d"} <= set(dir(quanvolve))

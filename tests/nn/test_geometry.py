"""Output shapes and errors of shape, against `torch.nn.Conv2d`."""

import math
import warnings
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quanvolve import Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Angle, Circuit, Gate, Observable

PAIR = {
    "kernel_size": st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3))),
    "stride": st.one_of(st.integers(1, 4), st.tuples(st.integers(1, 4), st.integers(1, 4))),
    "padding": st.one_of(
        st.sampled_from(("same", "valid")), st.integers(0, 3), st.tuples(st.integers(0, 3), st.integers(0, 3))
    ),
    "dilation": st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3))),
    "padding_mode": st.sampled_from(("zeros", "reflect", "replicate", "circular")),
    "groups": st.integers(1, 3),
}


@given(
    arguments=st.fixed_dictionaries(
        {"kernel_size": PAIR["kernel_size"]}, optional={k: v for k, v in PAIR.items() if k != "kernel_size"}
    ),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    channels=st.tuples(st.integers(1, 2), st.integers(1, 3)),
    batch=st.sampled_from((None, 0, 1, 2)),
)
def test_shapes_and_refusals_are_conv2ds(
    arguments: dict[str, Any], size: tuple[int, int], channels: tuple[int, int], batch: int | None
) -> None:
    groups = arguments.get("groups", 1)
    in_channels, out_channels = channels[0] * groups, channels[1] * groups
    images = torch.rand(*(() if batch is None else (batch,)), in_channels, *size)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns that 'same' with even windows may be slow
            shape = torch.nn.Conv2d(in_channels, out_channels, **arguments)(images).shape
    except (RuntimeError, ValueError):
        shape = None
    # One qubit that reads the first pixel: here only the geometry counts.
    kernel = arguments["kernel_size"]
    pixels = math.prod(kernel) if isinstance(kernel, tuple) else kernel**2
    gate = Gate("RY", (0,), Angle(0.0, ((0, 1.0),), (("w", 0, 1.0),)))
    circuit = Circuit(1, pixels, (gate,), (Observable(((1.0, ((0, "Z"),)),)),), (("w", (1,)),))

    def run() -> torch.Tensor:
        return Quanv2d(in_channels, out_channels, **arguments, circuit=circuit)(images)

    if shape is None:
        with pytest.raises(QuanvolveError):
            run()
    else:
        assert run().shape == shape


def test_positional_arguments_are_conv2ds() -> None:
    arguments = (2, 4, (1, 2), (2, 1), (0, 1), (1, 2), 2, True, "circular", "cpu", torch.float64)
    conv, layer = torch.nn.Conv2d(*arguments), Quanv2d(*arguments)
    images = torch.rand(1, 2, 5, 6, dtype=torch.float64)
    assert layer(images).shape == conv(images).shape
    assert layer.bias is not None
    assert layer.weights.dtype == torch.float64


@pytest.mark.parametrize("shape", [(1, 5, 7), (2, 1, 5, 7)])
def test_unbatched_images_are_a_batch_of_one(shape: tuple[int, ...]) -> None:
    layer = Quanv2d(1, 5, 2, seed=0, bias=True)
    images = torch.rand(shape)
    batched = images.reshape(-1, *shape[-3:])
    torch.testing.assert_close(layer(images), layer(batched).reshape(layer(images).shape))
    assert layer(images).dim() == images.dim()


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("mode", ["zeros", "circular"])
def test_an_empty_batch_has_a_shape_and_gradients(trainable: bool, mode: str) -> None:
    layer = Quanv2d(2, 4, 2, padding=1, padding_mode=mode, bias=True, trainable=trainable)
    images = torch.rand(0, 2, 5, 6, requires_grad=True)
    out = layer(images)
    assert out.shape == (0, 4, 6, 7)
    out.sum().backward()
    for parameter in layer.parameters():
        assert torch.equal(parameter.grad, torch.zeros_like(parameter))
    assert images.grad is not None, "as for Conv2d, the gradient of an empty batch is an empty tensor"
    assert images.grad.shape == images.shape


def test_the_meta_device_gives_shapes() -> None:
    layer = Quanv2d(3, 10, 2, stride=2, padding=1, device="meta", bias=True)
    assert layer.weights.is_meta
    assert layer.bias.is_meta
    out = layer(torch.empty(5, 3, 9, 11, device="meta"))
    assert out.is_meta
    assert out.shape == (5, 10, 5, 6)
    with torch.device("meta"):
        layer = Quanv2d(1, 4, 2, circuit="random")
        assert layer(torch.empty(2, 1, 4, 5)).shape == (2, 4, 3, 4)


def test_a_meta_layer_becomes_a_real_one() -> None:
    source = Quanv2d(1, 4, 2, circuit="random", seed=1)
    layer = Quanv2d(1, 4, 2, circuit="random", device="meta").to_empty(device="cpu")
    layer.load_state_dict(source.state_dict())
    images = torch.rand(2, 1, 4, 5)
    assert torch.equal(layer(images), source(images))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_and_values_have_the_dtype(dtype: torch.dtype) -> None:
    layer = Quanv2d(1, 4, 2, bias=True, dtype=dtype)
    assert {parameter.dtype for parameter in layer.parameters()} == {dtype}
    assert layer(torch.rand(1, 1, 4, 4, dtype=dtype)).dtype == dtype
    other = Quanv2d(1, 4, 2, bias=True).to(dtype)
    assert other(torch.rand(1, 1, 4, 4, dtype=dtype)).dtype == dtype


def test_the_default_dtype_is_torchs() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert Quanv2d(1, 4, 2)(torch.rand(1, 1, 4, 4)).dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("memory", ["channels last", "transposed", "every second", "expanded"])
def test_any_memory_layout_of_the_images(memory: str) -> None:
    images = torch.rand(2, 3, 6, 6)
    view = {
        "channels last": lambda: images.to(memory_format=torch.channels_last),
        "transposed": lambda: images.mT,
        "every second": lambda: images[:, :, ::2, ::2],
        "expanded": lambda: images[:1, :1].expand(2, 3, -1, -1),
    }[memory]()
    layer = Quanv2d(3, 4, 2, seed=0)
    torch.testing.assert_close(layer(view), layer(view.contiguous().clone()))

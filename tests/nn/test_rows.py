"""Rows and channels of a layer: each channel from its rows, which are simulated one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from quanvolve import QuantumLinear, Quanv1d, Quanv2d, Quanv3d
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import named_circuit, simulate
from quanvolve.nn import QuanvNd, Row

LAYERS = {1: Quanv1d, 2: Quanv2d, 3: Quanv3d}


def angles(row: Row, image: Tensor, place: tuple[int, ...], stride: tuple[int, ...]) -> list[float]:
    """What a row reads of an unpadded image (C, *size) at a place, pixel by pixel."""
    read = []
    for channel in row.in_channels:
        for offset in row.offsets:
            pixel = tuple(p * step + o for p, step, o in zip(place, stride, offset, strict=True))
            read.append(float(image[(channel, *pixel)]))
    return [pixel * float(factor) for pixel, factor in zip(read, row.scale, strict=True)]


def by_rows(layer: QuanvNd, image: Tensor, places: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """All channels at all places, each the sum over its rows."""
    out = np.zeros((layer.out_channels, *places))
    for channel in map(layer.channel, range(layer.out_channels)):
        bias = 0.0 if layer.bias is None else float(layer.bias[channel.number].detach())
        for place in np.ndindex(*places):
            values = [
                simulate(row.circuit, angles(row, image, place, layer.stride), numbers(row))[channel.measured]
                for row in channel.rows
            ]
            out[(channel.number, *place)] = bias + sum(values)
    return out


def numbers(row: Row) -> dict[str, Any]:
    return {name: weight.detach().double().numpy() for name, weight in row.weights.items()}


@st.composite
def arguments(draw: st.DrawFn) -> dict[str, Any]:
    """Of layers of up to three dimensions with small windows."""
    dims = draw(st.integers(1, 3))
    groups, reads = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    joint = draw(st.booleans())
    kernel = tuple(draw(st.lists(st.integers(1, 2), min_size=dims, max_size=dims)))
    if np.prod(kernel) * (reads if joint else 1) > 4:
        kernel = (1,) * dims
    a_group = draw(st.integers(1, 5))  # any number, whatever a circuit measures
    shape = (groups * reads, *kernel)
    inputs = int(np.prod(kernel)) * (reads if joint else 1)
    scale = draw(st.sampled_from(["number", "of channels", "of pixels"]))
    full = torch.linspace(0.5, 1.5, int(np.prod(shape))).reshape(shape)
    return {
        "in_channels": groups * reads,
        "out_channels": groups * a_group,
        "kernel_size": kernel,
        "stride": draw(st.integers(1, 2)),
        "dilation": tuple(draw(st.lists(st.integers(1, 2), min_size=dims, max_size=dims))),
        "groups": groups,
        "bias": draw(st.booleans()),
        "dtype": torch.float64,
        "circuit": draw(st.sampled_from(["strongly_entangling", "random", "basic_entangler"])),
        "readout": draw(st.sampled_from(["z", "probs", "zz"] if inputs > 1 else ["z", "probs"])),
        "n_layers": 1,
        "channel_mixing": "joint" if joint else "sum",
        "scale": {
            "number": 1.3,
            "of channels": full.flatten(1)[:, 0].reshape(-1, *(1,) * dims),
            "of pixels": full,
        }[scale],
        "seed": draw(st.integers(0, 99)),
    }


def made(options: dict[str, Any]) -> QuanvNd:
    return LAYERS[len(options["kernel_size"])](**options)


@settings(max_examples=25)
@given(options=arguments(), seed=st.integers(0, 99))
def test_a_channel_is_the_sum_over_its_rows(options: dict[str, Any], seed: int) -> None:
    layer = made(options)
    places = (2,) + (1,) * (layer.dims - 1)
    size = [s + (n - 1) * step for s, n, step in zip(layer.geometry.span, places, layer.stride, strict=True)]
    image = torch.rand(layer.in_channels, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    if layer.bias is not None:
        nn.init.normal_(layer.bias, generator=torch.Generator().manual_seed(seed))
    np.testing.assert_allclose(by_rows(layer, image, places), layer(image).detach().numpy(), atol=1e-10)


@given(options=arguments())
def test_rows_and_channels_name_each_other(options: dict[str, Any]) -> None:
    layer = made(options)
    rows = layer.rows()
    assert [row.number for row in rows] == list(range(len(rows)))
    assert [(row.filter, row.part) for row in rows] == list(np.ndindex(*layer.filter_shape))
    size = layer.geometry.window_size
    for row in rows:
        assert [pixel // size for pixel in row.pixels[::size]] == list(row.in_channels)
        assert len(row.pixels) == len(row.scale) == row.circuit.n_inputs == len(row.in_channels) * len(row.offsets)
        for measured, number in enumerate(row.out_channels):
            if number is not None:
                channel = layer.channel(number)
                assert (channel.measured, channel.filter, channel.group) == (measured, row.filter, row.group)
                assert row.number in [one.number for one in channel.rows]
    for number in range(layer.out_channels):
        channel = layer.channel(number)
        assert channel.number == number
        assert all(row.out_channels[channel.measured] == number for row in channel.rows)


def test_circuits_of_their_own_and_shared_ones() -> None:
    layer = Quanv2d(2, 4, (1, 2), circuit="random", seed=0)
    assert len(set(layer.circuits)) == 4
    assert tuple(row.circuit for row in layer.rows()) == layer.circuits
    shared = layer.with_circuits([named_circuit("random", 2, seed=1)])
    assert {row.circuit for row in shared.rows()} == {shared.circuits[0]}
    assert len(shared.rows()) == 4


def test_weights_and_scale_pass_gradients_to_the_layer() -> None:
    layer = Quanv2d(2, 4, (1, 2), scale=nn.Parameter(torch.ones(2, 1, 2)), seed=0)
    row = layer.rows()[3]
    (row.weights["weights"].sum() + 2 * row.scale.sum()).backward()
    expected = torch.zeros_like(layer.weights)
    expected[row.filter, row.part] = 1
    assert torch.equal(layer.weights.grad, expected)
    assert torch.equal(layer.scale.grad, torch.tensor([[[0.0, 0.0]], [[2.0, 2.0]]]))


def test_a_number_as_scale_keeps_its_digits() -> None:
    assert Quanv2d(1, 1, 1, dtype=torch.float32).rows()[0].scale.tolist() == [torch.pi]


def test_a_dense_layer() -> None:
    layer = QuantumLinear(3, 5, dtype=torch.float64, seed=0)
    assert [(row.in_channels, row.offsets, row.pixels) for row in layer.rows()] == [
        ((0,), ((0,), (1,), (2,)), range(3))
    ] * 2
    features = torch.rand(3, dtype=torch.float64)
    np.testing.assert_allclose(by_rows(layer, features[None], (1,))[:, 0], layer(features).detach().numpy(), atol=1e-10)


@pytest.mark.parametrize("channel", [-1, 4, 1.0, True, None])
def test_a_channel_that_is_not_there(channel: Any) -> None:
    with pytest.raises(QuanvolveError, match=rf"^`channel` \(={channel}\) must be in 0 to 3$"):
        Quanv2d(1, 4, 2, seed=0).channel(channel)

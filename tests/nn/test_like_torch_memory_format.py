"""Values lie in memory as those of torch's own layers do: contiguous, or channels last where images or layer are."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from quanvolve import Quanv2d, quanv2d
from quanvolve.circuits import named_circuit
from quanvolve.compile import use_kernels
from tests.nn.plans import classical, every_kind, every_plan, images, quantum

FORMATS = {"2d": torch.channels_last, "3d": torch.channels_last_3d}
with_and_without_kernels = pytest.mark.parametrize("kernels", [True, False])
with_formats = pytest.mark.parametrize("kind", FORMATS)


def lies_alike(ours: Tensor, theirs: Tensor) -> bool:
    """Whether two tensors have one shape and one order in memory."""
    return ours.shape == theirs.shape and ours.stride() == theirs.stride()


@every_kind
@every_plan
@with_and_without_kernels
def test_values_of_every_plan_can_be_viewed(kind: str, plan: str, kernels: bool) -> None:
    layer, x = quantum(kind, plan), images(kind)
    with use_kernels(kernels):
        for given in (x, x[:0], x.requires_grad_()):
            out = layer(given)
            assert lies_alike(out, classical(kind)(given))
            assert out.view(-1).shape == (out.numel(),)


@with_formats
@every_plan
@with_and_without_kernels
def test_channels_last_images_give_channels_last_values(kind: str, plan: str, kernels: bool) -> None:
    x, order = images(kind), FORMATS[kind]
    with use_kernels(kernels):
        torch.manual_seed(0)
        out = quantum(kind, plan)(x.to(memory_format=order))
        torch.manual_seed(0)
        assert torch.equal(out, quantum(kind, plan)(x))
    assert out.is_contiguous(memory_format=order)
    assert not out.is_contiguous()


@with_formats
@pytest.mark.parametrize("bias", [True, False])
def test_one_image_and_one_channel_in_channels_last(kind: str, bias: bool) -> None:
    layer = quantum(kind, bias=bias)
    for one in (images(kind)[0], images(kind).to(memory_format=FORMATS[kind])[0]):
        assert layer(one).is_contiguous()
    grey, theirs = Quanv2d(1, 4, 2, n_layers=1, seed=0), nn.Conv2d(1, 4, 2)
    for x in (torch.rand(2, 1, 4, 4), torch.rand(1, 1, 4, 4), torch.rand(2, 1, 4, 2)):
        there = x.to(memory_format=torch.channels_last)
        assert lies_alike(grey(x), theirs(x))
        assert lies_alike(grey(there), theirs(there))


def test_images_in_another_order_give_contiguous_values() -> None:
    layer, theirs = quantum("2d", "statevector"), classical("2d")
    for x in (torch.rand(2, 3, 4, 2).permute(0, 3, 1, 2)[:, :, :, ::2], torch.rand(4, 2, 3, 2).transpose(0, 3)):
        assert lies_alike(layer(x), theirs(x))


@every_kind
@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.channels_last_3d])
def test_models_go_into_channels_last(kind: str, memory_format: torch.memory_format) -> None:
    """Weights that happen to have four or five axes are none of a convolution's, and stay as they are."""
    options = [{}, {"circuit": "random"}, {"trainable": False}, {"scale": nn.Parameter(torch.rand(2, 1, 1))}]
    for more in options if kind == "2d" else options[:3]:
        layer = nn.Sequential(quantum(kind, **more))
        before = {name: value.clone() for name, value in layer.state_dict().items()}
        ranks = {value.dim() for value in (*layer.parameters(), *layer.buffers())}
        x = images(kind)
        expected = layer(x)
        moved = copy.deepcopy(layer).to(memory_format=memory_format)
        assert torch.equal(moved(x), expected)
        for name, value in moved.state_dict().items():
            assert torch.equal(value, before[name])
            assert value.is_contiguous()
        assert {value.dim() for value in (*moved.parameters(), *moved.buffers())} == ranks
        moved.to(torch.float64)(x.double()).sum()


@with_formats
def test_a_layer_in_channels_last_gives_such_values_as_torchs_own_does(kind: str) -> None:
    layer, theirs, x, order = quantum(kind), classical(kind), images(kind), FORMATS[kind]
    layer.to(memory_format=order)
    for same in (layer, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer).to("cpu")):
        assert same(x).is_contiguous(memory_format=order)
    if kind == "2d":  # torch's own kernel for three axes depends on sizes
        assert lies_alike(layer(x), theirs.to(memory_format=order)(x))
    assert layer.to(memory_format=torch.contiguous_format)(x).is_contiguous()


@pytest.mark.parametrize("engine", ["polynomial", "statevector", "tensor_train"])
def test_the_functional_twin_lies_alike(engine: str) -> None:
    circuit, x = named_circuit("strongly_entangling", 4, n_layers=1), torch.rand(2, 2, 4, 5)
    weights = torch.rand(1, 2, 1, 4, 3)
    for given in (x, x.to(memory_format=torch.channels_last)):
        out = quanv2d(given, weights, circuit, 2, out_channels=3, engine=engine)
        assert lies_alike(out, F.conv2d(given, torch.rand(3, 2, 2, 2)))


def test_the_contiguous_values_of_the_polynomial_kernel_are_not_copied() -> None:
    """The loops write them where they are returned."""
    layer, x = Quanv2d(1, 4, 2, stride=2, circuit="random", n_layers=1, trainable=False, seed=0), torch.rand(8, 1, 8, 8)
    with torch.no_grad():
        layer(x)
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            layer(x)
    called = {event.name for event in profile.events()}
    assert "quanvolve::polynomial" in called
    assert not {"aten::copy_", "aten::clone"} & called

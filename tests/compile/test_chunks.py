"""Chunks of windows bound the memory and change nothing."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

import quanvolve.compile.batch._chunks as module
import quanvolve.compile.reference._polynomial as evaluation
from quanvolve import Quanv2d
from quanvolve.compile import Recipe, features, use_kernels

CPU, GPU = torch.device("cpu"), torch.device("cuda", 1)
CASES = {
    "plain": ({"kernel_size": 2}, (3, 1, 7, 5)),
    "stride and groups": ({"kernel_size": 2, "stride": 2, "groups": 2}, (3, 2, 9, 6)),
    "joint and padded": ({"kernel_size": (1, 2), "padding": 1, "channel_mixing": "joint"}, (2, 2, 5, 4)),
}


def _run(arguments: dict, shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    scale = torch.nn.Parameter(torch.tensor(2.5, dtype=torch.float64))
    layer = Quanv2d(shape[1], 8, **arguments, seed=0, scale=scale, dtype=torch.float64)
    images = torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    images.requires_grad_()
    out = layer(images)
    (out * torch.arange(out.numel(), dtype=torch.float64).reshape(out.shape)).sum().backward()
    return out.detach(), images.grad, layer.weights.grad, scale.grad


@pytest.fixture(autouse=True)
def _plain_torch() -> Iterator[None]:
    """The kernels need no chunks."""
    with use_kernels(False):
        yield


@pytest.fixture
def chunks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[torch.Size]]:
    """The sizes of the chunks that are evaluated."""
    seen: list[torch.Size] = []

    def spy(recipe: Recipe, inputs: torch.Tensor, dtype: torch.dtype) -> list[torch.Tensor]:
        seen.append(inputs.shape)
        return features(recipe, inputs, dtype)

    monkeypatch.setattr(evaluation, "features", spy)
    return seen


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", [1, 30_000, 150_000])
def test_values_and_gradients_do_not_depend_on_the_chunk(
    case: str, size: int, monkeypatch: pytest.MonkeyPatch, chunks: list[torch.Size]
) -> None:
    whole = _run(*CASES[case])
    assert len(chunks) == 1, "the reference must run in one piece"
    chunks.clear()
    monkeypatch.setattr(module, "CHUNK_BYTES", size)
    pieces = _run(*CASES[case])
    if size == 1:
        assert len(chunks) > CASES[case][1][0]
        assert {shape[0] for shape in chunks} == {1}
        assert {shape[-1] for shape in chunks} == {1}, "an image that does not fit goes row by row, then place by place"
    # Only the shape of a matrix product may change the last bits.
    for a, b in zip(whole, pieces, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_without_gradients_too(monkeypatch: pytest.MonkeyPatch, chunks: list[torch.Size]) -> None:
    layer = Quanv2d(1, 4, 2, seed=0)
    images = torch.rand(5, 1, 6, 7)
    with torch.no_grad():
        whole = layer(images)
        monkeypatch.setattr(module, "CHUNK_BYTES", 1)
        torch.testing.assert_close(layer(images), whole, rtol=0, atol=1e-6)
    assert len(chunks) == 1 + 5 * 5 * 6


def test_the_last_chunk_may_be_smaller(monkeypatch: pytest.MonkeyPatch, chunks: list[torch.Size]) -> None:
    layer = Quanv2d(1, 4, 2, seed=0)
    images = torch.rand(7, 1, 3, 3)
    whole = layer(images).detach()
    chunks.clear()
    for size in range(2_000, 40_000, 2_000):
        monkeypatch.setattr(module, "CHUNK_BYTES", size)
        torch.testing.assert_close(layer(images).detach(), whole, rtol=0, atol=1e-6)
    assert {shape[0] for shape in chunks} > {1, 7}, "several chunk sizes were met"


@pytest.mark.parametrize(("memory", "expected"), [(80 * 2**30, 2**30), (8 * 2**30, 2**28), (2**20, 32 * 2**20)])
def test_on_a_gpu_chunks_are_a_share_of_its_memory(memory: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[torch.device]()

    def properties(device: torch.device) -> SimpleNamespace:
        asked.append(device)
        return SimpleNamespace(total_memory=memory)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", properties)
    assert module.chunk_bytes(GPU) == expected
    assert module.chunk_bytes(CPU) == 32 * 2**20
    assert asked == [GPU]


def test_on_other_devices_chunks_are_of_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert {module.chunk_bytes(torch.device(kind)) for kind in ("cuda", "mps", "xpu")} == {256 * 2**20}

"""A layer's training step in one step of autograd: what the composed operators and plain torch give."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from quanvolve import Quanv2d
from quanvolve.compile import PolynomialPlan, one_thread, use_kernels
from quanvolve.compile.kernels._threads import kernel_threads
from quanvolve.compile.kernels.numba._pool import share_out
from quanvolve.compile.tables._tiles import make_tiles

KINDS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "one filter": ({}, (3, 1, 8, 9)),
    "surplus": ({"out_channels": 6}, (3, 2, 8, 9)),
    "groups": ({"out_channels": 6, "groups": 2}, (2, 4, 6, 7)),
    "joint": ({"channel_mixing": "joint", "kernel_size": (1, 2)}, (2, 2, 5, 5)),
    "padding and bias": ({"padding": 1, "bias": True}, (2, 1, 6, 6)),
    "rows of runs": ({"stride": 2}, (2, 1, 28, 29)),
    "every third": ({"stride": 3}, (5, 1, 13, 14)),
    "blocks": ({"stride": (3, 1)}, (1, 1, 64, 70)),
    "dense encoding": ({"encoding": "dense", "out_channels": 2}, (3, 1, 9, 9)),
}


def _layer(kind: str, dtype: torch.dtype) -> tuple[Quanv2d, Tensor]:
    options, shape = KINDS[kind]
    options = {"out_channels": 4, "kernel_size": 2, "seed": 0, "engine": "polynomial", **options}
    generator = torch.Generator().manual_seed(0)
    return Quanv2d(shape[1], dtype=dtype, **options), torch.randn(shape, generator=generator, dtype=dtype)


def _derivatives(layer: Quanv2d, images: Tensor, second: bool) -> list[Tensor]:
    images = images.requires_grad_()
    out = layer(images)
    factors = torch.arange(out.numel(), dtype=out.dtype).cos().reshape(out.shape)
    leaves = [images, *layer.parameters()]
    first = torch.autograd.grad((out * factors).sum(), leaves, create_graph=second)
    if not second:
        return [out.detach(), *first]
    total = sum(gradient.square().sum() for gradient in first)
    assert isinstance(total, Tensor)
    return [*first, *(g for g in torch.autograd.grad(total, leaves, allow_unused=True) if g is not None)]


@pytest.mark.parametrize("second", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("kind", KINDS)
def test_values_and_derivatives(kind: str, second: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    layer, images = _layer(kind, torch.float64)
    calls = []
    in_one = PolynomialPlan.at_once
    monkeypatch.setattr(PolynomialPlan, "at_once", lambda *a: calls.append(in_one(*a)) or calls[-1])
    found = _derivatives(layer, images, second)
    assert calls, "the layer asks for it"
    assert calls[0] is not None, "and gets it"
    monkeypatch.setattr(PolynomialPlan, "at_once", lambda *a: None)
    for one, other in zip(found, _derivatives(layer, images, second), strict=True):
        assert torch.equal(one, other), "the composed operators round alike"
    with use_kernels(False):
        for one, other in zip(found, _derivatives(layer, images, second), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision(kind: str) -> None:
    layer, images = _layer(kind, torch.float32)
    found = _derivatives(layer, 1e4 * images if kind == "rows of runs" else images, False)
    with use_kernels(False):
        expected = _derivatives(layer, 1e4 * images if kind == "rows of runs" else images, False)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * float(other.abs().max()))


def test_tiles_hold_what_is_needed_once() -> None:
    needed = np.random.default_rng(0).random((7, 12)) < 0.4
    tiles = make_tiles(needed, 3, 4)
    assert sorted(o for o in tiles.outputs.flatten().tolist() if o >= 0) == list(range(7))
    for tile, outputs in enumerate(tiles.outputs):
        own = needed[outputs[outputs >= 0]].any(0)
        listed = [
            4 * a + int(tiles.right[tiles.starts[tile, a] + k]) for a in range(3) for k in range(tiles.counts[tile, a])
        ]
        assert listed == np.flatnonzero(own).tolist()
    assert not (tiles.starts % 4).any()


def test_parts_are_shared_out_once_and_errors_come_back() -> None:
    done, threads = [0] * 40, set[str]()
    both = threading.Barrier(2)

    def run(part: int) -> None:
        if part < 2:
            both.wait()  # so that two threads take part
        done[part] += 1
        threads.add(threading.current_thread().name)

    share_out(run, 40, 2)
    assert done == [1] * 40
    assert len(threads) == 2

    def fail(part: int) -> None:
        raise ValueError(f"part {part}")

    with pytest.raises(ValueError, match="part"):
        share_out(fail, 8, 3)
    share_out(done.append, 3, 1)
    assert done[40:] == [0, 1, 2]


def test_one_thread_is_for_torch_alone() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with one_thread():
            assert (torch.get_num_threads(), kernel_threads()) == (1, 3)
            with one_thread():
                assert (torch.get_num_threads(), kernel_threads()) == (1, 3)
        assert (torch.get_num_threads(), kernel_threads()) == (3, 3)
        with one_thread(False):
            assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)

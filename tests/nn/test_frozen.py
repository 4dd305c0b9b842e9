"""Frozen layers compute what the layer does, without its circuits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from quanvolve import QuantumLinear, Quanv1d, Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.compile.ops._switch import kernels_on
from tests.nn.oldest import NOT_EXPORTED, exports_computed_angles

KINDS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "polynomial": (lambda: Quanv2d(2, 5, 2, seed=0, bias=True), (3, 2, 5, 6)),
    "scale": (lambda: Quanv2d(1, 4, 2, seed=0, scale=torch.rand(2, 2)), (3, 1, 5, 6)),
    "groups": (lambda: Quanv2d(2, 4, 2, groups=2, padding=1, seed=0), (3, 2, 5, 6)),
    "network": (lambda: Quanv2d(1, 9, 3, seed=0), (2, 1, 5, 6)),
    "state vector": (lambda: Quanv2d(1, 4, 2, seed=0, encoding="reupload"), (3, 1, 5, 6)),
    "table": (
        lambda: Quanv2d(1, 4, 2, seed=0, encoding="threshold", readout="popcount", trainable=False),
        (3, 1, 5, 6),
    ),
    "density": (lambda: Quanv2d(1, 4, 2, seed=0, encoding="iqp", noise={"depolarizing": 0.02}), (2, 1, 3, 4)),
    "series": (lambda: Quanv1d(1, 3, 3, seed=0), (3, 1, 9)),
    "dense": (lambda: QuantumLinear(3, 5, seed=0), (4, 2, 3)),
    "double": (lambda: Quanv2d(1, 4, 2, seed=0, dtype=torch.float64), (3, 1, 5, 6)),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_frozen_layer_gives_the_same(name: str) -> None:
    make, shape = KINDS[name]
    layer = make()
    frozen = layer.frozen()
    images = torch.rand(shape, dtype=layer._like(torch.empty(0)).dtype)
    with torch.no_grad():
        torch.testing.assert_close(frozen(images), layer(images), rtol=0, atol=2e-6)
    assert not list(frozen.parameters())
    if name == "density" and not exports_computed_angles():
        with pytest.raises(QuanvolveError, match=NOT_EXPORTED):
            torch.export.export(frozen, (images,))
        return
    exported = torch.export.export(frozen, (images,)).module()
    with torch.no_grad():
        torch.testing.assert_close(exported(images), layer(images), rtol=0, atol=2e-6)


def test_later_training_leaves_it_alone() -> None:
    layer = Quanv2d(1, 4, 2, seed=0)
    images = torch.rand(2, 1, 4, 4)
    frozen, before = layer.frozen(), layer(images).detach()
    layer.reset_parameters()
    torch.testing.assert_close(frozen(images), before, rtol=0, atol=1e-6)


def test_shots_become_exact() -> None:
    layer, exact = Quanv2d(1, 4, 2, seed=0, shots=10), Quanv2d(1, 4, 2, seed=0)
    images = torch.rand(2, 1, 4, 4)
    torch.testing.assert_close(layer.frozen()(images), exact(images).detach(), rtol=0, atol=1e-6)


def test_wrong_images_are_refused() -> None:
    with pytest.raises(QuanvolveError, match=r"expected 1 input channel\(s\)"):
        Quanv2d(1, 4, 2).frozen()(torch.rand(1, 2, 4, 4))


def test_freezing_in_threads_leaves_the_kernels_of_all_others_as_they_were() -> None:
    layer, images = Quanv2d(1, 4, 2, seed=0), torch.rand(2, 1, 4, 4)
    expected = layer(images).detach()
    seen: list[bool] = []

    def freeze(_: int) -> None:
        for _ in range(300):
            frozen = layer.frozen()
            seen.append(kernels_on([images]))
        torch.testing.assert_close(frozen(images), expected, rtol=0, atol=1e-6)

    with ThreadPoolExecutor(4) as pool:
        found = pool.map(freeze, range(4))
        seen.extend(kernels_on([images]) for _ in range(1000))
        list(found)
    assert all(seen)
    assert kernels_on([images])

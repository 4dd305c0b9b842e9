"""How weights are drawn."""

import math

import pytest
import torch

from quanvolve import Quanv1d, Quanv2d, Quanv3d
from quanvolve._errors import QuanvolveError


def test_uniform_and_small_weights() -> None:
    uniform = Quanv2d(1, 90, 3, init="uniform", seed=0).weights.detach()
    assert 0 <= uniform.min() < 0.1
    assert 2 * math.pi - 0.1 < uniform.max() < 2 * math.pi
    small = Quanv2d(1, 90, 3, init="small", n_layers=2, seed=0).weights.detach()
    assert abs(float(small.std()) - 0.25) < 0.02, "1 / (2 sqrt(2 + 2))"
    assert abs(float(small.mean())) < 0.05


@pytest.mark.parametrize(("kernel", "wide"), [(3, False), (4, True)])
def test_auto_depends_on_the_number_of_qubits(kernel: int, wide: bool) -> None:
    layer = Quanv2d(1, kernel**2, kernel, seed=0)
    assert (layer.weights.abs().max() < 2) == wide
    with torch.no_grad():
        layer.weights.fill_(9.0)
    layer.reset_parameters()
    assert (layer.weights.abs().max() < 2) == wide


def test_every_dimension_takes_it() -> None:
    assert Quanv1d(1, 3, 3, init="small", seed=0).weights.abs().max() < 2
    assert Quanv3d(1, 8, 2, init="small", seed=0).weights.abs().max() < 2


def test_an_unknown_way_is_named() -> None:
    with pytest.raises(QuanvolveError, match=r"`init` \(='zeros'\) must be one of 'auto', 'uniform', 'small'"):
        Quanv2d(1, 4, 2, init="zeros")


def test_small_weights_keep_the_signal_of_many_qubits() -> None:
    windows = torch.rand(256, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    spread = {}
    for init in ("uniform", "small"):
        with torch.no_grad():
            found = [Quanv2d(1, 25, 5, init=init, seed=s)(windows).std(0).mean() for s in range(4)]
        spread[init] = float(torch.stack(found).mean())
    assert spread["small"] > 2 * spread["uniform"]


def test_large_finite_pixels_are_not_refused() -> None:
    layer = Quanv2d(1, 4, 2, seed=0)
    images = torch.full((1, 1, 2, 2), 3e38)
    assert layer(images).shape == (1, 4, 1, 1)

"""What the kernels for GPUs are made of: counting windows, reducing angles, and the ways that large layers take."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import triton
import triton.language as tl

from quanvolve import Quanv2d
from quanvolve.compile import use_kernels
from quanvolve.compile.kernels.triton import _coefficients, _dense, _polynomial, _sparse
from quanvolve.compile.kernels.triton._turn import turned_all
from quanvolve.compile.kernels.triton._windows import Divisor, quotient
from tests.compile.kernel_contract import kernels_of, place

HERE = torch.device(place("cuda"))


@triton.jit
def _quotients(numbers, out, divisor, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(out + at, quotient(tl.load(numbers + at), divisor))


@pytest.mark.parametrize("divisor", [1, 2, 3, 7, 196, 641, 2**16 - 1, 2**16, 10**6 + 3, 2**30, 2**31 - 1])
def test_quotients_are_exact(divisor: int) -> None:
    rng = np.random.default_rng(divisor)
    near = np.arange(1, 40) * (2**31 // max(40, divisor)) * divisor
    numbers = np.concatenate([near - 1, near, rng.integers(0, 2**31, 400), [0, 1, 2**31 - 1]])
    numbers = torch.from_numpy(numbers[(numbers >= 0) & (numbers < 2**31)][:256].astype(np.int32)).to(HERE)
    padded = torch.zeros(256, dtype=torch.int32, device=HERE)
    padded[: len(numbers)] = numbers
    out = torch.empty_like(padded)
    with kernels_of("cuda"):
        _quotients[(1,)](padded, out, Divisor.of(divisor), BLOCK=256)
    assert out.tolist() == (padded // divisor).tolist()


@triton.jit
def _turns(angles, cosines, sines, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    cosine, sine = turned_all((tl.load(angles + at),), cosines.dtype.element_ty)
    tl.store(cosines + at, cosine[0])
    tl.store(sines + at, sine[0])


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1.2e-7), (torch.float64, 1e-15)])
@pytest.mark.parametrize("most", [1e-3, 1.0, 100.0, 2.0**20, 1e7, 1e15])
def test_cosines_and_sines_are_those_of_exact_angles(most: float, dtype: torch.dtype, error: float) -> None:
    generator = torch.Generator().manual_seed(0)
    angles = (2 * torch.rand(256, dtype=torch.float64, generator=generator) - 1) * most
    quarters = torch.arange(-20, 20, dtype=torch.float64) * math.pi / 4
    angles[: len(quarters)] = quarters if most > 20 else quarters * most / 20
    cosines, sines = (torch.empty(256, dtype=dtype, device=HERE) for _ in range(2))
    with kernels_of("cuda"):
        _turns[(1,)](angles.to(HERE), cosines, sines, BLOCK=256)
    assert (cosines.cpu().double() - angles.cos()).abs().max() <= error
    assert (sines.cpu().double() - angles.sin()).abs().max() <= error


def test_what_is_no_number_stays_none() -> None:
    angles = torch.tensor([math.nan, 0.0, math.inf, 1.0], dtype=torch.float64, device=HERE)
    cosines, sines = (torch.empty(4, device=HERE) for _ in range(2))
    with kernels_of("cuda"), np.errstate(invalid="ignore"):
        _turns[(1,)](angles, cosines, sines, BLOCK=4)
    assert torch.isfinite(cosines).tolist() == torch.isfinite(sines).tolist() == [False, True, False, True]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("circuit", ["random", "strongly_entangling"])
def test_batches_in_pieces_and_products_that_are_too_many(
    circuit: str, stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small limits stand for large layers: three images a launch, all products for few, a row's outputs one by one."""
    layer = Quanv2d(1, 3, 2, stride=stride, circuit=circuit, n_layers=1, seed=3, dtype=torch.float64).to(HERE)
    images = torch.rand(5, 1, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).to(HERE)

    def run() -> list[torch.Tensor]:
        given = images.detach().requires_grad_()
        out = layer(given)
        return [out.detach(), *torch.autograd.grad((out * out.detach().cos()).sum(), [given, layer.weights])]

    with use_kernels(False):
        expected = run()
    for module, name in ((_polynomial, "MOST"), (_sparse, "_MOST"), (_coefficients, "_ROOM"), (_dense, "RIGHT")):
        monkeypatch.setattr(module, name, {"MOST": 40, "RIGHT": 3}.get(name, 0))
    with kernels_of("cuda"):
        found = run()
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)

"""The contraction against a naive einsum."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import quanvolve.compile.reference._contract as module
from quanvolve.compile.reference._contract import contract, left_sites, values_per_window


def _naive(features: list[Tensor], coefficients: Tensor) -> Tensor:
    """sum over c, a, b, ... of T[g, o, c, a, b, ...] * phi_0[n, g, c, a, p] * phi_1[n, g, c, b, p] * ..."""
    sizes = [site.shape[-2] for site in features]
    sites = "abde"[: len(sizes)]
    operands = ",".join(f"xgc{letter}p" for letter in sites)
    tensor = coefficients.reshape(*coefficients.shape[:3], *sizes)
    return torch.einsum(f"goc{sites},{operands}->xgop", tensor, *features)


def _draw(sizes: list[int], groups: int, outputs: int, channels: int) -> tuple[list[Tensor], Tensor]:
    generator = torch.Generator().manual_seed(3)
    options = {"generator": generator, "dtype": torch.float64}
    features = [torch.randn(2, groups, channels, size, 5, **options) for size in sizes]
    total = int(torch.tensor(sizes).prod())
    return features, torch.randn(groups, outputs, channels, total, **options)


@pytest.mark.parametrize("sizes", [[3], [3, 3], [3, 2, 4], [1, 3, 1], [2, 9, 3, 3]])
@pytest.mark.parametrize(("groups", "outputs", "channels"), [(1, 1, 1), (2, 3, 1), (1, 4, 3), (3, 2, 2)])
def test_every_split_gives_the_sum(
    sizes: list[int], groups: int, outputs: int, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, coefficients = _draw(sizes, groups, outputs, channels)
    reference = _naive(features, coefficients)
    for split in range(len(sizes)):
        monkeypatch.setattr(module, "left_sites", lambda *_, split=split: split)
        found = contract(features, coefficients)
        torch.testing.assert_close(found, reference, rtol=1e-12, atol=1e-12)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    outputs=st.integers(1, 40),
)
def test_the_split_needs_no_more_memory_than_any_other(sizes: list[int], outputs: int) -> None:
    best = left_sites(sizes, outputs)
    assert 0 <= best < len(sizes)
    least = min(values_per_window(sizes, outputs, split) for split in range(len(sizes)))
    assert values_per_window(sizes, outputs, best) == least


def test_gradients_of_the_contraction() -> None:
    features, coefficients = _draw([3, 2], 2, 2, 2)
    leaves = [tensor.requires_grad_() for tensor in (*features, coefficients)]
    assert torch.autograd.gradcheck(lambda *t: contract(t[:-1], t[-1]), leaves)

"""Shots by the kernel for GPUs: their distribution, and that nothing but the seed decides them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from quanvolve.compile.kernels.triton import _sample
from quanvolve.compile.ops._sample import sample
from quanvolve.compile.tables._sampling import ShotTables
from tests.compile.kernel_contract import kernels_of, place

WINDOWS = 512


@pytest.fixture(autouse=True)
def _few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter runs one program after the other."""
    monkeypatch.setattr(_sample, "_BLOCK", WINDOWS)


def _words(probabilities: list[float]) -> Tensor:
    """Expectation values of all words but the empty one, the same for all windows: shape (1, words, windows)."""
    size = len(probabilities)
    signs = np.array([[(-1.0) ** bin(w & b).count("1") for b in range(size)] for w in range(1, size)])
    words = torch.from_numpy(signs @ np.array(probabilities))
    return words.reshape(1, -1, 1).expand(1, -1, WINDOWS).to(place("cuda"))


def _counts(probabilities: list[float], shots: int, seed: int = 0) -> Tensor:
    """How often each bit string was drawn, shape (strings, windows)."""
    size = len(probabilities)
    tables = ShotTables((size.bit_length() - 1,), np.eye(size), shots)
    torch.manual_seed(seed)
    with kernels_of("cuda"):
        return (sample(tables, _words(probabilities))[0] * shots).round().cpu()


@pytest.mark.parametrize("shots", [1, 7, 60, 3000])
def test_counts_have_the_moments_of_a_multinomial(shots: int) -> None:
    """By inversion, and from a mean of 10 on by rejection; a string that is never drawn, and ones that seldom are."""
    probabilities = [0.5, 0.27, 0.0, 0.004, 0.126, 0.1, 0.0, 0.0]
    counts = _counts(probabilities, shots)
    assert (counts.sum(0) == shots).all()
    p = torch.tensor(probabilities, dtype=torch.float64)
    variance = shots * (torch.diag(p) - torch.outer(p, p))
    spread = variance.diagonal().sqrt()
    assert (counts[p == 0] == 0).all()
    assert ((counts.mean(1) - shots * p).abs() <= 5 * spread / WINDOWS**0.5).all()
    found = torch.cov(counts)
    # A product of two counts scatters no more than this, fourth moments included.
    bound = 5 * (torch.outer(spread, spread) * (3 + 1 / (shots * p[p > 0].min())) ** 0.5) / WINDOWS**0.5
    assert ((found - variance).abs() <= bound).all()


@pytest.mark.parametrize(("share", "shots"), [(0.03, 100), (0.4, 20), (0.5, 21), (0.3, 400), (0.93, 1000)])
def test_a_binomial_number_has_its_distribution(share: float, shots: int) -> None:
    """A test of goodness of fit, in at most ten classes of about the same probability."""
    counts = _counts([1 - share, share], shots)[1].numpy()
    edges = np.unique(stats.binom.ppf(np.linspace(0, 1, 11)[1:-1], shots, share))
    expected = np.diff(np.concatenate([[0.0], stats.binom.cdf(edges, shots, share), [1.0]])) * WINDOWS
    seen = np.bincount(np.searchsorted(edges, counts), minlength=len(expected))
    chi = ((seen - expected) ** 2 / expected)[expected > 0].sum()
    assert stats.chi2.sf(chi, len(expected) - 1) > 1e-4


def test_the_same_on_any_grid_and_of_any_strides(monkeypatch: pytest.MonkeyPatch) -> None:
    probabilities = [0.4, 0.3, 0.2, 0.1]
    whole = _counts(probabilities, 50)
    assert not torch.equal(_counts(probabilities, 50, seed=1), whole)
    monkeypatch.setattr(_sample, "_BLOCK", WINDOWS // 4)
    assert torch.equal(_counts(probabilities, 50), whole)
    monkeypatch.setattr(_sample, "_ROOM", 1)  # one program for all windows
    assert torch.equal(_counts(probabilities, 50), whole)
    tables = ShotTables((2,), np.eye(4), 50)
    torch.manual_seed(0)
    with kernels_of("cuda"):
        dense = sample(tables, _words(probabilities).contiguous())
    assert torch.equal((dense[0] * 50).round().cpu(), whole)


def test_windows_and_strings_are_independent() -> None:
    counts = _counts([0.25] * 4, 200)
    correlation = np.corrcoef(counts[0, :-1], counts[0, 1:])[0, 1]
    assert abs(correlation) < 5 / WINDOWS**0.5


def test_certain_outcomes_of_rounded_values() -> None:
    """Expectation values a little beyond 1 are taken as 1."""
    tables = ShotTables((1,), np.array([[1.0], [-1.0]]), 30)
    words = torch.tensor([1.0000001, -1.0000001, 1.0, -1.0]).reshape(1, 1, 4).to(place("cuda"))
    with kernels_of("cuda"):
        assert sample(tables, words)[0, 0].tolist() == [1.0, -1.0, 1.0, -1.0]


def test_two_bases_are_drawn_one_after_the_other() -> None:
    tables = ShotTables((1, 1), np.array([[1.0], [-1.0], [2.0], [-2.0]]), 40)
    words = torch.tensor([1.0, -1.0]).reshape(1, 2, 1).to(place("cuda"))
    with kernels_of("cuda"):
        assert sample(tables, words).tolist() == [[[-1.0]]]

"""The variance of a circuit's value divided among its pixels, estimated where it cannot be computed exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from quanvolve.analysis._anova import Floats, Pixel

Values = Callable[[Tensor], Tensor]
N_WINDOWS = 2**13
_MOST_PAIRED = 12
_BLOCKS = 16


@dataclass(frozen=True)
class Estimated:
    """Parts of a variance, not divided by it.

    Args:
        mean, variance: of the value.
        first, total: for each pixel.
        pairs: for each pair what it adds to the parts of both; zero where neither pixel is among the 12 that take part
            in most products.
        covariances: of the value with each pixel.
        error: the largest standard error of these parts.
    """

    mean: float
    variance: float
    first: Floats
    total: Floats
    pairs: Floats
    covariances: Floats
    error: float


def estimated(values: Values, pixels: list[Pixel], n_windows: int = N_WINDOWS, seed: int = 0) -> Estimated:
    """Exchange pixels between two samples of windows, and see how much of the value goes with them.

    Args:
        values: of windows (windows, pixels), shape (windows,).
        pixels: their distributions; they are independent.
        n_windows: in each of the two samples, which are points of a scrambled Sobol sequence; a power of 2.
        seed: of the scrambling.

    References:
        Saltelli et al., Comput. Phys. Commun. 181, 259 (2010), table 2: (b) for first-order, (f) for total indices.
    """
    count = len(pixels)
    base, other = sample(pixels, n_windows, seed)
    at_base, at_other = values(base).numpy(), values(other).numpy()
    mean = float((at_base.mean() + at_other.mean()) / 2)
    variance = float(((at_base - mean) ** 2).mean() / 2 + ((at_other - mean) ** 2).mean() / 2)

    def exchanged(which: list[int]) -> Floats:
        mixed = base.clone()
        mixed[:, which] = other[:, which]
        return np.asarray(values(mixed).numpy())

    alone = [exchanged([k]) for k in range(count)]
    firsts = [(at_other - mean) * (new - at_base) for new in alone]
    totals = [(at_base - new) ** 2 / 2 for new in alone]
    first, total = (np.array([part.mean() for part in parts]) for parts in (firsts, totals))
    pairs = np.zeros((count, count))
    paired = sorted(np.argsort(first - total, kind="stable")[:_MOST_PAIRED].tolist())
    errors = [_error(part) for part in (*firsts, *totals)]
    for place, i in enumerate(paired):
        for j in paired[place + 1 :]:
            added = (at_other - mean) * (exchanged([i, j]) - at_base) - firsts[i] - firsts[j]
            pairs[i, j] = pairs[j, i] = added.mean()
            errors.append(_error(added))
    centred = base - base.mean(0)
    covariances = ((torch.from_numpy(at_base - mean)) @ centred / n_windows).numpy()
    return Estimated(mean, variance, first, total, pairs, covariances, max(errors, default=0.0))


def sample(pixels: list[Pixel], n_windows: int = N_WINDOWS, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Two samples of windows, (windows, pixels) each."""
    count = len(pixels)
    points = torch.quasirandom.SobolEngine(2 * count, scramble=True, seed=seed).draw(n_windows, dtype=torch.float64)
    both = [
        torch.from_numpy(np.ascontiguousarray(pixel.drawn(points[:, column].numpy())))
        for half in (0, count)
        for column, pixel in zip(range(half, half + count), pixels, strict=True)
    ]
    return torch.stack(both[:count], dim=1), torch.stack(both[count:], dim=1)


def _error(parts: Floats) -> float:
    """The standard error of a mean over points that follow each other evenly, from the means of blocks."""
    blocks = parts[: len(parts) // _BLOCKS * _BLOCKS].reshape(_BLOCKS, -1).mean(axis=1)
    return float(blocks.std(ddof=1) / _BLOCKS**0.5)

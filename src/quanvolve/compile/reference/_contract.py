"""The contraction of features with coefficients in plain torch: the reference, and the path on a GPU.

A kernel for features that are already there offers this; one that reads pixels in place takes over from
`compile.evaluate`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor


def contract(features: Sequence[Tensor], coefficients: Tensor) -> Tensor:
    """Sum over channels and all products of site functions, weighted with the coefficients.

    Args:
        features: for each site, shape (images, groups, channels, K_q, positions).
        coefficients: shape (groups, outputs, channels, K_0 * ... * K_(n-1)), the last site fastest.

    Returns:
        Tensor of shape (images, groups, outputs, positions).
    """
    groups, outputs, channels, _ = coefficients.shape
    sizes = [site.shape[-2] for site in features]
    split = left_sites(sizes, outputs)
    right = _products(features[split:])
    k_right = right.shape[-2]
    if split == 0:
        flat = right.flatten(2, 3)
        return torch.matmul(coefficients.reshape(groups, outputs, channels * k_right), flat)
    left = _products(features[:split])
    k_left = left.shape[-2]
    matrix = coefficients.reshape(groups, outputs, channels, k_left, k_right)
    matrix = matrix.permute(0, 2, 1, 3, 4).reshape(groups, channels, outputs * k_left, k_right)
    inner = torch.unflatten(torch.matmul(matrix, right), -2, (outputs, k_left))
    return torch.sum(inner * left.unsqueeze(3), dim=(2, 4))


def left_sites(sizes: Sequence[int], outputs: int) -> int:
    """How many leading sites to multiply in after the matrix product, so that least memory is used."""
    return min(range(len(sizes)), key=lambda split: values_per_window(sizes, outputs, split))


def values_per_window(sizes: Sequence[int], outputs: int, split: int) -> int:
    """Temporary numbers that one window of one channel needs for a given split."""
    if split == 0:
        return math.prod(sizes)
    return math.prod(sizes[:split]) * (2 * outputs + 1) + math.prod(sizes[split:])


def _products(sites: Sequence[Tensor]) -> Tensor:
    """All products of one function from each site, the last site fastest."""
    return reduce(lambda a, b: (a.unsqueeze(-2) * b.unsqueeze(-3)).flatten(-3, -2), sites)

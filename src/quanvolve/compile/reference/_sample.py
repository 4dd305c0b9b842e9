"""Shots in plain torch: of the kernel's distribution, but not the same numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.compile.batch._constants import constant
from quanvolve.compile.tables._sampling import ShotTables


def drawn(tables: ShotTables, words: Tensor) -> Tensor:
    """Means over shots, shape (rows, outputs, places), with torch's own binomial numbers.

    The shots of each beginning of a bit string are parted between its two continuations.

    Args:
        tables: what bit strings are worth.
        words: shape (rows, words, places).
    """
    if words.device.type == "meta":
        return words.new_empty(words.shape[0], tables.values.shape[1], words.shape[2])
    if words.dtype not in (torch.float32, torch.float64):  # shots are counted, which half precision cannot
        return drawn(tables, words.to(torch.float32)).to(words.dtype)
    means = None
    values = constant(tables.values, words.device, words.dtype)
    first = string = 0
    for n in tables.bits:
        size = 2**n
        known = words[:, first : first + size - 1]
        weights = torch.cat([torch.ones_like(known[:, :1]), known], dim=1)
        for bit in range(n):  # the Walsh-Hadamard transform of expectation values to probabilities
            pairs = weights.unflatten(1, (size >> (bit + 1), 2, 1 << bit))
            weights = torch.stack([pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]], 2).flatten(1, 3)
        levels = [weights.clamp(min=0.0)]
        for _ in range(n):
            levels.append(levels[-1].unflatten(1, (-1, 2)).sum(2))
        counts = torch.full_like(levels[-1], tables.shots)
        for mass, parts in zip(reversed(levels[1:]), reversed(levels[:-1]), strict=True):
            share = parts.unflatten(1, (-1, 2))[:, :, 1] / mass
            ones = _binomial(counts, share.nan_to_num(0.0).clamp(0.0, 1.0), tables.shots)
            counts = torch.stack([counts - ones, ones], dim=2).flatten(1, 2)
        part = torch.einsum("rbp,bj->rjp", counts, values[string : string + size]) / tables.shots
        means = part if means is None else means + part
        first += size - 1
        string += size
    assert means is not None
    return means


def _binomial(counts: Tensor, share: Tensor, most: int) -> Tensor:
    """How many of so many trials succeed.

    Args:
        counts: of trials, whole numbers.
        share: probability of success.
        most: the largest of `counts`.
    """
    if not torch.compiler.is_exporting():
        return torch.binomial(counts, share)
    # torch cannot export binomial numbers of a batch of any size: trial by trial, they are as many successes.
    trials = torch.arange(most, dtype=counts.dtype, device=counts.device).reshape(-1, *(1,) * counts.dim())
    drawn = torch.rand((most, *counts.shape), dtype=share.dtype, device=share.device)
    return ((drawn < share) & (trials < counts)).sum(0).to(counts.dtype)

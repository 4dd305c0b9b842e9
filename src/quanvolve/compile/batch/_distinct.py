"""Equal windows computed once, where a sample says that there are enough of them (an image's background)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_SAMPLE = 2048
_WORTH = 0.6
"""Share of distinct windows in the sample up to which looking for them pays."""
_LEAST = 4 * _SAMPLE


def distinct(values: Tensor) -> tuple[Tensor, Tensor] | None:
    """The distinct columns, or None where nearly all of them are.

    Args:
        values: shape (values, windows), in memory.

    Returns:
        For each distinct window the number of one that has it, and for each window the number of its distinct one.

    Examples:
        >>> windows = torch.tensor([[0.0, 1.0]]).repeat(3, 5000)
        >>> first, which = distinct(windows)
        >>> len(first), which[:4].tolist()
        (2, [0, 1, 0, 1])
    """
    columns = values.detach().numpy()
    count = columns.shape[1]
    if count < _LEAST:
        return None
    sample = _hashes(np.ascontiguousarray(columns[:, :: count // _SAMPLE]))
    if len(np.unique(sample)) > _WORTH * len(sample):
        return None
    _, first, which = np.unique(_hashes(columns), return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    first, which = first[order], rank[which.reshape(-1)]
    if not (columns[:, first[which]] == columns).all():  # two windows with one hash
        return None
    return torch.from_numpy(first), torch.from_numpy(which)


def _hashes(columns: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """A number for each column; equal columns have equal ones."""
    bits = (columns + 0.0).view(np.uint32 if columns.itemsize == 4 else np.uint64)  # -0.0 becomes 0.0
    odd = np.random.default_rng(1).integers(0, 2**63, len(columns), dtype=np.uint64) | np.uint64(1)
    total = np.zeros(columns.shape[1], np.uint64)
    for row, factor in zip(bits, odd, strict=True):
        mixed = (row.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)) * factor
        total += mixed ^ (mixed >> np.uint64(29))
    return total

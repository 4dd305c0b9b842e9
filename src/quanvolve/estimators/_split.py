"""Training samples that are set aside to choose the best epoch by."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

Array = npt.NDArray[Any]


def set_aside(n: int, fraction: float, strata: Array | None, seed: int) -> tuple[Array, Array]:
    """Numbers of the samples to train on, and of a share of them that is set aside.

    Args:
        n: samples.
        fraction: the share.
        strata: the groups, numbered from 0, that are to be on both sides; they are where all can be.
        seed: of the draw.

    Examples:
        >>> chosen, held_out = set_aside(20, 0.1, np.repeat([0, 1], 10), seed=0)
        >>> len(chosen), len(held_out)
        (18, 2)
    """
    rows = np.arange(n)
    count = round(fraction * n)
    if count < 1 or count >= n:
        return rows, rows[:0]
    if strata is not None:
        counts = np.bincount(strata)
        if counts.min() < 2 or min(count, n - count) < len(counts):
            strata = None
    chosen, held_out = train_test_split(rows, test_size=count, random_state=seed, stratify=strata)
    return chosen, held_out

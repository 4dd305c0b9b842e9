"""Setting aside a test set."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def set_aside(labels: NDArray[Any], seed: int, share: float = 0.2) -> NDArray[np.bool_]:
    """True for the rows of the test set: that share of each class, which keeps one row at least for training.

    Args:
        labels: at least two.
        seed: fixes which.
        share: of the rows.

    Examples:
        >>> int(set_aside(np.array([0, 1] * 10), seed=0).sum())
        4
    """
    random = np.random.default_rng(seed)
    n = len(labels)
    n_test = min(n - 1, max(1, round(n * share)))
    chosen = np.zeros(n, dtype=bool)
    _, class_of, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.max() < 2:
        # No class can be in both parts.
        chosen[random.choice(n, n_test, replace=False)] = True
        return chosen
    exact = counts * n_test / n
    quota = np.minimum(np.floor(exact).astype(int), counts - 1)
    # Largest remainders get what rounding down has left over.
    for c in np.argsort(-(exact - quota), kind="stable"):
        if quota.sum() < n_test and quota[c] < counts[c] - 1:
            quota[c] += 1
    for c, size in enumerate(quota):
        chosen[random.permutation(np.flatnonzero(class_of == c))[:size]] = True
    return chosen

"""Whether columns of values are constant, and how many directions they use."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_CONSTANT = 1e-10


def constant_of(values: Floats) -> tuple[int, ...]:
    """Columns that are the same in all rows."""
    lengths = np.linalg.norm(values - values.mean(axis=0), axis=0)
    return tuple(int(k) for k in np.flatnonzero(lengths <= _CONSTANT * np.sqrt(len(values))))


def effective_rank(values: Any) -> float:
    """How many directions the values of channels really use: the exponential of the entropy of singular values.

    Args:
        values: shape (windows, channels); their means are taken off.

    References:
        Roy and Vetterli, "The effective rank", EUSIPCO (2007), equations 4 to 6.

    Examples:
        >>> round(effective_rank([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), 6)
        2.0
    """
    array = np.asarray(values, dtype=np.float64)
    sizes = np.linalg.svd(array - array.mean(axis=0), compute_uv=False)
    if not sizes.size or sizes[0] <= _CONSTANT:
        return 0.0
    shares = sizes[sizes > 0] / sizes.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))

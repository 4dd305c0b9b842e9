"""The learning rate over the course of a training."""

from __future__ import annotations

import math


def cosine(progress: float) -> float:
    """From 1 to 0 along half a cosine.

    Args:
        progress: share of the training that is done, in [0, 1].

    Examples:
        >>> [round(cosine(p), 3) for p in (0, 0.5, 1)]
        [1.0, 0.5, 0.0]
    """
    return 0.5 * (1 + math.cos(math.pi * progress))


def one_cycle(progress: float, warmup: float, start: float = 0.04) -> float:
    """From `start` to 1 along half a cosine, then to 0 along another.

    Args:
        progress: share of the training that is done, in [0, 1].
        warmup: share of the training in which it rises, in (0, 1).
        start: where it starts.

    References:
        Smith and Topin, "Super-convergence", arXiv:1708.07120 (2017), section 2.

    Examples:
        >>> [round(one_cycle(p, warmup=0.5), 3) for p in (0, 0.25, 0.5, 0.75, 1)]
        [0.04, 0.52, 1.0, 0.5, 0.0]
    """
    if progress < warmup:
        return 1 - (1 - start) * cosine(progress / warmup)
    return cosine((progress - warmup) / (1 - warmup))

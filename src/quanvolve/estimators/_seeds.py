"""Seeds of a fit, all from its `random_state`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from sklearn.utils import check_random_state


class Seeds(NamedTuple):
    """Of all that a fit draws."""

    filters: int
    head: int
    split: int
    epochs: int

    @classmethod
    def of(cls, random_state: Any) -> Seeds:
        """Those that follow from scikit-learn's `random_state`."""
        return cls(*(int(seed) for seed in check_random_state(random_state).randint(2**31 - 1, size=4)))


@contextmanager
def drawing(seed: int) -> Iterator[None]:
    """Draw the shots of fixed filters from a seed, and leave the caller's random numbers alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield

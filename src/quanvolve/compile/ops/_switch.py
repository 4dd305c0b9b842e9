"""Whether the compiled kernels may be used; plain torch is the reference, and what runs everywhere else."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

import torch
from torch import Tensor
from torch.autograd import forward_ad

_on = ContextVar("kernels", default=os.environ.get("QUANVOLVE_KERNELS", "numba") != "torch")


@contextmanager
def use_kernels(on: bool) -> Iterator[None]:
    """Switch the compiled kernels on or off for a while, for this thread or task only."""
    before = _on.set(on)
    try:
        yield
    finally:
        _on.reset(before)


@lru_cache(maxsize=1)
def _installed() -> bool:
    return importlib.util.find_spec("numba") is not None


def usable(*tensors: Tensor) -> bool:
    """Whether kernels can take these tensors: in memory, float32 or float64, and outside of `torch.func` transforms.

    An exported program is made of torch's own operators, so that it runs where this package is not.
    """
    if not _on.get() or torch._C._are_functorch_transforms_active() or torch.compiler.is_exporting():
        return False
    if forward_ad._current_level >= 0:  # derivatives in forward mode
        return False
    return (
        all(tensor.device.type == "cpu" and tensor.dtype in (torch.float32, torch.float64) for tensor in tensors)
        and _installed()
    )

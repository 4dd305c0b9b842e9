"""Whether the compiled kernels may be used; plain torch is the reference, and what runs everywhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from quanvolve.compile.batch._tracing import transforming

_on = ContextVar("kernels", default=os.environ.get("QUANVOLVE_KERNELS", "numba") != "torch")


@contextmanager
def use_kernels(on: bool) -> Iterator[None]:
    """Switch the compiled kernels on or off for a while, for this thread or task only."""
    before = _on.set(on)
    try:
        yield
    finally:
        _on.reset(before)


def kernels_on(tensors: Sequence[Tensor]) -> bool:
    """Whether kernels may take such tensors: float32 or float64, outside of `torch.func` transforms and exports.

    An exported program is made of torch's own operators, so that it runs where this package is not.
    """
    if not _on.get() or transforming() or torch.compiler.is_exporting():
        return False
    device = tensors[0].device.type
    return all(one.device.type == device and one.dtype in (torch.float32, torch.float64) for one in tensors)

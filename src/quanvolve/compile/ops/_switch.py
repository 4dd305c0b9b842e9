"""Whether the compiled kernels may be used; plain torch is the reference, and what runs everywhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from quanvolve.compile import kernels
from quanvolve.compile.batch._tracing import transforming

_ASKED = os.environ.get("QUANVOLVE_KERNELS")
_on: ContextVar[bool | None] = ContextVar("kernels", default=_ASKED != "torch" if _ASKED else None)
"""None where nobody has said anything: kernels are used, but by layers that are told not to."""

_PLAIN = (Tensor, torch.nn.Parameter, torch.nn.Buffer)


def switched() -> bool | None:
    """Whether kernels are switched on or off, by :func:`use_kernels` or the environment; None if nobody did."""
    return _on.get()


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
    if _on.get() is False or transforming() or torch.compiler.is_exporting():
        return False
    device = tensors[0].device.type
    return all(tensor.device.type == device and tensor.dtype in (torch.float32, torch.float64) for tensor in tensors)


def why_plain(family: str, device: str) -> str | None:
    """Why a family is computed in plain torch on a device; None where a kernel does it."""
    return "kernels are switched off" if _on.get() is False else kernels.why_none(family, device)


def unwatched(tensors: Sequence[Tensor]) -> bool:
    """Whether plain tensors are computed with and nobody follows which operators run.

    Whoever compiles, exports, traces, transforms, profiles or counts operations sees torch's operators only.
    """
    return (
        all(type(tensor) in _PLAIN for tensor in tensors)
        and not torch._C._len_torch_dispatch_stack()
        and not torch._C._get_tracing_state()
        and not torch._C._autograd._profiler_enabled()
        and not torch.compiler.is_compiling()
        and not transforming()
    )

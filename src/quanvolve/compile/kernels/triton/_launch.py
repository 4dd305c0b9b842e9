"""Starting a kernel: on the device and the stream of its tensors, with tables that are there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve.compile.tables._handle import Tables

Made = TypeVar("Made")

_on_devices: WeakKeyDictionary[Tables, dict[tuple[object, ...], object]] = WeakKeyDictionary()


def on_device_of(tensor: Tensor) -> AbstractContextManager[None]:
    """Kernels start on the current device, which need not be that of the tensors."""
    device: AbstractContextManager[None] = torch.cuda.device(tensor.device) if tensor.is_cuda else nullcontext()
    return device


def kept(tables: Tables, what: object, device: torch.device, make: Callable[[], Made]) -> Made:
    """What a kernel needs of tables on a device: made once, so that calls copy nothing and can be recorded in a graph.

    Args:
        tables: which it is of; it lives as long as they do.
        what: tells it from the other things that are kept of the tables.
        device: where it is.
        make: makes it.
    """
    of_tables = _on_devices.setdefault(tables, {})
    key = (what, device)
    if key not in of_tables:
        of_tables[key] = make()
    return of_tables[key]  # type: ignore[return-value]


def moved(array: npt.NDArray[np.generic], device: torch.device, dtype: torch.dtype = torch.int32) -> Tensor:
    """An array of NumPy as a tensor on a device."""
    return torch.as_tensor(np.ascontiguousarray(array)).to(device, dtype)


def doubles(numbers: Sequence[float], device: torch.device) -> Tensor:
    """Numbers in double precision, to be loaded: what Triton takes as an argument is rounded to single precision."""
    return torch.tensor(numbers, dtype=torch.float64, device=device)


OPTIONS = {"enable_fp_fusion": True}
"""Of every launch: products and sums are rounded together, which Triton otherwise warns about."""


def block_of(count: int) -> tuple[int, int]:
    """How many of `count` numbers a program takes, and its warps: several for each thread where there are many."""
    return (512, 4) if count >= 2**18 else (128, 4)

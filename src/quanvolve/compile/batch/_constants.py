"""Arrays of tables as tensors: on a GPU copied once, so that calls copy nothing and a CUDA graph can record them."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve.compile.batch._tracing import traced

_ALREADY_THERE = ("cpu", "meta")
"""Devices that arrays are not copied to."""

_made: dict[int, dict[tuple[object, ...], Tensor]] = {}
"""Tensors of arrays, by the number of the array that owns the memory, as long as that is there."""


def constant(array: npt.NDArray[Any], device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """The tensor of an array that nobody changes; on the CPU the array's own memory, where the type is the same.

    What is kept goes when the array goes, or the array that it is a view of. So an array that is made for the call is
    copied at each call: keep it where its numbers come from, as `tables._parsed.kept` does.

    Args:
        array: from tables.
        device: of the tensor.
        dtype: of the tensor, the array's own if not given.

    Examples:
        >>> constant(np.arange(3), torch.device("cpu"))
        tensor([0, 1, 2])
    """
    if device.type in _ALREADY_THERE or traced():
        return _tensor(array, device, dtype)
    return _kept(array, device, dtype)


def _kept(array: npt.NDArray[Any], device: torch.device, dtype: torch.dtype | None) -> Tensor:
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    number = id(owner)
    if number not in _made:
        _made[number] = {}
        weakref.finalize(owner, _made.pop, number, None)
    key = (array.__array_interface__["data"][0], array.shape, array.strides, array.dtype.str, device, dtype)
    of_owner = _made[number]
    if key not in of_owner:
        with torch.inference_mode(False):  # else autograd could not use it later
            of_owner[key] = _tensor(array, device, dtype)
    return of_owner[key]


def _tensor(array: npt.NDArray[Any], device: torch.device, dtype: torch.dtype | None) -> Tensor:
    return torch.as_tensor(np.ascontiguousarray(array), dtype=dtype, device=device)

"""Tensors as the loops take them: NumPy arrays on the same memory, which stays the tensor's own.

`Tensor.numpy` and `torch.from_numpy` fix a tensor's memory for good: FSDP, and whoever frees memory with
`untyped_storage().resize_(0)`, could no longer do so with the images, weights, values and gradients of a layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_NAMES = {torch.float32: np.dtype("f4").str, torch.float64: np.dtype("f8").str, torch.int64: np.dtype("i8").str}


class _Memory:
    """What NumPy reads in place of a tensor, which an array of it keeps alive."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.__array_interface__ = {
            "version": 3,
            "data": (tensor.data_ptr(), False),
            "shape": tuple(tensor.shape),
            "typestr": _NAMES[tensor.dtype],
        }


def array(tensor: Tensor) -> npt.NDArray[Any]:
    """The tensor's own memory as an array, or that of a copy if it is not contiguous.

    Examples:
        >>> tensor = torch.zeros(3)
        >>> array(tensor)[1] = 5.0
        >>> tensor
        tensor([0., 5., 0.])
        >>> tensor.untyped_storage().resizable()
        True
    """
    plain = tensor.detach().resolve_neg().contiguous()
    if not plain.numel():
        return np.empty(tuple(plain.shape), _NAMES[plain.dtype])
    return np.asarray(_Memory(plain))


def summed(parts: Tensor) -> Tensor:
    """The sum over the first axis, without a copy where it has one entry."""
    if len(parts) == 1:
        return parts[0]
    total = torch.empty(parts.shape[1:], dtype=parts.dtype)
    array(parts).sum(0, out=array(total))
    return total

"""Tensors as the loops take them: NumPy arrays on the same memory, which stays the tensor's own.

`Tensor.numpy` and `torch.from_numpy` fix a tensor's memory for good: FSDP, and whoever frees memory with
`untyped_storage().resize_(0)`, could no longer do so with the images, weights, values and gradients of a layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_NAMES = {torch.float32: np.dtype("f4").str, torch.float64: np.dtype("f8").str, torch.int64: np.dtype("i8").str}


class _Memory:
    """What NumPy reads in place of a tensor, which an array of it keeps alive."""

    __slots__ = ("__array_interface__", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.__array_interface__ = {
            "version": 3, "data": (tensor.data_ptr(), False), "shape": tensor.shape, "typestr": _NAMES[tensor.dtype],
        }  # fmt: skip


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
    if not tensor.is_contiguous() or tensor.is_neg():
        tensor = tensor.detach().resolve_neg().contiguous()
    if not tensor.numel():
        return np.empty(tuple(tensor.shape), _NAMES[tensor.dtype])
    return np.asarray(_Memory(tensor))


class Sum:
    """A sum of parts, each of which one thread adds to.

    Args:
        parts: how many; with none there is no sum.
        shape, dtype: of the sum.

    Attributes:
        parts: the array that they add to, shape (parts, *shape), zero at first.

    Examples:
        >>> sum_ = Sum(2, (3,), torch.float64)
        >>> sum_.parts[:] = [[1, 2, 3], [0, 0, 4]]
        >>> sum_.total()
        tensor([1., 2., 7.], dtype=torch.float64)
    """

    def __init__(self, parts: int, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        self._shape, self._dtype = shape, dtype
        if parts == 1:  # which is the sum
            self._only = torch.zeros((1, *shape), dtype=dtype)
            self.parts = array(self._only)
        else:
            self.parts = np.zeros((parts, *shape), _NAMES[dtype])

    def total(self) -> Tensor:
        """The sum of all parts, in their order."""
        if len(self.parts) == 1:
            return self._only[0]
        total = torch.empty(self._shape, dtype=self._dtype)
        self.parts.sum(0, out=array(total))
        return total


class Spare:
    """Memory to work with that calls use one after the other.

    What is allocated anew for each call is given to the process page by page, which takes longer than to work with it.
    It is kept for the next call, of the largest size so far but not of more than `most` bytes.

    Examples:
        >>> spare = Spare()
        >>> with spare.array((2, 3), torch.float64) as room:
        ...     room[:] = 1.0
        >>> with spare.array((4,), torch.float64) as other:
        ...     float(other[0])
        1.0
    """

    def __init__(self, most: int = 64 * 2**20) -> None:
        self._most = most
        self._kept: list[npt.NDArray[np.uint8]] = []

    @contextmanager
    def array(self, shape: tuple[int, ...], dtype: torch.dtype) -> Iterator[npt.NDArray[Any]]:
        """An array of any numbers, for this call alone."""
        kind = np.dtype(_NAMES[dtype])
        size = math.prod(shape) * kind.itemsize
        try:
            memory = self._kept.pop()
        except IndexError:
            memory = np.empty(0, np.uint8)
        if memory.size < size:
            memory = np.empty(size, np.uint8)
        yield memory[:size].view(kind).reshape(shape)
        if memory.size <= self._most and not self._kept:
            self._kept.append(memory)

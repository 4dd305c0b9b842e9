"""What a computation takes in plain torch: counted, not timed, so that it is the same on any machine at any time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from quanvolve.compile.ops._switch import use_kernels

_PRODUCTS = ("mm", "bmm", "addmm", "baddbmm", "addmv", "mv")
_SUMMED = 16
"""Terms of a matrix product in the time of one number that an operation reads and writes."""


class PlainWork(NamedTuple):
    """The work of a computation.

    Args:
        operations: of torch, whatever their size.
        numbers: that these write, a term of a matrix product being a part of one.
    """

    operations: int
    numbers: float


class _TooMuch(Exception):
    """More than whoever counts wants to know."""


class _Counter(TorchDispatchMode):
    def __init__(self, most: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.most, self.operations, self.numbers = most, 0, 0.0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # which would load torch's compiler, and takes longer than most counts

    def __torch_dispatch__(self, func: Any, kinds: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.operations += 1
        if not _is_view(func):
            written = result if isinstance(result, Sequence) else (result,)
            size = sum(tensor.numel() for tensor in written if isinstance(tensor, Tensor))
            summed = args[-1].shape[-2 if args[-1].dim() > 1 else -1] if _name(func) in _PRODUCTS else 0
            self.numbers += size * (1 + summed / _SUMMED)
        if self.numbers > self.most:
            raise _TooMuch
        return result


def _is_view(func: Any) -> bool:
    aliases = (returned.alias_info for returned in func._schema.returns)
    return any(alias is not None and not alias.is_write for alias in aliases)


def _name(func: Any) -> str:
    return str(func._schema.name).rpartition("::")[2]


def plain_work(run: Callable[[], object], most: float = math.inf) -> PlainWork | None:
    """Run something in plain torch, without gradients, and count.

    Args:
        run: what to count.
        most: numbers beyond which it is given up.

    Returns:
        The work; None if it is more than that.

    Examples:
        >>> plain_work(lambda: torch.ones(4).sin().sum())
        PlainWork(operations=3, numbers=9.0)
        >>> plain_work(lambda: torch.ones(4).sin().sum(), most=6) is None
        True
    """
    counter = _Counter(most)
    try:
        with torch.no_grad(), use_kernels(False), counter:
            run()
    except _TooMuch:
        return None
    return PlainWork(counter.operations, counter.numbers)

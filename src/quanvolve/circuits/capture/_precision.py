"""Circuit functions run in double precision, whatever precision the tensors have that they close over."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

Convert = Callable[[Tensor], Tensor]


class InDoubles(TorchFunctionMode):
    """Makes doubles of smaller numbers, and moves to the CPU, what meets inputs and weights in a function of torch.

    Functions of torch that multiply matrices, such as that of `nn.Linear`, take numbers of one kind only.

    Examples:
        >>> with InDoubles():
        ...     torch.nn.Linear(2, 1)(torch.zeros(2, dtype=torch.float64)).dtype
        torch.float64
    """

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        keywords = kwargs or {}
        if not changes(function):
            args, keywords = alike(args, keywords, in_double)
        return function(*args, **keywords)


def in_double(tensor: Tensor) -> Tensor:
    """A tensor in double precision on the CPU."""
    return tensor.to("cpu", torch.float64)


def changes(function: Any) -> bool:
    """Whether a function of torch changes its first argument, which then has to stay what it is."""
    name = getattr(function, "__name__", "")
    return (name.endswith("_") and (not name.endswith("__") or name.startswith("__i"))) or name == "__setitem__"


def alike(args: Any, keywords: Any, convert: Convert) -> tuple[Any, Any]:
    """Arguments of a call in which real numbers of several precisions, or devices, are made doubles on the CPU."""
    leaves = [*args, *keywords.values()]
    if any(isinstance(leaf, (list, tuple, dict)) for leaf in leaves):
        leaves = leaves_in(leaves)
    doubles = others = False
    for leaf in leaves:
        if isinstance(leaf, Tensor):
            if leaf.dtype == torch.float64 and leaf.device.type == "cpu":
                doubles = True
            elif leaf.is_floating_point():
                others = True
    if not (doubles and others):
        return args, keywords

    def converted(value: Any) -> Any:
        if isinstance(value, Tensor) and value.is_floating_point():
            return value if (value.dtype, value.device.type) == (torch.float64, "cpu") else convert(value)
        if type(value) in (list, tuple):
            return type(value)(map(converted, value))
        return value

    return tuple(map(converted, args)), {name: converted(value) for name, value in keywords.items()}


def leaves_in(value: Any) -> list[Any]:
    """What lists, tuples and dictionaries hold."""
    leaves: list[Any] = []
    _gather([value], leaves)
    return leaves


def _gather(items: Iterable[Any], leaves: list[Any]) -> None:
    for item in items:
        if isinstance(item, (list, tuple)):
            _gather(item, leaves)
        elif isinstance(item, dict):
            _gather(item.values(), leaves)
        else:
            leaves.append(item)

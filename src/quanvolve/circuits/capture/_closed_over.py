"""Tensors that a circuit function uses without taking them as arguments, and that want gradients: more weights."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

import torch
from torch import Tensor

from quanvolve._errors import CaptureError

_DEPTH = 3
"""How many attributes and entries a name may have behind that of its variable."""


class ClosedOver:
    """The parameters of a function that are not its arguments, by names that a layer can give them.

    Args:
        function: the circuit function.
        taken: names of its arguments.

    Attributes:
        tensors: by name, in the order in which the function used them.
    """

    def __init__(self, function: Callable[..., Any], taken: Collection[str]) -> None:
        self.function, self.taken = function, set(taken)
        self.tensors: dict[str, Tensor] = {}

    def name_of(self, leaf: Tensor) -> str:
        """The name of a tensor that wants gradients: that of its variable, ``self.a`` as ``a``.

        Raises:
            CaptureError: if it has no value for each window and no shape that weights can have.
        """
        for name, tensor in self.tensors.items():
            if tensor is leaf:
                return name
        if not leaf.is_floating_point() or not leaf.numel():
            raise CaptureError(
                f"the circuit function uses a tensor of {leaf.dtype} and shape {tuple(leaf.shape)} that wants "
                "gradients and is not one of its arguments: weights are real numbers; use its detach() if it shall "
                "stay as it is"
            )
        variable = _variable(self.function, leaf)
        name = re.sub(r"\W", "_", (variable or "parameter").removeprefix("self."))
        base, count = name, 1
        while name in self.taken or name in self.tensors or name == "inputs":
            count += 1
            name = f"{base}_{count}"
        self.tensors[name] = leaf
        return name


def _variable(function: Callable[..., Any], leaf: Tensor) -> str | None:
    plain = inspect.unwrap(getattr(function, "__func__", function))
    known: dict[str, Any] = {}
    if inspect.isfunction(plain):
        variables = inspect.getclosurevars(plain)
        known = {**variables.globals, **variables.nonlocals}
    owner = getattr(function, "__self__", None if inspect.isroutine(function) else function)
    if owner is not None and not inspect.ismodule(owner):
        known["self"] = owner
    seen: set[int] = set()
    waiting = [(name, value, 0) for name, value in known.items()]
    while waiting:  # the shortest name first
        name, value, depth = waiting.pop(0)
        if value is leaf:
            return name
        if depth == _DEPTH or id(value) in seen:
            continue
        seen.add(id(value))
        waiting += [(f"{name}.{attribute}", entry, depth + 1) for attribute, entry in _entries(value)]
    return None


def _entries(value: Any) -> Iterable[tuple[str, Any]]:
    """The attributes of an object, the parameters of a module, or the entries of a container, by name."""
    if isinstance(value, dict):
        return [(str(name), entry) for name, entry in value.items()]
    if isinstance(value, list | tuple):
        return [(str(place), entry) for place, entry in enumerate(value)]
    attributes = (
        [] if isinstance(value, Tensor) or inspect.ismodule(value) else list(getattr(value, "__dict__", {}).items())
    )
    return [*value.named_parameters(), *attributes] if isinstance(value, torch.nn.Module) else attributes

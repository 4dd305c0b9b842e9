"""Tensors that a circuit function uses without taking them as arguments, and that want gradients."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Any

import torch
from torch import Tensor

from quanvolve._errors import CaptureError


def require_none(function: Callable[..., Any], used: Iterable[Any], arguments: Collection[Tensor]) -> None:
    """Refuse a function whose gates depend on trainable tensors that are not its arguments.

    Capture would make constants of them, so that they would never be trained.

    Args:
        function: the circuit function.
        used: what its gates were given; tensors of a run with gradients among them.
        arguments: the inputs and weights of that run.

    Raises:
        CaptureError: naming the tensor where the function's variables tell its name.
    """
    known = {id(tensor) for tensor in arguments}
    for leaf in _leaves(value for value in used if isinstance(value, Tensor)):
        if id(leaf) not in known:
            kind = "parameter" if isinstance(leaf, torch.nn.Parameter) else "tensor that requires gradients"
            raise CaptureError(
                f"the circuit function uses {_name(function, leaf)}, a {kind} of shape {tuple(leaf.shape)} that is not "
                "one of its arguments: it would be frozen at its present value and get no gradient; make it an "
                "argument, with its shape in `weight_shapes`, or use its detach() if it shall stay as it is"
            )


def _leaves(tensors: Iterable[Tensor]) -> Iterable[Tensor]:
    waiting: list[Any] = []
    for tensor in tensors:
        if tensor.grad_fn is not None:
            waiting.append(tensor.grad_fn)
        elif tensor.requires_grad:
            yield tensor
    seen = set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            yield node.variable
        waiting += [before for before, _ in node.next_functions if before is not None]


def _name(function: Callable[..., Any], leaf: Tensor) -> str:
    plain = inspect.unwrap(getattr(function, "__func__", function))
    known: dict[str, Any] = {}
    if inspect.isfunction(plain):
        variables = inspect.getclosurevars(plain)
        known = {**variables.globals, **variables.nonlocals}
    owner = getattr(function, "__self__", None if inspect.isroutine(function) else function)
    if owner is not None and not inspect.ismodule(owner):
        known["self"] = owner
    for name, value in known.items():
        if value is leaf:
            return repr(name)
        inside = value.named_parameters() if isinstance(value, torch.nn.Module) else _entries(value)
        for attribute, entry in inside:
            if entry is leaf:
                return repr(f"{name}.{attribute}")
    return "a tensor"


def _entries(value: Any) -> Iterable[tuple[str, Any]]:
    """The attributes of an object, or the entries of a container, by name."""
    if isinstance(value, dict):
        return [(str(name), entry) for name, entry in value.items()]
    if isinstance(value, list | tuple):
        return [(str(place), entry) for place, entry in enumerate(value)]
    return list(getattr(value, "__dict__", {}).items())

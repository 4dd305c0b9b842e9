"""Programs: angles that are functions of inputs and weights other than sums, such as ``arctan(x0)`` or ``x0 * x1``.

A program is a list of calls to functions of torch, recorded while a circuit function runs. It is plain data: it hashes,
travels as JSON, and runs again on other values. Only the functions named in `_functions` can be called, so that a
description from a stranger can compute but do nothing else.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.description._functions import FUNCTIONS

# An argument is a tagged tuple: ("inputs",), ("weight", name), ("call", number), ("item", number, position),
# ("tensor", dtype, shape, numbers), ("list" | "tuple", (arguments...)), ("slice", start, stop, step), ("dtype", name),
# ("ellipsis",), ("complex", real, imaginary) or ("constant", None | bool | int | float | str). The numbers of a complex
# tensor are its real parts, then its imaginary parts.
Argument = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the name of a function, its arguments, and its keyword arguments as pairs."""

    function: str
    arguments: tuple[Argument, ...]
    keywords: tuple[tuple[str, Argument], ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """A number that the program supplies: an entry of the result of a call, and what it depends on."""

    source: Argument
    index: int
    reads_inputs: bool
    reads_weights: bool


@dataclass(frozen=True, slots=True)
class Program:
    """Calls in order, and the numbers that are taken from their results.

    Args:
        calls: may refer to the inputs, to weights and to earlier calls.
        values: what angles and amplitudes refer to by number.
        batched: whether the inputs have a batch axis of one in front.
    """

    calls: tuple[Call, ...]
    values: tuple[Value, ...]
    batched: bool = False

    def run(self, inputs: Tensor, weights: Mapping[str, Tensor], which: tuple[int, ...]) -> Tensor:
        """Some values for one window and one filter.

        Args:
            inputs: shape (n_inputs,); only its dtype and device count where no value reads inputs.
            weights: by name, each of the circuit's own shape.
            which: numbers of the values.

        Returns:
            Tensor of shape (len(which),), of the inputs' dtype. It runs under `torch.func` transforms.
        """
        window = inputs.unsqueeze(0) if self.batched else inputs
        results: dict[int, Any] = {}
        for number in self._needed(which):
            call = self.calls[number]
            arguments = [resolve(a, window, weights, results) for a in call.arguments]
            keywords = {name: resolve(a, window, weights, results) for name, a in call.keywords}
            results[number] = FUNCTIONS[call.function](*arguments, **keywords)
        entries = []
        for k in which:
            value = self.values[k]
            entry = resolve(value.source, window, weights, results).reshape(-1)[value.index]
            entries.append((entry.real if entry.is_complex() else entry).to(inputs.dtype))
        return torch.stack(entries) if entries else inputs.new_empty(0)

    def inputs_read(self, n_inputs: int) -> set[int]:
        """The numbers of the inputs that its values depend on: where they are not picked by index, all."""
        numbers = torch.arange(n_inputs)
        window = numbers.unsqueeze(0) if self.batched else numbers
        read = {value.index for value in self.values if value.source == ("inputs",)}
        for number in self._needed(tuple(range(len(self.values)))):
            call = self.calls[number]
            arguments = [leaf for a in (*call.arguments, *(a for _, a in call.keywords)) for leaf in leaves_of(a)]
            if ("inputs",) not in arguments:
                continue
            plain = not any(leaf[0] in ("call", "item", "weight") for leaf in arguments)
            if call.function != "torch.Tensor.__getitem__" or not plain:
                return set(range(n_inputs))
            picked = FUNCTIONS[call.function](*(resolve(a, window, {}, {}) for a in call.arguments))
            read |= set(picked.reshape(-1).tolist())
        return read

    def weights_read(self) -> set[str]:
        """The names of the weights that its values depend on."""
        waiting = [value.source for value in self.values]
        for number in self._needed(tuple(range(len(self.values)))):
            call = self.calls[number]
            waiting += [*call.arguments, *(a for _, a in call.keywords)]
        return {leaf[1] for argument in waiting for leaf in leaves_of(argument) if leaf[0] == "weight"}

    def _needed(self, which: tuple[int, ...]) -> list[int]:
        needed: set[int] = set()
        waiting = [argument for k in which for argument in [self.values[k].source]]
        while waiting:
            for number in _calls_in(waiting.pop()):
                if number not in needed:
                    needed.add(number)
                    call = self.calls[number]
                    waiting += [*call.arguments, *(a for _, a in call.keywords)]
        return sorted(needed)

    def to_dict(self) -> dict[str, Any]:
        """The program as JSON-ready lists and numbers."""
        return {
            "batched": self.batched,
            "calls": [[c.function, list(c.arguments), [list(pair) for pair in c.keywords]] for c in self.calls],
            "values": [[list(v.source), v.index, v.reads_inputs, v.reads_weights] for v in self.values],
        }

    @classmethod
    def from_dict(cls, data: Any) -> Program:
        """The inverse of :meth:`to_dict`.

        Raises:
            QuanvolveError: if a call is to a function that programs cannot call, or refers to a later one.
        """
        calls = tuple(
            Call(str(name), tuple(_frozen(a) for a in arguments), tuple((str(k), _frozen(a)) for k, a in keywords))
            for name, arguments, keywords in data["calls"]
        )
        values = tuple(
            Value(_frozen(source), operator.index(index), bool(x), bool(w)) for source, index, x, w in data["values"]
        )
        for position, call in enumerate(calls):
            if call.function not in FUNCTIONS:
                raise QuanvolveError(
                    f"call {position} is to {call.function!r}, which is not a function that a program may call"
                )
            arguments = (*call.arguments, *(a for _, a in call.keywords))
            if any(number >= position for a in arguments for number in _calls_in(a)):
                raise QuanvolveError(f"call {position} ({call.function}) refers to a call that comes later")
        if any(not 0 <= number < len(calls) for value in values for number in _calls_in(value.source)):
            raise QuanvolveError("a value of the program refers to a call that is not there")
        return cls(calls, values, bool(data["batched"]))


def pruned(program: Program) -> Program:
    """The program without the calls that none of its values needs."""
    needed = program._needed(tuple(range(len(program.values))))
    number = {old: new for new, old in enumerate(needed)}

    def moved(argument: Argument) -> Argument:
        if argument[0] in ("call", "item"):
            return (argument[0], number[argument[1]], *argument[2:])
        if argument[0] in ("list", "tuple"):
            return (argument[0], tuple(moved(a) for a in argument[1]))
        if argument[0] == "slice":
            return ("slice", *(moved(a) for a in argument[1:]))
        return argument

    calls = []
    for old in needed:
        call = program.calls[old]
        calls.append(
            Call(call.function, tuple(map(moved, call.arguments)), tuple((k, moved(a)) for k, a in call.keywords))
        )
    values = tuple(Value(moved(v.source), v.index, v.reads_inputs, v.reads_weights) for v in program.values)
    return Program(tuple(calls), values, program.batched)


def leaves_of(argument: Argument) -> list[Argument]:
    """The arguments inside of lists and slices."""
    if argument[0] in ("list", "tuple"):
        return [leaf for item in argument[1] for leaf in leaves_of(item)]
    if argument[0] == "slice":
        return [leaf for item in argument[1:] for leaf in leaves_of(item)]
    return [argument]


def _calls_in(argument: Argument) -> list[int]:
    return [leaf[1] for leaf in leaves_of(argument) if leaf[0] in ("call", "item")]


def resolve(argument: Argument, window: Tensor, weights: Mapping[str, Tensor], results: Mapping[int, Any]) -> Any:
    """What an argument stands for, given the inputs, the weights and the results of earlier calls."""
    kind = argument[0]
    if kind == "constant":
        return argument[1]
    if kind == "call":
        return results[argument[1]]
    if kind == "inputs":
        return window
    if kind == "weight":
        return weights[argument[1]]
    if kind == "item":
        return results[argument[1]][argument[2]]
    if kind in ("list", "tuple"):
        items = [resolve(item, window, weights, results) for item in argument[1]]
        return items if kind == "list" else tuple(items)
    if kind == "slice":
        return slice(*(resolve(part, window, weights, results) for part in argument[1:]))
    if kind == "tensor":
        dtype = getattr(torch, argument[1])
        if dtype.is_complex:
            parts = torch.tensor(argument[3], dtype=window.dtype, device=window.device).reshape(2, *argument[2])
            return torch.complex(parts[0], parts[1])
        dtype = window.dtype if dtype.is_floating_point else dtype
        return torch.tensor(argument[3], dtype=dtype, device=window.device).reshape(argument[2])
    if kind == "complex":
        return complex(argument[1], argument[2])
    if kind == "dtype":
        return getattr(torch, argument[1])
    return Ellipsis


_KINDS = (
    "inputs",
    "weight",
    "call",
    "item",
    "tensor",
    "list",
    "tuple",
    "slice",
    "dtype",
    "ellipsis",
    "complex",
    "constant",
)


def _frozen(data: Any) -> Argument:
    """An argument from JSON, checked: nothing but the tagged tuples of `resolve` gets in."""
    kind, *rest = data
    if kind not in _KINDS:
        raise QuanvolveError(f"{kind!r} is not a kind of argument of a program")
    if kind in ("list", "tuple"):
        return (kind, tuple(_frozen(item) for item in rest[0]))
    if kind == "slice":
        return (kind, *(_frozen(item) for item in rest))
    if kind == "tensor":
        return (kind, _dtype(rest[0]), tuple(operator.index(n) for n in rest[1]), tuple(_number(n) for n in rest[2]))
    if kind == "dtype":
        return (kind, _dtype(rest[0]))
    if kind == "complex":
        real, imaginary = rest
        return (kind, float(_number(real)), float(_number(imaginary)))
    if kind in ("call", "item"):
        numbers = tuple(operator.index(n) for n in rest)
        if any(n < 0 for n in numbers):
            raise QuanvolveError("a program refers to a call with a negative number")
        return (kind, *numbers)
    if kind == "constant" and not (rest[0] is None or isinstance(rest[0], bool | int | float | str)):
        raise QuanvolveError(f"{rest[0]!r} is not a constant of a program")
    return (kind, *rest)


def _number(value: Any) -> bool | int | float:
    if not isinstance(value, bool | int | float):
        raise QuanvolveError(f"{value!r} is not a number")
    return value


def _dtype(name: Any) -> str:
    if not isinstance(getattr(torch, str(name), None), torch.dtype):
        raise QuanvolveError(f"{name!r} is not a dtype of torch")
    return str(name)

"""How large a circuit may be. A description can come from a stranger, and a few digits in it cost any amount of memory.

The limits stand far above what can be computed in a useful time, and are checked before anything is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.description._functions import FUNCTIONS, PUT
from quanvolve.circuits.description._program import Program, resolve

if TYPE_CHECKING:
    from quanvolve.circuits.description._description import Circuit

MOST_WIRES = 4096
MOST_INPUTS = 2**20
"""Values of a window."""
MOST_GATES = 100_000
MOST_WEIGHTS = 2**24
MOST_OUTPUTS = 65_536
MOST_TERMS = 1_000_000
"""Pauli words of all observables together."""
MOST_BITS = 20
"""Wires whose bits make an outcome; its projector has two to the power of this many Pauli words."""
MOST_CALLS = 10_000
"""Calls of a program."""
MOST_ENTRIES = 2**20
"""Entries of any tensor that a program makes."""


def check_size(circuit: Circuit) -> None:
    """Refuse a circuit that is too large.

    Raises:
        QuanvolveError: naming what is too much of it.
    """
    weights = sum(_size(shape) for _, shape in circuit.weight_shapes)
    after = circuit.postprocessing
    for what, count, most in (
        ("wires", circuit.n_wires, MOST_WIRES),
        ("inputs", circuit.n_inputs, MOST_INPUTS),
        ("gates", len(circuit.gates), MOST_GATES),
        ("weights", weights, MOST_WEIGHTS),
        ("observables", len(circuit.observables), MOST_OUTPUTS),
        ("terms of observables", sum(len(o.terms) for o in circuit.observables), MOST_TERMS),
        ("bits in an outcome", max((len(o.outcome) for o in circuit.observables), default=0), MOST_BITS),
        ("calls in its program", 0 if circuit.program is None else len(circuit.program.calls), MOST_CALLS),
        ("calls in its post-processing", 0 if after is None else len(after.calls), MOST_CALLS),
        ("outputs", 0 if after is None else len(after.values), MOST_OUTPUTS),
    ):
        if count > most:
            raise QuanvolveError(f"a circuit may have at most {most:,} {what}, this one has {shown(count)}")


def _size(shape: tuple[int, ...]) -> int:
    """Entries of a shape, as far as they matter here."""
    size = 1
    for extent in shape:
        size = min(size * max(extent, 0), 10**18)
    return size


def shown(number: int) -> str:
    """A whole number as people read it, whatever its length.

    Examples:
        >>> shown(12345678), shown(10**5000)
        ('12,345,678', 'more than 10^18')
    """
    return f"{number:,}" if abs(number) < 10**18 else "more than 10^18"


def check_program(circuit: Circuit) -> None:
    """Refuse a program that cannot run, or makes large tensors; nothing is computed to find that out.

    Raises:
        QuanvolveError: naming the call.
    """
    if circuit.program is not None:
        _check(circuit.program, circuit.n_inputs, circuit.weight_shapes)
    if circuit.postprocessing is not None:
        try:
            _check(circuit.postprocessing, len(circuit.observables), circuit.weight_shapes)
        except QuanvolveError as error:
            raise QuanvolveError(f"the post-processing cannot run: {error}") from None


@lru_cache(maxsize=256)
def _check(program: Program, n_inputs: int, shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> None:
    try:
        _run(program, n_inputs, dict(shapes), "meta")
    except _NeedsNumbersError:
        _run(program, n_inputs, dict(shapes), "cpu")


class _NeedsNumbersError(Exception):
    """The shape of a result depends on numbers, which tensors on the meta device do not have."""


def _run(program: Program, n_inputs: int, shapes: Mapping[str, tuple[int, ...]], device: str) -> None:
    inputs = torch.zeros(n_inputs, device=device)
    window = inputs.unsqueeze(0) if program.batched else inputs
    weights = {name: torch.zeros(shape, device=device) for name, shape in shapes.items()}
    results: dict[int, Any] = {}
    for number, call in enumerate(program.calls):
        what = f"call {number} of the program, {call.function},"
        try:
            arguments = [resolve(a, window, weights, results) for a in call.arguments]
            keywords = {name: resolve(a, window, weights, results) for name, a in call.keywords}
            results[number] = _called(call.function, arguments, keywords, device)
        except (QuanvolveError, _NeedsNumbersError):
            raise
        except Exception as error:
            raise QuanvolveError(f"{what} fails: {_first_line(error)}") from None
        if _entries(results[number]) > MOST_ENTRIES:
            raise _too_large(what)
    for number, value in enumerate(program.values):
        try:
            tensor = resolve(value.source, window, weights, results)
            fits = 0 <= value.index < tensor.numel()
        except Exception as error:
            raise QuanvolveError(f"value {number} of the program fails: {_first_line(error)}") from None
        if not fits:
            raise QuanvolveError(f"value {number} of the program is entry {value.index} of {tensor.numel()}")


def _called(function: str, arguments: list[Any], keywords: dict[str, Any], device: str) -> Any:
    """The result of a call, of which nothing is computed before its size is known."""
    try:
        result = FUNCTIONS[function](*_on_meta(arguments), **_on_meta(keywords))
    except Exception as error:
        if not function.endswith(_BY_NUMBERS):
            raise
        if device == "meta":
            raise _NeedsNumbersError from error
        if function.endswith("repeat_interleave"):
            counts = [a for a in (*arguments[1:], *keywords.values()) if isinstance(a, Tensor)]
            if sum(float(count.double().abs().sum()) for count in counts) > MOST_ENTRIES:
                raise _too_large(f"a call of {function}") from None
        return FUNCTIONS[function](*arguments, **keywords)
    if device == "meta" or _entries(result) > MOST_ENTRIES:
        return result
    return FUNCTIONS[function](*arguments, **keywords)


_BY_NUMBERS = ("repeat_interleave", "__getitem__", "where", PUT)


def _on_meta(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.to("meta")
    if isinstance(value, dict):
        return {name: _on_meta(item) for name, item in value.items()}
    return type(value)(map(_on_meta, value)) if type(value) in (list, tuple) else value


def _too_large(what: str) -> QuanvolveError:
    return QuanvolveError(f"{what} makes a tensor of more than {MOST_ENTRIES:,} entries")


def _entries(result: Any) -> int:
    if isinstance(result, Tensor):
        return max(result.numel(), result.untyped_storage().nbytes() // max(1, result.element_size()))
    return max((_entries(item) for item in result), default=0) if isinstance(result, list | tuple) else 0


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

"""A program's values as short texts, such as ``arctan(x0)`` or ``x0 x1``, for drawings and formulas."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import numpy.typing as npt

from quanvolve.circuits.description._program import Argument, Program

_LONGEST = 40
_DIGITS: ContextVar[int] = ContextVar("digits", default=4)
Texts = npt.NDArray[Any]


def value_texts(
    program: Program, inputs: Sequence[str], weights: Mapping[str, Any], digits: int = 4, *, letter: str = "x"
) -> list[str]:
    """Each value as text; one that has no short form is ``f0(...)``, with what it reads.

    Args:
        program: whose values are written.
        inputs: a text for each input.
        weights: by name, an array of texts of the weight's shape.
        digits: of numbers; texts of any length are kept where there are more than four.
        letter: stands for all inputs where there is no short form.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = named_circuit("none", 2, encoding="iqp", n_layers=1)
        >>> value_texts(circuit.program, ["x0", "x1"], {"weights": np.full((1, 2, 3), "w")})
        ['x0 x1']
    """
    names = np.array([_Term(text) for text in inputs], dtype=object)
    known = {name: np.vectorize(_Term, otypes=[object])(np.asarray(array)) for name, array in weights.items()}
    results: list[Any] = []
    window = names[None] if program.batched else names
    for call in program.calls:
        try:
            arguments = [resolved(a, window, known, results) for a in call.arguments]
            keywords = {name: resolved(a, window, known, results) for name, a in call.keywords}
            with _with_digits(digits):
                results.append(_RULES[call.function.rsplit(".", 1)[-1].strip("_")](*arguments, **keywords))
        except Exception:  # whatever a rule does not cover has no short text
            results.append(None)
    texts = []
    for number, value in enumerate(program.values):
        try:
            written = str(_array(resolved(value.source, window, known, results)).reshape(-1)[value.index])
        except Exception:
            written = ""
        if not written or (len(written) > _LONGEST and digits <= 4) or "None" in written:
            reads = [letter] * value.reads_inputs + ["w"] * value.reads_weights
            written = f"f{number}({', '.join(reads)})"
        texts.append(written)
    return texts


def resolved(argument: Argument, window: Texts, weights: Mapping[str, Texts], results: Sequence[Any]) -> Any:
    """What an argument of a program stands for where its numbers are objects, such as texts or symbols.

    Args:
        argument: of a call, or the source of a value.
        window: the inputs, an array of objects.
        weights: by name, arrays of objects.
        results: of earlier calls; None for one that has no such form.

    Raises:
        LookupError: if it is the result of such a call.
    """
    kind = argument[0]
    if kind == "inputs":
        return window
    if kind == "weight":
        return weights[argument[1]]
    if kind in ("call", "item"):
        result = results[argument[1]]
        if result is None:
            raise LookupError
        return result if kind == "call" else result[argument[2]]
    if kind in ("list", "tuple"):
        items = [resolved(item, window, weights, results) for item in argument[1]]
        return items if kind == "list" else tuple(items)
    if kind == "slice":
        return slice(*(resolved(part, window, weights, results) for part in argument[1:]))
    if kind == "tensor":
        return np.array(argument[3], dtype=object).reshape(argument[2])
    return Ellipsis if kind == "ellipsis" else argument[1]


@contextmanager
def _with_digits(digits: int) -> Iterator[None]:
    token = _DIGITS.set(digits)
    try:
        yield
    finally:
        _DIGITS.reset(token)


class _Term:
    """A text that knows whether it needs parentheses inside a product."""

    def __init__(self, text: Any, is_sum: bool = False) -> None:
        self.text, self.is_sum = str(text), is_sum

    def __str__(self) -> str:
        return self.text

    def inside(self) -> str:
        return f"({self.text})" if self.is_sum else self.text


def _term(value: Any) -> _Term:
    if isinstance(value, _Term):
        return value
    return _Term(_number(float(value)))


def _number(value: float) -> str:
    for factor, text in ((np.pi, "pi"), (np.pi / 2, "pi/2"), (2 * np.pi, "2 pi")):
        if abs(value - factor) < 1e-9:
            return text
    return f"{value:.{_DIGITS.get()}g}"


def _elementwise(function: Callable[..., _Term]) -> Callable[..., Any]:
    def rule(*arguments: Any, **keywords: Any) -> Any:
        return np.frompyfunc(lambda *terms: function(*map(_term, terms)), len(arguments), 1)(*arguments)

    return rule


def _named(name: str) -> Callable[..., Any]:
    return _elementwise(lambda a: _Term(f"{name}({a})"))


_add = _elementwise(lambda a, b: a if b.text == "0" else _Term(f"{a} + {b}", True))
_sub = _elementwise(lambda a, b: _Term(f"{a} - {b.inside()}", True))
_mul = _elementwise(lambda a, b: _Term(_product(a, b)))
_div = _elementwise(lambda a, b: _Term(f"{a.inside()} / {b.inside()}"))
_pow = _elementwise(lambda a, b: _Term(f"{a.inside() if ' ' not in a.text else f'({a})'}^{b}"))
_neg = _elementwise(lambda a: _Term(f"-{a.inside()}"))


def _product(a: _Term, b: _Term) -> str:
    if b.text[:1].isdigit() and not a.text[:1].isdigit():
        a, b = b, a
    return b.text if a.text == "1" else f"{a.inside()} {b.inside()}"


def _swapped(rule: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, b: rule(b, a)


def _array(value: Any) -> Texts:
    return np.asarray(value, dtype=object)


def _same(tensor: Any, *_: Any, **__: Any) -> Any:
    return tensor


_RULES: dict[str, Callable[..., Any]] = {
    "add": _add,
    "radd": _add,
    "sub": _sub,
    "subtract": _sub,
    "rsub": _swapped(_sub),
    "mul": _mul,
    "multiply": _mul,
    "rmul": _mul,
    "div": _div,
    "divide": _div,
    "truediv": _div,
    "true_divide": _div,
    "rtruediv": _swapped(_div),
    "rdiv": _swapped(_div),
    "pow": _pow,
    "square": lambda a: _pow(a, 2),
    "neg": _neg,
    "getitem": operator.getitem,
    "unbind": lambda a, dim=0: [_array(part) for part in np.moveaxis(_array(a), dim, 0)],
    "stack": lambda tensors, dim=0: np.stack([_array(t) for t in tensors], axis=dim),
    "cat": lambda tensors, dim=0: np.concatenate([_array(t) for t in tensors], axis=dim),
    "dot": lambda a, b: functools.reduce(_add, _mul(a, b)),
    "flatten": lambda a, *_: _array(a).reshape(-1),
    "reshape": lambda a, *shape: _array(a).reshape(*shape),
    "view": lambda a, *shape: _array(a).reshape(*shape),
    "T": lambda a: _array(a).T,
    "clone": _same,
    "detach": _same,
    "contiguous": _same,
    "type_as": _same,
    "double": _same,
    "float": _same,
    "to": _same,
    "type": _same,
    "atan": _named("arctan"),
    "asin": _named("arcsin"),
    "acos": _named("arccos"),
    **{name: _named(name) for name in ("arctan", "arcsin", "arccos", "tan", "abs", "sin", "cos", "exp", "log", "sqrt")},
    **{name: _named(name) for name in ("tanh", "sigmoid", "relu", "sign")},
}

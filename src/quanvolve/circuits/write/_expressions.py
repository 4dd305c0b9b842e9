"""A program's values as expressions of another program's parameters."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.description import Program, resolved

Array = npt.NDArray[Any]


def expressions_of(program: Program, inputs: Sequence[Any], weights: Mapping[str, Array]) -> list[Any]:
    """Each value of a program in Qiskit's `ParameterExpression`.

    Args:
        program: whose values are written.
        inputs: an expression for each input.
        weights: by name, numbers in the weight's shape.

    Raises:
        QuanvolveError: if a value needs a function that such expressions do not have.
    """
    window = np.empty(len(inputs), dtype=object)
    window[:] = list(inputs)
    window = window[None] if program.batched else window
    known = {name: np.asarray(array, float).astype(object) for name, array in weights.items()}
    results: list[Any] = []
    for call in program.calls:
        name = call.function.rsplit(".", 1)[-1].strip("_")
        rule = _RULES.get(name)
        if rule is None:
            raise QuanvolveError(
                f"the circuit has angles that are computed with {call.function}, which Qiskit's expressions of "
                f"parameters do not have; they have {', '.join((*_OPERATORS, *_FUNCTIONS))}"
            )
        try:
            arguments = [resolved(a, window, known, results) for a in call.arguments]
            keywords = {key: resolved(a, window, known, results) for key, a in call.keywords}
            results.append(rule(*arguments, **keywords))
        except Exception as error:
            raise QuanvolveError(
                f"the circuit has angles that are computed with {call.function} in a way that Qiskit's expressions of "
                f"parameters cannot say: {error}"
            ) from error
    return [
        np.asarray(resolved(value.source, window, known, results), dtype=object).reshape(-1)[value.index]
        for value in program.values
    ]


def _elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(*arguments: Any) -> Any:
        return np.frompyfunc(function, len(arguments), 1)(*arguments)

    return rule


def _swapped(function: Callable[..., Any]) -> Callable[..., Any]:
    return _elementwise(lambda a, b: function(b, a))


def _method(name: str, plain: Callable[[float], float]) -> Callable[..., Any]:
    return _elementwise(lambda value: getattr(value, name)() if hasattr(value, name) else plain(value))


def _same(array: Any, *_: Any, **__: Any) -> Any:
    return array


def _array(value: Any) -> Array:
    return np.asarray(value, dtype=object)


_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv, "pow": operator.pow,
    "neg": operator.neg,
}  # fmt: skip
_OTHER_NAMES = {"subtract": "sub", "multiply": "mul", "div": "truediv", "divide": "truediv", "true_divide": "truediv"}
_FUNCTIONS = {
    "sin": _method("sin", math.sin), "cos": _method("cos", math.cos), "tan": _method("tan", math.tan),
    "exp": _method("exp", math.exp), "log": _method("log", math.log), "arcsin": _method("arcsin", math.asin),
    "arccos": _method("arccos", math.acos), "arctan": _method("arctan", math.atan), "abs": _elementwise(abs),
    "sign": _method("sign", lambda value: math.copysign(1.0, value) if value else 0.0),
    "sqrt": _elementwise(lambda value: value**0.5), "square": _elementwise(lambda value: value * value),
}  # fmt: skip
_SHAPES: dict[str, Callable[..., Any]] = {
    "getitem": operator.getitem,
    "select": lambda a, dim, index: np.take(_array(a), index, axis=dim),
    "unbind": lambda a, dim=0: [_array(part) for part in np.moveaxis(_array(a), dim, 0)],
    "stack": lambda tensors, dim=0: np.stack([_array(t) for t in tensors], axis=dim),
    "cat": lambda tensors, dim=0: np.concatenate([_array(t) for t in tensors], axis=dim),
    "flatten": lambda a, *_: _array(a).reshape(-1),
    "reshape": lambda a, *shape: _array(a).reshape(*shape),
    "view": lambda a, *shape: _array(a).reshape(*shape),
    "sum": lambda a, dim=None: _array(a).sum(axis=dim),
    "prod": lambda a, dim=None: _array(a).prod(axis=dim),
    **dict.fromkeys(("clone", "detach", "contiguous", "double", "float", "to", "type", "real"), _same),
}
_RULES: dict[str, Callable[..., Any]] = {
    **{name: _elementwise(function) for name, function in _OPERATORS.items()},
    **{other: _elementwise(_OPERATORS[name]) for other, name in _OTHER_NAMES.items()},
    **{f"r{name}": _swapped(function) for name, function in {**_OPERATORS, "div": operator.truediv}.items()},
    **_FUNCTIONS,
    **{f"a{name[3:]}": rule for name, rule in _FUNCTIONS.items() if name.startswith("arc")},
    "absolute": _FUNCTIONS["abs"],
    **_SHAPES,
}

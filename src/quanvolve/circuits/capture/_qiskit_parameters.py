"""The parameters of a circuit of Qiskit: which are the window, which are weights, and what their expressions say."""

from __future__ import annotations

import functools
import keyword
import operator
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from quanvolve._errors import CaptureError

USUAL = ("inputs", "x", "input")
"""Names of the window, where it is not said which parameters it is."""

_NUMBERED = re.compile(r"_?(.+?)[_\[]?(\d+)[_\]]?")
_SHOWN = 12


@dataclass(frozen=True)
class Parameters:
    """What the parameters of a circuit are.

    Attributes:
        inputs: names of those that the window sets, in the order of its values.
        weights: by name of a weight, the names of the parameters that it has the values of.
        shapes: of the weights: of one parameter ``()``, of a vector ``(n,)``.
    """

    inputs: tuple[str, ...]
    weights: Mapping[str, tuple[str, ...]]
    shapes: Mapping[str, tuple[int, ...]]

    def at(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """The value of each parameter by name, from "inputs" and the weights."""
        values = {name: point["inputs"][k] for k, name in enumerate(self.inputs)}
        for weight, names in self.weights.items():
            scalar = self.shapes[weight] == ()
            values |= {name: point[weight] if scalar else point[weight][k] for k, name in enumerate(names)}
        return values


def parameters_of(circuit: Any, inputs: Any) -> Parameters:
    """Sort the parameters of a circuit into window and weights.

    Args:
        circuit: a `QuantumCircuit`.
        inputs: parameters, a vector of them, names, the name of a vector, or what names with numbers begin with;
            None for one of the usual names.

    Raises:
        CaptureError: if it is not clear which parameters are the window.
    """
    chosen = _window(list(circuit.parameters), inputs)
    window = {parameter.name for parameter in chosen}
    groups: dict[tuple[str, bool], list[str]] = {}
    for parameter in circuit.parameters:
        if parameter.name not in window:
            vector = getattr(parameter, "vector", None)
            group = (parameter.name, False) if vector is None else (vector.name, True)
            groups.setdefault(group, []).append(parameter.name)
    weights: dict[str, tuple[str, ...]] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for (name, several), members in groups.items():
        identifier = _identifier(name, taken=weights)
        weights[identifier] = tuple(members)
        shapes[identifier] = (len(members),) if several else ()
    return Parameters(tuple(parameter.name for parameter in chosen), weights, shapes)


def _window(parameters: list[Any], inputs: Any) -> list[Any]:
    if not parameters:
        raise CaptureError(
            "the circuit has no parameters: a window sets some of them, so give those names in the circuit"
        )
    if inputs is None:
        for name in USUAL:
            chosen = _by_name(parameters, name)
            if chosen:
                return chosen
        raise CaptureError(
            f"the circuit has {_listed(parameters)}, and none of them is called {' or '.join(map(repr, USUAL))}: say "
            "which are the window, as in from_qiskit(circuit, inputs='a'), with the name of a ParameterVector, a "
            "ParameterVector or a list of Parameters"
        )
    if isinstance(inputs, str):
        chosen = _by_name(parameters, inputs)
        if not chosen:
            raise CaptureError(
                f"`inputs` (={inputs!r}) is no parameter of the circuit, no vector, and not what numbered names begin "
                f"with; it has {_listed(parameters)}"
            )
        return chosen
    entries = [inputs] if hasattr(inputs, "sympify") else list(inputs)
    chosen = [parameter for entry in entries for parameter in _found(parameters, entry)]
    names = [parameter.name for parameter in chosen]
    if not chosen or len(set(names)) < len(names):
        raise CaptureError(f"`inputs` must be one or more different parameters, got {names}")
    if not any(parameter in parameters for parameter in chosen):
        raise CaptureError(f"`inputs` names no parameter that the circuit uses; it has {_listed(parameters)}")
    return chosen


def _found(parameters: list[Any], entry: Any) -> list[Any]:
    """A parameter of the circuit, by itself or by name; entries of a vector may be unused."""
    if isinstance(entry, str):
        chosen = [parameter for parameter in parameters if parameter.name == entry]
        if not chosen:
            raise CaptureError(
                f"`inputs` names {entry!r}, which is no parameter of the circuit; it has {_listed(parameters)}"
            )
        return chosen
    if entry in parameters or any(other in parameters for other in getattr(entry, "vector", ())):
        return [entry]
    name = getattr(entry, "name", repr(entry))
    same = any(parameter.name == name for parameter in parameters)
    raise CaptureError(
        f"`inputs` has {name}, which is not a parameter of the circuit"
        + (": the circuit's own of this name is another object, so give the name" if same else "")
        + f"; it has {_listed(parameters)}"
    )


def _by_name(parameters: list[Any], name: str) -> list[Any]:
    """The vector or parameter of a name, or else those whose names are this with a number behind."""
    for parameter in parameters:
        vector = getattr(parameter, "vector", None)
        if vector is not None and vector.name == name:
            return list(vector)
    for parameter in parameters:
        if parameter.name == name:
            return [parameter]
    numbered = [(number, p) for p in parameters for base, number in [numbered_name(p.name)] if base == name]
    return [parameter for _, parameter in sorted(numbered, key=lambda pair: pair[0])]


def numbered_name(name: str) -> tuple[str, int]:
    """A name such as x0, x_0, _x_0_ or x[0] as its beginning and its number, which is -1 where there is none.

    Examples:
        >>> numbered_name("theta_12"), numbered_name("_x_0_"), numbered_name("tilt")
        (('theta', 12), ('x', 0), ('tilt', -1))
    """
    match = _NUMBERED.fullmatch(name)
    return (match[1], int(match[2])) if match else (name, -1)


def _identifier(name: str, taken: Mapping[str, Any]) -> str:
    """A name that Python and `state_dict` take, as Python itself would read it."""
    plain = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name)).strip("_") or "weight"
    if plain[0].isdigit():
        plain = f"w{plain}"
    if keyword.iskeyword(plain) or plain == "inputs":
        plain += "_"
    number, free = 2, plain
    while free in taken:
        free, number = f"{plain}_{number}", number + 1
    return free


def _listed(parameters: Sequence[Any]) -> str:
    """Parameters as errors list them: vectors as one."""
    names: dict[str, None] = {}
    for parameter in parameters:
        vector = getattr(parameter, "vector", None)
        names[parameter.name if vector is None else f"{vector.name}[0..{len(vector) - 1}]"] = None
    shown = list(names)[:_SHOWN] + (["..."] if len(names) > _SHOWN else [])
    return f"the parameter{'s' * (len(parameters) > 1)} {', '.join(shown)}"


_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "asin": torch.asin, "acos": torch.acos, "atan": torch.atan,
    "exp": torch.exp, "log": torch.log, "Abs": torch.abs, "sign": torch.sign, "conjugate": lambda value: value,
}  # fmt: skip


class Expressions:
    """Qiskit's expressions in functions of torch, each part of them computed once.

    Args:
        values: of the parameters, by name.
    """

    def __init__(self, values: Mapping[str, Tensor]) -> None:
        self._values = values
        self._known: dict[Any, Tensor | float] = {}

    def value(self, expression: Any, origin: str) -> Tensor | float:
        """A number, a parameter or an expression of parameters as a real number.

        Args:
            expression: an argument of a gate.
            origin: the gate, as an error names it.

        Raises:
            CaptureError: if it is complex, or uses a function that torch does not have.
        """
        if not hasattr(expression, "sympify"):
            return _real(expression, origin)
        return self._of(expression.sympify(), origin)

    def _of(self, node: Any, origin: str) -> Tensor | float:
        if node not in self._known:
            self._known[node] = self._computed(node, origin)
        return self._known[node]

    def _computed(self, node: Any, origin: str) -> Tensor | float:
        if node.is_number:
            return _real(complex(node), origin)
        if node.is_Symbol:
            return self._values[node.name]
        arguments = [self._of(argument, origin) for argument in node.args]
        if node.is_Add:
            return functools.reduce(operator.add, arguments)
        if node.is_Mul:
            return functools.reduce(operator.mul, arguments)
        if node.is_Pow:
            base, exponent = arguments
            whole = isinstance(exponent, float) and exponent.is_integer()
            return base ** (int(exponent) if whole else exponent)
        name = type(node).__name__
        if name not in _FUNCTIONS or isinstance(arguments[0], float):
            raise CaptureError(
                f"{origin} has the angle {node}, with the function {name}, which cannot be captured: known are sums, "
                f"products, powers, {', '.join(_FUNCTIONS)}"
            )
        return _FUNCTIONS[name](arguments[0])


def _real(value: Any, origin: str) -> float:
    number = complex(value)
    if abs(number.imag) > 1e-12 * max(1.0, abs(number)):
        raise CaptureError(f"{origin} has the complex angle {number}: an angle must be real")
    return number.real

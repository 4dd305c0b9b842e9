"""Programs whose values are products of two affine functions of the window, such as those of IQP encodings."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from quanvolve.circuits.description import Argument, Call
from quanvolve.compile.tables._parsed import Parsed, kept
from quanvolve.compile.tables._values import input_values, values_of_both

Floats = npt.NDArray[np.float64]
_Affine = Floats
"""The coefficients of the inputs, then the constant."""
_OWN = "torch.Tensor."


class Factored(NamedTuple):
    """``value[k] = (first[k] x + first_offset[k]) (second[k] x + second_offset[k])`` of a window x.

    Args:
        first, second: shape (values, n_inputs).
        first_offset, second_offset: shape (values, 1).
    """

    first: Floats
    first_offset: Floats
    second: Floats
    second_offset: Floats


@kept
def factored(parsed: Parsed) -> Factored | None:
    """All values of a circuit's program as products, or None where some value that reads the window is anything else.

    Places of values that read no inputs, or weights too, are zero.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> of_pairs = factored(Parsed(named_circuit("none", 3, encoding="iqp")))
        >>> of_pairs.first.tolist()
        [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
        >>> of_pairs.second.tolist()
        [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    """
    circuit, program = parsed.circuit, parsed.circuit.program
    if program is None or program.batched or values_of_both(parsed):
        return None
    results: dict[int, list[_Affine] | None] = {}
    for number, call in enumerate(program.calls):
        results[number] = _result(call, circuit.n_inputs, results)
    pairs = np.zeros((2, len(program.values), circuit.n_inputs + 1))
    for k in input_values(circuit):
        source, index = program.values[k].source, program.values[k].index
        factors = results[source[1]] if source[0] == "call" and index == 0 else None
        if factors is None:
            return None
        pairs[0, k], pairs[1, k] = factors if len(factors) == 2 else (factors[0], _constant(1.0, circuit.n_inputs))
    (first, second), (first_offset, second_offset) = pairs[..., :-1], pairs[..., -1:]
    return Factored(first, first_offset, second, second_offset)


def _constant(number: float, n_inputs: int) -> _Affine:
    return np.append(np.zeros(n_inputs), number)


def _result(call: Call, n_inputs: int, results: Mapping[int, list[_Affine] | None]) -> list[_Affine] | None:
    """A call's result as one or two factors, or None if it is anything else than a number made of such."""
    name, arguments = call.function.removeprefix(_OWN), call.arguments
    if call.keywords or not call.function.startswith(_OWN):
        return None
    if name == "__getitem__":
        (kind, *_), (_, *rest) = arguments
        index: Any = rest[0] if rest else None
        if kind != "inputs" or arguments[1][0] != "constant" or type(index) is not int:
            return None
        return [np.eye(n_inputs + 1)[index % n_inputs]]
    if name == "reshape":
        return _factors(arguments[0], n_inputs, results) if arguments[1:] == (("tuple", ()),) else None
    factors = [_factors(argument, n_inputs, results) for argument in arguments]
    if name == "neg" and factors[0] is not None:
        first, *others = factors[0]
        return [-first, *others]
    if len(factors) != 2 or factors[0] is None or factors[1] is None:
        return None
    if name == "mul":
        return _product(factors[0], factors[1])
    if len(factors[0]) == len(factors[1]) == 1:
        left, right = factors[0][0], factors[1][0]
        sums = {"add": left + right, "sub": left - right, "__rsub__": right - left}
        return [sums[name]] if name in sums else None
    return None


def _product(left: list[_Affine], right: list[_Affine]) -> list[_Affine] | None:
    """Constants go into the first factor of the other side."""
    for numbers, others in ((left, right), (right, left)):
        if len(numbers) == 1 and not numbers[0][:-1].any():
            return [numbers[0][-1] * others[0], *others[1:]]
    return [*left, *right] if len(left) == len(right) == 1 else None


def _factors(argument: Argument, n_inputs: int, results: Mapping[int, list[_Affine] | None]) -> list[_Affine] | None:
    if argument[0] == "call":
        return results[argument[1]]
    number = argument[1] if argument[0] == "constant" else None
    if isinstance(number, Real) and not isinstance(number, bool):
        return [_constant(float(number), n_inputs)]
    return None

"""Outputs that are functions of expectation values: variances, purities, and observables with recorded coefficients.

    var M = <M^2> - <M>^2,    purity of k wires = sum_P <P>^2 / 2^k,    <sum_i c_i P_i> = sum_i c_i <P_i>,

over Pauli words P. The functions are recorded like those of angles, with the expectation values in place of inputs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._angles import check_gradients
from quanvolve.circuits.capture._deferred import Selection
from quanvolve.circuits.capture._linear import CONSTANT
from quanvolve.circuits.capture._measure import RETURN, expectation, observables_of, sentence_of, word_of
from quanvolve.circuits.capture._pauli_sums import Word, product, squared
from quanvolve.circuits.capture._recorder import Recorder, recorder_now
from quanvolve.circuits.capture._selecting import selecting
from quanvolve.circuits.description import Argument, Call, Observable, Program, Value

_MOST_PURE, _MOST_WORDS = 5, 256
_TOLERANCE = 1e-7

Output = int | Callable[[Tensor], Tensor]
"""The number of an observable, whose expectation value it is, or a function of all expectation values."""


@dataclass(frozen=True)
class Outputs:
    """What a function returns.

    Attributes:
        observables: that are measured.
        each: the outputs, in the order in which TorchLayer stacks them, and what errors call them.
        varying: positions of the measurements whose coefficients are not constant.
    """

    observables: tuple[Observable, ...]
    each: tuple[tuple[Output, str], ...]
    varying: frozenset[int]

    @property
    def plain(self) -> bool:
        """Whether the outputs are the expectation values."""
        return [output for output, _ in self.each] == list(range(len(self.observables)))

    def of(self, measured: Tensor) -> list[tuple[Tensor, int, str]]:
        """Each output as an entry of a tensor, made of expectation values."""
        return [
            (measured, output, what) if isinstance(output, int) else (output(measured), 0, what)
            for output, what in self.each
        ]


def outputs_of(measurements: list[Any], index: Mapping[Any, int], varying: Recorder | Collection[int]) -> Outputs:
    """What the measurements of one run are.

    Args:
        measurements: what the circuit function returned.
        index: the wire index of every wire label.
        varying: the recorder, which records, or the positions of measurements whose coefficients it found not to be
            constant.

    Raises:
        CaptureError: for any other kind of measurement, or coefficients that depend on inputs.
    """
    import pennylane as qp

    selected = tuple((index[m.wire], m.bit) for m in measurements if isinstance(m, Selection))
    measurements = [m for m in measurements if not isinstance(m, Selection)]
    words = _Words(index)
    each: list[tuple[Output, str]] = []
    not_constant: set[int] = set()
    for position, measurement in enumerate(measurements):
        variance = isinstance(measurement, qp.measurements.VarianceMP)
        what = f"measurement {position}"
        if (variance or isinstance(measurement, qp.measurements.ExpectationMP)) and measurement.obs is not None:
            what += f" ({'var' if variance else 'expval'} of {measurement.obs.name})"
            if position in varying if not isinstance(varying, Recorder) else _varies(measurement.obs, varying, what):
                not_constant.add(position)
                each.append((words.with_coefficients(measurement.obs, variance, what), what))
                continue
            if variance:
                each.append((words.variance(measurement.obs, what), what))
                continue
        elif isinstance(measurement, qp.measurements.PurityMP):
            each.append((words.purity(measurement, f"{what} (purity)"), f"{what} (purity)"))
            continue
        each += [(words.add(o), what) for o in observables_of(measurement, index, position)]
    if not each:
        raise CaptureError(f"the circuit function returned no measurement: {RETURN}")
    if all(isinstance(output, int) for output, _ in each):  # without post-processing, each has an observable of its own
        observables = tuple(words.observables[output] for output, _ in each if isinstance(output, int))
        outputs = Outputs(observables, tuple((k, what) for k, (_, what) in enumerate(each)), frozenset(not_constant))
    else:
        outputs = Outputs(tuple(words.observables) or (Observable(((1.0, ()),)),), tuple(each), frozenset(not_constant))
    return selecting(outputs, dict(selected)) if selected else outputs


def _varies(operator: Any, recorder: Recorder, what: str) -> bool:
    import pennylane as qp

    tensors = [leaf for leaf in qp.pytrees.flatten(operator)[0] if isinstance(leaf, Tensor)]
    varying = [tensor for tensor in tensors if recorder.depends(tensor) != CONSTANT]
    if any(recorder.reads(tensor)[0] for tensor in varying):
        raise CaptureError(
            f"{what} has coefficients that depend on the inputs: what is measured must be the same for all windows; "
            "weights may be coefficients, and inputs the angles of gates"
        )
    return bool(varying)


class _Words:
    """The observables that a run measures, each once."""

    def __init__(self, index: Mapping[Any, int]) -> None:
        self.index = index
        self.observables: list[Observable] = []
        self._numbers: dict[Observable, int] = {}

    def add(self, observable: Observable) -> int:
        if observable not in self._numbers:
            self._numbers[observable] = len(self.observables)
            self.observables.append(observable)
        return self._numbers[observable]

    def word(self, word: Word) -> int:
        """The place of a word's value among the expectation values; -1 for the empty word, whose value is 1."""
        return self.add(Observable(((1.0, word),))) if word else -1

    def variance(self, operator: Any, what: str) -> Output:
        observable = expectation(operator, self.index, what)
        if len(observable.terms) > _MOST_WORDS**2:
            raise _too_long(what, len(observable.terms), _MOST_WORDS**2)
        square = squared({word: c for c, word in observable.terms})
        constant = square.pop((), 0.0)
        mean = self.add(observable)
        if not square:
            return lambda measured: constant - measured[mean] ** 2
        rest = self.add(Observable(tuple((c, word) for word, c in square.items())))
        if not constant:
            return lambda measured: measured[rest] - measured[mean] ** 2
        return lambda measured: constant + measured[rest] - measured[mean] ** 2

    def purity(self, measurement: Any, what: str) -> Output:
        wires = sorted(self.index[wire] for wire in measurement.wires)
        k = len(wires)
        if k > _MOST_PURE:
            raise CaptureError(
                f"{what} of {k} wires has {4**k:,} Pauli words, at most {_MOST_PURE} wires are possible: take fewer"
            )
        letters = itertools.product("IXYZ", repeat=k)
        words = [
            tuple((wire, p) for wire, p in zip(wires, combination, strict=True) if p != "I") for combination in letters
        ]
        places = [self.word(word) for word in words if word]
        return lambda measured: (1.0 + (measured[places] ** 2).sum()) / 2**k

    def with_coefficients(self, operator: Any, variance: bool, what: str) -> Output:
        """An observable whose coefficients are tensors that depend on weights, and its variance."""
        coefficients: list[Any] = []
        words: list[Word] = []
        for word, coefficient in _sentence(operator, what).items():
            words.append(word_of(word, self.index))
            coefficients.append(coefficient)
        if len(words) > _MOST_WORDS:
            raise _too_long(what, len(words), _MOST_WORDS)
        places = [self.word(word) for word in words]
        if not variance:
            return lambda measured: _sum(_stacked(coefficients, measured, what), places, measured)
        pairs: list[tuple[int, int, float, int]] = []
        for k, j in itertools.combinations_with_replacement(range(len(words)), 2):
            sign, word = product(words[k], words[j])
            if not sign.imag:  # the others cancel with their exchange
                pairs.append((k, j, sign.real * (1 if k == j else 2), self.word(word)))
        first, second, signs, squares = (list(column) for column in zip(*pairs, strict=True))

        def spread(measured: Tensor) -> Tensor:
            stacked = _stacked(coefficients, measured, what)
            factors = stacked[first] * stacked[second] * torch.tensor(signs, dtype=measured.dtype)
            return _sum(factors, squares, measured) - _sum(stacked, places, measured) ** 2

        return spread


def _sentence(operator: Any, what: str) -> dict[Any, Any]:
    """Words and coefficients, from those of its terms where the operator has no Pauli representation of its own."""
    import pennylane as qp

    if operator.pauli_rep is not None:
        return dict(operator.pauli_rep)
    if isinstance(operator, qp.ops.SProd):
        parts = [(operator.scalar, operator.base)]
    elif isinstance(operator, qp.ops.LinearCombination):
        parts = list(zip(operator.coeffs, operator.ops, strict=True))
    elif isinstance(operator, qp.ops.Sum):
        parts = [(1.0, operand) for operand in operator.operands]
    else:
        leaves = qp.pytrees.flatten(operator)[0]
        if any(isinstance(leaf, Tensor) and leaf.requires_grad for leaf in leaves):
            raise CaptureError(
                f"{what} has coefficients that depend on weights inside of {operator.name}, which is no sum of "
                "operators: write it as a sum, such as qp.dot(weights, operators)"
            )
        return dict(sentence_of(operator, what))
    total: dict[Any, Any] = {}
    for factor, part in parts:
        for word, coefficient in _sentence(part, what).items():
            term = coefficient * factor
            total[word] = total[word] + term if word in total else term
    return total


def _stacked(coefficients: list[Any], like: Tensor, what: str) -> Tensor:
    """Real coefficients, of the type of the expectation values whatever type they are made with."""
    return torch.stack([_real(c, what) for c in coefficients]).type_as(like)


def _real(coefficient: Any, what: str) -> Tensor:
    # While it is recorded no value is taken out of a tensor: the further runs look.
    if recorder_now() is None and abs(complex(coefficient).imag) > 1e-12:
        raise CaptureError(
            f"{what} has the complex coefficient {complex(coefficient)}: an observable must be Hermitian"
        )
    if not isinstance(coefficient, Tensor):
        return torch.tensor(complex(coefficient).real, dtype=torch.float64)
    real = coefficient.real if coefficient.is_complex() else coefficient
    return real if real.dim() == 0 else real.reshape(())


def _sum(factors: Tensor, places: list[int], measured: Tensor) -> Tensor:
    """The sum of factors times expectation values, of which those at -1 are 1."""
    ones = [k for k, place in enumerate(places) if place < 0]
    words = [k for k, place in enumerate(places) if place >= 0]
    if not ones:
        return torch.dot(factors, measured[places])
    constant = factors[ones].sum()
    return constant + torch.dot(factors[words], measured[[places[k] for k in words]]) if words else constant


def _too_long(what: str, count: int, most: int) -> CaptureError:
    return CaptureError(
        f"{what} is a sum of {count} Pauli words, its products are followed for at most {most}: measure its parts"
    )


def postprocessing_of(outputs: Outputs, leaves: Mapping[str, Tensor], recorder: Recorder) -> Program | None:
    """The program that makes the outputs of expectation values; None where they are these.

    Args:
        outputs: of the recorded run.
        leaves: its weights, by name.
        recorder: what recorded it.

    Raises:
        CaptureError: if the coefficients depend on inputs, or on weights in a way that cannot be followed.
    """
    if outputs.plain:
        return None
    measured = _example(len(outputs.observables)).requires_grad_()
    recorder.measure(measured)
    with recorder:
        wanted = outputs.of(measured)
    recorded = recorder.program([(t, k, f"{what} has coefficients, of which one") for t, k, what in wanted])
    program = _of_measured(recorded)
    weights = {name: leaf for name, leaf in leaves.items() if name != "inputs"}
    check_gradients(program, wanted, {"inputs": measured, **weights}, "outputs")
    return program


def require_same_outputs(
    recorded: Outputs, again: Outputs, program: Program | None, point: Mapping[str, Tensor]
) -> None:
    """Compare a further run with what the recorded one was described as.

    Raises:
        CaptureError: if the measurements, or what is made of them, change in a way that was not recorded.
    """
    if again.observables != recorded.observables or len(again.each) != len(recorded.each):
        raise CaptureError(
            "the circuit function's measurements change with the values of inputs or weights: a circuit must have "
            "the same measurements for all values"
        )
    if program is None:
        return
    measured = _example(len(recorded.observables))
    weights = {name: tensor.detach() for name, tensor in point.items() if name != "inputs"}
    with torch.no_grad():
        described = program.run(measured, weights, tuple(range(len(program.values))))
        for (tensor, k, what), value in zip(again.of(measured), described, strict=True):
            actual = float(tensor.reshape(-1)[k])
            if not abs(actual - float(value)) <= _TOLERANCE * (1 + abs(actual)):
                raise CaptureError(
                    f"{what} has coefficients that change with weights in a way that was not seen in the functions of "
                    "torch that made them: use functions of torch"
                )


def _example(count: int) -> Tensor:
    """Expectation values that nothing singles out."""
    generator = torch.Generator("cpu").manual_seed(20190409)
    return torch.rand(count, generator=generator, dtype=torch.float64) - 0.5


def _of_measured(program: Program) -> Program:
    """What was recorded, as a program that reads expectation values."""

    def moved(argument: Argument) -> Argument:
        if argument[0] == "measured":
            return ("inputs",)
        if argument[0] in ("list", "tuple"):
            return (argument[0], tuple(map(moved, argument[1])))
        if argument[0] == "slice":
            return ("slice", *map(moved, argument[1:]))
        return argument

    calls = tuple(
        Call(c.function, tuple(map(moved, c.arguments)), tuple((k, moved(a)) for k, a in c.keywords))
        for c in program.calls
    )
    return Program(calls, tuple(Value(moved(v.source), v.index, True, v.reads_weights) for v in program.values))

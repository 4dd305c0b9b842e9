"""PennyLane measurements become observables: real combinations of Pauli words."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from quanvolve._errors import CaptureError
from quanvolve.circuits.description import Observable

_MAX_PROBABILITY_WIRES = 12


def observables_of(measurement: Any, index: Mapping[Any, int], position: int) -> list[Observable]:
    """The observables behind an expectation value or probabilities, in the order in which TorchLayer stacks them.

    Args:
        measurement: what the circuit function returned.
        index: the wire index of every wire label.
        position: of the measurement among those that were returned.

    Raises:
        CaptureError: for any other kind of measurement, named with its position.
    """
    import pennylane as qp

    if isinstance(measurement, qp.measurements.ExpectationMP) and measurement.obs is not None:
        return [expectation(measurement.obs, index, f"measurement {position} (expval of {measurement.obs.name})")]
    if isinstance(measurement, qp.measurements.ProbabilityMP):
        return _probabilities(measurement, index, position)
    raise CaptureError(
        f"measurement {position} ({type(measurement).__name__}) cannot be captured: return expectation values "
        "(qp.expval), variances (qp.var), purities (qp.purity) or probabilities (qp.probs)"
    )


def expectation(operator: Any, index: Mapping[Any, int], what: str) -> Observable:
    """An operator with constant coefficients; `what` names it in an error."""
    terms = []
    for word, coefficient in sentence_of(operator, what).items():
        value = complex(coefficient)
        if abs(value.imag) > 1e-12:
            raise CaptureError(f"{what} has the complex coefficient {value}: an observable must be Hermitian")
        if value.real != 0.0:
            terms.append((value.real, word_of(word, index)))
    return Observable(tuple(terms))


def word_of(word: Any, index: Mapping[Any, int]) -> tuple[tuple[int, str], ...]:
    """A word of PennyLane's as the description writes it."""
    return tuple(sorted((index[wire], str(pauli)) for wire, pauli in word.items()))


def sentence_of(operator: Any, what: str) -> Any:
    """PennyLane's Pauli words and coefficients of an operator."""
    import pennylane as qp

    sentence = operator.pauli_rep
    if sentence is None:
        try:
            matrix = qp.matrix(operator, wire_order=operator.wires)
            sentence = qp.pauli_decompose(matrix, wire_order=operator.wires, pauli=True)
        except Exception as error:
            raise CaptureError(f"{what} cannot be captured: it has no expansion in Pauli operators") from error
    return sentence


def _probabilities(measurement: Any, index: Mapping[Any, int], position: int) -> list[Observable]:
    if measurement.obs is not None:
        raise CaptureError(
            f"measurement {position} (probs of an operator) cannot be captured: rotate the wires first and use "
            "qp.probs(wires=...)"
        )
    wires = [index[wire] for wire in measurement.wires] or list(range(len(index)))
    if len(wires) > _MAX_PROBABILITY_WIRES:
        raise CaptureError(
            f"measurement {position} (probs) has {2 ** len(wires)} outcomes on {len(wires)} wires, at most "
            f"{_MAX_PROBABILITY_WIRES} wires are possible: measure fewer wires or use qp.expval"
        )
    return [
        Observable((), outcome=tuple(zip(wires, bits, strict=True)))
        for bits in itertools.product((0, 1), repeat=len(wires))
    ]

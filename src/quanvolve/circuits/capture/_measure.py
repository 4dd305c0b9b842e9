"""PennyLane measurements become observables: real combinations of Pauli words."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.description import Observable

_MAX_PROBABILITY_WIRES = 12


def observables_of(measurements: list[Any], index: Mapping[Any, int]) -> tuple[Observable, ...]:
    """The observables behind expectation values and probabilities, in the order in which TorchLayer stacks them.

    Args:
        measurements: what the circuit function returned.
        index: the wire index of every wire label.

    Raises:
        CaptureError: for any other kind of measurement, named with its position.
    """
    import pennylane as qp

    observables: list[Observable] = []
    for position, measurement in enumerate(measurements):
        if isinstance(measurement, qp.measurements.ExpectationMP) and measurement.obs is not None:
            observables.append(_expectation(measurement.obs, index, position))
        elif isinstance(measurement, qp.measurements.ProbabilityMP):
            observables.extend(_probabilities(measurement, index, position))
        else:
            kind = type(measurement).__name__
            raise CaptureError(
                f"measurement {position} ({kind}) cannot be captured: return expectation values (qp.expval) or "
                "probabilities (qp.probs)"
            )
    if not observables:
        raise CaptureError(
            "the circuit function returned no measurement: return expectation values (qp.expval) or "
            "probabilities (qp.probs)"
        )
    return tuple(observables)


def _expectation(operator: Any, index: Mapping[Any, int], position: int) -> Observable:
    import pennylane as qp

    leaves, _ = qp.pytrees.flatten(operator)
    if any(isinstance(leaf, Tensor) and leaf.requires_grad for leaf in leaves):
        raise CaptureError(
            f"measurement {position} (expval of {operator.name}) has coefficients that depend on inputs or weights: "
            "an observable must be constant"
        )
    sentence = operator.pauli_rep
    if sentence is None:
        try:
            matrix = qp.matrix(operator, wire_order=operator.wires)
            sentence = qp.pauli_decompose(matrix, wire_order=operator.wires, pauli=True)
        except Exception as error:
            raise CaptureError(
                f"measurement {position} (expval of {operator.name}) cannot be captured: it has no expansion in "
                "Pauli operators"
            ) from error
    terms = []
    for word, coefficient in sentence.items():
        value = complex(coefficient)
        if abs(value.imag) > 1e-12:
            raise CaptureError(
                f"measurement {position} (expval of {operator.name}) has the complex coefficient {value}: an "
                "observable must be Hermitian"
            )
        if value.real != 0.0:
            terms.append((value.real, tuple(sorted((index[wire], str(pauli)) for wire, pauli in word.items()))))
    return Observable(tuple(terms))


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

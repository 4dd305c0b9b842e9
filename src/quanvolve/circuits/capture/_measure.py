"""PennyLane measurements become observables: real combinations of Pauli words."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.description import PAULIS, Observable

_MAX_PROBABILITY_WIRES = 12
_MAX_MATRIX_WIRES = 10
_MAX_EIGENBASIS_WIRES = 6
_ROUNDING = 1e-12
_RETURN = "return expectation values (qp.expval) or probabilities (qp.probs)"
_WHY_NOT = {
    "StateMP": f"a layer puts out real numbers and no states; {_RETURN}",
    "DensityMatrixMP": (
        "a layer puts out real numbers and no states; return the expectation values of the Pauli words on its wires, "
        "which are its coefficients"
    ),
    "SampleMP": "samples are drawn at random; return qp.expval or qp.probs, and give the layer `shots=`",
    "CountsMP": "counts are drawn at random; return qp.expval or qp.probs, and give the layer `shots=`",
    "VarianceMP": (
        "a variance is not linear in the state; return qp.expval of the observable and of its square, and compute "
        "`square - mean**2` after the layer"
    ),
    "PurityMP": (
        "a purity is not linear in the state; return the expectation values of all Pauli words on its wires, and add "
        "up their squares after the layer, divided by the number of basis states"
    ),
    "ClassicalShadowMP": "shadows are drawn at random; return qp.expval, and give the layer `shots=`",
    "ShadowExpvalMP": "shadows are drawn at random; return qp.expval, and give the layer `shots=`",
    "VnEntropyMP": f"an entropy is not linear in the state; {_RETURN}",
    "MutualInfoMP": f"mutual information is not linear in the state; {_RETURN}",
}


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
        elif isinstance(measurement, qp.measurements.ProbabilityMP) and measurement.obs is not None:
            observables.extend(_eigenbasis(measurement.obs, index, position))
        elif isinstance(measurement, qp.measurements.ProbabilityMP):
            observables.extend(_probabilities(measurement, index, position))
        else:
            kind = type(measurement).__name__
            raise CaptureError(f"measurement {position} ({kind}) cannot be captured: {_WHY_NOT.get(kind, _RETURN)}")
    if not observables:
        raise CaptureError(f"the circuit function returned no measurement: {_RETURN}")
    return tuple(observables)


def _expectation(operator: Any, index: Mapping[Any, int], position: int) -> Observable:
    import pennylane as qp

    what = f"measurement {position} (expval of {operator.name})"
    leaves, _ = qp.pytrees.flatten(operator)
    if any(isinstance(leaf, Tensor) and leaf.requires_grad for leaf in leaves):
        raise CaptureError(
            f"{what} has coefficients that depend on inputs or weights: an observable must be constant; return the "
            "expectation value of each term, and add them up after the layer"
        )
    sentence = operator.pauli_rep
    if sentence is not None:
        return _observable(
            [([(index[wire], str(pauli)) for wire, pauli in word.items()], c) for word, c in sentence.items()], what
        )
    if len(operator.wires) > _MAX_MATRIX_WIRES:
        raise CaptureError(
            f"{what} is a matrix on {len(operator.wires)} wires, and at most {_MAX_MATRIX_WIRES} are taken apart: give "
            "it as a sum of products of Pauli operators"
        )
    try:
        matrix = qp.matrix(operator, wire_order=operator.wires)
    except Exception as error:
        raise CaptureError(f"{what} cannot be captured: it has no expansion in Pauli operators") from error
    return _observable(_words(np.asarray(matrix), [index[wire] for wire in operator.wires]), what)


def _observable(words: Sequence[tuple[Sequence[tuple[int, str]], Any]], what: str) -> Observable:
    terms = []
    for word, coefficient in words:
        value = complex(coefficient)
        if abs(value.imag) > _ROUNDING:
            raise CaptureError(f"{what} has the complex coefficient {value}: an observable must be Hermitian")
        if value.real != 0.0:
            terms.append((value.real, tuple(sorted(word))))
    return Observable(tuple(terms))


def _words(matrix: npt.NDArray[Any], wires: Sequence[int]) -> list[tuple[list[tuple[int, str]], complex]]:
    """The coefficients Tr(P M) / 2^n of a matrix in Pauli words P that are not rounding."""
    n = len(wires)
    # Tr(P M) sums P[j, i] M[i, j], wire by wire.
    letters = np.array([matrix.T for matrix in PAULIS.values()]) / 2
    rest = np.asarray(matrix, complex).reshape((2,) * (2 * n))
    for wire in range(n):
        rest = np.tensordot(rest, letters, axes=([0, n - wire], [1, 2]))
    names = list(PAULIS)
    largest = float(np.abs(rest).max())
    return [
        ([(wires[k], names[p]) for k, p in enumerate(place) if p], complex(rest[tuple(place)]))
        for place in np.argwhere(np.abs(rest) > _ROUNDING * max(1.0, largest))
    ]


def _eigenbasis(operator: Any, index: Mapping[Any, int], position: int) -> list[Observable]:
    """The probabilities of an operator's eigenvectors, in PennyLane's order: projectors as Pauli words."""
    import pennylane as qp

    what = f"measurement {position} (probs of {operator.name})"
    n = len(operator.wires)
    if n > _MAX_EIGENBASIS_WIRES:
        raise CaptureError(
            f"{what} is on {n} wires, and at most {_MAX_EIGENBASIS_WIRES} are possible: turn the wires with gates and "
            "use qp.probs(wires=...)"
        )
    wires = [index[wire] for wire in operator.wires]
    try:
        with qp.queuing.QueuingManager.stop_recording():
            turns = operator.diagonalizing_gates()
            basis = np.eye(2**n, dtype=complex)
            for turn in turns:
                basis = np.asarray(qp.matrix(turn, wire_order=operator.wires)) @ basis
    except Exception as error:
        raise CaptureError(
            f"{what} cannot be captured: PennyLane does not know its eigenvectors; turn the wires with gates and use "
            "qp.probs(wires=...)"
        ) from error
    if np.abs(np.abs(basis) - np.eye(2**n)).max() < _ROUNDING:
        return _outcomes(wires)
    return [_observable(_words(np.outer(row.conj(), row), wires), what) for row in basis]


def _probabilities(measurement: Any, index: Mapping[Any, int], position: int) -> list[Observable]:
    wires = [index[wire] for wire in measurement.wires] or list(range(len(index)))
    if len(wires) > _MAX_PROBABILITY_WIRES:
        raise CaptureError(
            f"measurement {position} (probs) has {2 ** len(wires)} outcomes on {len(wires)} wires, at most "
            f"{_MAX_PROBABILITY_WIRES} wires are possible: measure fewer wires or use qp.expval"
        )
    return _outcomes(wires)


def _outcomes(wires: Sequence[int]) -> list[Observable]:
    return [
        Observable((), outcome=tuple(zip(wires, bits, strict=True)))
        for bits in itertools.product((0, 1), repeat=len(wires))
    ]

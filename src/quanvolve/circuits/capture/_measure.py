"""PennyLane measurements become observables: real combinations of Pauli words."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quanvolve._errors import CaptureError
from quanvolve.circuits.description import PAULIS, Observable

_MAX_PROBABILITY_WIRES = 12
_MAX_MATRIX_WIRES = 10
_MAX_EIGENBASIS_WIRES = 6
_ROUNDING = 1e-12
RETURN = "return expectation values (qp.expval), variances (qp.var), purities (qp.purity) or probabilities (qp.probs)"
_WHY_NOT = {
    "StateMP": f"a layer puts out real numbers and no states; {RETURN}",
    "DensityMatrixMP": (
        "a layer puts out real numbers and no states; return the expectation values of the Pauli words on its wires, "
        "which are its coefficients"
    ),
    "SampleMP": "samples are drawn at random; return qp.expval or qp.probs, and give the layer `shots=`",
    "CountsMP": "counts are drawn at random; return qp.expval or qp.probs, and give the layer `shots=`",
    "ClassicalShadowMP": "shadows are drawn at random; return qp.expval, and give the layer `shots=`",
    "ShadowExpvalMP": "shadows are drawn at random; return qp.expval, and give the layer `shots=`",
    "VnEntropyMP": f"an entropy is not linear in the state; {RETURN}",
    "MutualInfoMP": f"mutual information is not linear in the state; {RETURN}",
}


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
        if measurement.obs is not None:
            return _eigenbasis(measurement.obs, index, position)
        return _probabilities(measurement, index, position)
    kind = type(measurement).__name__
    raise CaptureError(f"measurement {position} ({kind}) cannot be captured: {_WHY_NOT.get(kind, RETURN)}")


def expectation(operator: Any, index: Mapping[Any, int], what: str) -> Observable:
    """An operator with constant coefficients; `what` names it in an error."""
    return _observable([(word_of(word, index), c) for word, c in sentence_of(operator, what).items()], what)


def word_of(word: Any, index: Mapping[Any, int]) -> tuple[tuple[int, str], ...]:
    """A word of PennyLane's as the description writes it."""
    return tuple(sorted((index[wire], str(pauli)) for wire, pauli in word.items()))


def sentence_of(operator: Any, what: str) -> dict[Any, Any]:
    """PennyLane's Pauli words and coefficients of an operator."""
    import pennylane as qp

    if operator.pauli_rep is not None:
        return dict(operator.pauli_rep)
    if len(operator.wires) > _MAX_MATRIX_WIRES:
        raise CaptureError(
            f"{what} is a matrix on {len(operator.wires)} wires, and at most {_MAX_MATRIX_WIRES} are taken apart: give "
            "it as a sum of products of Pauli operators"
        )
    try:
        matrix = qp.matrix(operator, wire_order=operator.wires)
    except Exception as error:
        raise CaptureError(f"{what} cannot be captured: it has no expansion in Pauli operators") from error
    return {
        qp.pauli.PauliWord(dict(word)): coefficient
        for word, coefficient in _words(np.asarray(matrix), list(operator.wires))
    }


def _observable(words: Sequence[tuple[Sequence[tuple[int, str]], Any]], what: str) -> Observable:
    terms = []
    for word, coefficient in words:
        value = complex(coefficient)
        if abs(value.imag) > _ROUNDING:
            raise CaptureError(f"{what} has the complex coefficient {value}: an observable must be Hermitian")
        if value.real != 0.0:
            terms.append((value.real, tuple(sorted(word))))
    return Observable(tuple(terms))


def _words(matrix: npt.NDArray[Any], wires: Sequence[Any]) -> list[tuple[list[tuple[Any, str]], complex]]:
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

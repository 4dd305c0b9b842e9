"""What is measured in a circuit of Qiskit: its operators and its classical bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quanvolve._errors import CaptureError
from quanvolve.circuits.description import Observable

_MOST_BITS, _ROUNDING = 12, 1e-12


def observables_of_operators(operators: Any, circuit: Any) -> tuple[Observable, ...]:
    """Operators of Qiskit in Pauli words.

    Args:
        operators: one or a list of `SparsePauliOp`, `Pauli` or texts such as "ZIIX", whose last letter is of qubit 0.
        circuit: that they are measured in.

    Raises:
        CaptureError: if one of them does not fit the circuit, or is not Hermitian.
    """
    from qiskit.quantum_info import Pauli, SparsePauliOp

    observables = []
    for number, entry in enumerate(operators if isinstance(operators, list | tuple) else [operators]):
        what = f"observable {number} ({entry if isinstance(entry, str) else type(entry).__name__})"
        n_qubits = circuit.num_qubits
        try:
            operator = SparsePauliOp(Pauli(entry) if isinstance(entry, str) else entry)
        except Exception as error:
            raise CaptureError(
                f"{what} is not an operator: give a SparsePauliOp, or a text of I, X, Y, Z for all {n_qubits} qubits, "
                "the last letter for qubit 0"
            ) from error
        if operator.num_qubits != n_qubits:
            raise CaptureError(
                f"{what} is on {operator.num_qubits} qubits and the circuit on {n_qubits}: write I for the other qubits"
            )
        if any(hasattr(coefficient, "sympify") for coefficient in operator.coeffs):
            raise CaptureError(f"{what} has coefficients with parameters: an observable must be constant")
        if np.abs(operator.coeffs.imag).max(initial=0.0) > _ROUNDING:
            raise CaptureError(f"{what} has complex coefficients: an observable must be Hermitian")
        terms = [
            (float(coefficient.real), tuple((q, letter) for q, letter in enumerate(reversed(label)) if letter != "I"))
            for label, coefficient in operator.to_list()
            if coefficient.real != 0.0
        ]
        observables.append(Observable(tuple(terms)))
    if not observables:
        raise CaptureError("`observables` is empty: give operators, or leave it out for Z on each qubit")
    return tuple(observables)


def observables_of_bits(measured: Mapping[int, int]) -> tuple[Observable, ...]:
    """The probability of each outcome of the measured classical bits, the first bit being the least significant.

    Raises:
        CaptureError: if there are too many of them.
    """
    qubits = [measured[bit] for bit in sorted(measured)]
    if len(qubits) > _MOST_BITS:
        raise CaptureError(
            f"the circuit measures {len(qubits)} qubits, which have {2 ** len(qubits)} outcomes; at most {_MOST_BITS} "
            "are possible: measure fewer, or give `observables`"
        )
    return tuple(
        Observable((), outcome=tuple((qubit, number >> place & 1) for place, qubit in enumerate(qubits)))
        for number in range(2 ** len(qubits))
    )


def values_in_state(state: Any, observables: Sequence[Observable]) -> npt.NDArray[np.float64]:
    """The values of observables in a `Statevector`, by Qiskit's own functions."""
    from qiskit.quantum_info import SparsePauliOp

    n = state.num_qubits
    values = []
    for observable in observables:
        if observable.outcome:
            qubits = [qubit for qubit, _ in observable.outcome]
            place = sum(bit << k for k, (_, bit) in enumerate(observable.outcome))
            values.append(state.probabilities(qubits)[place])
        else:
            words = [("".join(p for _, p in word), [q for q, _ in word], c) for c, word in observable.terms]
            operator = SparsePauliOp.from_sparse_list(words or [("", [], 0.0)], num_qubits=n)
            values.append(state.expectation_value(operator).real)
    return np.array(values, float)

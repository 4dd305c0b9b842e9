"""What is measured in a circuit of Qiskit: its operators and its classical bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quanvolve._errors import CaptureError
from quanvolve.circuits.description import Observable

_MOST_BITS = 12


def operators_of(observables: Any, circuit: Any) -> list[Any]:
    """Operators as Qiskit's `SparsePauliOp`.

    Args:
        observables: one or a list of `SparsePauliOp`, `Pauli` or texts such as "ZIIX", whose last letter is of qubit 0.
        circuit: that they are measured in.

    Raises:
        CaptureError: if one of them does not fit the circuit, or is not Hermitian.
    """
    from qiskit.quantum_info import Pauli, SparsePauliOp

    n_qubits = circuit.num_qubits
    several = isinstance(observables, list | tuple)
    operators = []
    for number, given in enumerate(observables if several else [observables]):
        what = f"observable {number} ({given if isinstance(given, str) else type(given).__name__})"
        try:
            operator = SparsePauliOp(Pauli(given) if isinstance(given, str) else given)
        except Exception as error:
            raise CaptureError(
                f"{what} is not an operator: give a SparsePauliOp, or a text of I, X, Y, Z for all {n_qubits} qubits, "
                "the last letter for qubit 0"
            ) from error
        if operator.num_qubits != n_qubits:
            raise CaptureError(
                f"{what} is on {operator.num_qubits} qubits and the circuit on {n_qubits}: write I for the other qubits"
            )
        if getattr(operator, "parameters", None):
            raise CaptureError(f"{what} has coefficients with parameters: an observable must be constant")
        if abs(operator.coeffs.imag).max(initial=0.0) > 1e-12:
            raise CaptureError(f"{what} has complex coefficients: an observable must be Hermitian")
        operators.append(operator.simplify())
    if not operators:
        raise CaptureError("`observables` is empty: give operators, or leave it out for Z on each qubit")
    return operators


def observables_of_operators(operators: list[Any]) -> tuple[Observable, ...]:
    """Operators in Pauli words; letters are counted from the last, which is of qubit 0."""
    observables = []
    for operator in operators:
        terms = []
        for label, coefficient in operator.to_list():
            word = tuple((qubit, letter) for qubit, letter in enumerate(reversed(label)) if letter != "I")
            if coefficient.real != 0.0:
                terms.append((float(coefficient.real), word))
        observables.append(Observable(tuple(terms)))
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

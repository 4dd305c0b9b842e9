"""Observables as Pauli words on state vectors: which bits each flips, and with what phases."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from quanvolve.compile.tables._parsed import Parsed, kept

Phases = npt.NDArray[np.float64] | None


def parity(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The number of ones in each number."""
    return np.array([int(number).bit_count() for number in numbers], np.int64)


@kept
def words_of(parsed: Parsed) -> tuple[tuple[int, Phases, Phases], ...]:
    """For each pattern of flipped bits, the real and imaginary parts of the phases: matrices (outputs, D)."""
    circuit = parsed.circuit
    n, dimension = circuit.n_wires, 2**circuit.n_wires
    states = np.arange(dimension)
    matrices: dict[int, npt.NDArray[np.complex128]] = {}

    def bit(wire: int) -> int:
        return 1 << (n - 1 - wire)

    for output, observable in enumerate(circuit.observables):
        if observable.outcome:
            matrix = matrices.setdefault(0, np.zeros((circuit.n_outputs, dimension), np.complex128))
            match = np.ones(dimension, bool)
            for wire, value in observable.outcome:
                match &= ((states & bit(wire)) != 0) == bool(value)
            matrix[output] += match
        for coefficient, word in observable.terms:
            mask = sum(bit(wire) for wire, pauli in word if pauli in "XY")
            matrix = matrices.setdefault(mask, np.zeros((circuit.n_outputs, dimension), np.complex128))
            phase = np.full(dimension, coefficient, np.complex128)
            for wire, pauli in word:
                is_set = (states & bit(wire)) != 0
                if pauli == "Z":
                    phase = np.where(is_set, -phase, phase)
                elif pauli == "Y":
                    phase = phase * np.where(is_set, 1j, -1j)  # the row d of Y holds -i where its bit is 0
            matrix[output] += phase
    return tuple(
        (
            mask,
            matrix.real.copy() if (matrix.real != 0).any() else None,
            matrix.imag.copy() if (matrix.imag != 0).any() else None,
        )
        for mask, matrix in matrices.items()
    )

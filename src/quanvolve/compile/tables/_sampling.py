"""What drawing shots needs to know of circuits: the words to evaluate, and what bit strings make of the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from quanvolve._errors import PlanError
from quanvolve.circuits import Basis, Circuit, Observable, bases_of
from quanvolve.compile.tables._handle import Tables
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._pauli import Floats

MAX_MEASURED = 12
"""Qubits that are measured together."""
_MOST_LOGS = 16_384
"""Logarithms of factorials in a table, which is to stay in the second cache."""


@dataclass(frozen=True, eq=False)
class Sampling:
    """How the outputs of a circuit are drawn.

    Args:
        bits: how many qubits each basis measures.
        observables: for each basis the words of its qubits but the empty one; a word is a number whose highest bit is
            the first qubit.
        values: what each bit string of each basis adds to each output, shape (bit strings, outputs).
        expected: what each word adds to each output, shape (outputs, words), and a constant, shape (outputs,).
    """

    bits: tuple[int, ...]
    observables: tuple[Observable, ...]
    values: Floats
    expected: Floats
    constant: Floats


def sampling_of(circuit: Circuit) -> Sampling:
    """The words to evaluate, and what bit strings make of the outputs.

    Words that are measured in different bases are drawn independently of each other, as on a device, with all shots for
    each basis.

    Raises:
        PlanError: if a basis measures more than 12 qubits, or the output is a number of ones.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> found = sampling_of(named_circuit("basic_entangler", 2))
        >>> found.bits, len(found.observables), found.values.tolist()
        ((2,), 3, [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    """
    if circuit.counts is not None:
        raise PlanError(
            f"the output is a number of ones ({circuit.counts}), which is no expectation value: leave `shots` out, or "
            "use readout='popcount_expected'"
        )
    bits: list[int] = []
    observables: list[Observable] = []
    values: list[Floats] = []
    expected: list[Floats] = []
    constant = np.zeros(circuit.n_outputs)
    for basis in bases_of(circuit):
        # Constants need no qubit, but a draw has one at least.
        wires = tuple(sorted({wire for *_, word in basis.words for wire in word})) or (0,)
        if len(wires) > MAX_MEASURED:
            raise PlanError(
                f"shots are drawn from all {len(wires)} measured qubits together, which is possible for at most "
                f"{MAX_MEASURED}: measure fewer qubits, use a smaller `kernel_size`, or leave `shots` out"
            )
        bits.append(len(wires))
        observables += [_word(basis, wires, w) for w in range(1, 2 ** len(wires))]
        table, share = np.zeros((2 ** len(wires), circuit.n_outputs)), np.zeros((circuit.n_outputs, 2 ** len(wires)))
        parity = np.array([[1.0, 1.0], [1.0, -1.0]])
        signs = np.ones((1, 1))
        for _ in wires:
            signs = np.kron(signs, parity)  # (bit strings, words)
        for output, coefficient, word_wires in basis.words:
            w = sum(1 << (len(wires) - 1 - wires.index(wire)) for wire in word_wires)
            table[:, output] += coefficient * signs[:, w]
            share[output, w] += coefficient
        values.append(table)
        expected.append(share[:, 1:])
        constant += share[:, 0]
    return Sampling(tuple(bits), tuple(observables), np.concatenate(values), np.concatenate(expected, 1), constant)


def _word(basis: Basis, wires: tuple[int, ...], w: int) -> Observable:
    n = len(wires)
    word_wires = [wire for k, wire in enumerate(wires) if w >> (n - 1 - k) & 1]
    return Observable(((1.0, tuple((wire, basis.letters[wire]) for wire in word_wires)),))


def word_circuits(circuits: Sequence[Circuit], layout: Layout) -> tuple[tuple[Circuit, ...], Layout]:
    """Circuits that measure all words, and how their rows make up the words of each window.

    Each row is drawn by itself, so that those which a filter sums over become groups: the new rows are in the order
    (groups, channels, filters).

    Raises:
        PlanError: if the circuits do not measure the same.
    """
    sampling = sampling_of(circuits[0])
    for number, circuit in enumerate(circuits):
        if circuit.observables != circuits[0].observables or circuit.counts != circuits[0].counts:
            raise PlanError(
                f"circuit {number} measures other observables than circuit 0; with `shots` all filters of a layer must "
                "measure the same"
            )
    alone = words_alone(sampling, layout)
    measured_circuits = [replace(circuit, observables=sampling.observables) for circuit in circuits]
    return tuple(
        measured_circuits if len(measured_circuits) == 1 else [measured_circuits[k] for k in rows_alone(layout)]
    ), alone


def words_alone(sampling: Sampling, layout: Layout) -> Layout:
    """The layout of :func:`word_circuits`."""
    return Layout(layout.groups * layout.channels, layout.filters, 1, layout.filters * len(sampling.observables))


def rows_alone(layout: Layout) -> list[int]:
    """The layer's rows in the order (groups, channels, filters)."""
    rows = np.arange(layout.rows).reshape(layout.shape)
    return [int(row) for row in rows.transpose(0, 2, 1).reshape(-1)]


class ShotTables(Tables):
    """What bit strings are worth.

    Args:
        bits: how many qubits each basis measures.
        values: what each bit string of each basis adds to each output, shape (bit strings, outputs).
        shots: of each basis.

    Attributes:
        logs: log k! for k up to the number of shots, or as far as tables go.
    """

    def __init__(self, bits: tuple[int, ...], values: Floats, shots: int) -> None:
        self.bits, self.values, self.shots = bits, values, shots
        self.logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, min(shots, _MOST_LOGS) + 1)))])

    @classmethod
    def of_sampling(cls, sampling: Sampling, shots: int) -> ShotTables:
        """Tables that are shared with whoever has the same."""
        what_for = (sampling.bits, sampling.values.tolist(), shots)
        return cls.shared(what_for, lambda: cls(sampling.bits, sampling.values, shots))

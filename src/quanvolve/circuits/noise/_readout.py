"""Noise and what is measured: errors of readout, channels that become part of the observables behind them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.description import Circuit, Gate, Observable, channel_gate

MAX_TERMS = 4096
_ZERO = 1e-14


def with_readout_errors(circuit: Circuit, errors: Mapping[int, tuple[float, float]]) -> Circuit:
    """A circuit whose measured bits are wrong with some probability, wire by wire.

    The measured value of a Pauli matrix P becomes ``(1 - a - b) P + (b - a)`` with a = P(1 | 0) and b = P(0 | 1),
    whichever of the three it is: the qubit is turned before it is read. A map at the end of each wire does this.

    Args:
        circuit: whose observables are sums of Pauli words or outcomes.
        errors: for each wire P(1 | 0) and P(0 | 1); wires that are not named are read without errors.

    References:
        Bravyi et al., Phys. Rev. A 103, 042605 (2021), section II.
    """
    measured = {wire for observable in circuit.observables for wire in _wires_of(observable)}
    maps = []
    for wire, (a, b) in sorted(errors.items()):
        if wire in measured and (a or b):
            matrix = (1 - a - b) * np.eye(4)
            matrix[1:, 0] = b - a
            maps.append(channel_gate(matrix, (wire,)))
    return replace(circuit, gates=(*circuit.gates, *maps))


@lru_cache(maxsize=256)
def absorbed(circuit: Circuit) -> Circuit:
    """A circuit with the same expectation values, whose last channels have become part of its observables.

    Args:
        circuit: with or without channels at its end, such as those of readout errors.

    Returns:
        A circuit that has no channel but in front of other gates; the same one where an observable would become a sum
        of more than 4,096 words.
    """
    blocked: set[int] = set()
    gates: list[Gate] = []
    maps: list[tuple[tuple[int, ...], npt.NDArray[np.float64]]] = []
    for gate in reversed(circuit.gates):
        if gate.transfer is not None and blocked.isdisjoint(gate.wires):
            maps.append((gate.wires, np.array(gate.transfer).T))
        else:
            gates.append(gate)
            blocked.update(gate.wires)
    if not maps or circuit.counts is not None:
        return circuit
    try:
        observables = tuple(through(o, maps) for o in circuit.observables)
    except QuanvolveError:
        return circuit
    return replace(circuit, gates=tuple(reversed(gates)), observables=observables)


def _wires_of(observable: Observable) -> list[int]:
    return sorted({wire for _, word in observable.pauli_terms() for wire, _ in word})


def through(observable: Observable, maps: Sequence[tuple[tuple[int, ...], npt.NDArray[np.float64]]]) -> Observable:
    """An observable after linear maps of its Pauli coefficients, the first of them first.

    Args:
        observable: a sum of Pauli words, or an outcome.
        maps: wires, and a matrix M with ``new[p] = sum_q M[p, q] old[q]`` over the Pauli words of these wires.

    Raises:
        QuanvolveError: if it becomes a sum of more than 4,096 words.
    """
    if not maps:
        return observable
    terms: dict[tuple[tuple[int, str], ...], float] = {}
    for coefficient, word in observable.pauli_terms():
        key = tuple(sorted(word))
        terms[key] = terms.get(key, 0.0) + coefficient
    for wires, matrix in maps:
        moved: dict[tuple[tuple[int, str], ...], float] = {}
        for word, coefficient in terms.items():
            letters = dict(word)
            column = 0
            for wire in wires:
                column = 4 * column + "IXYZ".index(letters.get(wire, "I"))
            for row in np.flatnonzero(np.abs(matrix[:, column]) > _ZERO):
                new, rest = dict(letters), int(row)
                for wire in reversed(wires):
                    rest, letter = divmod(rest, 4)
                    new.pop(wire, None)
                    if letter:
                        new[wire] = "IXYZ"[letter]
                key = tuple(sorted(new.items()))
                moved[key] = moved.get(key, 0.0) + coefficient * float(matrix[row, column])
        terms = moved
        if len(terms) > MAX_TERMS:
            raise QuanvolveError(
                f"with errors of the measurement an observable on {len(wires)} or more wires is a sum of "
                f"{len(terms)} Pauli words, at most {MAX_TERMS} are possible: measure fewer qubits together"
            )
    remaining = tuple((c, word) for word, c in terms.items() if abs(c) > _ZERO and math.isfinite(c))
    return Observable(remaining or ((0.0, ()),))

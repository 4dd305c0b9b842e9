"""Light cones: the part of a circuit that a measured value depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from quanvolve.circuits import Circuit, Gate, Observable
from quanvolve.compile.tables._pauli import AXES, LETTERS, clifford_table

_MANY = 256
"""Of more values than these nobody measures each on a few qubits: they are words or outcomes of all."""

Letters = list[set[int]]
"""For each wire the Pauli matrices (I, X, Y, Z = 0 to 3) that words of the observable may have there."""


def cone(circuit: Circuit, outputs: tuple[int, ...]) -> tuple[frozenset[int], tuple[Gate, ...]]:
    """The wires and gates that some measured values depend on, whatever the weights and inputs are.

    Args:
        circuit: with observables and without a preparation.
        outputs: numbers of the measured values.

    Returns:
        The wires, and the gates in the circuit's order.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> wires, gates = cone(named_circuit("hardware_efficient", 9, n_layers=1), (0,))
        >>> sorted(wires)
        [0, 1]
    """
    letters = _observed(circuit, outputs)
    gates: list[Gate] = []
    for gate in reversed(circuit.gates):
        if gate.transfer is not None:
            after = _mixed(gate, letters)
        else:
            after = _rotated(gate, letters) if gate.angle is not None else _permuted(gate, letters)
        if after is None:
            continue
        gates.append(gate)
        for wire, new_letters in zip(gate.wires, after, strict=True):
            letters[wire] = letters[wire] | new_letters
    wires = {wire for gate in gates for wire in gate.wires}
    wires |= {wire for wire, new_letters in enumerate(letters) if new_letters != {0}}
    return frozenset(wires or {0}), tuple(reversed(gates))


def _observed(circuit: Circuit, outputs: tuple[int, ...]) -> Letters:
    letters: Letters = [{0} for _ in range(circuit.n_wires)]
    for output in outputs:
        observable = circuit.observables[output]
        words = [word for _, word in observable.terms] + [tuple((wire, "Z") for wire, _ in observable.outcome)]
        for word in words:
            for wire, pauli in word:
                letters[wire].add(LETTERS.index(pauli))
    return letters


def _rotated(gate: Gate, letters: Letters) -> list[set[int]] | None:
    """The letters that a rotation makes of those on its wire; None where it does nothing to them."""
    axis = 1 + AXES.index(gate.name[1])
    mixed = {1, 2, 3} - {axis}
    return [mixed] if letters[gate.wires[0]] & mixed else None


def _permuted(gate: Gate, letters: Letters) -> list[set[int]] | None:
    source, sign = clifford_table(gate.name)
    if all(letters[wire] == {0} for wire in gate.wires):
        return None
    after: list[set[int]] = [set() for _ in gate.wires]
    moved = False
    to = {int(old): new for new, old in enumerate(source)}
    for word in product(*(letters[wire] for wire in gate.wires)):
        old = 0
        for letter in word:
            old = 4 * old + letter
        new = to[old]
        moved |= new != old or sign[new] < 0
        for place in reversed(range(len(word))):
            after[place].add(new % 4)
            new //= 4
    return after if moved else None


def _mixed(gate: Gate, letters: Letters) -> list[set[int]] | None:
    """The letters that a channel makes of those on its wires; it keeps the trace, so nothing of the identity alone."""
    words = list(product(*(letters[wire] for wire in gate.wires)))
    matrix = np.array(gate.transfer).T
    after: list[set[int]] = [set() for _ in gate.wires]
    moved = False
    for word in words:
        column = 0
        for letter in word:
            column = 4 * column + letter
        new = np.flatnonzero(matrix[:, column])
        moved |= len(new) != 1 or new[0] != column or matrix[column, column] != 1
        for place, wire_letters in enumerate(reversed(after)):
            wire_letters.update(int(letter) for letter in new // 4**place % 4)
    return after if moved else None


def cut(circuits: Sequence[Circuit], outputs: tuple[int, ...]) -> tuple[Circuit, ...]:
    """The circuits without what some measured values do not depend on, and without the other values.

    Args:
        circuits: with the same wires for the same inputs; what is left has those that any of them needs.
        outputs: numbers of the measured values that are left.
    """
    cones = [cone(circuit, outputs) for circuit in circuits]
    wires = sorted(frozenset().union(*(cone_wires for cone_wires, _ in cones)))
    number = {wire: place for place, wire in enumerate(wires)}
    return tuple(
        replace(
            circuit,
            n_wires=len(wires),
            gates=tuple(replace(gate, wires=tuple(number[wire] for wire in gate.wires)) for gate in gates),
            observables=tuple(_renamed(circuit.observables[output], number) for output in outputs),
        )
        for circuit, (_, gates) in zip(circuits, cones, strict=True)
    )


def _renamed(observable: Observable, number: dict[int, int]) -> Observable:
    terms = tuple((c, tuple((number[wire], pauli) for wire, pauli in word)) for c, word in observable.terms)
    return Observable(terms, tuple((number[wire], bit) for wire, bit in observable.outcome))


def split(circuits: Sequence[Circuit]) -> tuple[tuple[int, ...], ...]:
    """Measured values with the same light cone, as groups; one group where nothing is gained by more.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> split([named_circuit("none", 3)])
        ((0,), (1,), (2,))
    """
    first = circuits[0]
    everything = (tuple(range(first.n_outputs)),)
    if first.n_outputs > _MANY or any(
        c.preparation is not None or c.counts is not None or c.n_wires != first.n_wires for c in circuits
    ):
        return everything
    groups: dict[frozenset[int], list[int]] = {}
    for output in range(first.n_outputs):
        wires = frozenset[int]().union(*(cone(circuit, (output,))[0] for circuit in circuits))
        groups.setdefault(wires, []).append(output)
    # A cone within another one needs no features of its own.
    for small in sorted(groups, key=len):
        around = [wires for wires in groups if small < wires and len(wires) <= len(small) + 1]
        if around:
            groups[min(around, key=len)] += groups.pop(small)
    return tuple(tuple(sorted(outputs)) for outputs in sorted(groups.values(), key=min))

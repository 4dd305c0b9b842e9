"""Which weights of a tree can do nothing, whatever their values and the images are: from the circuits alone.

What is measured is followed back to the leaves as a set of Pauli words, in Heisenberg's picture. A rotation about P
that commutes with every word that reaches it changes none; if not, it adds the word's product with P. That finds
rotations on qubits that are traced out, and those that what is measured commutes with.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from quanvolve.circuits import GATES, PAULIS, PROGRAM, Circuit, Gate

if TYPE_CHECKING:
    from quanvolve.analysis._tree_view import TreeView

Words = frozenset[tuple[int, ...]]
"""Pauli words, a letter (0 to 3 for I, X, Y, Z) for each wire."""
Truths = npt.NDArray[np.bool_]
Weight = tuple[str, int]
"""A weight of a circuit: its name and flat index."""
_PRODUCT = ((0, 1, 2, 3), (1, 0, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0))


def followed_back(circuit: Circuit, words: Words) -> tuple[Words, frozenset[Weight]]:
    """Words before a circuit that those after it can become, and the weights of which one of them depends.

    Args:
        circuit: of a block.
        words: on all of its wires.

    Examples:
        >>> from quanvolve.circuits import Angle, Gate, Observable
        >>> turns = [Gate("RZ", (wire,), Angle(0.0, (), (("w", wire, 1.0),))) for wire in (0, 1)]
        >>> z = Observable(((1.0, ((0, "Z"),)),))
        >>> circuit = Circuit(2, 0, (Gate("CNOT", (1, 0)), *turns), (z,), (("w", (2,)),))
        >>> followed_back(circuit, frozenset({(3, 0)}))  # Z of the first qubit: it becomes ZZ, no turn matters
        (frozenset({(3, 3)}), frozenset())
    """
    alive: set[Weight] = set()
    for gate in reversed(circuit.gates):
        if gate.transfer is not None:
            words = _through(words, gate.wires, _rows_of_channel(gate))
        elif gate.angle is None:
            words = _through(words, gate.wires, _rows_of_clifford(gate.name))
        else:
            (wire,), axis = gate.wires, "IXYZ".index(gate.name[1])
            turned = [word for word in words if word[wire] not in (0, axis)]
            if turned:
                alive.update((name, index) for name, index, _ in gate.angle.weights if name != PROGRAM)
                if any(name == PROGRAM for name, _, _ in gate.angle.weights):  # it may read any of them
                    alive.update((name, index) for name, shape in circuit.weight_shapes for index in range(prod(shape)))
                words = words | {(*w[:wire], _PRODUCT[axis][w[wire]], *w[wire + 1 :]) for w in turned}
    return words, frozenset(alive)


def _through(words: Words, wires: tuple[int, ...], rows: dict[tuple[int, ...], list[tuple[int, ...]]]) -> Words:
    new: set[tuple[int, ...]] = set()
    for word in words:
        for letters in rows[tuple(word[wire] for wire in wires)]:
            changed = list(word)
            for wire, letter in zip(wires, letters, strict=True):
                changed[wire] = letter
            new.add(tuple(changed))
    return frozenset(new)


@functools.cache
def _rows_of_clifford(name: str) -> dict[tuple[int, ...], list[tuple[int, ...]]]:
    """What U^dagger P U is, but for its sign."""
    unitary = GATES[name].unitary()
    n = len(unitary).bit_length() - 1
    letters = list(itertools.product(range(4), repeat=n))
    singles = list(PAULIS.values())
    words = [singles[word[0]] if n == 1 else np.kron(*(singles[k] for k in word)) for word in letters]
    rows: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for word, matrix in zip(letters, words, strict=True):
        image = unitary.conj().T @ matrix @ unitary
        rows[word] = [other for other, one in zip(letters, words, strict=True) if abs(np.trace(one @ image)) > 0.5]
    return rows


def _rows_of_channel(gate: Gate) -> dict[tuple[int, ...], list[tuple[int, ...]]]:
    letters = list(itertools.product(range(4), repeat=len(gate.wires)))
    assert gate.transfer is not None
    return {
        word: [other for other, entry in zip(letters, row, strict=True) if entry]
        for word, row in zip(letters, gate.transfer, strict=True)
    }


def without_effect(tree: TreeView) -> list[dict[str, Truths]]:
    """For each level and weight, which entries can do nothing; arrays of truth values, (blocks or 1, *shape).

    Trees have the same circuits, and so the same weights without effect.
    """
    kept = frozenset(
        tuple("IXYZ".index(dict(word).get(wire, "I")) for wire in range(tree.keep))
        for one in tree.observables
        for _, word in one.pauli_terms()
        if word
    )
    last = tree.levels[-1]
    wanted = dict.fromkeys(itertools.product(*map(range, last.places)), kept)
    found: list[dict[str, Truths]] = []
    for depth in reversed(range(len(tree.levels))):
        level = tree.levels[depth]
        rows = 1 if level.shared else prod(level.places)
        alive = {name: np.zeros((rows, prod(shape)), bool) for name, shape in level.circuit.weight_shapes}
        noisy = tree.steps[depth].circuit
        follow = functools.cache(functools.partial(followed_back, noisy if noisy.noisy else level.circuit))
        below: dict[tuple[int, ...], Words] = {}
        n_spare = level.circuit.n_wires - tree.keep
        for place, words in wanted.items():
            before, weights = follow(frozenset((*word, *(0,) * n_spare) for word in words))
            row = 0 if level.shared else int(np.ravel_multi_index(place, level.places))
            for name, index in weights:
                alive[name][row, index] = True
            if depth:
                for number, inside in enumerate(itertools.product(*map(range, level.window))):
                    there = tuple(p * w + i for p, w, i in zip(place, level.window, inside, strict=True))
                    below[there] = _part(before, number * tree.keep, tree.keep)
        found.insert(0, {n: ~alive[n].reshape(rows, *shape) for n, shape in level.circuit.weight_shapes})
        wanted = below
    return found


@functools.cache
def _part(words: Words, first: int, count: int) -> Words:
    """The parts of words on some wires, but for the empty one."""
    parts = {word[first : first + count] for word in words}
    return frozenset(part for part in parts if any(part))


def names_of(level: int, name: str, where: Iterable[tuple[int, ...]]) -> list[str]:
    """How weights are called: "levels.3.weights[tree, block, ...]"."""
    return [f"levels.{level}.{name}[{', '.join(map(str, index))}]" for index in where]

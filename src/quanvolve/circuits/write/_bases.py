"""Which Pauli words are measured together, and in which basis of each qubit."""

from __future__ import annotations

from dataclasses import dataclass

from quanvolve.circuits.description import Circuit


@dataclass(frozen=True)
class Basis:
    """Pauli words that are measured together: one letter for each wire, and which words they serve.

    Args:
        letters: "X", "Y" or "Z" for each wire.
        words: (output, coefficient, wires) of the words; a word's value is the parity of the bits on its wires.
    """

    letters: tuple[str, ...]
    words: tuple[tuple[int, float, tuple[int, ...]], ...]


def bases_of(circuit: Circuit) -> tuple[Basis, ...]:
    """Group the words of all observables so that each group is measured in one basis, qubit by qubit.

    Where all observables are zero there is still a basis, of Z, that serves no word.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> [basis.letters for basis in bases_of(named_circuit("basic_entangler", 2, readout="x"))]
        [('X', 'X')]
    """
    groups: list[tuple[dict[int, str], list[tuple[int, float, tuple[int, ...]]]]] = []
    for output, observable in enumerate(circuit.observables):
        for coefficient, word in observable.pauli_terms():
            entry = (output, coefficient, tuple(wire for wire, _ in word))
            for letters, words in groups:
                if all(letters.get(wire, letter) == letter for wire, letter in word):
                    letters.update(word)
                    words.append(entry)
                    break
            else:
                groups.append((dict(word), [entry]))
    return tuple(
        Basis(tuple(letters.get(wire, "Z") for wire in range(circuit.n_wires)), tuple(words))
        for letters, words in groups or [({}, [])]
    )

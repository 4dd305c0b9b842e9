"""What is read of the qubits that a coherent tree keeps at last."""

from __future__ import annotations

from itertools import product

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import READOUTS, Observable

PAULI_READOUTS = {
    "xyz": "Pauli X, Y and Z of each qubit",
    "paulis": "all Pauli words of the qubits but the empty one",
}
TREE_READOUTS = (*PAULI_READOUTS, *(name for name, entry in READOUTS.items() if entry.counts is None))
"""The names that a tree's `readout=` takes."""


def kept_words(n_qubits: int) -> tuple[Observable, ...]:
    """All Pauli words of some qubits but the empty one, the first qubit's letter changing slowest.

    Examples:
        >>> [observable.terms[0][1] for observable in kept_words(1)]
        [((0, 'X'),), ((0, 'Y'),), ((0, 'Z'),)]
    """
    words = [
        tuple((wire, letter) for wire, letter in enumerate(letters) if letter != "I")
        for letters in product("IXYZ", repeat=n_qubits)
    ]
    return tuple(Observable(((1.0, word),)) for word in words[1:])


def read_observables(readout: str, n_qubits: int) -> tuple[Observable, ...]:
    """What a readout measures of some qubits.

    Raises:
        QuanvolveError: if there is no such readout.
    """
    if readout not in TREE_READOUTS:
        raise QuanvolveError(f"`readout` (={readout!r}) must be one of {', '.join(map(repr, TREE_READOUTS))}")
    if readout == "xyz":
        return tuple(Observable(((1.0, ((wire, letter),)),)) for wire in range(n_qubits) for letter in "XYZ")
    if readout == "paulis":
        return kept_words(n_qubits)
    return tuple(READOUTS[readout].observables(range(n_qubits)))

"""A circuit as chains: for each qubit what happens to an observable there, last gate of the circuit first.

Clifford gates before any rotation map Pauli words to Pauli words, and are done with here. Each later two-qubit gate is
a sum over an index that its two qubits share (`_splitting`); for each value of these indices qubits are independent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit, Gate
from quanvolve.compile.tables._limits import check_wires
from quanvolve.compile.tables._pauli import LETTERS, Floats, clifford_table
from quanvolve.compile.tables._recipe import Encoded, Turn, number_of, read_sites
from quanvolve.compile.tables._sites import Known, find_sites
from quanvolve.compile.tables._splitting import split_gate, split_matrix

MAX_WORDS = 256


@dataclass(frozen=True, eq=False)
class Event:
    """What happens to one qubit's Pauli index: a rotation by number, or operators, of which a shared index picks one.

    Args:
        rotation: the number of a rotation, or of a channel on this wire, or None.
        operators: shape (values of the index, 4, 4).
        gate: the index, by the number of its gate; None for a gate on this qubit alone.
    """

    rotation: int | None = None
    operators: Floats | None = None
    gate: int | None = None


@dataclass(frozen=True)
class Word:
    """A Pauli word to start from, as numbers of I, X, Y, Z on each wire, and what it is multiplied with."""

    output: int
    coefficient: float
    letters: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Chains(Encoded):
    """The observables of a circuit, evolved to the encoding qubit by qubit.

    Args:
        events: of each wire, in the order in which they act on an observable.
        gates: the two wires of each index.
        words: what the observables are sums of.
    """

    events: tuple[tuple[Event, ...], ...]
    gates: tuple[tuple[int, int], ...]
    words: tuple[Word, ...]


def chains_of(circuit: Circuit, known: Known | None = None) -> Chains:
    """Take a circuit apart.

    Args:
        circuit: to be taken apart.
        known: as in :func:`find_sites`.

    Raises:
        PlanError: if it is not a product encoding, or too large.
    """
    check_wires(circuit, "tensor_train")
    sites, rest = find_sites(circuit, known)
    turns: list[Turn] = []
    builder = _Builder(circuit)
    for gate in reversed(rest):
        builder.add(gate, turns)
    # A SWAP only renames qubits: what is wire w to the encoding is track[w].
    place = {track: wire for wire, track in enumerate(builder.track)}
    site_gates = read_sites(sites, turns)
    return Chains(
        circuit,
        sites,
        site_gates,
        tuple(turns),
        tuple(tuple(builder.events[track]) for track in builder.track),
        tuple((place[first], place[second]) for first, second in builder.gates),
        tuple(replace(word, letters=tuple(word.letters[track] for track in builder.track)) for word in builder.words),
    )


class _Builder:
    def __init__(self, circuit: Circuit) -> None:
        n = circuit.n_wires
        self.track = list(range(n))
        self.events: list[list[Event]] = [[] for _ in range(n)]
        self.gates: list[tuple[int, int]] = []
        self.words = _words(circuit)

    def add(self, gate: Gate, turns: list[Turn]) -> None:
        if gate.name in ("SWAP", "ISWAP"):
            first, second = gate.wires
            self.track[first], self.track[second] = self.track[second], self.track[first]
            if gate.name == "ISWAP":  # SWAP, then CZ and S on both wires
                for part in (Gate("CZ", gate.wires), Gate("S", (first,)), Gate("S", (second,))):
                    self.add(part, turns)
            return
        tracks = [self.track[wire] for wire in gate.wires]
        early = not any(self.events[track] for track in tracks)
        if gate.transfer is not None:
            self._channel(gate, tracks, early, turns)
        elif gate.angle is not None:
            self.events[tracks[0]].append(Event(rotation=number_of(gate, turns)))
        elif early:
            self.words = [_mapped(gate.name, tracks, word) for word in self.words]
        elif len(tracks) == 1:
            source, sign = clifford_table(gate.name)
            matrix = np.zeros((1, 4, 4))
            matrix[0, np.arange(4), source] = sign
            self.events[tracks[0]].append(Event(operators=matrix))
        else:
            for track, operators in zip(tracks, split_gate(gate.name), strict=True):
                self.events[track].append(Event(operators=operators, gate=len(self.gates)))
            self.gates.append((tracks[0], tracks[1]))

    def _channel(self, gate: Gate, tracks: list[int], early: bool, turns: list[Turn]) -> None:
        matrix = np.array(gate.transfer).T
        diagonal = np.diagonal(matrix)
        if early and (matrix == np.diag(diagonal)).all():
            # Words stay words, so that the gates before it may still map them to words.
            self.words = [_scaled(diagonal, tracks, word) for word in self.words]
        elif len(tracks) == 1:
            self.events[tracks[0]].append(Event(rotation=number_of(gate, turns)))
        else:
            for track, operators in zip(tracks, split_matrix(matrix), strict=True):
                self.events[track].append(Event(operators=operators, gate=len(self.gates)))
            self.gates.append((tracks[0], tracks[1]))


def _scaled(diagonal: Floats, tracks: list[int], word: Word) -> Word:
    place = 0
    for track in tracks:
        place = 4 * place + word.letters[track]
    return replace(word, coefficient=word.coefficient * float(diagonal[place]))


def _words(circuit: Circuit) -> list[Word]:
    if circuit.n_outputs > MAX_WORDS or any(2 ** len(o.outcome) > MAX_WORDS for o in circuit.observables):
        raise _too_many()
    words = []
    for output, observable in enumerate(circuit.observables):
        for coefficient, word in observable.pauli_terms():
            letters = [0] * circuit.n_wires
            for wire, pauli in word:
                letters[wire] = LETTERS.index(pauli)
            words.append(Word(output, coefficient, tuple(letters)))
    if len(words) > MAX_WORDS:
        raise _too_many()
    return words


def _too_many() -> PlanError:
    return PlanError(
        f"the observables are sums of more than {MAX_WORDS} Pauli words, the tensor-train plan takes at most "
        f"{MAX_WORDS}: measure single qubits or pairs of them"
    )


def _mapped(name: str, tracks: list[int], word: Word) -> Word:
    """A word after a Clifford gate."""
    source, sign = clifford_table(name)
    old = 0
    for track in tracks:
        old = 4 * old + word.letters[track]
    new = int(np.flatnonzero(source == old)[0])
    letters, rest = list(word.letters), new
    for track in reversed(tracks):
        rest, letters[track] = divmod(rest, 4)
    return Word(word.output, word.coefficient * float(sign[new]), tuple(letters))

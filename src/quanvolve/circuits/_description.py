"""The circuit description: what a quantum filter is, as plain immutable data.

It names gates, wires, observables and where each angle comes from. It holds no weights, needs neither PennyLane nor
torch, hashes, and travels as JSON. Everything downstream (compiler, layers, saved models) reads only this.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.circuits._gates import GATES

_FORMAT = 1
_PAULI_LETTERS = ("X", "Y", "Z")


@dataclass(frozen=True, slots=True)
class Angle:
    """An angle in radians that is affine in inputs and weights.

    ``angle = offset + sum(c * input[i]) + sum(c * weight[name].flat[i])``

    Args:
        offset: the constant part, in radians.
        inputs: pairs (input index, coefficient).
        weights: triples (weight name, flat index, coefficient).

    Examples:
        >>> Angle(0.5, inputs=((2, 3.0),))
        Angle(offset=0.5, inputs=((2, 3.0),), weights=())
    """

    offset: float = 0.0
    inputs: tuple[tuple[int, float], ...] = ()
    weights: tuple[tuple[str, int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate of the vocabulary :data:`~quanvolve.circuits.GATES` on its wires; rotations carry an angle."""

    name: str
    wires: tuple[int, ...]
    angle: Angle | None = None


@dataclass(frozen=True, slots=True)
class Observable:
    """A real linear combination of Pauli words: pairs (coefficient, word), a word being pairs (wire, "X|Y|Z").

    Examples:
        >>> Observable(((1.0, ((0, "Z"),)),))
        Observable(terms=((1.0, ((0, 'Z'),)),))
    """

    terms: tuple[tuple[float, tuple[tuple[int, str], ...]], ...]


@dataclass(frozen=True, slots=True)
class Circuit:
    """A quantum filter, without its weights: immutable, hashable, equal to its JSON round trip.

    Args:
        n_wires: number of qubits, all starting in the state 0.
        n_inputs: number of values that one window supplies.
        gates: applied in this order.
        observables: their expectation values are the filter's outputs, in this order.
        weight_shapes: pairs (name, shape) in the order of the circuit function's arguments.
        threshold: if given, each input is first replaced by 1 where it is greater than this and by 0 elsewhere.

    Raises:
        QuanvolveError: if a gate, wire, index or number is not valid; the message names it.

    Examples:
        >>> angle = Angle(inputs=((0, 1.0),))
        >>> circuit = Circuit(1, 1, (Gate("RY", (0,), angle),), (Observable(((1.0, ((0, "Z"),)),)),))
        >>> Circuit.from_json(circuit.to_json()) == circuit
        True
    """

    n_wires: int
    n_inputs: int
    gates: tuple[Gate, ...]
    observables: tuple[Observable, ...]
    weight_shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.n_wires < 1 or self.n_inputs < 0:
            raise QuanvolveError(
                f"a circuit needs at least one wire and no fewer than zero inputs, got `n_wires` "
                f"(={self.n_wires}) and `n_inputs` (={self.n_inputs})"
            )
        if not self.observables:
            raise QuanvolveError("a circuit needs at least one observable, got none")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise QuanvolveError(f"`threshold` must be finite, got {self.threshold}")
        if len(dict(self.weight_shapes)) < len(self.weight_shapes):
            raise QuanvolveError(f"weight names must differ, got {[name for name, _ in self.weight_shapes]}")
        for name, shape in self.weight_shapes:
            if any(extent < 1 for extent in shape):
                raise QuanvolveError(f"weight {name!r} has the shape {shape}, expected positive numbers")
        sizes = {name: math.prod(shape) for name, shape in self.weight_shapes}
        for position, gate in enumerate(self.gates):
            problem = _gate_problem(gate, self.n_wires, self.n_inputs, sizes)
            if problem:
                raise QuanvolveError(f"gate {position} ({gate.name} on wires {list(gate.wires)}): {problem}")
        for index, observable in enumerate(self.observables):
            for coefficient, word in observable.terms:
                wires = [wire for wire, _ in word]
                if not math.isfinite(coefficient) or any(pauli not in _PAULI_LETTERS for _, pauli in word):
                    raise QuanvolveError(
                        f"observable {index}: a term needs a finite coefficient and letters X, Y or Z, got "
                        f"{coefficient} and {word}"
                    )
                if len(set(wires)) != len(wires) or any(not 0 <= wire < self.n_wires for wire in wires):
                    raise QuanvolveError(
                        f"observable {index}: its wires {wires} must be distinct and in 0 to {self.n_wires - 1}"
                    )

    @property
    def n_outputs(self) -> int:
        """How many values one run of the circuit measures."""
        return len(self.observables)

    @property
    def n_weights(self) -> int:
        """How many scalar weights the circuit takes."""
        return sum(math.prod(shape) for _, shape in self.weight_shapes)

    def to_dict(self) -> dict[str, Any]:
        """The description as JSON-ready lists and numbers."""
        return {
            "format": _FORMAT,
            "n_wires": self.n_wires,
            "n_inputs": self.n_inputs,
            "threshold": self.threshold,
            "weight_shapes": [[name, list(shape)] for name, shape in self.weight_shapes],
            "gates": [_gate_to_list(gate) for gate in self.gates],
            "observables": [
                [[coefficient, [[wire, pauli] for wire, pauli in word]] for coefficient, word in o.terms]
                for o in self.observables
            ],
        }

    def to_json(self) -> str:
        """The description as one line of JSON; floats keep every bit."""
        return json.dumps(self.to_dict(), separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_dict(cls, data: Any) -> Circuit:
        """The inverse of :meth:`to_dict`.

        Raises:
            QuanvolveError: if the data is not a circuit description of a known format.
        """
        try:
            if data["format"] != _FORMAT:
                raise QuanvolveError(
                    f"circuit description has format {data['format']!r}, this version reads format {_FORMAT}"
                )
            return cls(
                n_wires=_whole(data["n_wires"]),
                n_inputs=_whole(data["n_inputs"]),
                gates=tuple(_gate_from_list(gate) for gate in data["gates"]),
                observables=tuple(
                    Observable(tuple((float(c), tuple((_whole(w), str(p)) for w, p in word)) for c, word in terms))
                    for terms in data["observables"]
                ),
                weight_shapes=tuple((str(n), tuple(_whole(s) for s in shape)) for n, shape in data["weight_shapes"]),
                threshold=None if data["threshold"] is None else float(data["threshold"]),
            )
        except (KeyError, TypeError, IndexError, ValueError, OverflowError) as error:
            if isinstance(error, QuanvolveError):
                raise
            raise QuanvolveError(f"not a circuit description: {type(error).__name__}: {error}") from error

    @classmethod
    def from_json(cls, text: str) -> Circuit:
        """The inverse of :meth:`to_json`.

        Raises:
            QuanvolveError: if the text is not the JSON of a circuit description.
        """
        try:
            data = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise QuanvolveError(f"not a circuit description: {error}") from error
        return cls.from_dict(data)


def _gate_problem(gate: Gate, n_wires: int, n_inputs: int, sizes: dict[str, int]) -> str | None:
    kind = GATES.get(gate.name)
    if kind is None:
        return f"unknown gate; the vocabulary is {', '.join(GATES)}"
    if len(gate.wires) != kind.n_wires or len(set(gate.wires)) != len(gate.wires):
        return f"it acts on {kind.n_wires} distinct wire(s)"
    if any(not 0 <= wire < n_wires for wire in gate.wires):
        return f"wires must be in 0 to {n_wires - 1}"
    if (gate.angle is not None) != (kind.axis is not None):
        return "a rotation takes an angle and other gates take none"
    if gate.angle is None:
        return None
    numbers = [gate.angle.offset, *(c for _, c in gate.angle.inputs), *(c for *_, c in gate.angle.weights)]
    if not all(math.isfinite(number) for number in numbers):
        return f"its angle must be finite, got {gate.angle}"
    if any(not 0 <= i < n_inputs for i, _ in gate.angle.inputs):
        return f"input indices must be in 0 to {n_inputs - 1}, got {[i for i, _ in gate.angle.inputs]}"
    for name, index, _ in gate.angle.weights:
        if not 0 <= index < sizes.get(name, 0):
            return f"weight {name!r} has {sizes.get(name, 0)} entries, index {index} is not one of them"
    return None


def _gate_to_list(gate: Gate) -> list[Any]:
    entry: list[Any] = [gate.name, list(gate.wires)]
    if gate.angle is not None:
        a = gate.angle
        entry.append([a.offset, [list(term) for term in a.inputs], [list(term) for term in a.weights]])
    return entry


def _gate_from_list(entry: Any) -> Gate:
    name, wires, *rest = entry
    angle = None
    if rest:
        offset, inputs, weights = rest[0]
        angle = Angle(
            float(offset),
            tuple((_whole(i), float(c)) for i, c in inputs),
            tuple((str(n), _whole(i), float(c)) for n, i, c in weights),
        )
    return Gate(str(name), tuple(_whole(w) for w in wires), angle)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value

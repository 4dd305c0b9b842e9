"""The circuit description: what a quantum filter is, as plain immutable data.

It names gates, wires, observables and where each angle comes from. It holds no weights, does not need PennyLane,
hashes, and travels as JSON. Everything downstream (compiler, layers, saved models) reads only this.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields, replace
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve._untrusted import parse_json
from quanvolve.circuits.description._gates import GATES
from quanvolve.circuits.description._limits import check_program, check_size
from quanvolve.circuits.description._program import Program

_FORMAT, _FORMAT_WITH_POSTPROCESSING = 3, 4
_READABLE = (1, 2, 3, 4)
_PAULI_LETTERS = ("X", "Y", "Z")
_ROUNDING = 1e-9
PROGRAM = "*"
"""In an angle's weights, the name of the program's values that read weights only."""
COUNTS = ("most_probable", "sampled")
CHANNEL = "CHANNEL"
"""The name of a gate that is a noise channel."""


@dataclass(frozen=True, slots=True)
class Angle:
    """An angle in radians that is affine in inputs, weights and the values of the circuit's program.

    ``angle = offset + sum(c * input[i]) + sum(c * weight[name].flat[i])``

    Args:
        offset: the constant part, in radians.
        inputs: pairs (input index, coefficient); index ``n_inputs + k`` is value k of the program, which reads inputs.
        weights: triples (weight name, flat index, coefficient); the name "*" stands for values of the program that
            read weights only.

    Examples:
        >>> Angle(0.5, inputs=((2, 3.0),))
        Angle(offset=0.5, inputs=((2, 3.0),), weights=())
    """

    offset: float = 0.0
    inputs: tuple[tuple[int, float], ...] = ()
    weights: tuple[tuple[str, int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate of the vocabulary :data:`~quanvolve.circuits.GATES` on its wires, or a noise channel.

    Args:
        name: of the gate, or "CHANNEL".
        wires: one or two.
        angle: of a rotation.
        transfer: of a channel on k wires, its Pauli transfer matrix ``R[p][q] = Tr(P_p N(P_q)) / 2^k``, the first
            wire's Pauli matrix most significant (see :func:`~quanvolve.circuits.channel`).
    """

    name: str
    wires: tuple[int, ...]
    angle: Angle | None = None
    transfer: tuple[tuple[float, ...], ...] | None = None


@dataclass(frozen=True, slots=True)
class Observable:
    """A real linear combination of Pauli words, or the probability of an outcome.

    Args:
        terms: pairs (coefficient, word), a word being pairs (wire, "X|Y|Z").
        outcome: pairs (wire, bit); then there are no terms, and the value is the probability of these bits.

    Examples:
        >>> Observable(((1.0, ((0, "Z"),)),))
        Observable(terms=((1.0, ((0, 'Z'),)),), outcome=())
    """

    terms: tuple[tuple[float, tuple[tuple[int, str], ...]], ...]
    outcome: tuple[tuple[int, int], ...] = ()

    def pauli_terms(self) -> tuple[tuple[float, tuple[tuple[int, str], ...]], ...]:
        """The terms; for an outcome, those of its projector.

        Examples:
            >>> Observable((), outcome=((0, 1),)).pauli_terms()
            ((0.5, ()), (-0.5, ((0, 'Z'),)))
        """
        terms = self.terms
        if self.outcome:
            # |b><b| is the product over the wires of (I + (-1)^b Z) / 2.
            terms = ((1.0, ()),)
            for wire, bit in sorted(self.outcome):
                terms = tuple(
                    entry
                    for c, word in terms
                    for entry in ((c / 2, word), (c / 2 * (-1.0) ** bit, (*word, (wire, "Z"))))
                )
        return terms


@dataclass(frozen=True, slots=True)
class Preparation:
    """Amplitude encoding: some wires start in a superposition with amplitudes proportional to values of the window.

    Args:
        wires: the first is the most significant bit of a basis state's number.
        values: the amplitude of basis state i is proportional to input ``values[i]`` (numbered as in :class:`Angle`);
            basis states beyond these have amplitude zero. If all of them are zero the wires start in basis state 0.
    """

    wires: tuple[int, ...]
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Circuit:
    """A quantum filter, without its weights: immutable, hashable, equal to its JSON round trip.

    Args:
        n_wires: number of qubits, all starting in the state 0.
        n_inputs: number of values that one window supplies.
        gates: applied in this order.
        observables: their expectation values are measured, and are the filter's outputs, in this order.
        weight_shapes: pairs (name, shape) in the order of the circuit function's arguments.
        threshold: if given, each input is first replaced by 1 where it is greater than this and by 0 elsewhere.
        program: computes further values from inputs and weights, for angles that are not affine in them.
        preparation: the state before the first gate, where it is not basis state 0.
        counts: instead of observables: the only output is the number of ones in the most probable bit string
            ("most_probable") or in one that is drawn at random ("sampled").
        postprocessing: what the outputs are as functions of the expectation values, which are its inputs, and of
            weights, such as variances, purities and Hamiltonians whose coefficients are weights. The outputs are its
            values, in order; without it they are the expectation values themselves.

    Raises:
        QuanvolveError: if a gate, wire, index or number is not valid, or the circuit too large; the message names it.

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
    program: Program | None = None
    preparation: Preparation | None = None
    counts: str | None = None
    postprocessing: Program | None = None
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __hash__(self) -> int:
        # Tables are kept by circuit, and looked up in every call of a layer.
        if not self._hash:
            values = tuple(getattr(self, f.name) for f in fields(self) if f.init)
            object.__setattr__(self, "_hash", hash(values) or 1)
        return self._hash

    def __deepcopy__(self, memo: dict[int, Any]) -> Circuit:
        return self  # nothing in it ever changes

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the hash, which differs between processes.
        return type(self), tuple(getattr(self, f.name) for f in fields(self) if f.init)

    def __post_init__(self) -> None:
        if self.n_wires < 1 or self.n_inputs < 0:
            raise QuanvolveError(
                f"a circuit needs at least one wire and no fewer than zero inputs, got `n_wires` "
                f"(={self.n_wires}) and `n_inputs` (={self.n_inputs})"
            )
        check_size(self)
        if self.counts is not None and (self.counts not in COUNTS or self.observables):
            raise QuanvolveError(
                f"`counts` (={self.counts!r}) must be one of {', '.join(map(repr, COUNTS))}, without observables"
            )
        if not self.observables and self.counts is None:
            raise QuanvolveError("a circuit needs at least one observable, got none")
        if self.postprocessing is not None and (self.counts is not None or not self.postprocessing.values):
            raise QuanvolveError(
                "`postprocessing` needs expectation values to read and at least one value of its own, got "
                f"`counts` (={self.counts!r}) and {len(self.postprocessing.values)} values"
            )
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise QuanvolveError(f"`threshold` must be finite, got {self.threshold}")
        if len(dict(self.weight_shapes)) < len(self.weight_shapes):
            raise QuanvolveError(f"weight names must differ, got {[name for name, _ in self.weight_shapes]}")
        for name, shape in self.weight_shapes:
            if any(extent < 1 for extent in shape):
                raise QuanvolveError(f"weight {name!r} has the shape {shape}, expected positive numbers")
        sizes = {name: math.prod(shape) for name, shape in self.weight_shapes}
        if PROGRAM in sizes:
            raise QuanvolveError(f"the weight name {PROGRAM!r} is taken by the values of programs: choose another one")
        sizes[PROGRAM] = self.n_values - self.n_inputs
        for position, gate in enumerate(self.gates):
            problem = _gate_problem(gate, self.n_wires, self.n_values, sizes)
            if problem:
                raise QuanvolveError(f"gate {position} ({gate.name} on wires {list(gate.wires)}): {problem}")
        if self.preparation is not None:
            prepared, values = self.preparation.wires, self.preparation.values
            if len(set(prepared)) != len(prepared) or any(not 0 <= wire < self.n_wires for wire in prepared):
                raise QuanvolveError(
                    f"the preparation's wires {prepared} must be distinct and in 0 to {self.n_wires - 1}"
                )
            if not 1 <= len(values) <= 2 ** len(prepared) or any(not 0 <= i < self.n_values for i in values):
                raise QuanvolveError(
                    f"the preparation of {len(prepared)} wires needs 1 to {2 ** len(prepared)} values in 0 to "
                    f"{self.n_values - 1}, got {values}"
                )
            computed = () if self.program is None else self.program.values
            if any(i >= self.n_inputs and computed[i - self.n_inputs].reads_weights for i in values):
                raise QuanvolveError(
                    "the preparation has amplitudes that depend on weights, which are left out where states are "
                    "prepared: make them with gates whose angles are the weights"
                )
        for index, observable in enumerate(self.observables):
            bits = dict(observable.outcome)
            if bits and (
                observable.terms
                or len(bits) < len(observable.outcome)
                or any(not 0 <= wire < self.n_wires or bit not in (0, 1) for wire, bit in observable.outcome)
            ):
                raise QuanvolveError(
                    f"observable {index}: an outcome needs bits 0 or 1 of distinct wires in 0 to {self.n_wires - 1} "
                    f"and no terms, got {observable.outcome}"
                )
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
        """How many values the filter has for one window."""
        if self.postprocessing is not None:
            return len(self.postprocessing.values)
        return 1 if self.counts else len(self.observables)

    @property
    def n_values(self) -> int:
        """How many numbers angles may read: the inputs, then the values of the program."""
        return self.n_inputs + (len(self.program.values) if self.program else 0)

    @property
    def noisy(self) -> bool:
        """Whether there are noise channels among the gates."""
        return any(gate.transfer is not None for gate in self.gates)

    @property
    def n_weights(self) -> int:
        """How many scalar weights the circuit takes."""
        return sum(math.prod(shape) for _, shape in self.weight_shapes)

    def inputs_read(self) -> tuple[int, ...]:
        """The numbers of the inputs that angles, amplitudes or the program read.

        Examples:
            >>> from quanvolve.circuits import named_circuit
            >>> named_circuit("basic_entangler", 3).inputs_read()
            (0, 1, 2)
        """
        read = {i for gate in self.gates if gate.angle is not None for i, _ in gate.angle.inputs}
        read |= set(() if self.preparation is None else self.preparation.values)
        if self.program is not None and any(i >= self.n_inputs for i in read):
            read |= self.program.inputs_read(self.n_inputs)
        return tuple(sorted(i for i in read if i < self.n_inputs))

    def without_postprocessing(self) -> Circuit:
        """The same circuit whose outputs are its expectation values."""
        return self if self.postprocessing is None else replace(self, postprocessing=None)

    def unentangled(self) -> Circuit:
        """The same circuit without the gates and channels on two wires."""
        return replace(self, gates=tuple(gate for gate in self.gates if len(gate.wires) == 1))

    def to_dict(self) -> dict[str, Any]:
        """The description as JSON-ready lists and numbers."""
        postprocessing = {} if self.postprocessing is None else {"postprocessing": self.postprocessing.to_dict()}
        return {
            # Older versions would leave the post-processing out.
            "format": _FORMAT_WITH_POSTPROCESSING if postprocessing else _FORMAT,
            "n_wires": self.n_wires,
            "n_inputs": self.n_inputs,
            "threshold": self.threshold,
            "weight_shapes": [[name, list(shape)] for name, shape in self.weight_shapes],
            "gates": [_gate_to_list(gate) for gate in self.gates],
            "observables": [
                {"outcome": [list(pair) for pair in o.outcome]}
                if o.outcome
                else [[coefficient, [[wire, pauli] for wire, pauli in word]] for coefficient, word in o.terms]
                for o in self.observables
            ],
            "program": None if self.program is None else self.program.to_dict(),
            "preparation": (
                None if self.preparation is None else [list(self.preparation.wires), list(self.preparation.values)]
            ),
            "counts": self.counts,
            **postprocessing,
        }

    def to_json(self) -> str:
        """The description as one line of JSON; floats keep every bit."""
        return json.dumps(self.to_dict(), separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_dict(cls, data: Any) -> Circuit:
        """The inverse of :meth:`to_dict`.

        Raises:
            QuanvolveError: if the data is not a circuit description of a known format, or of a larger circuit than
                `_limits` allows.
        """
        try:
            if data["format"] not in _READABLE:
                raise QuanvolveError(
                    f"circuit description has format {data['format']!r}, this version reads formats "
                    f"{' and '.join(map(str, _READABLE))}"
                )
            program, preparation = data.get("program"), data.get("preparation")
            postprocessing = data.get("postprocessing")
            circuit = cls(
                n_wires=_whole(data["n_wires"]),
                n_inputs=_whole(data["n_inputs"]),
                gates=tuple(_gate_from_list(gate) for gate in data["gates"]),
                observables=tuple(_observable_from(entry) for entry in data["observables"]),
                weight_shapes=tuple((str(n), tuple(_whole(s) for s in shape)) for n, shape in data["weight_shapes"]),
                threshold=None if data["threshold"] is None else float(data["threshold"]),
                program=None if program is None else Program.from_dict(program),
                preparation=(
                    None if preparation is None else Preparation(*(tuple(map(_whole, part)) for part in preparation))
                ),
                counts=data.get("counts"),
                postprocessing=None if postprocessing is None else Program.from_dict(postprocessing),
            )
            check_program(circuit)
        except QuanvolveError:
            raise
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
            raise QuanvolveError(f"not a circuit description: {type(error).__name__}: {str(error)[:200]}") from error
        return circuit

    @classmethod
    def from_json(cls, text: str) -> Circuit:
        """The inverse of :meth:`to_json`.

        Raises:
            QuanvolveError: if the text is not the JSON of a circuit description.
        """
        try:
            data = parse_json(text)
        except ValueError as error:
            raise QuanvolveError(f"not a circuit description: {error}") from error
        return cls.from_dict(data)


def _gate_problem(gate: Gate, n_wires: int, n_values: int, sizes: dict[str, int]) -> str | None:
    if gate.transfer is not None or gate.name == CHANNEL:
        return _channel_problem(gate, n_wires)
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
    if any(not 0 <= i < n_values for i, _ in gate.angle.inputs):
        return f"input indices must be in 0 to {n_values - 1}, got {[i for i, _ in gate.angle.inputs]}"
    for name, index, _ in gate.angle.weights:
        if not 0 <= index < sizes.get(name, 0):
            return f"weight {name!r} has {sizes.get(name, 0)} entries, index {index} is not one of them"
    return None


def _channel_problem(gate: Gate, n_wires: int) -> str | None:
    if gate.name != CHANNEL or gate.transfer is None or gate.angle is not None:
        return f"a channel has the name {CHANNEL!r}, a transfer matrix and no angle"
    if len(set(gate.wires)) != len(gate.wires) or any(not 0 <= wire < n_wires for wire in gate.wires):
        return f"wires must be distinct and in 0 to {n_wires - 1}"
    size = 4 ** len(gate.wires)
    if not 1 <= len(gate.wires) <= 2 or len(gate.transfer) != size or any(len(row) != size for row in gate.transfer):
        return f"a channel acts on one or two wires with a 4 x 4 or 16 x 16 matrix, got {len(gate.transfer)} rows"
    if not all(math.isfinite(entry) for row in gate.transfer for entry in row):
        return "its transfer matrix must be finite"
    if any(abs(entry - (k == 0)) > _ROUNDING for k, entry in enumerate(gate.transfer[0])):
        return f"a channel keeps the trace, so the first row of its matrix is 1, 0, ..., got {gate.transfer[0]}"
    return None


def _gate_to_list(gate: Gate) -> list[Any]:
    entry: list[Any] = [gate.name, list(gate.wires)]
    if gate.angle is not None:
        a = gate.angle
        entry.append([a.offset, [list(term) for term in a.inputs], [list(term) for term in a.weights]])
    if gate.transfer is not None:
        entry.append([list(row) for row in gate.transfer])
    return entry


def _gate_from_list(entry: Any) -> Gate:
    name, wires, *rest = entry
    angle, transfer = None, None
    if name == CHANNEL:
        (matrix,) = rest
        transfer = tuple(tuple(float(number) for number in row) for row in matrix)
    elif rest:
        offset, inputs, weights = rest[0]
        angle = Angle(
            float(offset),
            tuple((_whole(i), float(c)) for i, c in inputs),
            tuple((str(n), _whole(i), float(c)) for n, i, c in weights),
        )
    return Gate(str(name), tuple(_whole(w) for w in wires), angle, transfer)


def _observable_from(entry: Any) -> Observable:
    if isinstance(entry, dict):
        return Observable((), tuple((_whole(wire), _whole(bit)) for wire, bit in entry["outcome"]))
    return Observable(tuple((float(c), tuple((_whole(w), str(p)) for w, p in word)) for c, word in entry))


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value

"""Transpiled circuits of Qiskit as descriptions, with the noise of their backend."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.backends._transpile import places_of
from quanvolve.circuits import QISKIT_NAMES, Angle, Basis, Circuit, Gate, Observable, with_noise

_GATES = {name: ours for ours, name in QISKIT_NAMES.items()}
_SILENT = ("barrier", "delay", "id", "measure")


def described(circuit: Circuit, basis: Basis, parameters: list[Any], transpiled: Any, model: Any, name: str) -> Circuit:
    """What a backend runs for one measurement basis, as a description with channels.

    Args:
        circuit: that was transpiled.
        basis: whose words it measures, after gates that turn each of them to Z.
        parameters: of the transpiled circuit, for the circuit's rotations in order.
        transpiled: the transpiled circuit.
        model: Aer's noise model of the backend.
        name: of the backend, for errors.

    Returns:
        A circuit whose outputs are what the basis adds to those of the circuit.
    """
    angles = [gate.angle for gate in circuit.gates if gate.angle is not None]
    known = dict(zip(parameters, angles, strict=True))
    gates = []
    for instruction in transpiled.data:
        kind = instruction.operation.name
        if kind in _SILENT:
            continue
        if kind not in _GATES:
            raise QuanvolveError(f"the backend {name} has the gate {kind!r}, which has no description")
        wires = tuple(int(transpiled.find_bit(qubit).index) for qubit in instruction.qubits)
        angle = _affine(instruction.operation.params[0], known) if instruction.operation.params else None
        gates.append(Gate(_GATES[kind], wires, angle))
    places = places_of(transpiled)
    terms: list[list[tuple[float, tuple[tuple[int, str], ...]]]] = [[] for _ in range(circuit.n_outputs)]
    for output, coefficient, wires in basis.words:
        terms[output].append((coefficient, tuple((places[wire], "Z") for wire in wires)))
    used = sorted({wire for gate in gates for wire in gate.wires} | {w for o in terms for _, p in o for w, _ in p})
    number = {qubit: wire for wire, qubit in enumerate(used)}
    whole = replace(
        circuit,
        n_wires=max(1, len(used)),
        gates=tuple(replace(gate, wires=tuple(number[wire] for wire in gate.wires)) for gate in gates),
        observables=tuple(
            Observable(tuple((c, tuple((number[w], p) for w, p in word)) for c, word in o) or ((0.0, ()),))
            for o in terms
        ),
    )
    return with_noise(whole, _Renamed(model, number))


class _Renamed:
    """An Aer noise model with other numbers for its qubits, in the form that descriptions read."""

    def __init__(self, model: Any, numbers: dict[int, int]) -> None:
        self.basis_gates, self.noise_instructions = model.basis_gates, model.noise_instructions
        self._model, self._numbers = model, numbers

    def to_dict(self) -> dict[str, Any]:
        """Aer's own dictionary, without the errors of other qubits."""
        errors = []
        for error in self._model.to_dict()["errors"]:
            places = [tuple(int(q) for q in qubits) for qubits in error.get("gate_qubits") or ()]
            if not places:
                errors.append(error)
                continue
            renumbered = [
                tuple(self._numbers[q] for q in qubits) for qubits in places if all(q in self._numbers for q in qubits)
            ]
            if renumbered:
                errors.append({**error, "gate_qubits": renumbered})
        return {"errors": errors}


def _affine(parameter: Any, known: dict[Any, Angle]) -> Angle:
    """A parameter of a transpiled gate, which is affine in those of the circuit, as an angle."""
    if not getattr(parameter, "parameters", None):
        return Angle(float(parameter))
    free = sorted(parameter.parameters, key=lambda p: p.name)
    bare = offset = float(parameter.bind(dict.fromkeys(free, 0.0)))
    inputs: dict[int, float] = {}
    weights: dict[tuple[str, int], float] = {}
    for source in free:
        factor = float(parameter.bind({other: float(other == source) for other in free})) - bare
        angle = known[source]
        offset += factor * angle.offset
        for index, c in angle.inputs:
            inputs[index] = inputs.get(index, 0.0) + factor * c
        for name, index, c in angle.weights:
            weights[name, index] = weights.get((name, index), 0.0) + factor * c
    return Angle(
        offset,
        tuple((i, c) for i, c in inputs.items() if c),
        tuple((name, i, c) for (name, i), c in weights.items() if c),
    )

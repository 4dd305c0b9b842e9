"""PennyLane's noise models, asked gate by gate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.capture import PENNYLANE_NAMES, pennylane_alone
from quanvolve.circuits.description import Circuit, Gate, Observable, channel
from quanvolve.circuits.noise._readout import through

_EXAMPLES = (0.3141, 2.1718)
"""Angles that stand for those of pixels and weights: noise may depend on the gate but not on these."""


@pennylane_alone()
def pennylane_noise(circuit: Circuit, model: Any, measured: bool = True) -> Circuit:
    """The circuit with the channels that a `pennylane.NoiseModel` adds to its gates and measurements.

    Raises:
        QuanvolveError: if the model adds something that is no channel or gate on one or two wires, or that depends on
            an angle of pixels or weights.
    """
    import pennylane as qp

    gates: list[Gate] = []
    if circuit.preparation is not None:
        size = 2 ** len(circuit.preparation.wires)
        gates += _added(qp, model, qp.StatePrep(np.eye(size)[0], wires=circuit.preparation.wires))[1]
    for gate in circuit.gates:
        if gate.transfer is not None:
            gates.append(gate)
            continue
        before, after = _around(qp, model, gate)
        gates += [*before, gate, *after]
    if not measured:
        return replace(circuit, gates=tuple(gates))
    reads = [_read(qp, model, observable) for observable in circuit.observables]
    common = _common(circuit, reads)
    if common is not None:
        return replace(circuit, gates=(*gates, *common))
    # Acting on an observable by its adjoint, the last channel comes first.
    observables = tuple(
        through(observable, [(gate.wires, np.array(gate.transfer).T) for gate in reversed(channels)])
        for observable, channels in zip(circuit.observables, reads, strict=True)
    )
    return replace(circuit, gates=tuple(gates), observables=observables)


def _common(circuit: Circuit, reads: list[list[Gate]]) -> list[Gate] | None:
    """The channels in front of all measurements, where one run of the circuit can have those of every observable."""
    by_wire: dict[int, list[Gate]] = {}
    for observable, channels in zip(circuit.observables, reads, strict=True):
        wires = {wire for _, word in observable.pauli_terms() for wire, _ in word}
        if any(len(gate.wires) > 1 or gate.wires[0] not in wires for gate in channels):
            return None
        for wire in wires:
            here = [gate for gate in channels if gate.wires == (wire,)]
            if by_wire.setdefault(wire, here) != here:
                return None
    return [gate for wire in sorted(by_wire) for gate in by_wire[wire]]


def _around(qp: Any, model: Any, gate: Gate) -> tuple[list[Gate], list[Gate]]:
    make = getattr(qp, PENNYLANE_NAMES.get(gate.name, gate.name))
    if gate.angle is None:
        return _added(qp, model, make(wires=list(gate.wires)))
    reads = bool(gate.angle.inputs or gate.angle.weights)
    added = [
        _added(qp, model, make(angle, wires=gate.wires[0])) for angle in (_EXAMPLES if reads else (gate.angle.offset,))
    ]
    if added[0] != added[-1]:
        raise QuanvolveError(
            f"the noise model's noise of {gate.name} on wire {gate.wires[0]} depends on the gate's angle, which reads "
            "pixels or weights: give noise that depends on the gate and its wires only"
        )
    return added[0]


def _added(qp: Any, model: Any, operation: Any) -> tuple[list[Gate], list[Gate]]:
    """What the model puts in front of an operation and behind it."""
    (tape,), _ = qp.noise.add_noise(
        qp.tape.QuantumScript([operation], []), qp.NoiseModel(model.model_map, **model.metadata)
    )
    place = next(k for k, other in enumerate(tape.operations) if other is operation or qp.equal(other, operation))
    return (
        [_channel(qp, other) for other in tape.operations[:place]],
        [_channel(qp, other) for other in tape.operations[place + 1 :]],
    )


def _channel(qp: Any, operation: Any) -> Gate:
    wires = [int(wire) for wire in operation.wires]
    if len(wires) > 2:
        raise QuanvolveError(
            f"the noise model adds {operation.name} on {len(wires)} wires, channels act on one or two of them"
        )
    if isinstance(operation, qp.operation.Channel):
        return channel([np.asarray(matrix) for matrix in operation.kraus_matrices()], wires)
    return channel([np.asarray(qp.matrix(operation))], wires)


def _read(qp: Any, model: Any, observable: Observable) -> list[Gate]:
    """What the model puts in front of a measurement."""
    if not model.meas_map:
        return []
    if observable.outcome:
        measured = qp.probs(wires=[wire for wire, _ in observable.outcome])
    else:
        words = [
            qp.prod(*(getattr(qp, letter)(wire) for wire, letter in word)) if word else qp.Identity(0)
            for _, word in observable.terms
        ]
        measured = qp.expval(qp.dot([c for c, _ in observable.terms], words) if len(words) > 1 else words[0])
    tapes, _ = qp.noise.add_noise(qp.tape.QuantumScript([], [measured]), model)
    return [_channel(qp, operation) for operation in tapes[0].operations]

"""A circuit in the basis gates of a device: rotations about Z, square roots of X, and one two-qubit gate."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.description._description import Angle, Circuit, Gate

QISKIT_NAMES = {
    "RX": "rx", "RY": "ry", "RZ": "rz", "H": "h", "X": "x", "Y": "y", "Z": "z", "S": "s", "SX": "sx", "CNOT": "cx",
    "CY": "cy", "CZ": "cz", "SWAP": "swap", "ISWAP": "iswap",
}  # fmt: skip
"""What Qiskit calls the gates of the vocabulary."""


def rebase(circuit: Circuit, basis: Collection[str]) -> Circuit:
    """The same circuit in other gates, up to a global phase.

    Gates that the basis has stay. One-qubit gates become RZ and SX (or RX, where there is no SX), two-qubit gates CNOT
    or CZ with these.

    Args:
        circuit: any; noise channels stay where they are.
        basis: names of gates as Qiskit writes them, such as ``["rz", "sx", "x", "cx"]``.

    Raises:
        QuanvolveError: if the basis lacks what it takes.

    References:
        McKay et al., Phys. Rev. A 96, 022330 (2017), equation 4: one-qubit gates from two SX and three RZ.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = rebase(named_circuit("basic_entangler", 2, n_layers=1), ["rz", "sx", "cx"])
        >>> [gate.name for gate in circuit.gates if gate.wires == (0,)]
        ['SX', 'RZ', 'SX', 'RZ', 'RZ', 'SX', 'RZ', 'SX', 'RZ']
    """
    gates: list[Gate] = []
    for gate in circuit.gates:
        gates += _written(gate, frozenset(basis))
    return replace(circuit, gates=tuple(gates))


def _written(gate: Gate, basis: frozenset[str]) -> list[Gate]:
    if gate.transfer is not None or QISKIT_NAMES[gate.name] in basis:
        return [gate]
    gates = _one(gate, basis) if len(gate.wires) == 1 else _two(gate, basis)
    return [part for other in gates for part in _written(other, basis)]


def _turn(wire: int, angle: float | Angle) -> Gate:
    return Gate("RZ", (wire,), Angle(angle) if isinstance(angle, float) else angle)


def _one(gate: Gate, basis: frozenset[str]) -> list[Gate]:
    (wire,) = gate.wires
    half, root = math.pi / 2, Gate("SX", (wire,))
    if gate.angle is not None:
        middle = _turn(wire, replace(gate.angle, offset=gate.angle.offset + math.pi))
        if gate.name == "RX":
            return [_turn(wire, half), root, middle, root, _turn(wire, half)]
        if gate.name == "RY":
            return [root, middle, root, _turn(wire, math.pi)]
        raise _missing(gate, basis)
    if gate.name == "SX" and "rx" in basis:
        return [Gate("RX", (wire,), Angle(half))]
    fixed = {
        "H": [_turn(wire, half), root, _turn(wire, half)],
        "X": [root, root],
        "Y": [_turn(wire, math.pi), root, root],
        "Z": [_turn(wire, math.pi)],
        "S": [_turn(wire, half)],
    }
    if gate.name not in fixed:
        raise _missing(gate, basis)
    return fixed[gate.name]


def _two(gate: Gate, basis: frozenset[str]) -> list[Gate]:
    first, second = gate.wires
    if gate.name == "CNOT" and "cz" in basis:
        return [Gate("H", (second,)), Gate("CZ", gate.wires), Gate("H", (second,))]
    if gate.name == "CZ" and "cx" in basis:
        return [Gate("H", (second,)), Gate("CNOT", gate.wires), Gate("H", (second,))]
    if gate.name in ("CNOT", "CZ"):
        raise QuanvolveError(
            f"the gate {gate.name} cannot be written in the basis gates {', '.join(sorted(basis))}: 'cx' or 'cz' is "
            "needed"
        )
    if gate.name == "CY":
        return [_turn(second, -math.pi / 2), Gate("CNOT", gate.wires), _turn(second, math.pi / 2)]
    if gate.name == "SWAP":
        return [Gate("CNOT", (first, second)), Gate("CNOT", (second, first)), Gate("CNOT", (first, second))]
    return [Gate("SWAP", gate.wires), Gate("CZ", gate.wires), Gate("S", (first,)), Gate("S", (second,))]


def _missing(gate: Gate, basis: frozenset[str]) -> QuanvolveError:
    return QuanvolveError(
        f"the basis gates {', '.join(sorted(basis))} are not enough to write the circuit: {QISKIT_NAMES[gate.name]!r} "
        "must be one of them"
    )

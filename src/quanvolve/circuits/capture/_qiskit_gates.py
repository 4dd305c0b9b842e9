"""Qiskit's operations in the gate vocabulary."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._traced import Traced
from quanvolve.circuits.description import GATES, QISKIT_NAMES

_OURS = {name: ours for ours, name in QISKIT_NAMES.items()}
# Gates that are rotations up to a phase of the whole circuit.
_TURNS = {"p": "RZ", "u1": "RZ"}
_CONSTANT = {
    "t": ("RZ", math.pi / 4), "tdg": ("RZ", -math.pi / 4), "sdg": ("RZ", -math.pi / 2), "sxdg": ("RX", -math.pi / 2),
}  # fmt: skip
_WITHOUT_EFFECT = {"id", "global_phase", "delay", "barrier"}
_EULER = {"u", "u3"}
_MAX_DEPTH = 60
_BASIS = ["u", "cx"]


def gates_of(circuit: Any, value: Callable[[Any, str], Tensor | float]) -> list[Traced]:
    """The gates of a circuit in the vocabulary, without its measurements.

    Args:
        circuit: a `QuantumCircuit`.
        value: a parameter expression as a tensor or number; its second argument is the operation, as errors name it.

    Raises:
        CaptureError: naming the operation that is not one of a circuit with the same gates for all windows.
    """
    walk = _Walk(value)
    for position, instruction in enumerate(circuit.data):
        qubits = tuple(circuit.find_bit(qubit).index for qubit in instruction.qubits)
        walk.take(instruction.operation, qubits, f"operation {position} ({instruction.operation.name})", 0)
    return walk.gates


def measured_bits(circuit: Any) -> dict[int, int]:
    """The qubit that each classical bit of a circuit is measured from."""
    return {
        circuit.find_bit(bit).index: circuit.find_bit(qubit).index
        for instruction in circuit.data
        if instruction.operation.name == "measure"
        for bit, qubit in zip(instruction.clbits, instruction.qubits, strict=True)
    }


@dataclass
class _Walk:
    """The gates of the operations so far, and the qubits that were measured."""

    value: Callable[[Any, str], Tensor | float]
    gates: list[Traced] = field(default_factory=list)
    measured: set[int] = field(default_factory=set)

    def take(self, operation: Any, qubits: tuple[int, ...], origin: str, depth: int) -> None:
        name = operation.name
        if name in _WITHOUT_EFFECT or getattr(operation, "_directive", False):
            return
        again = sorted(set(qubits) & self.measured)
        if again:
            raise _refused(
                origin, name, qubits, f"qubit {again[0]} was measured before it, in the middle of the circuit",
                "measure at the end, and in place of an earlier measurement copy the qubit to one more with a CNOT",
            )  # fmt: skip
        if name == "measure":
            self.measured.update(qubits)
            return
        if name == "reset":
            if any(qubit in gate.wires for gate in self.gates for qubit in qubits):
                raise _refused(
                    origin, name, qubits, "it resets a qubit after gates on it, which is not a unitary gate",
                    "use one more qubit in place of the reset one",
                )  # fmt: skip
            return  # all qubits start in state 0
        if hasattr(operation, "blocks") or name == "store":
            raise _refused(
                origin, name, qubits, "it is control flow, and a circuit must have the same gates for all windows",
                "write out the gates of one branch, unroll loops, and use controlled gates in place of conditions",
            )  # fmt: skip
        self._gate(operation, qubits, origin, depth)

    def _gate(self, operation: Any, qubits: tuple[int, ...], origin: str, depth: int) -> None:
        name = operation.name
        # A gate of the user's may have any name.
        plain = getattr(operation, "base_class", type(operation)).__module__.startswith("qiskit.circuit.library")
        if plain and name in _OURS:
            angles = [self.value(parameter, origin) for parameter in operation.params]
            self.gates.append(Traced(_OURS[name], qubits, angles[0] if angles else None, origin))
        elif plain and name in _CONSTANT:
            turn, angle = _CONSTANT[name]
            self.gates.append(Traced(turn, qubits, angle, origin))
        elif plain and name in _TURNS:
            self.gates.append(Traced(_TURNS[name], qubits, self.value(operation.params[0], origin), origin))
        elif plain and name in _EULER:
            theta, phi, lam = (self.value(parameter, origin) for parameter in operation.params)
            for turn, part in (("RZ", lam), ("RY", theta), ("RZ", phi)):
                if isinstance(part, Tensor) or part:
                    self.gates.append(Traced(turn, qubits, part, origin))
        elif plain and name == "u2":
            phi, lam = (self.value(parameter, origin) for parameter in operation.params)
            self.gates += [Traced("RZ", qubits, lam, origin), Traced("RY", qubits, math.pi / 2, origin)]
            self.gates.append(Traced("RZ", qubits, phi, origin))
        else:
            self._parts(operation, qubits, origin, depth)

    def _parts(self, operation: Any, qubits: tuple[int, ...], origin: str, depth: int) -> None:
        """What an operation is made of; the phases of the parts are one phase of the whole circuit."""
        inside = "" if f"({operation.name})" in origin else f", which contains {operation.name},"
        try:
            definition = getattr(operation, "definition", None)
            if definition is None and (hasattr(operation, "control") or not hasattr(operation, "definition")):
                definition = _synthesised(operation)
        except Exception as error:
            first = (str(error).splitlines() or ["no message"])[0]
            raise CaptureError(
                f"{origin}{inside} on qubits {list(qubits)} cannot be captured: Qiskit fails to decompose it, with "
                f"{type(error).__name__}: {first}"
            ) from error
        if definition is None or depth >= _MAX_DEPTH:
            raise CaptureError(
                f"{origin}{inside} on qubits {list(qubits)} cannot be captured: it is not a unitary gate with a "
                f"definition, so that it cannot be written in {', '.join(GATES)}; give it a definition, or use other "
                "gates"
            )
        for instruction in definition.data:
            inner = tuple(qubits[definition.find_bit(qubit).index] for qubit in instruction.qubits)
            if instruction.operation.name == "measure":
                raise CaptureError(
                    f"{origin} on qubits {list(qubits)} cannot be captured: it has a measurement inside; measure with "
                    "`QuantumCircuit.measure` at the end of the circuit itself"
                )
            self.take(instruction.operation, inner, origin, depth + 1)


def _synthesised(operation: Any) -> Any:
    """What the transpiler makes of a gate without definition, such as a permutation or a gate with modifiers."""
    from qiskit import QuantumCircuit, transpile

    alone = QuantumCircuit(operation.num_qubits)
    alone.append(operation, range(operation.num_qubits))
    return transpile(alone, basis_gates=_BASIS, optimization_level=0)


def _refused(origin: str, name: str, qubits: tuple[int, ...], why: str, remedy: str) -> CaptureError:
    inside = "" if f"({name})" in origin else f", which contains {name},"
    return CaptureError(f"{origin}{inside} on qubits {list(qubits)} cannot be captured: {why}; {remedy}")

"""Descriptions as circuits of Qiskit, transpiled for a backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve._qiskit import import_qiskit
from quanvolve.circuits import QISKIT_NAMES, Circuit, bases_of

_FOLDED = ("cx", "cz", "ecr")


@dataclass(frozen=True)
class Transpiled:
    """A circuit as a backend runs it.

    Args:
        depth: longest chain of gates, the measurement left out.
        two_qubit_gates: how many gates act on two qubits.
        qubits: of the backend, in the order of the circuit's wires at the end.
    """

    depth: int
    two_qubit_gates: int
    qubits: tuple[int, ...]

    @classmethod
    def of(cls, one: Any) -> Transpiled:
        """What a circuit of Qiskit is on its backend."""
        counted = one.copy()
        counted.remove_final_measurements(inplace=True)
        pairs = sum(len(i.qubits) == 2 and i.operation.name != "barrier" for i in one.data)
        return cls(counted.depth(), pairs, places_of(one))


def places_of(transpiled: Any) -> tuple[int, ...]:
    """The qubit that each classical bit is measured on: where the circuit's wires are at the end."""
    places = {}
    for instruction in transpiled.data:
        if instruction.operation.name == "measure":
            bit = transpiled.find_bit(instruction.clbits[0]).index
            places[bit] = int(transpiled.find_bit(instruction.qubits[0]).index)
    return tuple(places[bit] for bit in sorted(places))


def transpile(
    circuit: Circuit, backend: Any, *, level: int, seed: int | None, qubits: tuple[int, ...] | None
) -> tuple[list[Any], list[Any]]:
    """Parameters for the angles, and for each measurement basis the circuit as the backend runs it.

    All bases are measured on the same qubits.

    Args:
        circuit: to run.
        backend: of Qiskit.
        level: of optimization, 0 to 3.
        seed: of the transpiler.
        qubits: where the wires start; None to leave that to the transpiler.

    Raises:
        QuanvolveError: if the circuit prepares amplitudes, or has more qubits than the backend.
    """
    qiskit, library = import_qiskit("qiskit"), import_qiskit("qiskit.circuit")
    if circuit.preparation is not None:
        raise QuanvolveError(
            "the circuit prepares amplitudes, for which each window needs a circuit of its own: use an encoding with "
            "angles, or a PennyLane device"
        )
    limit = backend.num_qubits
    if limit is not None and circuit.n_wires > limit:
        raise QuanvolveError(f"the circuit has {circuit.n_wires} qubits, the backend {backend.name} has {limit}")
    count = sum(gate.angle is not None for gate in circuit.gates)
    parameters = list(library.ParameterVector("angle", count))
    transpiled = []
    for basis in bases_of(circuit):
        written = qiskit.QuantumCircuit(circuit.n_wires)
        free = iter(parameters)
        for gate in circuit.gates:
            arguments = [] if gate.angle is None else [next(free)]
            getattr(written, QISKIT_NAMES[gate.name])(*arguments, *gate.wires)
        for wire, letter in enumerate(basis.letters):
            if letter == "Y":
                written.sdg(wire)
            if letter in "XY":
                written.h(wire)
        written.measure_all()
        manager = qiskit.transpiler.generate_preset_pass_manager(
            optimization_level=level, backend=backend, seed_transpiler=seed, initial_layout=qubits
        )
        transpiled.append(manager.run(written))
        if qubits is None and transpiled[0].layout is not None:
            qubits = tuple(transpiled[0].layout.initial_index_layout(filter_ancillas=True))
    return parameters, transpiled


def fold(circuit: Any, scale: int) -> Any:
    """A transpiled circuit with each two-qubit gate in an odd number of copies, kept apart by barriers.

    Raises:
        QuanvolveError: if a two-qubit gate is not its own inverse.
    """
    if scale == 1:
        return circuit
    folded = circuit.copy_empty_like()
    for instruction in circuit.data:
        name, several = instruction.operation.name, len(instruction.qubits) == 2
        if several and name not in (*_FOLDED, "barrier", "measure"):
            raise QuanvolveError(
                f"the backend has the gate {name!r} on two qubits, which is not its own inverse: zero-noise "
                f"extrapolation folds {', '.join(_FOLDED)}"
            )
        copies = scale if several and name in _FOLDED else 1
        for number in range(copies):
            if number:
                folded.barrier(*instruction.qubits)
            folded.append(instruction.operation, instruction.qubits, instruction.clbits)
    return folded

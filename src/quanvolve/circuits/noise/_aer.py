"""Qiskit Aer's noise models, read from their own dictionaries: no import of Qiskit is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from quanvolve._errors import QuanvolveError
from quanvolve._warn import warn_user
from quanvolve.circuits.description import GATES, PAULIS, QISKIT_NAMES, Circuit, Gate, channel_gate, rebase, transfer_of
from quanvolve.circuits.noise._readout import with_readout_errors

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.complex128]
_OURS = {name: ours for ours, name in QISKIT_NAMES.items()}


def aer_noise(circuit: Circuit, model: Any, measured: bool = True) -> Circuit:
    """The circuit in the basis gates of an Aer `NoiseModel`, with its channels and readout errors.

    Qubit q of the model is wire q. As in Aer, an error of a gate on particular qubits goes before one on all.

    Warns:
        UserWarning: where the circuit has a two-qubit gate on a pair of qubits for which the model has no error,
            although it has some for others: Aer runs these without noise, a device cannot.

    Raises:
        QuanvolveError: if the circuit cannot be written in the basis gates, or an error is of an unknown form.
    """
    basis = [name for name in model.basis_gates if name in _OURS]
    rebased = rebase(circuit, basis)
    gate_errors, readout = aer_errors(model)
    gates: list[Gate] = []
    bare: set[tuple[str, tuple[int, ...]]] = set()
    for gate in rebased.gates:
        gates.append(gate)
        if gate.transfer is not None:
            continue
        name = QISKIT_NAMES[gate.name]
        channel = gate_errors.get((name, gate.wires), gate_errors.get((name, None)))
        if channel is not None:
            gates.append(channel_gate(channel, gate.wires))
        elif len(gate.wires) == 2 and any(other == name for other, _ in gate_errors):
            bare.add((name, gate.wires))
    if bare:
        pairs = ", ".join(f"{name} on {list(wires)}" for name, wires in sorted(bare))
        warn_user(
            f"the noise model has no error for {pairs}, so these gates are without noise, as they are in Aer: choose a "
            "circuit that couples the pairs of the device, or transpile it for the device first"
        )
    noisy = replace(rebased, gates=tuple(gates))
    if not measured:
        return noisy
    errors = {wire: readout.get(wire, readout.get(None, (0.0, 0.0))) for wire in range(circuit.n_wires)}
    return with_readout_errors(noisy, {wire: pair for wire, pair in errors.items() if any(pair)})


def aer_errors(
    model: Any,
) -> tuple[dict[tuple[str, tuple[int, ...] | None], Floats], dict[int | None, tuple[float, float]]]:
    """What an Aer `NoiseModel` says of gates and of measurements.

    Returns:
        By gate and its qubits (None: any), the Pauli transfer matrix, the first qubit most significant; and by qubit
        P(1 | 0) and P(0 | 1). Errors of instructions that descriptions do not have are left out.

    Raises:
        QuanvolveError: if an error is of an unknown form.
    """
    gates: dict[tuple[str, tuple[int, ...] | None], Floats] = {}
    readout: dict[int | None, tuple[float, float]] = {}
    for error in model.to_dict()["errors"]:
        named = [tuple(int(q) for q in qubits) for qubits in error.get("gate_qubits") or ()]
        places: list[tuple[int, ...] | None] = [*named] or [None]
        for place in places:
            if error["type"] == "roerror":
                rates = np.asarray(error["probabilities"], float)
                if rates.shape != (2, 2):
                    raise QuanvolveError(
                        "the noise model has readout errors of several qubits together, expected single ones"
                    )
                readout[None if place is None else place[0]] = (float(rates[0, 1]), float(rates[1, 0]))
            elif error["type"] == "qerror":
                names = [name for name in error["operations"] if name in _OURS]
                if names:
                    matrix = _transfer(error, GATES[_OURS[names[0]]].n_wires)
                    gates.update({(name, place): matrix for name in names})
            else:
                raise QuanvolveError(f"the noise model has an error of the unknown type {error['type']!r}")
    return gates, readout


def _transfer(error: Any, n: int) -> Floats:
    """The Pauli transfer matrix of a quantum error on n qubits: a mixture of short circuits."""
    whole = np.zeros((4**n, 4**n))
    for probability, circuit in zip(error["probabilities"], error["instructions"], strict=True):
        product = np.eye(4**n)
        for instruction in circuit:
            product = _placed(_single(instruction), [int(q) for q in instruction["qubits"]], n) @ product
        whole += float(probability) * product
    return whole


def _single(instruction: Any) -> Floats:
    """Of one instruction on its own qubits, the first of them most significant."""
    name, parameters = instruction["name"], instruction.get("params", [])
    count = len(instruction["qubits"])
    if name == "id":
        return np.eye(4**count)
    if name == "reset":
        matrix = np.zeros((4, 4))
        matrix[0, 0] = matrix[3, 0] = 1.0
        return matrix
    if name == "pauli":
        # Qiskit's labels and matrices count qubits from the right.
        unitary = np.eye(1, dtype=complex)
        for letter in reversed(str(parameters[0])):
            unitary = np.kron(unitary, PAULIS[letter])
        return transfer_of([unitary])
    if name in ("kraus", "unitary"):
        operators = parameters if name == "kraus" else parameters[:1]
        return transfer_of([_reversed(np.asarray(operator, complex), count) for operator in operators])
    if name in _OURS and GATES[_OURS[name]].axis is None:
        return transfer_of([GATES[_OURS[name]].unitary()])
    raise QuanvolveError(
        f"the noise model has an error with the instruction {name!r}, known are id, reset, pauli, kraus, unitary and "
        "gates without parameters"
    )


def _reversed(matrix: Matrix, n: int) -> Matrix:
    """A matrix with the order of its qubits reversed."""
    axes = [*reversed(range(n)), *reversed(range(n, 2 * n))]
    return matrix.reshape((2,) * (2 * n)).transpose(axes).reshape(2**n, 2**n)


def _placed(transfer: Floats, qubits: list[int], n: int) -> Floats:
    """A transfer matrix on some of n qubits."""
    k = len(qubits)
    rest = [q for q in range(n) if q not in qubits]
    whole = np.kron(transfer, np.eye(4 ** (n - k))).reshape((4,) * (2 * n))
    order = [*qubits, *rest]
    back = [order.index(q) for q in range(n)]
    return np.asarray(whole.transpose([*back, *(n + b for b in back)]).reshape(4**n, 4**n), float)

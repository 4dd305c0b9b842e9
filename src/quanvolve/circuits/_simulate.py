"""A circuit description on PennyLane's simulator, one window at a time: slow, and independent of the compiler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from quanvolve._errors import QuanvolveError
from quanvolve.circuits._channels import kraus_of
from quanvolve.circuits._description import PROGRAM, Circuit, Gate
from quanvolve.circuits._gates import PAULIS
from quanvolve.circuits._pennylane_lock import pennylane_alone

PENNYLANE_NAMES = {"H": "Hadamard", "X": "PauliX", "Y": "PauliY", "Z": "PauliZ"}


@pennylane_alone()
def simulate(circuit: Circuit, inputs: Sequence[float], weights: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    """Measured values of one filter on one window, by `default.qubit`, or `default.mixed` where there is noise.

    Args:
        circuit: what the filter runs.
        inputs: the window, flattened and scaled to what the circuit reads, `n_inputs` numbers.
        weights: by name, each of the circuit's own shape, in radians.

    Returns:
        Array of `n_outputs` values.

    Raises:
        QuanvolveError: if the numbers of inputs or weights do not fit, or the values are drawn at random.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = named_circuit("basic_entangler", 2, n_layers=1)
        >>> simulate(circuit, [0.0, 0.0], {"weights": [[0.0, 0.0]]})
        array([1., 1.])
    """
    import pennylane as qp

    values = np.asarray(inputs, float).reshape(-1)
    if len(values) != circuit.n_inputs:
        raise QuanvolveError(f"`inputs` has {len(values)} numbers, the circuit reads {circuit.n_inputs}")
    if circuit.counts == "sampled":
        raise QuanvolveError("the circuit's values are drawn at random: simulate its outcomes instead")
    if circuit.threshold is not None:
        values = (values > circuit.threshold).astype(float)
    arrays = {name: np.asarray(weights[name], float).reshape(shape) for name, shape in circuit.weight_shapes}
    derived = _derived(circuit, values, arrays)
    values = np.concatenate([values, derived])
    flat = {name: array.reshape(-1) for name, array in arrays.items()} | {PROGRAM: derived}

    def function() -> Any:
        if circuit.preparation is not None:
            state = np.zeros(2 ** len(circuit.preparation.wires))
            state[: len(circuit.preparation.values)] = values[list(circuit.preparation.values)]
            norm = np.linalg.norm(state)
            qp.StatePrep(state / norm if norm else np.eye(len(state))[0], wires=circuit.preparation.wires)
        for gate in circuit.gates:
            _queue(qp, gate, values, flat)
        return qp.state()

    device = "default.mixed" if circuit.noisy else "default.qubit"
    node = qp.QNode(function, qp.device(device, wires=circuit.n_wires), diff_method=None)
    state = np.asarray(node())
    return _measured_mixed(circuit, state) if circuit.noisy else _measured(circuit, state.reshape(-1))


def _derived(circuit: Circuit, values: Any, arrays: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    if circuit.program is None:
        return np.empty(0)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    which = tuple(range(len(circuit.program.values)))
    return np.asarray(circuit.program.run(torch.from_numpy(values), tensors, which).numpy(), float)


def _queue(qp: Any, gate: Gate, values: Any, flat: Mapping[str, Any]) -> None:
    if gate.transfer is not None:
        qp.QubitChannel(kraus_of(np.array(gate.transfer)), wires=gate.wires)
        return
    operation = getattr(qp, PENNYLANE_NAMES.get(gate.name, gate.name))
    if gate.angle is None:
        operation(wires=list(gate.wires))
        return
    angle = gate.angle.offset
    angle += sum(factor * values[index] for index, factor in gate.angle.inputs)
    angle += sum(factor * flat[name][index] for name, index, factor in gate.angle.weights)
    operation(angle, wires=gate.wires[0])


def _measured_mixed(circuit: Circuit, state: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    found = []
    for observable in circuit.observables:
        total = 0.0
        for coefficient, word in observable.pauli_terms():
            letters = dict(word)
            whole = np.eye(1, dtype=complex)
            for wire in range(circuit.n_wires):
                whole = np.kron(whole, PAULIS[letters.get(wire, "I")])
            total += coefficient * float(np.einsum("ij,ji->", whole, state).real)
        found.append(total)
    return np.array(found)


def _measured(circuit: Circuit, state: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    n = circuit.n_wires
    tensor = state.reshape((2,) * n)
    if circuit.counts is not None:
        probabilities = np.abs(state) ** 2
        best = int(np.argmax(probabilities >= probabilities.max() - 1e-6))
        return np.array([float(best.bit_count())])
    found = []
    for observable in circuit.observables:
        total = 0.0
        for coefficient, word in observable.pauli_terms():
            turned = tensor
            for wire, pauli in word:
                matrix = {"X": [[0, 1], [1, 0]], "Y": [[0, -1j], [1j, 0]], "Z": [[1, 0], [0, -1]]}[pauli]
                turned = np.moveaxis(np.tensordot(np.array(matrix), turned, axes=(1, wire)), 0, wire)
            total += coefficient * float(np.vdot(tensor, turned).real)
        found.append(total)
    return np.array(found)

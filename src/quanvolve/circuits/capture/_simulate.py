"""A circuit description on PennyLane's simulator, one window at a time: slow, and independent of the compiler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.capture._pennylane_lock import pennylane_alone
from quanvolve.circuits.description import GATES, PAULIS, PROGRAM, Circuit, Preparation, Program, kraus_of

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

    window = np.asarray(inputs, float).reshape(-1)
    if len(window) != circuit.n_inputs:
        raise QuanvolveError(f"`inputs` has {len(window)} numbers, the circuit reads {circuit.n_inputs}")
    if circuit.counts == "sampled":
        raise QuanvolveError("the circuit's values are drawn at random: simulate its outcomes instead")
    if circuit.threshold is not None:
        window = (window > circuit.threshold).astype(float)
    arrays = {name: np.asarray(weights[name], float).reshape(shape) for name, shape in circuit.weight_shapes}
    angles, extended = angles_of(circuit, window[None], arrays)

    def function() -> Any:
        if circuit.preparation is not None:
            qp.StatePrep(prepared_states(circuit.preparation, extended)[0], wires=circuit.preparation.wires)
        for gate, angle in zip(circuit.gates, angles, strict=True):
            if gate.transfer is not None:
                qp.QubitChannel(kraus_of(np.array(gate.transfer)), wires=gate.wires)
                continue
            operation = getattr(qp, PENNYLANE_NAMES.get(gate.name, gate.name))
            if angle is None:
                operation(wires=list(gate.wires))
            else:
                operation(angle[0], wires=gate.wires[0])
        return qp.state()

    device = "default.mixed" if circuit.noisy else "default.qubit"
    node = qp.QNode(function, qp.device(device, wires=circuit.n_wires), diff_method=None)
    state = np.asarray(node())
    if circuit.noisy:
        (values,) = _postprocessed(circuit, _measured_mixed(circuit, state)[None], arrays)
    else:
        (values,) = measured_in_states(circuit, state.reshape(1, -1), arrays)
    return np.asarray(values)


def angles_of(
    circuit: Circuit, windows: npt.NDArray[np.float64], weights: Mapping[str, npt.NDArray[np.float64]]
) -> tuple[list[npt.NDArray[np.float64] | None], npt.NDArray[np.float64]]:
    """The angle of every gate on every window, and the windows with the values of the circuit's program behind them.

    Args:
        circuit: the description.
        windows: shape (rows, n_inputs), after a threshold.
        weights: by name, of the circuit's own shapes.

    Returns:
        For each gate an array of shape (rows,), in radians, or None; and an array of shape (rows, n_values).
    """
    derived = _derived(circuit, windows, weights)
    extended = np.concatenate([windows, derived], axis=1)
    angles: list[npt.NDArray[np.float64] | None] = []
    for gate in circuit.gates:
        if gate.angle is None:
            angles.append(None)
            continue
        angle = np.full(len(windows), gate.angle.offset)
        for index, factor in gate.angle.inputs:
            angle += factor * extended[:, index]
        for name, index, factor in gate.angle.weights:
            angle += factor * (derived[:, index] if name == PROGRAM else weights[name].reshape(-1)[index])
        angles.append(angle)
    return angles, extended


def prepared_states(preparation: Preparation, extended: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The state that is prepared for every window, shape (rows, 2^wires); `extended` is that of :func:`angles_of`."""
    states = np.zeros((len(extended), 2 ** len(preparation.wires)))
    states[:, : len(preparation.values)] = extended[:, list(preparation.values)]
    norms = np.linalg.norm(states, axis=1, keepdims=True)
    states[norms[:, 0] == 0, 0] = 1.0
    return states / np.where(norms == 0, 1.0, norms)


def final_states(
    circuit: Circuit, angles: Sequence[npt.NDArray[np.float64] | None], extended: npt.NDArray[np.float64]
) -> npt.NDArray[np.complex128]:
    """The states behind the gates of a circuit without noise, shape (rows, 2^n_wires), by NumPy.

    Args:
        circuit: the description.
        angles: of its gates, as :func:`angles_of` gives them.
        extended: likewise.
    """
    rows, n = len(extended), circuit.n_wires
    states = np.zeros((rows,) + (2,) * n, complex)
    states.reshape(rows, -1)[:, 0] = 1.0
    if circuit.preparation is not None:
        wires = [wire + 1 for wire in circuit.preparation.wires]
        prepared = prepared_states(circuit.preparation, extended).reshape((rows,) + (2,) * len(wires))
        front = np.moveaxis(states, wires, range(1, len(wires) + 1))
        first: Any = (..., *(0,) * (n - len(wires)))
        front[first] = prepared
    for gate, angle in zip(circuit.gates, angles, strict=True):
        kind, k = GATES[gate.name], len(gate.wires)
        if kind.axis is None:
            matrices = kind.unitary()[None]
        else:
            # exp(-i angle / 2 P) = cos(angle / 2) - i sin(angle / 2) P
            half = np.asarray(angle)[:, None, None] / 2
            matrices = np.cos(half) * PAULIS["I"] - 1j * np.sin(half) * PAULIS[kind.axis]
        axes = [wire + 1 for wire in gate.wires]
        front = np.moveaxis(states, axes, range(1, k + 1))
        states = np.moveaxis((matrices @ front.reshape(rows, 2**k, -1)).reshape(front.shape), range(1, k + 1), axes)
    return states.reshape(rows, -1)


def values_by_numpy(
    circuit: Circuit, windows: npt.NDArray[np.float64], weights: Mapping[str, npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    """Measured values of one filter on several windows, as :func:`simulate` gives them, without PennyLane.

    Args:
        circuit: what the filter runs; with noise, PennyLane does it.
        windows: shape (rows, n_inputs), after a threshold.
        weights: by name, of the circuit's own shapes.

    Returns:
        Array of shape (rows, n_outputs).
    """
    if circuit.noisy:
        return np.stack([simulate(replace(circuit, threshold=None), row.tolist(), weights) for row in windows])
    angles, extended = angles_of(circuit, windows, weights)
    return measured_in_states(circuit, final_states(circuit, angles, extended), weights)


def measured_in_states(
    circuit: Circuit, states: npt.NDArray[Any], weights: Mapping[str, npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    """The circuit's values in states of shape (rows, 2^n_wires): shape (rows, n_outputs).

    Args:
        circuit: the description.
        states: behind its gates.
        weights: by name, of the circuit's own shapes: a post-processing may read them.
    """
    rows, n = len(states), circuit.n_wires
    probabilities = np.abs(states) ** 2
    if circuit.counts is not None:
        best = np.argmax(probabilities >= probabilities.max(axis=1, keepdims=True) - 1e-6, axis=1)
        return np.array([[float(int(index).bit_count())] for index in best])
    tensors = states.reshape((rows,) + (2,) * n)
    values = np.empty((rows, len(circuit.observables)))
    for column, observable in enumerate(circuit.observables):
        if observable.outcome:
            bits = dict(observable.outcome)
            place = (slice(None), *(bits.get(wire, slice(None)) for wire in range(n)))
            values[:, column] = probabilities.reshape(tensors.shape)[place].reshape(rows, -1).sum(axis=1)
            continue
        total = np.zeros(rows)
        for coefficient, word in observable.terms:
            turned = tensors
            for wire, pauli in word:
                turned = np.moveaxis(np.tensordot(PAULIS[pauli], turned, axes=(1, wire + 1)), 0, wire + 1)
            total += coefficient * np.einsum("rk,rk->r", states.conj(), turned.reshape(rows, -1)).real
        values[:, column] = total
    return _postprocessed(circuit, values, weights)


def _postprocessed(
    circuit: Circuit, values: npt.NDArray[np.float64], weights: Mapping[str, npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    """Outputs (rows, n_outputs) from measured values (rows, observables)."""
    return values if circuit.postprocessing is None else _run(circuit.postprocessing, values, weights)


def _derived(
    circuit: Circuit, windows: npt.NDArray[np.float64], weights: Mapping[str, npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    return np.empty((len(windows), 0)) if circuit.program is None else _run(circuit.program, windows, weights)


def _run(
    program: Program, rows: npt.NDArray[np.float64], weights: Mapping[str, npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    """All values of a program for rows of what it reads."""
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    which = tuple(range(len(program.values)))
    with torch.no_grad():  # as the compiler runs it
        values = torch.func.vmap(lambda row: program.run(row, tensors, which))(torch.from_numpy(rows))
    return np.asarray(values.numpy(), float)


def _measured_mixed(circuit: Circuit, state: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    values = []
    for observable in circuit.observables:
        total = 0.0
        for coefficient, word in observable.pauli_terms():
            letters = dict(word)
            whole = np.eye(1, dtype=complex)
            for wire in range(circuit.n_wires):
                whole = np.kron(whole, PAULIS[letters.get(wire, "I")])
            total += coefficient * float(np.einsum("ij,ji->", whole, state).real)
        values.append(total)
    return np.array(values)

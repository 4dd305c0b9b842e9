"""A circuit description as a `QuantumCircuit` of Qiskit, of which the window is a vector of parameters."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from quanvolve._errors import QuanvolveError
from quanvolve._qiskit import import_qiskit
from quanvolve.circuits.description import PROGRAM, QISKIT_NAMES, Circuit
from quanvolve.circuits.write._expressions import expressions_of
from quanvolve.circuits.write._openqasm import outputs_in_words


def quantum_circuit(
    circuit: Circuit, weights: Mapping[str, Any], scale: Sequence[float], measured: int, name: str = "filter"
) -> Any:
    """A circuit with numbers for its weights, in Qiskit's own terms.

    Noise channels are left out, as in files: a device has its own.

    Args:
        circuit: what is written.
        weights: by name, each of the circuit's own shape; arrays or tensors.
        scale: what each pixel is multiplied with to become an input.
        measured: the number of the value that is wanted of it.
        name: of the circuit.

    Returns:
        A `QuantumCircuit` without measurements. Its parameters are a `ParameterVector` "inputs", the pixels;
        `metadata["observable"]` is the value as a list for `SparsePauliOp.from_list`, `metadata["output"]` in words.

    Raises:
        QuanvolveError: if Qiskit is not installed, or the circuit needs what its expressions cannot say: a threshold,
            a preparation of amplitudes, a function that they do not have.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = named_circuit("basic_entangler", 2, n_layers=1)
        >>> written = quantum_circuit(circuit, {"weights": [[0.5, 1.5]]}, [1.0, 1.0], measured=1)
        >>> print(written)
             ┌───────────────┐┌─────────┐
        q_0: ┤ Ry(inputs[0]) ├┤ Rx(0.5) ├──■──
             ├───────────────┤├─────────┤┌─┴─┐
        q_1: ┤ Ry(inputs[1]) ├┤ Rx(1.5) ├┤ X ├
             └───────────────┘└─────────┘└───┘
        >>> written.metadata
        {'output': 'Z of q[1]', 'observable': [['ZI', 1.0]]}
    """
    qiskit, library = import_qiskit("qiskit"), import_qiskit("qiskit.circuit")
    _check(circuit)
    arrays = {
        weight: np.asarray(_plain(weights[weight]), float).reshape(shape) for weight, shape in circuit.weight_shapes
    }
    pixels = library.ParameterVector("inputs", circuit.n_inputs)
    inputs = [pixel if factor == 1.0 else factor * pixel for pixel, factor in zip(pixels, scale, strict=True)]
    values = inputs + ([] if circuit.program is None else _computed(circuit, inputs, arrays))
    written = qiskit.QuantumCircuit(circuit.n_wires, name=name)
    for gate in circuit.gates:
        if gate.transfer is not None:
            continue
        arguments: list[Any] = []
        if gate.angle is not None:
            terms: list[Any] = [_times(factor, values[index]) for index, factor in gate.angle.inputs]
            for weight, index, factor in gate.angle.weights:
                constant = (
                    values[circuit.n_inputs + index] if weight == PROGRAM else float(arrays[weight].reshape(-1)[index])
                )
                terms.append(_times(factor, constant))
            if gate.angle.offset or not terms:
                terms.append(gate.angle.offset)
            arguments = [functools.reduce(operator.add, terms)]
        getattr(written, QISKIT_NAMES[gate.name])(*arguments, *gate.wires)
    written.metadata = {
        "output": outputs_in_words(circuit)[measured].split(": ", 1)[1],
        "observable": _labels(circuit, measured),
    }
    return written


def _check(circuit: Circuit) -> None:
    why = None
    if circuit.counts is not None:
        why = f"it counts the ones in a bit string ({circuit.counts}), which is no expectation value"
    elif circuit.threshold is not None:
        why = "it reads bits, 1 where an input is above a threshold, and Qiskit's expressions have no comparison"
    elif circuit.preparation is not None:
        why = "it prepares amplitudes, and Qiskit's expressions have no angles of such states for all windows"
    if why is not None:
        raise QuanvolveError(
            f"the circuit cannot be written with the window as parameters: {why}; bind() and qiskit_circuit() write it "
            "with parameters that are computed from the window"
        )


def _computed(circuit: Circuit, inputs: list[Any], arrays: Mapping[str, Any]) -> list[Any]:
    """The program's values: numbers where they read weights only, else expressions."""
    program = circuit.program
    assert program is not None
    constant = tuple(k for k, value in enumerate(program.values) if not value.reads_inputs)
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    numbers = program.run(torch.zeros(circuit.n_inputs, dtype=torch.float64), tensors, constant).tolist()
    known = dict(zip(constant, numbers, strict=True))
    if len(known) == len(program.values):
        return numbers
    return [known.get(k, value) for k, value in enumerate(expressions_of(program, inputs, arrays))]


def _times(factor: float, value: Any) -> Any:
    return value if factor == 1.0 else factor * value


def _plain(weight: Any) -> Any:
    return weight.detach().cpu().numpy() if hasattr(weight, "detach") else weight


def _labels(circuit: Circuit, measured: int) -> list[list[Any]]:
    """The Pauli words of a value, with letters for all qubits, the last one for qubit 0."""
    entries = []
    for coefficient, word in circuit.observables[measured].pauli_terms():
        letters = dict(word)
        label = "".join(letters.get(wire, "I") for wire in reversed(range(circuit.n_wires)))
        entries.append([label, coefficient])
    return entries or [["I" * circuit.n_wires, 0.0]]

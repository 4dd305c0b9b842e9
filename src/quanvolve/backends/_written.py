"""Bound circuits as circuits of Qiskit, and in Qiskit's file format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve._files import replacing
from quanvolve._qiskit import import_qiskit
from quanvolve.circuits import QISKIT_NAMES, RESET, Bound, outputs_in_words


def qiskit_circuit(bound: Bound, name: str = "filter") -> Any:
    """A bound circuit as a `QuantumCircuit`, with its parameters and without measurements.

    Args:
        bound: from :func:`quanvolve.circuits.bind`.
        name: of the circuit.

    Returns:
        A circuit whose ``metadata`` says what its outputs and parameters are.

    Raises:
        QuanvolveError: if Qiskit is not installed.

    Examples:
        >>> from quanvolve.circuits import bind, named_circuit
        >>> bound = bind(named_circuit("basic_entangler", 2, n_layers=1), {"weights": [[0.5, 1.5]]})
        >>> circuit = qiskit_circuit(bound)
        >>> [parameter.name for parameter in circuit.parameters], circuit.metadata["outputs"]
        (['x0', 'x1'], ['Z of q[0]', 'Z of q[1]'])
    """
    qiskit, library = import_qiskit("qiskit"), import_qiskit("qiskit.circuit")
    parameters = {parameter: library.Parameter(parameter) for parameter, _ in bound.parameters}
    written = qiskit.QuantumCircuit(bound.circuit.n_wires, name=name)
    for gate in bound.gates:
        if gate.name == RESET:
            written.reset(*gate.wires)
            continue
        arguments: list[Any] = []
        if gate.offset is not None:
            arguments = [gate.offset + sum(factor * parameters[parameter] for parameter, factor in gate.terms)]
        getattr(written, QISKIT_NAMES[gate.name])(*arguments, *gate.wires)
    outputs = outputs_in_words(bound.circuit, bound.weights)
    if bound.circuit.postprocessing is None:
        outputs = [line.split(": ", 1)[1] for line in outputs]
    written.metadata = {"outputs": outputs, "parameters": dict(bound.parameters)}
    return written


def save_qpy(circuits: Sequence[Any], path: str | Path) -> None:
    """Write circuits of Qiskit to one file, whole or not at all; `qiskit.qpy.load` reads it.

    Raises:
        QuanvolveError: if Qiskit is not installed, or the file cannot be written.
    """
    qpy = import_qiskit("qiskit.qpy")
    try:
        with replacing(Path(path)) as part, part.open("wb") as file:
            qpy.dump(list(circuits), file)
    except OSError as error:
        raise QuanvolveError(f"cannot write {path}: {error.strerror or error}") from error

"""What a circuit of the user's was written for, told without importing any of these programs."""

from __future__ import annotations

from typing import Any

from quanvolve.circuits.capture._openqasm import from_openqasm, is_openqasm
from quanvolve.circuits.capture._qiskit import from_qiskit
from quanvolve.circuits.capture._scripts import from_script
from quanvolve.circuits.capture._source import Source


def source_of(circuit: Any) -> Source | None:
    """The source of a circuit of Qiskit, of a program in OpenQASM or of a script of PennyLane.

    Args:
        circuit: anything.

    Returns:
        The source; None for what is none of these.

    Raises:
        CaptureError: if it is one of them that cannot be captured, or that does not say what its window is.

    Examples:
        >>> from qiskit.circuit.library import z_feature_map
        >>> source_of(z_feature_map(2)).n_inputs, source_of("strongly_entangling")
        (2, None)
    """
    if isinstance(circuit, Source):
        return circuit
    if is_openqasm(circuit):
        return from_openqasm(circuit)
    if comes_from(circuit, "qiskit", "QuantumCircuit"):
        return from_qiskit(circuit)
    if comes_from(circuit, "pennylane", "QuantumScript"):
        return from_script(circuit)
    return None


def comes_from(value: Any, package: str, name: str) -> bool:
    """Whether a value is of a class of another package, or of one derived from it."""
    return any(kind.__name__ == name and kind.__module__.split(".")[0] == package for kind in type(value).__mro__)

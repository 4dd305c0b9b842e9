"""The circuit of a problem as PennyLane operations."""

import pennylane as qp

NAMES = {"H": qp.Hadamard, "X": qp.PauliX, "Y": qp.PauliY, "Z": qp.PauliZ}


def apply(problem, inputs, weights):
    """Queue the gates; inputs[i] may be a batch."""
    for (name, wires, _), angle in zip(problem.gates, problem.angles(inputs, weights), strict=True):
        gate = NAMES.get(name) or getattr(qp, name)
        if angle is None:
            gate(wires=wires)
        else:
            gate(angle, wires=wires)

"""Circuits of papers that the catalogue has no name for: four qubits, one for each pixel of a 2x2 window."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from quanvolve.circuits import Angle, Circuit, Gate, Observable, named_circuit

_READ = tuple(Gate("RY", (wire,), Angle(0.0, ((wire, 1.0),))) for wire in range(4))
_EACH = tuple(Observable(((1.0, ((wire, "Z"),)),)) for wire in range(4))
_HADAMARD = tuple(Gate("H", (wire,)) for wire in range(4))


def _cnot_pairs(n_layers: int) -> Circuit:
    """Riaz et al., arXiv:2308.11112. Its channels are cos x0, cos x0 cos x1, cos x2, cos x2 cos x3."""
    return Circuit(4, 4, (*_READ, Gate("CNOT", (0, 1)), Gate("CNOT", (2, 3))), _EACH)


def _hadamard_first(n_layers: int) -> Circuit:
    """Riaz et al., Sensors 23, 2753 (2023): a strongly entangling circuit with Hadamard gates, here before it."""
    circuit = named_circuit("strongly_entangling", 4, n_layers=n_layers)
    return replace(circuit, gates=(*_HADAMARD, *circuit.gates))


def _hadamard_last(n_layers: int) -> Circuit:
    """The same with the Hadamard gates behind it."""
    circuit = named_circuit("strongly_entangling", 4, n_layers=n_layers)
    return replace(circuit, gates=(*circuit.gates, *_HADAMARD))


CIRCUITS: dict[str, Callable[[int], Circuit]] = {
    "cnot_pairs": _cnot_pairs,
    "hadamard_first": _hadamard_first,
    "hadamard_last": _hadamard_last,
}
"""What makes them from a number of layers, by the name that a config gives."""


def with_circuit(params: dict[str, Any]) -> dict[str, Any]:
    """Arguments of the classifier with the circuit in place of such a name; pixels are multiplied by pi."""
    if params.get("circuit") not in CIRCUITS:
        return params
    kept = {name: value for name, value in params.items() if name not in ("n_layers", "encoding", "readout")}
    return {**kept, "circuit": CIRCUITS[params["circuit"]](params["n_layers"]), "scale": math.pi}

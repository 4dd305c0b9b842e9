"""Circuits of papers that the catalogue has no name for: four qubits, one for each pixel of a 2x2 window."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from quanvolve.circuits import Angle, Circuit, Gate, Observable, named_circuit

_EACH = tuple(Observable(((1.0, ((wire, "Z"),)),)) for wire in range(4))
_HADAMARD = tuple(Gate("H", (wire,)) for wire in range(4))


def _read(offset: float, factor: float) -> tuple[Gate, ...]:
    """RY gates that turn each qubit by an angle that is linear in its pixel, which is in [0, 1]."""
    return tuple(Gate("RY", (wire,), Angle(offset, ((wire, factor),))) for wire in range(4))


def _cnot_pairs(first: tuple[int, int], second: tuple[int, int]) -> Callable[[dict[str, Any]], Circuit]:
    """Riaz et al., arXiv:2308.11112. With the pair (a, b) its channels are cos a and cos a cos b."""
    gates = (*_read(0.0, math.pi), Gate("CNOT", first), Gate("CNOT", second))
    return lambda params: Circuit(4, 4, gates, _EACH)


def _hadamard_first(params: dict[str, Any]) -> Circuit:
    """Riaz et al., Sensors 23, 2753 (2023): a strongly entangling circuit with Hadamard gates, here before it."""
    circuit = named_circuit("strongly_entangling", 4, n_layers=params["n_layers"])
    return replace(circuit, gates=(*_HADAMARD, *_read(0.0, math.pi), *circuit.gates[4:]))


def _hadamard_last(params: dict[str, Any]) -> Circuit:
    """The same with the Hadamard gates behind it."""
    circuit = named_circuit("strongly_entangling", 4, n_layers=params["n_layers"])
    return replace(circuit, gates=(*_read(0.0, math.pi), *circuit.gates[4:], *_HADAMARD))


def _eight_gates(params: dict[str, Any]) -> Circuit:
    """TorchQuantum's example: pixels without their mean and deviation as angles, then eight gates, drawn at random."""
    generator = np.random.default_rng(params["random_state"])
    gates = list(_read(-0.1307 / 0.3081, 1 / 0.3081))
    for name in generator.choice(["RX", "RY", "RZ", "CNOT"], 8):
        wires = tuple(map(int, generator.choice(4, 2 if name == "CNOT" else 1, replace=False)))
        angle = None if name == "CNOT" else Angle(float(generator.uniform(-math.pi, math.pi)))
        gates.append(Gate(str(name), wires, angle))
    return Circuit(4, 4, tuple(gates), _EACH)


CIRCUITS: dict[str, Callable[[dict[str, Any]], Circuit]] = {
    "cnot_diagonals": _cnot_pairs((0, 3), (1, 2)),
    "cnot_columns": _cnot_pairs((0, 2), (1, 3)),
    "cnot_rows": _cnot_pairs((0, 1), (2, 3)),
    "hadamard_first": _hadamard_first,
    "hadamard_last": _hadamard_last,
    "eight_gates": _eight_gates,
}
"""What makes them from the arguments of a classifier, by the name that a config gives. They read pixels in [0, 1]."""


def with_circuit(params: dict[str, Any]) -> dict[str, Any]:
    """Arguments of the classifier with the circuit in place of such a name."""
    if params.get("circuit") not in CIRCUITS:
        return params
    others = {name: value for name, value in params.items() if name not in ("n_layers", "encoding", "readout")}
    return {**others, "circuit": CIRCUITS[params["circuit"]](params), "scale": 1.0}

"""Circuits of papers that the catalogue has no name for."""

from __future__ import annotations

import math
from typing import Any

from quanvolve.circuits import Angle, Circuit, Gate, Observable

_READ = tuple(Gate("RY", (wire,), Angle(0.0, ((wire, 1.0),))) for wire in range(4))
_EACH = tuple(Observable(((1.0, ((wire, "Z"),)),)) for wire in range(4))

CIRCUITS: dict[str, Circuit] = {
    # Riaz et al., arXiv:2308.11112: four RY, two CNOT. Its channels are cos x0, cos x0 cos x1, cos x2, cos x2 cos x3.
    "cnot_pairs": Circuit(4, 4, (*_READ, Gate("CNOT", (0, 1)), Gate("CNOT", (2, 3))), _EACH),
}
"""By the name that a config gives."""


def with_circuit(params: dict[str, Any]) -> dict[str, Any]:
    """Arguments of the classifier with the circuit in place of such a name; pixels are multiplied by pi."""
    if params.get("circuit") not in CIRCUITS:
        return params
    kept = {name: value for name, value in params.items() if name not in ("n_layers", "encoding", "readout")}
    return {**kept, "circuit": CIRCUITS[params["circuit"]], "scale": math.pi}

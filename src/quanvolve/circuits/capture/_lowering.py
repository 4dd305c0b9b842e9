"""PennyLane's operations in the gate vocabulary."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._traced import PREPARE, Traced
from quanvolve.circuits.description import GATES

_NAMES = {"PauliX": "X", "PauliY": "Y", "PauliZ": "Z", "Hadamard": "H", "PhaseShift": "RZ", "U1": "RZ"}
_CONSTANT_ROTATIONS = {"T": ("RZ", math.pi / 4)}
_PREPARATIONS = {"AmplitudeEmbedding", "StatePrep"}
_WITHOUT_EFFECT = {"Identity", "GlobalPhase", "Adjoint(GlobalPhase)", "Barrier", "WireCut", "Snapshot"}
_MAX_DEPTH = 40


def lowered(operations: list[Any], rows: int = 1) -> list[Traced]:
    """Operations of PennyLane in the gate vocabulary, decomposed as often as needed.

    Args:
        operations: in the order in which they act.
        rows: how many numbers an angle may have: one for each window, where several run as one.

    Raises:
        CaptureError: naming the operation that cannot be written in the vocabulary.
    """
    gates: list[Traced] = []
    for position, operation in enumerate(operations):
        _decompose(operation, f"operation {position} ({operation.name})", gates, 0, rows)
    return gates


def _decompose(operation: Any, origin: str, gates: list[Traced], depth: int, rows: int) -> None:
    """Append the operation in vocabulary gates, decomposing as often as needed."""
    name = _NAMES.get(operation.name, operation.name)
    wires = tuple(operation.wires)
    if name in _WITHOUT_EFFECT:
        return
    if name in _CONSTANT_ROTATIONS:
        rotation, angle = _CONSTANT_ROTATIONS[name]
        gates.append(Traced(rotation, wires, angle, origin))
        return
    if name in _PREPARATIONS:
        if any(set(gate.wires) & set(wires) or gate.name == PREPARE for gate in gates):
            raise CaptureError(
                f"{origin} cannot be captured: a state can be prepared once, before any gate on its wires"
            )
        gates.append(Traced(PREPARE, wires, operation.parameters[0], origin))
        return
    if name in GATES:
        value = operation.parameters[0] if operation.parameters else None
        gates.append(Traced(name, wires, None if value is None else _angle(value, origin, rows), origin))
        return
    if not getattr(operation, "has_decomposition", False) or depth >= _MAX_DEPTH:
        inside = "" if f"({operation.name})" in origin else f", which contains {operation.name},"
        raise CaptureError(
            f"{origin}{inside} cannot be captured: it is not a unitary gate with a decomposition into "
            f"{', '.join(GATES)}"
        )
    try:
        parts = operation.decomposition()
    except Exception as error:
        raise CaptureError(
            f"{origin} cannot be captured: decomposing {operation.name} failed with {type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else 'no message'}"
        ) from error
    for part in parts:
        _decompose(part, origin, gates, depth + 1, rows)


def _angle(value: Any, origin: str, rows: int) -> Tensor | float:
    """A single number, or one a row."""
    if isinstance(value, Tensor):
        if value.numel() == 1:
            return value.reshape(())
    elif np.size(value) == 1:
        return float(np.reshape(value, ()))
    elif np.shape(value) == (rows,):
        return value  # type: ignore[no-any-return]
    raise CaptureError(
        f"{origin} has an angle of shape {tuple(np.shape(value))}, expected a single number: index `inputs` so that "
        "each gate gets one value"
    )

"""Noise channels that a circuit function applies, as transfer matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quanvolve._errors import CaptureError, QuanvolveError
from quanvolve.circuits.capture._look import values_of
from quanvolve.circuits.capture._traced import Traced
from quanvolve.circuits.description import CHANNEL, channel


def channel_gate(operation: Any, depends: Callable[[Any], bool], origin: str) -> Traced:
    """A channel of PennyLane with constant strengths, on one or two wires.

    Raises:
        CaptureError: if its strengths depend on inputs or weights, it has more wires, or is no channel of qubits.
    """
    if any(depends(value) for value in operation.parameters):
        raise CaptureError(
            f"{origin} cannot be captured: the strength of {operation.name} depends on inputs or weights, and noise "
            "must be constant; give it numbers, or measure its effect with several layers of different `noise`"
        )
    if len(operation.wires) > 2:
        raise CaptureError(
            f"{origin} cannot be captured: {operation.name} acts on {len(operation.wires)} wires, and noise channels "
            "act on one or two of them; write it as several channels"
        )
    matrices = [values_of(matrix) for matrix in operation.kraus_matrices()]
    try:
        gate = channel(matrices, range(len(operation.wires)))
    except QuanvolveError as error:
        raise CaptureError(f"{origin} cannot be captured: {error}") from error
    return Traced(CHANNEL, tuple(operation.wires), None, origin, gate.transfer)

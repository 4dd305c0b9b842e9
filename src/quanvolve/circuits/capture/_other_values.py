"""What was recorded once must hold for other values: the same gates, with the angles that the description says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._simulate import angles_of
from quanvolve.circuits.capture._traced import PREPARE, Traced
from quanvolve.circuits.description import Circuit

_TOLERANCE = 1e-7


def require_same(
    recorded: list[Traced],
    again: list[Traced],
    circuit: Circuit,
    point: Mapping[str, Tensor],
    index: Mapping[Any, int],
    wanted: tuple[tuple[int, int], ...],
) -> None:
    """Compare a further run of the function with what the recorded one was described as.

    Args:
        recorded: gates of the recorded run.
        again: gates of a run on other values.
        circuit: the description.
        point: these values: inputs and all weights.
        index: the wire index of every wire label.
        wanted: of each value of the circuit's program, the gate it belongs to and the entry of its tensor.

    Raises:
        CaptureError: naming the operation that changes.
    """
    _require_same_structure(recorded, again)
    weights = {name: tensor.detach().numpy() for name, tensor in point.items() if name != "inputs"}
    window = np.repeat(point["inputs"].detach().numpy()[None], 2, axis=0)
    try:
        angles, extended = angles_of(circuit, window, weights)
    except RuntimeError as error:
        raise CaptureError(
            f"the circuit function computes an angle in a way that does not run for many windows at once: "
            f"{str(error).splitlines()[0]}"
        ) from error
    rest = [gate for gate in again if gate.name != PREPARE]
    for gate, angle in zip(rest, angles, strict=True):
        if angle is not None:
            _require_equal(gate, _entry(gate.angle, 0), float(angle[0]))
    for number, (position, entry) in enumerate(wanted):
        gate = again[position]
        if gate.name == PREPARE:
            _require_equal(gate, _entry(gate.angle, entry), float(extended[0, circuit.n_inputs + number]))


def _entry(value: Any, place: int) -> complex:
    return complex(value.detach().reshape(-1)[place]) if isinstance(value, Tensor) else complex(value)


def _require_equal(gate: Traced, actual: complex, described: float) -> None:
    if math.isnan(actual.real) or abs(described - actual) <= _TOLERANCE * (1 + abs(actual)):
        return
    raise CaptureError(
        f"{gate.origin} has an angle that changes with inputs or weights in a way that was not seen in the functions "
        f"of torch that made it, in its {gate.name} on wire {gate.wires[0]} (it is {np.real(actual):.6g}, what was "
        f"captured gives {described:.6g}): it is random, complex, or comes from a number taken out of a tensor; use "
        "functions of torch"
    )


def _require_same_structure(first: list[Traced], second: list[Traced]) -> None:
    for gate, other in zip(first, second, strict=False):
        if gate.origin != other.origin:
            raise CaptureError(
                f"{gate.origin} is {other.origin} for other values of inputs or weights: a circuit must have the same "
                "gates for all values"
            )
        if (gate.name, gate.wires) != (other.name, other.wires):
            raise CaptureError(
                f"{gate.origin} changes with the values of inputs or weights ({gate.name} on {list(gate.wires)}, then "
                f"{other.name} on {list(other.wires)}): a circuit must have the same gates for all values"
            )
        if gate.transfer != other.transfer:
            raise CaptureError(
                f"{gate.origin} is a channel whose strength changes with inputs or weights: noise must be constant"
            )
    if len(first) != len(second):
        longer = first if len(first) > len(second) else second
        raise CaptureError(
            f"{longer[min(len(first), len(second))].origin} is there for some values of inputs or weights only: a "
            "circuit must have the same gates for all values"
        )

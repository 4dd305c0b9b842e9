"""Controlled, inverted and repeated gates of the vocabulary, with their phases exact.

Every gate is a phase and rotations, possibly between gates that need no control: ``X = H Z H``, ``SX = H S H``, and
``diag(1, e^{ia})`` is the phase ``a / 2`` and ``RZ(a)``. So angles stay affine under any number of controls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._multiplexed import PHASE, controlled_rotation
from quanvolve.circuits.capture._traced import PREPARE, Traced
from quanvolve.circuits.description import CHANNEL

MOST_CONTROLS = 10
"""Wires that decide over one gate; it takes two to the power of their number of rotations."""
_OWN_INVERSES = {"H", "X", "Y", "Z", "CNOT", "CY", "CZ", "SWAP"}
_ROTATIONS = ("RX", "RY", "RZ")
_DIAGONAL = {"Z": math.pi, "S": math.pi / 2}
_ON_ONE = {"X": "CNOT", "Y": "CY", "Z": "CZ"}


def controlled(gates: list[Traced], controls: Sequence[Any], values: Sequence[int], origin: str) -> list[Traced]:
    """The gates, where the control wires are in the basis state `values`.

    Raises:
        CaptureError: for a channel or a prepared state, which are no unitary gates, or too many controls.
    """
    chosen, values = tuple(controls), tuple(map(int, values))
    alone = _undo_each_other(gates)
    return [
        part
        for gate in gates
        for part in ([gate] if alone and gate.angle is None else _controlled(gate, chosen, values, origin))
    ]


def _undo_each_other(gates: list[Traced]) -> bool:
    """Whether the gates without an angle are pairs that cancel where no rotation is between them, as in `_ladder`."""
    open_pairs: list[tuple[str, tuple[Any, ...]]] = []
    for gate in gates:
        if gate.angle is not None:
            continue
        if gate.name not in _OWN_INVERSES:
            return False
        if open_pairs and open_pairs[-1] == (gate.name, gate.wires):
            open_pairs.pop()
        else:
            open_pairs.append((gate.name, gate.wires))
    return not open_pairs


def _controlled(gate: Traced, controls: tuple[Any, ...], values: tuple[int, ...], origin: str) -> list[Traced]:
    name, wires, angle = gate.name, gate.wires, gate.angle

    def plain(name: str, *wires: Any, angle: float | None = None) -> Traced:
        return Traced(name, wires, angle, origin)

    def again(parts: list[Traced]) -> list[Traced]:
        return controlled(parts, controls, values, origin)

    if not controls:
        return [gate]
    if len(controls) > MOST_CONTROLS:
        raise CaptureError(
            f"{origin} cannot be captured: a gate in it has {len(controls)} control wires, and at most {MOST_CONTROLS} "
            "can be written as rotations; use fewer control wires, or extra wires that hold what several controls say"
        )
    if name in (CHANNEL, PREPARE):
        what = "a noise channel" if name == CHANNEL else "a state made from the inputs"
        raise CaptureError(
            f"{origin} cannot be captured: it contains {what}, which cannot be controlled, inverted or repeated; put "
            "it in front of or behind the operation"
        )
    if name == PHASE:
        assert angle is not None
        if not values[-1]:  # diag(e^{ia}, 1) is the phase a and diag(1, e^{-ia})
            rest = controlled([gate], controls[:-1], values[:-1], origin)
            return rest + _controlled(Traced(PHASE, (), -angle, origin), controls, (*values[:-1], 1), origin)
        parts = [Traced("RZ", (controls[-1],), angle, origin), Traced(PHASE, (), angle / 2, origin)]
        return controlled(parts, controls[:-1], values[:-1], origin)
    if name in _ROTATIONS:
        assert angle is not None
        return controlled_rotation(name, angle, controls, values, wires[0], origin)
    if name in _ON_ONE and len(controls) == 1:
        around = [] if values[0] else [plain("X", controls[0])]
        return [*around, plain(_ON_ONE[name], controls[0], wires[0]), *around]
    if name in _DIAGONAL:
        return _controlled(Traced(PHASE, (), _DIAGONAL[name], origin), (*controls, wires[0]), (*values, 1), origin)
    if name in ("X", "SX"):
        middle = again([plain("Z" if name == "X" else "S", *wires)])
        return [plain("H", *wires), *middle, plain("H", *wires)]
    if name == "Y":  # S X S^-1
        middle = again([plain("X", *wires)])
        return [plain("RZ", *wires, angle=-math.pi / 2), *middle, plain("RZ", *wires, angle=math.pi / 2)]
    if name == "H":  # RY(pi/4) Z RY(-pi/4)
        middle = again([plain("Z", *wires)])
        return [plain("RY", *wires, angle=-math.pi / 4), *middle, plain("RY", *wires, angle=math.pi / 4)]
    first, second = wires
    if name in ("CNOT", "CY", "CZ"):
        base = plain({"CNOT": "X", "CY": "Y", "CZ": "Z"}[name], second)
        return _controlled(base, (*controls, first), (*values, 1), origin)
    if name == "SWAP":
        outer = plain("CNOT", second, first)
        return [outer, *again([plain("CNOT", first, second)]), outer]
    assert name == "ISWAP", name
    return again([plain("S", first), plain("S", second), plain("CZ", first, second), plain("SWAP", first, second)])


def inverted(gates: list[Traced], origin: str) -> list[Traced]:
    """The gates that undo these.

    Raises:
        CaptureError: for a channel or a prepared state, which are no unitary gates.
    """
    return [part for gate in reversed(gates) for part in _inverted(gate, origin)]


def _inverted(gate: Traced, origin: str) -> list[Traced]:
    name, wires, angle = gate.name, gate.wires, gate.angle
    if name in (CHANNEL, PREPARE):
        return _controlled(gate, ("",), (1,), origin)
    if angle is not None:
        return [Traced(name, wires, -angle, origin)]
    if name in ("S", "SX"):
        axis = "RZ" if name == "S" else "RX"
        return [Traced(axis, wires, -math.pi / 2, origin), Traced(PHASE, (), -math.pi / 4, origin)]
    if name == "ISWAP":  # its square is Z on both wires
        return [gate, *(Traced("Z", (wire,), None, origin) for wire in wires)]
    return [gate]


def scaled(gates: list[Traced], factor: Any) -> list[Traced] | None:
    """The power of the gates, where they are rotations about one axis of one wire, up to phases; else None."""
    axes = {(gate.name, gate.wires) for gate in gates if gate.name != PHASE}
    if len(axes) > 1 or any(name not in _ROTATIONS for name, _ in axes):
        return None
    return [Traced(g.name, g.wires, g.angle * factor, g.origin) for g in gates if g.angle is not None]

"""The two-qubit blocks and poolings again, as PennyLane functions of the gates that the papers draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pennylane as qp

Function = Callable[[Any, Any], None]


def _each(gate: Any, weights: Any, wires: Any) -> None:
    gate(weights[0], wires=wires[0])
    gate(weights[1], wires=wires[1])


def _u3(w: Any, wire: Any) -> None:
    qp.U3(w[0], w[1], w[2], wires=wire)


def _rot(w: Any, wire: Any) -> None:
    qp.Rot(w[0], w[1], w[2], wires=wire)


def _cartan(turn: Function) -> Function:
    def block(w: Any, wires: Any) -> None:
        turn(w[0:3], wires[0])
        turn(w[3:6], wires[1])
        qp.IsingXX(w[6], wires=wires)
        qp.IsingYY(w[7], wires=wires)
        qp.IsingZZ(w[8], wires=wires)
        turn(w[9:12], wires[0])
        turn(w[12:15], wires[1])

    return block


def _and_cnot(first: Any, second: Any) -> Function:
    def block(w: Any, wires: Any) -> None:
        first(w[0], wires=wires[0])
        second(w[1], wires=wires[1])
        qp.CNOT(wires=wires)

    return block


def _u_5_or_6(controlled: Any) -> Function:
    def block(w: Any, wires: Any) -> None:
        _each(qp.RX, w[0:2], wires)
        _each(qp.RZ, w[2:4], wires)
        controlled(w[4], wires=[wires[1], wires[0]])
        controlled(w[5], wires=[wires[0], wires[1]])
        _each(qp.RX, w[6:8], wires)
        _each(qp.RZ, w[8:10], wires)

    return block


def _u_9(w: Any, wires: Any) -> None:
    qp.Hadamard(wires=wires[0])
    qp.Hadamard(wires=wires[1])
    qp.CZ(wires=wires)
    _each(qp.RX, w, wires)


def _u_13_or_14(controlled: Any) -> Function:
    def block(w: Any, wires: Any) -> None:
        _each(qp.RY, w[0:2], wires)
        controlled(w[2], wires=[wires[1], wires[0]])
        _each(qp.RY, w[3:5], wires)
        controlled(w[5], wires=[wires[0], wires[1]])

    return block


def _u_15(w: Any, wires: Any) -> None:
    _each(qp.RY, w[0:2], wires)
    qp.CNOT(wires=[wires[1], wires[0]])
    _each(qp.RY, w[2:4], wires)
    qp.CNOT(wires=[wires[0], wires[1]])


def _u_so4(w: Any, wires: Any) -> None:
    for k in (0, 2):
        _each(qp.RY, w[k : k + 2], wires)
        qp.CNOT(wires=wires)
    _each(qp.RY, w[4:6], wires)


def _u_su4(w: Any, wires: Any) -> None:
    _u3(w[0:3], wires[0])
    _u3(w[3:6], wires[1])
    qp.CNOT(wires=[wires[0], wires[1]])
    qp.RY(w[6], wires=wires[0])
    qp.RZ(w[7], wires=wires[1])
    qp.CNOT(wires=[wires[1], wires[0]])
    qp.RY(w[8], wires=wires[0])
    qp.CNOT(wires=[wires[0], wires[1]])
    _u3(w[9:12], wires[0])
    _u3(w[12:15], wires[1])


BLOCK: dict[str, Function] = {
    "su4": _cartan(_rot),
    "u_ttn": _and_cnot(qp.RY, qp.RY),
    "u_5": _u_5_or_6(qp.CRZ),
    "u_6": _u_5_or_6(qp.CRX),
    "u_9": _u_9,
    "u_13": _u_13_or_14(qp.CRZ),
    "u_14": _u_13_or_14(qp.CRX),
    "u_15": _u_15,
    "u_so4": _u_so4,
    "u_su4": _u_su4,
    "pennylane_mps": _and_cnot(qp.RX, qp.RY),
    "pennylane_ttn": _and_cnot(qp.RX, qp.RX),
    "pennylane_qcnn": _cartan(_u3),
}


def _zx(w: Any, pooled: Any, kept: Any) -> None:
    qp.CRZ(w[0], wires=[pooled, kept])
    qp.PauliX(wires=pooled)
    qp.CRX(w[1], wires=[pooled, kept])


def _measured(w: Any, pooled: Any, kept: Any) -> None:
    qp.cond(qp.measure(pooled), qp.U3)(w[0], w[1], w[2], wires=kept)


POOL: dict[str, Callable[[Any, Any, Any], None]] = {
    "zx": _zx,
    "feed_forward": _measured,
    "none": lambda w, pooled, kept: None,
}


def qcnn(block: str, pooling: str, ring: bool, weights: Any, n: int, split: int) -> list[int]:
    """A QCNN on n wires, level by level; `split` weights are the block's. Returns the wires that are left."""
    wires = list(range(n))
    for row in weights:
        last = len(wires) == 2
        pairs = [(wires[0], wires[-1])] if ring and not last else []
        pairs += [(wires[k], wires[k + 1]) for k in range(0, len(wires) - 1, 2)]
        pairs += [(wires[k], wires[k + 1]) for k in range(1, len(wires) - 1, 2)]
        for pair in pairs:
            BLOCK[block](row[:split], list(pair))
        for k in range(0, len(wires) - 1, 2):
            kept, pooled = (wires[k + 1], wires[k]) if last else (wires[k], wires[k + 1])
            POOL[pooling](row[split:], pooled, kept)
        wires = wires[1:] if last else wires[::2]
    return wires

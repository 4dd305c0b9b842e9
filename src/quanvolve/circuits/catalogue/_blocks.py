"""The named two-qubit blocks, of which coherent networks consist: gates with weights, and no encoding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from quanvolve.circuits.catalogue._parts import Numbers, Pair, between, controlled, turns, weight
from quanvolve.circuits.description import Gate


@dataclass(frozen=True)
class Block:
    """A circuit with weights on two qubits, put on pairs of qubits of a network.

    Args:
        summary: what it does, in a line.
        reference: paper and place.
        n_weights: how many angles it has, in radians.
        gates: `gates(weights, pair)` are its gates on a pair of qubits; `weights` are the numbers of its weights.
        n_qubits: on how many qubits it acts.

    Examples:
        >>> from quanvolve.circuits import BLOCKS
        >>> import numpy as np
        >>> [(gate.name, gate.wires) for gate in BLOCKS["u_ttn"].gates(np.arange(2), (0, 1))]
        [('RY', (0,)), ('RY', (1,)), ('CNOT', (0, 1))]
    """

    summary: str
    reference: str
    n_weights: int
    gates: Callable[[Numbers, Pair], Iterable[Gate]] = field(repr=False)
    n_qubits: int = 2


def u3(weights: Numbers, wire: int) -> Iterator[Gate]:
    """Any rotation of a qubit by the weights (theta, phi, delta): RZ(delta), RY(theta), RZ(phi) (`U3` in PennyLane)."""
    theta, phi, delta = weights
    return turns((delta, theta, phi), wire)


def _on_both(name: str, weights: Numbers, pair: Pair) -> Iterator[Gate]:
    """The same rotation on both qubits, each by a weight of its own."""
    for index, wire in zip(weights, pair, strict=True):
        yield Gate(name, (wire,), weight(index))


def _interactions(weights: Numbers, pair: Pair) -> Iterator[Gate]:
    """exp(-i/2 (w0 XX + w1 YY + w2 ZZ)), the three rotations of Cartan's form, which commute."""
    yield from between(pair, "CNOT", Gate("RX", (pair[0],), weight(weights[0])))
    yield from between(pair, "CY", Gate("RY", (pair[0],), weight(weights[1])))
    yield from between(pair, "CNOT", Gate("RZ", (pair[1],), weight(weights[2])))


_Turns = Callable[[Numbers, int], Iterator[Gate]]


def _cartan(turned: _Turns) -> Callable[[Numbers, Pair], Iterator[Gate]]:
    def gates(weights: Numbers, pair: Pair) -> Iterator[Gate]:
        yield from turned(weights[0:3], pair[0])
        yield from turned(weights[3:6], pair[1])
        yield from _interactions(weights[6:9], pair)
        yield from turned(weights[9:12], pair[0])
        yield from turned(weights[12:15], pair[1])

    return gates


def _turned_and_cnot(first: str, second: str) -> Callable[[Numbers, Pair], Iterator[Gate]]:
    def gates(weights: Numbers, pair: Pair) -> Iterator[Gate]:
        yield Gate(first, (pair[0],), weight(weights[0]))
        yield Gate(second, (pair[1],), weight(weights[1]))
        yield Gate("CNOT", pair)

    return gates


def _both_ways(name: str, weights: Numbers, pair: Pair) -> tuple[Iterator[Gate], Iterator[Gate]]:
    """A controlled rotation of the first qubit by the second, and one of the second by the first."""
    first, second = pair
    return controlled(name, weights[0], second, first), controlled(name, weights[1], first, second)


def _circuit_5_or_6(name: str) -> Callable[[Numbers, Pair], Iterator[Gate]]:
    def gates(weights: Numbers, pair: Pair) -> Iterator[Gate]:
        back, forth = _both_ways(name, weights[4:6], pair)
        yield from (*_on_both("RX", weights[0:2], pair), *_on_both("RZ", weights[2:4], pair))
        yield from (*back, *forth)
        yield from (*_on_both("RX", weights[6:8], pair), *_on_both("RZ", weights[8:10], pair))

    return gates


def _circuit_9(weights: Numbers, pair: Pair) -> Iterator[Gate]:
    for wire in pair:
        yield Gate("H", (wire,))
    yield Gate("CZ", pair)
    yield from _on_both("RX", weights, pair)


def _circuit_13_or_14(name: str) -> Callable[[Numbers, Pair], Iterator[Gate]]:
    def gates(weights: Numbers, pair: Pair) -> Iterator[Gate]:
        back, forth = _both_ways(name, weights[[2, 5]], pair)
        yield from (*_on_both("RY", weights[0:2], pair), *back)
        yield from (*_on_both("RY", weights[3:5], pair), *forth)

    return gates


def _circuit_15(weights: Numbers, pair: Pair) -> Iterator[Gate]:
    yield from (*_on_both("RY", weights[0:2], pair), Gate("CNOT", pair[::-1]))
    yield from (*_on_both("RY", weights[2:4], pair), Gate("CNOT", pair))


def _so4(weights: Numbers, pair: Pair) -> Iterator[Gate]:
    for part in (0, 2):
        yield from (*_on_both("RY", weights[part : part + 2], pair), Gate("CNOT", pair))
    yield from _on_both("RY", weights[4:6], pair)


def _su4(weights: Numbers, pair: Pair) -> Iterator[Gate]:
    first, second = pair
    yield from (*u3(weights[0:3], first), *u3(weights[3:6], second), Gate("CNOT", pair))
    yield Gate("RY", (first,), weight(weights[6]))
    yield Gate("RZ", (second,), weight(weights[7]))
    yield Gate("CNOT", pair[::-1])
    yield Gate("RY", (first,), weight(weights[8]))
    yield Gate("CNOT", pair)
    yield from (*u3(weights[9:12], first), *u3(weights[12:15], second))


_HUR = "Hur, Kim and Park, Quantum Machine Intelligence 4, 3 (2022), figure 2, arXiv:2108.00661"
_TREES = "PennyLane demos, 'Tensor-network quantum circuits' (2022), after Huggins et al., arXiv:1803.11537 (2019)"

BLOCKS: dict[str, Block] = {
    "su4": Block(
        "any two-qubit unitary in Cartan's form: rotations, XX, YY and ZZ interactions, rotations",
        "Vatan and Williams, Phys. Rev. A 69, 032315 (2004), section 3, arXiv:quant-ph/0308006",
        15,
        _cartan(turns),
    ),
    "u_ttn": Block("RY on both qubits, then a CNOT", _HUR + ", circuit 1", 2, _turned_and_cnot("RY", "RY")),
    "u_5": Block(
        "RX and RZ on both qubits, a controlled RZ each way, RX and RZ again", _HUR, 10, _circuit_5_or_6("RZ")
    ),
    "u_6": Block(
        "RX and RZ on both qubits, a controlled RX each way, RX and RZ again", _HUR, 10, _circuit_5_or_6("RX")
    ),
    "u_9": Block("Hadamard gates, CZ, then RX on both qubits", _HUR, 2, _circuit_9),
    "u_13": Block("twice RY on both qubits and a controlled RZ, each way once", _HUR, 6, _circuit_13_or_14("RZ")),
    "u_14": Block("twice RY on both qubits and a controlled RX, each way once", _HUR, 6, _circuit_13_or_14("RX")),
    "u_15": Block("twice RY on both qubits and a CNOT, each way once", _HUR, 4, _circuit_15),
    "u_so4": Block("RY on both qubits three times, with CNOTs between them", _HUR, 6, _so4),
    "u_su4": Block("any two-qubit unitary: U3 on both qubits, three CNOTs and three rotations, U3", _HUR, 15, _su4),
    "pennylane_mps": Block("RX on one qubit and RY on the other, then a CNOT", _TREES, 2, _turned_and_cnot("RX", "RY")),
    "pennylane_ttn": Block("RX on both qubits, then a CNOT", _TREES, 2, _turned_and_cnot("RX", "RX")),
    "pennylane_qcnn": Block(
        "any two-qubit unitary in Cartan's form with U3 for its rotations",
        "Caro et al., Nature Communications 13, 4919 (2022), arXiv:2111.05292, as in PennyLane's demo of it",
        15,
        _cartan(u3),
    ),
}
"""The two-qubit blocks by name; :func:`named_block` makes circuits of them."""

"""Quantum convolutional networks: levels of a two-qubit block on all neighbours, and of pooling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.catalogue._ansatz import Ansatz
from quanvolve.circuits.catalogue._blocks import BLOCKS, Block
from quanvolve.circuits.catalogue._parts import Layer, Numbers, Pair, controlled
from quanvolve.circuits.description import Gate


@dataclass(frozen=True)
class Pooling:
    """What happens to a qubit that goes on when its neighbour leaves the network.

    A measurement that decides over a rotation is a controlled rotation, because the measured qubit is not used again
    (deferred measurement); so all poolings are gates.

    Args:
        summary: what it does, in a line.
        reference: paper and place.
        n_weights: how many angles it has, in radians.
        gates: `gates(weights, pooled, kept)` are its gates; `weights` are the numbers of its weights.
    """

    summary: str
    reference: str
    n_weights: int
    gates: Callable[[Numbers, int, int], Iterable[Gate]] = field(repr=False)


def _zx(weights: Numbers, pooled: int, kept: int) -> Iterator[Gate]:
    yield from controlled("RZ", weights[0], pooled, kept)
    yield Gate("X", (pooled,))
    yield from controlled("RX", weights[1], pooled, kept)


def _feed_forward(weights: Numbers, pooled: int, kept: int) -> Iterator[Gate]:
    # U3(theta, phi, delta) = RZ(phi) RY(theta) RZ(delta) but for a phase, which does nothing to the kept qubit.
    theta, phi, delta = weights
    for name, index in (("RZ", delta), ("RY", theta), ("RZ", phi)):
        yield from controlled(name, index, pooled, kept)


def _traced_out(weights: Numbers, pooled: int, kept: int) -> Iterator[Gate]:
    return iter(())


_PLANS = ("table", "polynomial", "statevector")
"""The network plan takes some of them, too: how many levels depends on block and size."""
_HUR = "Hur, Kim and Park, Quantum Machine Intelligence 4, 3 (2022)"

POOLINGS: dict[str, Pooling] = {
    "zx": Pooling(
        "RZ where the pooled qubit is 1, then RX where it is 0", f"{_HUR}, figure 1, arXiv:2108.00661", 2, _zx
    ),
    "feed_forward": Pooling(
        "the pooled qubit is measured, and U3 follows where it gave 1",
        "Cong, Choi and Lukin, Nature Physics 15, 1273 (2019), figure 1, arXiv:1810.03787",
        3,
        _feed_forward,
    ),
    "none": Pooling("the pooled qubit is left alone", f"{_HUR}, figure 1, arXiv:2108.00661", 0, _traced_out),
}
"""What pooling does, by name."""


def most_levels(n_wires: int) -> int:
    """How often the qubits of a QCNN can be halved until one is left."""
    return (n_wires - 1).bit_length()


def _pairs(qubits: list[int]) -> tuple[list[Pair], list[Pair]]:
    """Neighbours that begin at every second qubit, and those between."""
    return list(zip(qubits[::2], qubits[1::2], strict=False)), list(zip(qubits[1::2], qubits[2::2], strict=False))


def _active(n_wires: int, n_levels: int, onto_last: bool) -> list[int]:
    """The qubits that are left after some levels: every second one, and the second one of the last two."""
    qubits = list(range(n_wires))
    for _ in range(n_levels):
        qubits = qubits[1:] if onto_last and len(qubits) == 2 else qubits[::2]
    return qubits


def _shape(name: str, n_weights: int) -> Callable[[int, int], tuple[int, ...]]:
    def shape(n_layers: int, n_wires: int) -> tuple[int, ...]:
        most = most_levels(n_wires)
        if n_layers > most:
            raise QuanvolveError(
                f"`n_layers` (={n_layers}) must be at most {most} for {name!r} on {n_wires} qubit(s): each level "
                "halves them; " + (f"use `n_layers={most}`" if most else "use more qubits")
            )
        return (n_layers, n_weights)

    return shape


def _cong(level: Layer) -> Iterator[Gate]:
    block, pooling = BLOCKS["su4"], POOLINGS["zx"]
    even, odd = _pairs(_active(level.n_wires, level.number, onto_last=False))
    for pair in even + odd:
        yield from block.gates(level.own_weights[: block.n_weights], pair)
    for kept, pooled in even:
        yield from pooling.gates(level.own_weights[block.n_weights :], pooled, kept)


def _levels(block: Block, pooling: Pooling, ring: bool) -> Callable[[Layer], Iterator[Gate]]:
    def gates(level: Layer) -> Iterator[Gate]:
        active = _active(level.n_wires, level.number, onto_last=True)
        weights = level.own_weights
        even, odd = _pairs(active)
        closing = [(active[0], active[-1])] if ring and len(active) > 2 else []
        # In the order of the paper's own program.
        for pair in closing + even + odd:
            yield from block.gates(weights[: block.n_weights], pair)
        for first, second in even:
            kept, pooled = (second, first) if len(active) == 2 else (first, second)
            yield from pooling.gates(weights[block.n_weights :], pooled, kept)

    return gates


def qcnn_ansatz(block: str, pooling: str, ring: bool = True, name: str | None = None) -> Ansatz:
    """The ansatz of a QCNN.

    Args:
        block: one of `BLOCKS`, the convolution.
        pooling: one of `POOLINGS`.
        ring: whether the last and the first qubit are neighbours.
        name: what errors call it.

    Returns:
        An ansatz whose layers are levels, of which only the qubits that are left are measured.
    """
    convolution, halving = BLOCKS[block], POOLINGS[pooling]
    how = "in a ring" if ring else "in a row"
    return Ansatz(
        f"per level {block!r} on all neighbours {how}, then pooling ({pooling}); measures the qubits that are left",
        f"{_HUR}, figure 1, arXiv:2108.00661" if halving.gates is not _feed_forward else halving.reference,
        _levels(convolution, halving, ring),
        _shape(name or f"qcnn_{block}", convolution.n_weights + halving.n_weights),
        layered=False,
        plans=_PLANS,
        remaining=lambda n_layers, n_wires: tuple(_active(n_wires, n_layers, onto_last=True)),
    )


QCNNS: dict[str, Ansatz] = {
    "qcnn": Ansatz(
        "per level a two-qubit block on all neighbours, then pooling onto every second qubit",
        "Cong, Choi and Lukin, Nature Physics 15, 1273 (2019), figure 1, arXiv:1810.03787",
        _cong,
        _shape("qcnn", 17),
        layered=False,
        plans=_PLANS,
    ),
    **{f"qcnn_{block}": qcnn_ansatz(block, "zx") for block in BLOCKS},
    "qcnn_u_su4_no_pooling": qcnn_ansatz("u_su4", "none", name="qcnn_u_su4_no_pooling"),
    "qcnn_su4_feed_forward": qcnn_ansatz("su4", "feed_forward", ring=False, name="qcnn_su4_feed_forward"),
}
"""The quantum convolutional networks among the ansatze."""

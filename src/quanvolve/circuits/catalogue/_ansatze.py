"""The named ansatze: the weighted part of a circuit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import pi

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.catalogue._parts import Layer, Numbers, between, turns, weight
from quanvolve.circuits.description import Angle, Gate


@dataclass(frozen=True)
class Ansatz:
    """The weighted part of a circuit.

    Args:
        summary: what it does, in a line.
        reference: paper and place.
        gates: `gates(layer)` are the gates of one layer. Encodings that are repeated come before each layer.
        shape: `shape(n_layers, n_wires)` of the weights.
        random_structure: every filter has a structure of its own, by its seed.
        layered: whether it consists of layers on all qubits, between which inputs can be uploaded again.
        spreads: some value of Pauli Z or Y depends on all qubits, however many there are.
        local: couples neighbouring pixels only, and so asks for the columns of the window.
        plans: names of the plans that can run it; the encoding may allow fewer.
    """

    summary: str
    reference: str
    gates: Callable[[Layer], Iterable[Gate]] = field(repr=False)
    shape: Callable[[int, int], tuple[int, ...]] = field(repr=False)
    random_structure: bool = False
    layered: bool = True
    spreads: bool = False
    local: bool = False
    plans: tuple[str, ...] = ("table", "polynomial", "tensor_train", "statevector")


_CNOTS = 0.3
"""The share of CNOTs among the gates of a random layer."""


def _random_layers(layer: Layer) -> Iterator[Gate]:
    # The draws are those of PennyLane's RandomLayers, one by one, so that a seed means the same structure there.
    for index in layer.own_weights:
        while layer.rng.random() <= _CNOTS:
            if layer.n_wires > 1:
                control, target = layer.rng.choice(layer.n_wires, size=2, replace=False)
                yield Gate("CNOT", (int(control), int(target)))
        name = ("RX", "RY", "RZ")[layer.rng.choice(3)]
        (wire,) = layer.rng.choice(layer.n_wires, size=1, replace=False)
        yield Gate(name, (int(wire),), weight(index))


def _basic_entangler(layer: Layer) -> Iterator[Gate]:
    n = layer.n_wires
    for wire in range(n):
        yield Gate("RX", (wire,), weight(layer.own_weights[wire]))
    for wire in range(n if n > 2 else n - 1):
        yield Gate("CNOT", (wire, (wire + 1) % n))


def _strongly_entangling(layer: Layer) -> Iterator[Gate]:
    n = layer.n_wires
    yield from _turns_of_all(layer.own_weights)
    if n > 1:
        reach = layer.number % (n - 1) + 1
        for wire in range(n):
            yield Gate("CNOT", (wire, (wire + reach) % n))


def _hardware_efficient(layer: Layer) -> Iterator[Gate]:
    yield from _two_turns_of_all(layer.own_weights)
    for wire in range(layer.n_wires - 1):
        yield Gate("CZ", (wire, wire + 1))
    if layer.number == layer.n_layers - 1:
        yield from _two_turns_of_all(layer.weights[layer.n_layers])


def _two_turns_of_all(weights: Numbers) -> Iterator[Gate]:
    for wire, (first, second) in enumerate(weights):
        yield Gate("RY", (wire,), weight(first))
        yield Gate("RZ", (wire,), weight(second))


def _turns_of_all(weights: Numbers) -> Iterator[Gate]:
    for wire, three in enumerate(weights):
        yield from turns(three, wire)


def _bricks(n_wires: int, columns: int, offset: int, down: bool) -> list[tuple[int, int]]:
    """Pairs of neighbours in rows, or in columns, every second one from the offset on; no two share a qubit."""
    step = columns if down else 1
    pairs = []
    for wire in range(n_wires):
        place = wire // columns if down else wire % columns
        last = wire + step >= n_wires if down else place == columns - 1
        if place % 2 == offset and not last:
            pairs.append((wire, wire + step))
    return pairs


def _brickwork(layer: Layer) -> Iterator[Gate]:
    yield from _turns_of_all(layer.own_weights)
    for pair in _bricks(layer.n_wires, layer.columns, layer.number % 2, down=False):
        yield Gate("CNOT", pair)


def _grid(layer: Layer) -> Iterator[Gate]:
    yield from _turns_of_all(layer.own_weights)
    for pair in _bricks(layer.n_wires, layer.columns, layer.number // 2 % 2, down=bool(layer.number % 2)):
        yield Gate("CNOT", pair)


def _identity_blocks(layer: Layer) -> Iterator[Gate]:
    down = bool(layer.number % 2) and layer.columns < layer.n_wires
    pairs = _bricks(layer.n_wires, layer.columns, layer.number // 2 % 2, down)
    for part in range(2):
        for pair in pairs:
            yield Gate("CNOT", pair)
        yield from _turns_of_all(layer.own_weights[:, part])


def most_levels(n_wires: int) -> int:
    """How often the qubits of a QCNN can be halved until one is left."""
    return (n_wires - 1).bit_length()


_CONVOLUTION, _POOLING = 15, 2


def _qcnn_shape(n_layers: int, n_wires: int) -> tuple[int, ...]:
    most = most_levels(n_wires)
    if n_layers > most:
        raise QuanvolveError(
            f"`n_layers` (={n_layers}) must be at most {most} for 'qcnn' on {n_wires} qubit(s): each level halves "
            "them; " + (f"use `n_layers={most}`" if most else "use more qubits")
        )
    return (n_layers, _CONVOLUTION + _POOLING)


def _qcnn(level: Layer) -> Iterator[Gate]:
    active = range(0, level.n_wires, 2**level.number)
    first = list(zip(active[::2], active[1::2], strict=False))
    second = list(zip(active[1::2], active[2::2], strict=False))
    weights = level.own_weights
    for pair in first + second:
        yield from _two_qubit_block(weights[:_CONVOLUTION], pair)
    for remaining, pooled in first:
        # A measurement that controls a rotation is a controlled rotation, as the pooled qubit is not used again.
        yield from _controlled("RZ", weights[_CONVOLUTION], pooled, remaining)
        yield Gate("X", (pooled,))
        # RX is RY between quarter turns about Z.
        yield Gate("RZ", (remaining,), Angle(pi / 2))
        yield from _controlled("RY", weights[_CONVOLUTION + 1], pooled, remaining)
        yield Gate("RZ", (remaining,), Angle(-pi / 2))


def _controlled(name: str, index: int, control: int, target: int) -> Iterator[Gate]:
    """RY or RZ if the control is 1: half of it, and half of it back between CNOTs, which turn the axis round."""
    yield Gate(name, (target,), weight(index, 0.5))
    yield from between((control, target), "CNOT", Gate(name, (target,), weight(index, -0.5)))


def _two_qubit_block(weights: Numbers, pair: tuple[int, int]) -> Iterator[Gate]:
    """Any two-qubit unitary: rotations, the three two-qubit interactions, rotations (Vatan and Williams 2004)."""
    first, second = pair
    yield from turns(weights[0:3], first)
    yield from turns(weights[3:6], second)
    yield from between(pair, "CNOT", Gate("RX", (first,), weight(weights[6])))  # XX
    yield from between(pair, "CY", Gate("RY", (first,), weight(weights[7])))  # YY
    yield from between(pair, "CNOT", Gate("RZ", (second,), weight(weights[8])))  # ZZ
    yield from turns(weights[9:12], first)
    yield from turns(weights[12:15], second)


def _none(layer: Layer) -> Iterator[Gate]:
    yield from _turns_of_all(layer.own_weights)


ANSATZE: dict[str, Ansatz] = {
    "random": Ansatz(
        "random rotations and CNOTs (RandomLayers), another structure for every filter",
        "Henderson et al., arXiv:1904.04767 (2019), section 3",
        _random_layers,
        lambda n_layers, n_wires: (n_layers, n_wires),
        random_structure=True,
    ),
    "basic_entangler": Ansatz(
        "one RX a qubit, then a ring of CNOTs, per layer (BasicEntanglerLayers)",
        "PennyLane templates, 'BasicEntanglerLayers'",
        _basic_entangler,
        lambda n_layers, n_wires: (n_layers, n_wires),
        spreads=True,
    ),
    "strongly_entangling": Ansatz(
        "three rotations a qubit, then CNOTs of growing range, per layer (StronglyEntanglingLayers)",
        "Schuld et al., Phys. Rev. A 101, 032308 (2020), arXiv:1804.00633",
        _strongly_entangling,
        lambda n_layers, n_wires: (n_layers, n_wires, 3),
        spreads=True,
    ),
    "hardware_efficient": Ansatz(
        "RY and RZ on each qubit, then a chain of CZ, per layer; rotations again at the end",
        "Kandala et al., Nature 549, 242 (2017), equation 1, arXiv:1704.05018",
        _hardware_efficient,
        lambda n_layers, n_wires: (n_layers + 1, n_wires, 2),
    ),
    "brickwork": Ansatz(
        "three rotations a qubit, then CNOTs on every second pair of neighbours in the window's rows, per layer",
        "Cerezo et al., Nature Communications 12, 1791 (2021), figure 4, arXiv:2001.00550",
        _brickwork,
        lambda n_layers, n_wires: (n_layers, n_wires, 3),
        local=True,
    ),
    "grid": Ansatz(
        "the same with neighbours in rows and in columns, by turns",
        "Arute et al., Nature 574, 505 (2019), figure 3: its patterns of couplings",
        _grid,
        lambda n_layers, n_wires: (n_layers, n_wires, 3),
        local=True,
    ),
    "identity_blocks": Ansatz(
        "CNOTs of neighbours as in 'grid', rotations, the CNOTs again, rotations, per layer: nothing at angles of 0",
        "Grant et al., Quantum 3, 214 (2019), section 3, arXiv:1903.05076",
        _identity_blocks,
        lambda n_layers, n_wires: (n_layers, n_wires, 2, 3),
        local=True,
    ),
    "qcnn": Ansatz(
        "per level a two-qubit block on all neighbours, then pooling onto every second qubit",
        "Cong, Choi and Lukin, Nature Physics 15, 1273 (2019), figure 1, arXiv:1810.03787",
        _qcnn,
        _qcnn_shape,
        layered=False,
        plans=("table", "polynomial", "statevector"),
    ),
    "none": Ansatz(
        "three rotations a qubit per layer and no entangling gate: the control",
        "Bowles, Ahmed and Schuld, arXiv:2403.07059 (2024), section 5",
        _none,
        lambda n_layers, n_wires: (n_layers, n_wires, 3),
    ),
}

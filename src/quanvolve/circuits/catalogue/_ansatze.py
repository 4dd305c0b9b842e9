"""The named ansatze: the weighted part of a circuit."""

from __future__ import annotations

from collections.abc import Iterator

from quanvolve.circuits.catalogue._ansatz import Ansatz
from quanvolve.circuits.catalogue._parts import Layer, Numbers, turns, weight
from quanvolve.circuits.catalogue._qcnn import QCNNS
from quanvolve.circuits.description import Gate

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
    **QCNNS,
    "none": Ansatz(
        "three rotations a qubit per layer and no entangling gate: the control",
        "Bowles, Ahmed and Schuld, arXiv:2403.07059 (2024), section 5",
        _none,
        lambda n_layers, n_wires: (n_layers, n_wires, 3),
    ),
}

"""The named ansatze: the weighted part of a circuit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from quanvolve._errors import QuanvolveError

Upload = Callable[[], None]


@dataclass(frozen=True)
class Ansatz:
    """The weighted part of a circuit.

    Args:
        summary: what it does, in a line.
        reference: paper and place.
        apply: `apply(weights, n_wires, seed, upload)` queues operations; it calls `upload` before each layer after the
            first, for encodings that are repeated.
        shape: `shape(n_layers, n_wires)` of the weights.
        random_structure: every filter has a structure of its own, by its seed.
        layered: whether it consists of layers on all qubits, between which inputs can be uploaded again.
        spreads: some value of Pauli Z or Y depends on all qubits, however many there are.
        local: couples neighbouring pixels only; `apply` is then called with `columns=`, the pixels in a row.
        plans: names of the plans that can run it; the encoding may allow fewer.
    """

    summary: str
    reference: str
    apply: Callable[..., None] = field(repr=False)
    shape: Callable[[int, int], tuple[int, ...]] = field(repr=False)
    random_structure: bool = False
    layered: bool = True
    spreads: bool = False
    local: bool = False
    plans: tuple[str, ...] = ("table", "polynomial", "tensor_train", "statevector")


def _random_layers(weights: Any, n_wires: int, seed: int, upload: Upload) -> None:
    import pennylane as qp

    if upload is _nothing:
        qp.RandomLayers(weights, wires=range(n_wires), seed=seed)
        return
    for layer in range(len(weights)):
        if layer:
            upload()
        qp.RandomLayers(weights[layer : layer + 1], wires=range(n_wires), seed=seed + layer)


def _basic_entangler(weights: Any, n_wires: int, seed: int, upload: Upload) -> None:
    import pennylane as qp

    for layer in range(len(weights)):
        if layer:
            upload()
        qp.BasicEntanglerLayers(weights[layer : layer + 1], wires=range(n_wires))


def _strongly_entangling(weights: Any, n_wires: int, seed: int, upload: Upload) -> None:
    import pennylane as qp

    for layer in range(len(weights)):
        if layer:
            upload()
        reach = [layer % (n_wires - 1) + 1] if n_wires > 1 else None
        qp.StronglyEntanglingLayers(weights[layer : layer + 1], wires=range(n_wires), ranges=reach)


def _hardware_efficient(weights: Any, n_wires: int, seed: int, upload: Upload) -> None:
    import pennylane as qp

    last = len(weights) - 1
    for layer in range(len(weights)):
        if 0 < layer < last:
            upload()
        for wire in range(n_wires):
            qp.RY(weights[layer, wire, 0], wires=wire)
            qp.RZ(weights[layer, wire, 1], wires=wire)
        if layer < last:
            for wire in range(n_wires - 1):
                qp.CZ(wires=[wire, wire + 1])


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


def _brickwork(weights: Any, n_wires: int, seed: int, upload: Upload, columns: int) -> None:
    _neighbours(weights, n_wires, upload, lambda layer: _bricks(n_wires, columns, layer % 2, down=False))


def _grid(weights: Any, n_wires: int, seed: int, upload: Upload, columns: int) -> None:
    _neighbours(weights, n_wires, upload, lambda layer: _bricks(n_wires, columns, layer // 2 % 2, bool(layer % 2)))


def _neighbours(weights: Any, n_wires: int, upload: Upload, pairs: Callable[[int], list[tuple[int, int]]]) -> None:
    import pennylane as qp

    for layer in range(len(weights)):
        if layer:
            upload()
        for wire in range(n_wires):
            qp.Rot(weights[layer, wire, 0], weights[layer, wire, 1], weights[layer, wire, 2], wires=wire)
        for pair in pairs(layer):
            qp.CNOT(wires=pair)


def _identity_blocks(weights: Any, n_wires: int, seed: int, upload: Upload, columns: int) -> None:
    import pennylane as qp

    for layer in range(len(weights)):
        if layer:
            upload()
        pairs = _bricks(n_wires, columns, layer // 2 % 2, down=bool(layer % 2) and columns < n_wires)
        for part in range(2):
            for pair in pairs:
                qp.CNOT(wires=pair)
            for wire in range(n_wires):
                w = weights[layer, wire, part]
                qp.Rot(w[0], w[1], w[2], wires=wire)


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


def _qcnn(weights: Any, n_wires: int, seed: int, upload: Upload) -> None:
    import pennylane as qp

    active = list(range(n_wires))
    for level in weights:
        first = list(zip(active[::2], active[1::2], strict=False))
        second = list(zip(active[1::2], active[2::2], strict=False))
        for one, other in first + second:
            _two_qubit_block(level[:_CONVOLUTION], one, other)
        for kept, pooled in first:
            # A measurement that controls a rotation is a controlled rotation, as the pooled qubit is not used again.
            qp.CRZ(level[_CONVOLUTION], wires=[pooled, kept])
            qp.PauliX(wires=pooled)
            qp.CRX(level[_CONVOLUTION + 1], wires=[pooled, kept])
        active = active[::2]


def _two_qubit_block(w: Any, one: int, other: int) -> None:
    """Any two-qubit unitary: rotations, the three two-qubit interactions, rotations (Vatan and Williams 2004)."""
    import pennylane as qp

    qp.Rot(w[0], w[1], w[2], wires=one)
    qp.Rot(w[3], w[4], w[5], wires=other)
    qp.IsingXX(w[6], wires=[one, other])
    qp.IsingYY(w[7], wires=[one, other])
    qp.IsingZZ(w[8], wires=[one, other])
    qp.Rot(w[9], w[10], w[11], wires=one)
    qp.Rot(w[12], w[13], w[14], wires=other)


def _none(weights: Any, n_wires: int, seed: int, upload: Upload) -> None:
    import pennylane as qp

    for layer in range(len(weights)):
        if layer:
            upload()
        for wire in range(n_wires):
            qp.Rot(weights[layer, wire, 0], weights[layer, wire, 1], weights[layer, wire, 2], wires=wire)


def _nothing() -> None:
    """The upload of an encoding that is not repeated."""


no_upload = _nothing

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

"""The named circuits again, as functions with PennyLane's own templates: what the catalogue must agree with."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pennylane as qp

from quanvolve.circuits import ANSATZE, BLOCKS, ENCODINGS, READOUTS, Circuit, capture
from tests.circuits.pennylane_blocks import qcnn

Upload = Callable[[], None]

# -- encodings ---------------------------------------------------------------------------------------------------------


def _angles(rotation: str, factor: float = 1.0) -> Callable[[Any, int, int], None]:
    return lambda inputs, n, wires: qp.AngleEmbedding(factor * inputs, wires=range(n), rotation=rotation)  # type: ignore[no-any-return]


def _rz(inputs: Any, n: int, wires: int) -> None:
    for wire in range(n):
        qp.Hadamard(wires=wire)
        qp.RZ(inputs[wire], wires=wire)


def _dense(inputs: Any, n: int, wires: int) -> None:
    for index in range(n):
        (qp.RZ if index % 2 else qp.RY)(inputs[index], wires=index // 2)


def _amplitude(inputs: Any, n: int, wires: int) -> None:
    size = max(1, math.ceil(math.log2(n)))
    qp.AmplitudeEmbedding(inputs, wires=range(size), normalize=True, pad_with=0.0)


def _iqp(inputs: Any, n: int, wires: int) -> None:
    qp.IQPEmbedding(inputs, wires=range(n))


def _zz(inputs: Any, n: int, wires: int) -> None:
    for _ in range(2):
        for wire in range(n):
            qp.Hadamard(wires=wire)
            qp.PhaseShift(2.0 * inputs[wire], wires=wire)
        for first, second in itertools.combinations(range(n), 2):
            qp.CNOT(wires=[first, second])
            qp.PhaseShift(2.0 * (math.pi - inputs[first]) * (math.pi - inputs[second]), wires=second)
            qp.CNOT(wires=[first, second])


def _reupload(inputs: Any, n: int, wires: int) -> None:
    for index in range(n):
        (qp.RY, qp.RZ)[(index // wires) % 2](inputs[index], wires=index % wires)


ENCODE: dict[str, Callable[[Any, int, int], None]] = {
    "ry": _angles("Y"),
    "rx": _angles("X"),
    "rz": _rz,
    "dense": _dense,
    "threshold": _angles("X", math.pi),
    "amplitude": _amplitude,
    "iqp": _iqp,
    "zz_feature_map": _zz,
    "reupload": _reupload,
}

# -- ansatze: upload() comes before each layer but the first -----------------------------------------------------------


def _each(weights: Any, upload: Upload) -> Any:
    for layer in range(len(weights)):
        if layer:
            upload()
        yield layer, weights[layer]


def _random(weights: Any, n: int, seed: int, upload: Upload | None, columns: int) -> None:
    if upload is None:
        qp.RandomLayers(weights, wires=range(n), seed=seed)
        return
    for layer, row in _each(weights, upload):
        qp.RandomLayers(row[None], wires=range(n), seed=seed + layer)


def _layers(make: Callable[[Any, int, int, int], None]) -> Callable[..., None]:
    def apply(weights: Any, n: int, seed: int, upload: Upload | None, columns: int) -> None:
        for layer, row in _each(weights, upload or (lambda: None)):
            make(row, n, layer, columns)

    return apply


def _basic_entangler(row: Any, n: int, layer: int, columns: int) -> None:
    qp.BasicEntanglerLayers(row[None], wires=range(n))


def _strongly_entangling(row: Any, n: int, layer: int, columns: int) -> None:
    reach = [layer % (n - 1) + 1] if n > 1 else None
    qp.StronglyEntanglingLayers(row[None], wires=range(n), ranges=reach)


def _rotations(row: Any) -> None:
    for wire, three in enumerate(row):
        qp.Rot(three[0], three[1], three[2], wires=wire)


def _pairs(n: int, columns: int, offset: int, down: bool) -> list[tuple[int, int]]:
    """Neighbours in a row, or in a column, found by looking at all pairs."""
    found = []
    for one, other in itertools.combinations(range(n), 2):
        (r, c), (s, d) = divmod(one, columns), divmod(other, columns)
        if (s - r, d - c) == ((1, 0) if down else (0, 1)) and (r if down else c) % 2 == offset:
            found.append((one, other))
    return found


def _brickwork(row: Any, n: int, layer: int, columns: int) -> None:
    _rotations(row)
    for pair in _pairs(n, columns, layer % 2, False):
        qp.CNOT(wires=pair)


def _grid(row: Any, n: int, layer: int, columns: int) -> None:
    _rotations(row)
    for pair in _pairs(n, columns, layer // 2 % 2, layer % 2 == 1):
        qp.CNOT(wires=pair)


def _identity_blocks(row: Any, n: int, layer: int, columns: int) -> None:
    for part in range(2):
        for pair in _pairs(n, columns, layer // 2 % 2, layer % 2 == 1 and columns < n):
            qp.CNOT(wires=pair)
        _rotations(row[:, part])


def _none(row: Any, n: int, layer: int, columns: int) -> None:
    _rotations(row)


def _hardware_efficient(weights: Any, n: int, seed: int, upload: Upload | None, columns: int) -> None:
    last = len(weights) - 1
    for layer in range(len(weights)):
        if upload is not None and 0 < layer < last:
            upload()
        for wire in range(n):
            qp.RY(weights[layer, wire, 0], wires=wire)
            qp.RZ(weights[layer, wire, 1], wires=wire)
        if layer < last:
            for wire in range(n - 1):
                qp.CZ(wires=[wire, wire + 1])


def _qcnn(weights: Any, n: int, seed: int, upload: Upload | None, columns: int) -> None:
    active = list(range(n))
    for w in weights:
        even = list(zip(active[::2], active[1::2], strict=False))
        odd = list(zip(active[1::2], active[2::2], strict=False))
        for one, other in even + odd:
            qp.Rot(w[0], w[1], w[2], wires=one)
            qp.Rot(w[3], w[4], w[5], wires=other)
            qp.IsingXX(w[6], wires=[one, other])
            qp.IsingYY(w[7], wires=[one, other])
            qp.IsingZZ(w[8], wires=[one, other])
            qp.Rot(w[9], w[10], w[11], wires=one)
            qp.Rot(w[12], w[13], w[14], wires=other)
        for kept, pooled in even:
            qp.CRZ(w[15], wires=[pooled, kept])
            qp.PauliX(wires=pooled)
            qp.CRX(w[16], wires=[pooled, kept])
        active = active[::2]


def _network(block: str, pooling: str = "zx", ring: bool = True) -> Callable[..., list[int]]:
    def apply(weights: Any, n: int, seed: int, upload: Upload | None, columns: int) -> list[int]:
        return qcnn(block, pooling, ring, weights, n, BLOCKS[block].n_weights)

    return apply


WEIGH: dict[str, Callable[..., list[int] | None]] = {
    "random": _random,
    "basic_entangler": _layers(_basic_entangler),
    "strongly_entangling": _layers(_strongly_entangling),
    "hardware_efficient": _hardware_efficient,
    "brickwork": _layers(_brickwork),
    "grid": _layers(_grid),
    "identity_blocks": _layers(_identity_blocks),
    "qcnn": _qcnn,
    **{f"qcnn_{block}": _network(block) for block in BLOCKS},
    "qcnn_u_su4_no_pooling": _network("u_su4", "none"),
    "qcnn_su4_feed_forward": _network("su4", "feed_forward", ring=False),
    "none": _layers(_none),
}

CROSSED = [name for name in WEIGH if not name.startswith("qcnn_") or name == "qcnn_u_6"]
"""Ansatze that are tried with all encodings: QCNNs differ in their blocks alone, which have tests of their own."""

# -- readouts ----------------------------------------------------------------------------------------------------------


Wires = Sequence[int]


def _each_qubit(pauli: Any) -> Callable[[Wires], list[Any]]:
    return lambda wires: [qp.expval(pauli(wire)) for wire in wires]


def _neighbours(wires: Wires) -> list[Any]:
    singles = [qp.expval(qp.Z(wire)) for wire in wires]
    return singles + [qp.expval(qp.Z(one) @ qp.Z(other)) for one, other in itertools.pairwise(wires)]


def _expected_ones(wires: Wires) -> list[Any]:
    words = [qp.Identity(0), *(qp.Z(wire) for wire in wires)]
    return [qp.expval(qp.Hamiltonian([len(wires) / 2, *[-0.5] * len(wires)], words))]


MEASURE: dict[str, Callable[[Wires], list[Any]]] = {
    "z": _each_qubit(qp.Z),
    "zz": _neighbours,
    "x": _each_qubit(qp.X),
    "y": _each_qubit(qp.Y),
    "probs": lambda wires: [qp.probs(wires=wires)],
    "popcount": _each_qubit(qp.Z),
    "popcount_sampled": _each_qubit(qp.Z),
    "popcount_expected": _expected_ones,
}

# -- together ----------------------------------------------------------------------------------------------------------


def captured_twin(
    circuit: str, encoding: str, readout: str, n_inputs: int, n_wires: int, n_layers: int, seed: int, columns: int
) -> Circuit:
    """What capture makes of the PennyLane function that a name of the catalogue stands for."""
    repeated = encoding == "reupload"

    def function(inputs: Any, weights: Any) -> list[Any]:
        def upload() -> None:
            ENCODE[encoding](inputs, n_inputs, n_wires)

        upload()
        remaining = WEIGH[circuit](weights, n_wires, seed, upload if repeated else None, columns)
        return MEASURE[readout](range(n_wires) if remaining is None else remaining)

    shapes = {"weights": ANSATZE[circuit].shape(n_layers, n_wires)}
    threshold = ENCODINGS[encoding].threshold
    found = capture(function, n_inputs, shapes, threshold=threshold, n_wires=n_wires, last_look=False)
    counts = READOUTS[readout].counts
    return found if counts is None else replace(found, observables=(), counts=counts)

"""The named encodings: how a window becomes a state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from math import pi
from typing import Any

PRODUCT = ("polynomial", "tensor_train", "statevector")
BITS = ("table", "polynomial", "tensor_train", "statevector")
GENERAL = ("statevector",)


def _one_each(n_inputs: int) -> int:
    return n_inputs


def _halved(n_inputs: int) -> int:
    return -(-n_inputs // 2)


def _logarithm(n_inputs: int) -> int:
    return max(1, (n_inputs - 1).bit_length())


def _one(n_inputs: int) -> int:
    return 1


@dataclass(frozen=True)
class Encoding:
    """How a window becomes a state.

    Args:
        summary: what it does, in a line.
        reference: paper and place.
        apply: `apply(inputs, n_inputs, n_wires)` queues PennyLane operations.
        plans: names of the plans that can run it.
        least: the fewest qubits for a number of inputs.
        usual: the number of qubits where the user does not give one.
        threshold: inputs are replaced by bits, 1 above this.
        prepares: the window is a state's amplitudes.
        pairs: it couples each pair of qubits.
        repeats: the ansatz applies it before each of its layers, not only before the first.
    """

    summary: str
    reference: str
    apply: Callable[[Any, int, int], None] = field(repr=False)
    plans: tuple[str, ...] = PRODUCT
    least: Callable[[int], int] = field(default=_one_each, repr=False)
    usual: Callable[[int], int] = field(default=_one_each, repr=False)
    threshold: float | None = None
    prepares: bool = False
    pairs: bool = False
    repeats: bool = False


def _angle_embedding(rotation: str) -> Callable[[Any, int, int], None]:
    def apply(inputs: Any, n_inputs: int, n_wires: int) -> None:
        import pennylane as qp

        qp.AngleEmbedding(inputs, wires=range(n_inputs), rotation=rotation)

    return apply


def _rz(inputs: Any, n_inputs: int, n_wires: int) -> None:
    import pennylane as qp

    for wire in range(n_inputs):
        qp.Hadamard(wires=wire)
        qp.RZ(inputs[wire], wires=wire)


def _dense(inputs: Any, n_inputs: int, n_wires: int) -> None:
    import pennylane as qp

    for index in range(n_inputs):
        (qp.RZ if index % 2 else qp.RY)(inputs[index], wires=index // 2)


def _threshold(inputs: Any, n_inputs: int, n_wires: int) -> None:
    import pennylane as qp

    # The description replaces each input by its bit, so RX(pi * bit) flips the qubit of a bright pixel.
    qp.AngleEmbedding(pi * inputs, wires=range(n_inputs), rotation="X")


def _amplitude(inputs: Any, n_inputs: int, n_wires: int) -> None:
    import pennylane as qp

    qp.AmplitudeEmbedding(inputs, wires=range(_logarithm(n_inputs)), normalize=True, pad_with=0.0)


def _iqp(inputs: Any, n_inputs: int, n_wires: int) -> None:
    import pennylane as qp

    qp.IQPEmbedding(inputs, wires=range(n_inputs))


def _zz(inputs: Any, n_inputs: int, n_wires: int) -> None:
    import pennylane as qp

    for _ in range(2):
        for wire in range(n_inputs):
            qp.Hadamard(wires=wire)
            qp.PhaseShift(2.0 * inputs[wire], wires=wire)
        for first, second in combinations(range(n_inputs), 2):
            qp.CNOT(wires=[first, second])
            qp.PhaseShift(2.0 * (pi - inputs[first]) * (pi - inputs[second]), wires=second)
            qp.CNOT(wires=[first, second])


def _reupload(inputs: Any, n_inputs: int, n_wires: int) -> None:
    import pennylane as qp

    axes = (qp.RY, qp.RZ)
    for index in range(n_inputs):
        axes[(index // n_wires) % 2](inputs[index], wires=index % n_wires)


ENCODINGS: dict[str, Encoding] = {
    "ry": Encoding(
        "RY(input) on one qubit for each input",
        "Mari, 'Quanvolutional Neural Networks', PennyLane demos (2020)",
        _angle_embedding("Y"),
    ),
    "rx": Encoding(
        "RX(input) on one qubit for each input",
        "Schuld and Petruccione, 'Machine Learning with Quantum Computers' (2021), section 4.3",
        _angle_embedding("X"),
    ),
    "rz": Encoding(
        "a Hadamard gate, then RZ(input), on one qubit for each input",
        "Schuld and Petruccione, 'Machine Learning with Quantum Computers' (2021), section 4.3",
        _rz,
    ),
    "dense": Encoding(
        "two inputs a qubit: RY of the first, then RZ of the second",
        "LaRose and Coyle, Phys. Rev. A 102, 032420 (2020), definition 3, arXiv:2003.01695",
        _dense,
        least=_halved,
        usual=_halved,
    ),
    "threshold": Encoding(
        "state 1 for an angle above pi/2 (a pixel above one half), state 0 otherwise",
        "Henderson et al., arXiv:1904.04767 (2019), section 3",
        _threshold,
        plans=BITS,
        threshold=pi / 2,
    ),
    "amplitude": Encoding(
        "amplitudes proportional to the inputs, 2^n of them on n qubits; a window of zeros is basis state 0",
        "Schuld and Petruccione, 'Machine Learning with Quantum Computers' (2021), section 4.2",
        _amplitude,
        plans=GENERAL,
        least=_logarithm,
        usual=_logarithm,
        prepares=True,
    ),
    "iqp": Encoding(
        "Hadamard gates, RZ(input) on each qubit, a ZZ rotation by the product of each pair of inputs",
        "Havlicek et al., Nature 567, 209 (2019), equation 4, arXiv:1804.11326",
        _iqp,
        plans=GENERAL,
        pairs=True,
    ),
    "zz_feature_map": Encoding(
        "Hadamard gates, phases 2 x and 2 (pi - x)(pi - y) for each pair, twice",
        "Havlicek et al., Nature 567, 209 (2019), supplement; Qiskit's `ZZFeatureMap`",
        _zz,
        plans=GENERAL,
        pairs=True,
    ),
    "reupload": Encoding(
        "inputs go round the qubits as RY, RZ, RY, ... and are uploaded again before each layer",
        "Perez-Salinas et al., Quantum 4, 226 (2020), section 2, arXiv:1907.02085",
        _reupload,
        plans=GENERAL,
        least=_one,
        repeats=True,
    ),
}

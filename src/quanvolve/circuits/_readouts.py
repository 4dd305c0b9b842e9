"""The named readouts: what is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from quanvolve._errors import QuanvolveError

_MOST_OUTCOMES_WIRES = 10


@dataclass(frozen=True)
class Readout:
    """What is measured.

    Args:
        summary: what it measures, in a line.
        reference: paper and place.
        measure: `measure(n_wires)` returns PennyLane measurements; nothing if the output is a number of ones.
        counts: the output is the number of ones in a bit string, see :class:`~quanvolve.circuits.Circuit`.
        plans: names of the plans that can run it; the encoding may allow fewer.
    """

    summary: str
    reference: str
    measure: Callable[[int], list[Any]] = field(repr=False)
    counts: str | None = None
    plans: tuple[str, ...] = ("table", "polynomial", "tensor_train", "statevector")


def _pauli(letter: str) -> Callable[[int], list[Any]]:
    def measure(n_wires: int) -> list[Any]:
        import pennylane as qp

        return [qp.expval(getattr(qp, letter)(wire)) for wire in range(n_wires)]

    return measure


def _zz(n_wires: int) -> list[Any]:
    import pennylane as qp

    singles = [qp.expval(qp.Z(wire)) for wire in range(n_wires)]
    return singles + [qp.expval(qp.Z(wire) @ qp.Z(wire + 1)) for wire in range(n_wires - 1)]


def _probs(n_wires: int) -> list[Any]:
    import pennylane as qp

    if n_wires > _MOST_OUTCOMES_WIRES:
        raise QuanvolveError(
            f"the readout 'probs' on {n_wires} qubits has {2**n_wires} outcomes, at most {_MOST_OUTCOMES_WIRES} qubits "
            "are possible: use readout='z' or fewer qubits"
        )
    return [qp.probs(wires=range(n_wires))]


def _nothing(n_wires: int) -> list[Any]:
    return []


def _expected_ones(n_wires: int) -> list[Any]:
    import pennylane as qp

    # The number of ones is the sum of (1 - Z) / 2 over the qubits.
    words = [qp.Identity(0), *(qp.Z(wire) for wire in range(n_wires))]
    return [qp.expval(qp.Hamiltonian([n_wires / 2, *[-0.5] * n_wires], words))]


_HENDERSON = "Henderson et al., arXiv:1904.04767 (2019), section 3"

READOUTS: dict[str, Readout] = {
    "z": Readout(
        "the expectation value of Pauli Z on every qubit",
        "Mari, 'Quanvolutional Neural Networks', PennyLane demos (2020)",
        _pauli("Z"),
    ),
    "zz": Readout(
        "Pauli Z on every qubit, then the correlators Z Z of neighbouring qubits",
        "Nielsen and Chuang, 'Quantum Computation and Quantum Information' (2010), section 2.2.5",
        _zz,
    ),
    "x": Readout(
        "the expectation value of Pauli X on every qubit",
        "Nielsen and Chuang, 'Quantum Computation and Quantum Information' (2010), section 2.2.5",
        _pauli("X"),
    ),
    "y": Readout(
        "the expectation value of Pauli Y on every qubit",
        "Nielsen and Chuang, 'Quantum Computation and Quantum Information' (2010), section 2.2.5",
        _pauli("Y"),
    ),
    "probs": Readout(
        "the probabilities of all 2^n bit strings",
        "Nielsen and Chuang, 'Quantum Computation and Quantum Information' (2010), section 2.2.3",
        _probs,
    ),
    "popcount": Readout(
        "the number of ones in the most probable bit string; cannot be trained",
        _HENDERSON,
        _nothing,
        counts="most_probable",
        plans=("table", "statevector"),
    ),
    "popcount_sampled": Readout(
        "the number of ones in one bit string drawn at random for each window; cannot be trained",
        _HENDERSON,
        _nothing,
        counts="sampled",
        plans=("statevector",),
    ),
    "popcount_expected": Readout(
        "the expected number of ones: popcount_sampled on average, and differentiable",
        _HENDERSON,
        _expected_ones,
    ),
}

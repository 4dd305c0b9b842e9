"""The named readouts: what is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.description import Observable

_MOST_OUTCOMES_WIRES = 10


@dataclass(frozen=True)
class Readout:
    """What is measured.

    Args:
        summary: what it measures, in a line.
        reference: paper and place.
        observables: `observables(wires)` are what it measures on these qubits; none if the output is a number of ones.
        counts: the output is the number of ones in a bit string, see :class:`~quanvolve.circuits.Circuit`.
        plans: names of the plans that can run it; the encoding may allow fewer.
    """

    summary: str
    reference: str
    observables: Callable[[Sequence[int]], Iterable[Observable]] = field(repr=False)
    counts: str | None = None
    plans: tuple[str, ...] = ("table", "polynomial", "tensor_train", "statevector")


def _one(letter: str, *wires: int) -> Observable:
    """The product of one Pauli matrix on some qubits."""
    return Observable(((1.0, tuple((wire, letter) for wire in wires)),))


def _pauli(letter: str) -> Callable[[Sequence[int]], Iterator[Observable]]:
    def observables(wires: Sequence[int]) -> Iterator[Observable]:
        return (_one(letter, wire) for wire in wires)

    return observables


def _zz(wires: Sequence[int]) -> Iterator[Observable]:
    yield from (_one("Z", wire) for wire in wires)
    yield from (_one("Z", *pair) for pair in pairwise(wires))


def _probs(wires: Sequence[int]) -> list[Observable]:
    n_wires = len(wires)
    if n_wires > _MOST_OUTCOMES_WIRES:
        raise QuanvolveError(
            f"the readout 'probs' on {n_wires} qubits has {2**n_wires} outcomes, at most {_MOST_OUTCOMES_WIRES} qubits "
            "are possible: use readout='z' or fewer qubits"
        )
    return [Observable((), outcome=tuple(zip(wires, bits, strict=True))) for bits in product((0, 1), repeat=n_wires)]


def _nothing(wires: Sequence[int]) -> tuple[Observable, ...]:
    return ()


def _expected_ones(wires: Sequence[int]) -> tuple[Observable, ...]:
    # The number of ones is the sum of (1 - Z) / 2 over the qubits.
    words = ((-0.5, ((wire, "Z"),)) for wire in wires)
    return (Observable(((len(wires) / 2, ()), *words)),)


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

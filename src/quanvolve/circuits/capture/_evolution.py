"""Time evolution ``exp(-i t H)`` as gates whose angles are affine in t."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._controlled import inverted
from quanvolve.circuits.capture._look import values_of
from quanvolve.circuits.capture._matrices import unitary_gates
from quanvolve.circuits.capture._multiplexed import PHASE, diagonal, pauli_rotation
from quanvolve.circuits.capture._traced import Traced

MOST_WIRES = 6
"""Of terms that do not commute, which are diagonalised."""
_ROUNDING = 1e-9
Word = tuple[tuple[Any, str], ...]


def evolution_gates(generator: Any, time: Any, depends: Callable[[Any], bool], origin: str) -> list[Traced]:
    """``exp(-i time H)``: terms that commute as rotations, the others in the basis of their eigenvectors.

    Args:
        generator: H, an operator of PennyLane.
        time: a number or a tensor.
        depends: whether a number depends on inputs or weights.
        origin: of the operation.

    Raises:
        CaptureError: if H is not Hermitian, or has terms that do not commute, and depends on inputs or weights or has
            more than six wires.
    """
    sentence = generator.pauli_rep
    if sentence is None:
        return _diagonalised(_matrix(generator, origin), list(generator.wires), time, origin)
    terms: list[tuple[Word, Any]] = []
    gates: list[Traced] = []
    for word, coefficient in sentence.items():
        factor = _real(coefficient, generator, origin)
        if word:
            terms.append((tuple((wire, str(letter)) for wire, letter in word.items()), factor))
        else:
            gates.append(Traced(PHASE, (), _times(time, factor, -1.0), origin))
    for group in _groups(terms):
        if len(group) == 1:
            word, factor = group[0]
            gates += pauli_rotation(word, _times(time, factor, 2.0), origin)
            continue
        wires = list(dict.fromkeys(wire for word, _ in group for wire, _ in word))
        if any(depends(factor) for _, factor in group):
            raise CaptureError(
                f"{origin} cannot be captured: its terms do not commute and have coefficients that depend on inputs or "
                "weights; use qp.TrotterProduct or qp.ApproxTimeEvolution, which make a gate of each term, or let only "
                "the time depend on them"
            )
        if len(wires) > MOST_WIRES:
            raise CaptureError(
                f"{origin} cannot be captured: it evolves under terms on {len(wires)} wires that do not commute, and "
                f"at most {MOST_WIRES} wires can be diagonalised; use qp.TrotterProduct or qp.ApproxTimeEvolution"
            )
        gates += _diagonalised(_sum_of_words(group, wires), wires, time, origin)
    return gates


def _diagonalised(matrix: Any, wires: Sequence[Any], time: Any, origin: str) -> list[Traced]:
    energies, vectors = np.linalg.eigh(matrix)
    basis = unitary_gates(np.asarray(vectors, complex), wires, origin)
    energies = np.where(np.abs(energies) < _ROUNDING, 0.0, energies)
    # The angles are linear in the phases -t E_b, so that t is multiplied last.
    phases = [
        gate if gate.angle is None else Traced(gate.name, gate.wires, time * gate.angle, origin)
        for gate in diagonal(-energies, wires, origin)
    ]
    return [*inverted(basis, origin), *phases, *basis]


def _groups(terms: list[tuple[Word, Any]]) -> list[list[tuple[Word, Any]]]:
    """Terms that do not commute together; those of different groups commute."""
    groups: list[list[tuple[Word, Any]]] = []
    for term in terms:
        meets = [group for group in groups if any(not _commute(term[0], other[0]) for other in group)]
        groups = [group for group in groups if group not in meets] + [[t for group in meets for t in group] + [term]]
    return groups


def _commute(word: Word, other: Word) -> bool:
    letters = dict(other)
    return sum(wire in letters and letters[wire] != letter for wire, letter in word) % 2 == 0


def _sum_of_words(group: list[tuple[Word, Any]], wires: list[Any]) -> Any:
    import pennylane as qp

    sentence = qp.pauli.PauliSentence({qp.pauli.PauliWord(dict(word)): _plain(factor) for word, factor in group})
    return sentence.to_mat(wire_order=wires)


def _matrix(generator: Any, origin: str) -> Any:
    import pennylane as qp

    if len(generator.wires) > MOST_WIRES:
        raise CaptureError(
            f"{origin} cannot be captured: its operator {generator.name} is a matrix on {len(generator.wires)} wires, "
            f"and at most {MOST_WIRES} wires can be diagonalised; give it as a sum of products of Pauli operators"
        )
    matrix = qp.matrix(generator, wire_order=generator.wires)
    matrix = values_of(matrix)
    _require_hermitian(np.abs(matrix - matrix.conj().T).max(), generator, origin)
    return matrix


def _real(coefficient: Any, generator: Any, origin: str) -> Any:
    if isinstance(coefficient, Tensor):
        if coefficient.is_complex():
            _require_hermitian(abs(float(values_of(coefficient).imag)), generator, origin)
            return coefficient.real
        return coefficient
    _require_hermitian(abs(complex(coefficient).imag), generator, origin)
    return complex(coefficient).real


def _require_hermitian(error: float, generator: Any, origin: str) -> None:
    if error > _ROUNDING:
        raise CaptureError(
            f"{origin} cannot be captured: its operator {generator.name} is not Hermitian, so that its exponential is "
            "no unitary gate"
        )


def _times(time: Any, factor: Any, number: float) -> Any:
    return time * factor * number if isinstance(factor, Tensor) else time * (factor * number)


def _plain(factor: Any) -> float:
    return float(values_of(factor))

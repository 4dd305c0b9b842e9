"""What is measured, and in what form it is returned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qp
import torch

from tests.circuits.sweep.judge import EQUAL
from tests.circuits.sweep.kind_case import EITHER, KindCase, layers

CASES: list[KindCase] = []
_HERMITIAN = np.array([[1.0, 0.5 - 0.2j], [0.5 + 0.2j, -0.3]])
_LARGE = np.kron(_HERMITIAN, np.array([[0.0, 1j], [-1j, 2.0]])) + np.diag([1.0, 2.0, 3.0, 4.0])
_STATE = np.array([0.6, 0.8j])


def _add(name: str, measurements: Callable[..., Any], expected: str = EQUAL, says: str = "", **options: Any) -> None:
    def function(inputs: Any, weights: Any) -> Any:
        layers(inputs, weights)
        return measurements(inputs, weights) if options.get("reads") else measurements()

    CASES.append(KindCase(f"measured: {name}", function, {"weights": (6,)}, expected, says))


def _sums(observables: Any) -> Any:
    return qp.Hamiltonian([0.5, -1.5, 0.3], observables)


_WORDS = [qp.Z(0), qp.X(0) @ qp.Z(1), qp.Y(2)]
for _name, _observable in {
    "X": lambda: qp.X(0),
    "Y": lambda: qp.Y(1),
    "Z": lambda: qp.Z(2),
    "PauliZ": lambda: qp.PauliZ(0),
    "Hadamard": lambda: qp.Hadamard(0),
    "Identity": lambda: qp.Identity(0),
    "X @ Y @ Z": lambda: qp.X(0) @ qp.Y(1) @ qp.Z(2),
    "prod": lambda: qp.prod(qp.X(2), qp.Z(0)),
    "a product with a matrix": lambda: qp.Hermitian(_HERMITIAN, 1) @ qp.Z(0),
    "a product with a projector": lambda: qp.Projector([1], wires=[0]) @ qp.X(1),
    "a product with a Hadamard": lambda: qp.Hadamard(0) @ qp.Hadamard(2),
    "a square": lambda: qp.pow(qp.X(0) @ qp.Y(1), 2),
    "a power of a sum": lambda: qp.pow(qp.X(0) + qp.Z(1), 3),
    "an adjoint": lambda: qp.adjoint(qp.Hermitian(_HERMITIAN, 0)),
    "a sum": lambda: qp.X(0) + qp.Z(1),
    "a difference": lambda: qp.X(0) - 2 * qp.Z(1) @ qp.Y(2),
    "a multiple": lambda: 0.3 * qp.Y(0),
    "nested multiples": lambda: 2 * (0.3 * qp.Y(0) + qp.Z(1) @ (qp.X(0) + 1.5 * qp.X(2))),
    "a sum with a number": lambda: qp.Z(0) + 0.7 * qp.Identity(0),
    "Hamiltonian": lambda: _sums(_WORDS),
    "Hamiltonian with a repeated term": lambda: _sums([qp.Z(0), qp.Z(0), qp.X(1)]),
    "Hamiltonian of matrices": lambda: qp.Hamiltonian([0.5, 2.0], [qp.Hermitian(_HERMITIAN, 0), qp.Z(1)]),
    "Hamiltonian of torch": lambda: qp.Hamiltonian(torch.tensor([0.5, -1.5, 0.3]), _WORDS),
    "LinearCombination": lambda: qp.ops.LinearCombination([0.5, -0.4], [qp.X(0), qp.Z(1)]),
    "dot": lambda: qp.dot([0.5, -1.5, 0.3], _WORDS),
    "sum of functions": lambda: qp.sum(qp.X(0), qp.Y(1), qp.Z(2)),
    "PauliSentence": lambda: qp.pauli.PauliSentence({qp.pauli.PauliWord({0: "X", 1: "Y"}): 0.7}).operation(),
    "Hermitian": lambda: qp.Hermitian(_HERMITIAN, 1),
    "Hermitian on two wires": lambda: qp.Hermitian(_LARGE, [2, 0]),
    "Hermitian of torch": lambda: qp.Hermitian(torch.tensor(_HERMITIAN), 1),
    "Projector on a basis state": lambda: qp.Projector([0, 1], wires=[0, 2]),
    "Projector on a state": lambda: qp.Projector(_STATE, wires=[1]),
    "a controlled X": lambda: qp.CNOT(wires=[0, 1]),
    "simplified": lambda: qp.simplify(qp.X(0) @ qp.X(0) @ qp.Z(1)),
}.items():
    _add(f"expval of {_name}", lambda observable=_observable: qp.expval(observable()))

_COEFFICIENTS = "coefficients"
_add(
    "Hamiltonian with weights",
    lambda x, w: qp.expval(qp.Hamiltonian(w[:2], [qp.Z(0), qp.X(1)])),
    EITHER,
    _COEFFICIENTS,
    reads=True,
)
_add("a multiple by a weight", lambda x, w: qp.expval(w[0] * qp.Z(0)), EITHER, _COEFFICIENTS, reads=True)
_add("a multiple by an input", lambda x, w: qp.expval(x[0] * qp.Z(0)), EITHER, _COEFFICIENTS, reads=True)
_add(
    "Hermitian of weights",
    lambda x, w: qp.expval(qp.Hermitian(torch.diag(w[:2]), wires=0)),
    EITHER,
    _COEFFICIENTS,
    reads=True,
)
_add("a constant number of the weights' shape", lambda x, w: qp.expval(len(w) * qp.Z(0)), reads=True)

for _name, _probs in {
    "one wire": lambda: qp.probs(wires=0),
    "a list": lambda: qp.probs(wires=[0]),
    "two wires, reversed": lambda: qp.probs(wires=[2, 0]),
    "all wires": lambda: qp.probs(wires=range(3)),
    "all": lambda: qp.probs(),
    "a wire without gates": lambda: qp.probs(wires=[0, 3]),
    "of X": lambda: qp.probs(op=qp.X(0)),
    "of Z": lambda: qp.probs(op=qp.Z(1)),
    "of a word": lambda: qp.probs(op=qp.X(0) @ qp.Y(2)),
    "of a Hadamard": lambda: qp.probs(op=qp.Hadamard(1)),
    "of a matrix": lambda: qp.probs(op=qp.Hermitian(_HERMITIAN, 1)),
    "of a matrix on two wires": lambda: qp.probs(op=qp.Hermitian(_LARGE, [0, 1])),
}.items():
    _add(f"probs, {_name}", _probs, EITHER if _name.startswith("of") else EQUAL)

_KIND = "expectation values"
for _name, _measurement in {
    "var of Z": lambda: qp.var(qp.Z(0)),
    "var of a word": lambda: qp.var(qp.X(0) @ qp.Y(1)),
    "var of a matrix": lambda: qp.var(qp.Hermitian(_HERMITIAN, 0)),
    "var of a sum": lambda: qp.var(qp.X(0) + qp.Z(1)),
    "var of a projector": lambda: qp.var(qp.Projector([1], wires=[0])),
    "purity": lambda: qp.purity(wires=[0]),
    "purity of two wires": lambda: qp.purity(wires=[0, 2]),
    "vn_entropy": lambda: qp.vn_entropy(wires=[0]),
    "mutual_info": lambda: qp.mutual_info(wires0=[0], wires1=[1]),
}.items():
    _add(_name, _measurement, EITHER, _KIND)

for _name, _returned in {
    "a list of one": lambda: [qp.expval(qp.Z(0))],
    "a tuple": lambda: (qp.expval(qp.Z(0)), qp.expval(qp.X(1))),
    "a tuple of lists": lambda: ([qp.expval(qp.Z(0)), qp.expval(qp.Z(1))], [qp.expval(qp.X(2))]),
    "a list of tuples": lambda: [(qp.expval(qp.Z(0)), qp.expval(qp.Z(1))), (qp.expval(qp.X(2)),)],
    "deeply nested": lambda: (qp.expval(qp.Z(0)), [qp.probs(wires=[0]), (qp.expval(qp.X(1)),)]),
    "expectations and probabilities": lambda: [qp.expval(qp.Z(0)), qp.probs(wires=[1, 2]), qp.expval(qp.Y(1))],
    "probabilities twice": lambda: (qp.probs(wires=[0]), qp.probs(wires=[2, 1])),
    "the same twice": lambda: [qp.expval(qp.Z(0)), qp.expval(qp.Z(0))],
    "words that do not commute": lambda: [qp.expval(qp.X(0)), qp.expval(qp.Y(0)), qp.expval(qp.Z(0))],
    "a generator's list": lambda: [*map(qp.expval, (qp.Z(0), qp.X(1)))],
}.items():
    _add(f"returned: {_name}", _returned)
_add("returned: a dictionary", lambda: {"z": qp.expval(qp.Z(0)), "x": qp.expval(qp.X(1))}, EITHER)
_add("returned: a variance among others", lambda: [qp.expval(qp.Z(0)), qp.var(qp.X(1))], EITHER, _KIND)

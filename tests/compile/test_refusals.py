"""Circuits that no plan evaluates are refused by name and position."""

import re

import pytest

from quanvolve._errors import PlanError
from quanvolve.circuits import Angle, Circuit, Gate, Observable
from quanvolve.compile import MAX_WIRES, PolynomialPlan, compile_circuit

Z0 = Observable(((1.0, ((0, "Z"),)),))

MOST = MAX_WIRES["polynomial"]


def _encode(wire: int, index: int, name: str = "RY") -> Gate:
    return Gate(name, (wire,), Angle(0.0, ((index, 1.0),)))


def test_an_input_after_an_entangling_gate_is_named_with_its_position() -> None:
    circuit = Circuit(2, 2, (_encode(0, 0), _encode(1, 1), Gate("CNOT", (0, 1)), _encode(1, 0, "RX")), (Z0,))
    message = r"gate 3 \(RX on wire 1\) reads an input after its qubit met another one.*not a product encoding"
    with pytest.raises(PlanError, match=message):
        compile_circuit(circuit)


def test_a_qubit_that_met_no_other_may_still_read() -> None:
    gates = (_encode(0, 0), _encode(1, 1), Gate("CZ", (0, 1)), _encode(2, 0))
    assert compile_circuit(Circuit(3, 2, gates, (Z0,))).sizes == (3, 3, 3)


def test_too_many_qubits_names_both_numbers_and_the_remedy() -> None:
    circuit = Circuit(MOST + 1, 1, (_encode(0, 0),), (Z0,))
    with pytest.raises(PlanError, match=rf"has {MOST + 1} qubits.*at most {MOST}.*`kernel_size`"):
        compile_circuit(circuit)


def test_ten_qubits_are_not_too_many() -> None:
    circuit = Circuit(MOST, 1, (_encode(0, 0),), (Z0,))
    assert compile_circuit(circuit).n_features == 3


def test_too_many_features_name_their_number() -> None:
    gates = tuple(_encode(wire, 0, name) for wire in range(9) for name in ("RX", "RY", "RX"))
    with pytest.raises(PlanError, match=r"features a window, the polynomial plan takes at most 59049"):
        compile_circuit(Circuit(9, 1, gates, (Z0,)))


@pytest.mark.parametrize(
    "other",
    [
        Circuit(1, 1, (_encode(0, 0, "RX"),), (Z0,), (("w", (1,)),)),
        Circuit(1, 1, (_encode(0, 0),), (Z0,), (("v", (1,)),)),
        Circuit(1, 1, (_encode(0, 0),), (Z0, Z0), (("w", (1,)),)),
        Circuit(1, 1, (_encode(0, 0),), (Z0,), (("w", (1,)),), threshold=0.5),
    ],
    ids=["encoding", "weights", "outputs", "threshold"],
)
def test_filters_of_a_plan_share_their_encoding(other: Circuit) -> None:
    first = Circuit(1, 1, (_encode(0, 0),), (Z0,), (("w", (1,)),))
    with pytest.raises(PlanError, match="circuit 1 differs from circuit 0"):
        PolynomialPlan((first, other))


def test_the_plan_says_what_it_does() -> None:
    first = Circuit(2, 2, (_encode(0, 0), _encode(1, 1)), (Z0,))
    text = str(PolynomialPlan((first,)))
    assert re.search(r"polynomial: 2 qubits .* 9 features .*\(3 x 3\).* 1 circuit structure$", text)


def test_too_many_rotations_on_one_qubit_are_refused_before_any_work() -> None:
    gates = tuple(Gate("RY", (0,), Angle(inputs=((i, 1.0),))) for i in range(25))
    circuit = Circuit(1, 25, gates, (Observable(((1.0, ((0, "Z"),)),)),))
    with pytest.raises(PlanError, match=r"25 rotations of one qubit \(wire 0\) read inputs, .* at most 8"):
        compile_circuit(circuit)

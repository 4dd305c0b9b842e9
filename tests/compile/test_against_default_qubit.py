"""Compiled circuits against PennyLane's simulator, window by window."""

import math

import pytest
import torch
from hypothesis import given, settings

from quanvolve.circuits import Angle, Circuit, Gate, Observable
from quanvolve.compile import coefficients, compile_circuit

from .reference import OPERATIONS, ROTATIONS, draw_point, expected, product_circuits, run_compiled

Z0 = Observable(((1.0, ((0, "Z"),)),))


@given(circuit=product_circuits())
@settings(max_examples=60)
def test_random_product_circuits_equal_default_qubit(circuit: Circuit) -> None:
    windows, weights = draw_point(circuit, filters=2, windows=3)
    reference = expected(circuit, windows, weights)

    found = run_compiled(circuit, windows, weights)
    single = run_compiled(circuit, windows.float(), {name: w.float() for name, w in weights.items()})

    assert found.dtype == torch.float64
    torch.testing.assert_close(found, reference, rtol=0, atol=1e-10)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), reference, rtol=0, atol=1e-5)


@pytest.mark.parametrize("pauli", "XYZ")
@pytest.mark.parametrize("wires", [(0, 1), (1, 0), (2, 0)])
@pytest.mark.parametrize("name", [n for n in OPERATIONS if n not in ROTATIONS])
def test_each_clifford_gate_on_each_pauli(name: str, wires: tuple[int, int], pauli: str) -> None:
    size = 2 if name in ("CNOT", "CY", "CZ", "SWAP", "ISWAP") else 1
    encode = [Gate(axis, (wire,), Angle(0.2 + wire, ((wire, 1.0),))) for wire in range(3) for axis in ("RX", "RZ")]
    observables = tuple(Observable(((1.0, ((wire, pauli),)),)) for wire in range(3))
    circuit = Circuit(3, 3, (*encode, Gate(name, wires[:size])), observables)
    windows, weights = draw_point(circuit, filters=1, windows=2)
    torch.testing.assert_close(
        run_compiled(circuit, windows, weights), expected(circuit, windows, weights), rtol=0, atol=1e-10
    )


def test_gates_before_between_and_after_three_encodings_of_one_qubit() -> None:
    gates = (
        Gate("H", (0,)),
        Gate("RX", (0,), Angle(0.3, ((0, 1.0),), (("w", 0, 1.0),))),
        Gate("S", (0,)),
        Gate("RZ", (0,), Angle(0.0, (), (("w", 1, -2.0),))),
        Gate("RY", (0,), Angle(0.0, ((1, 0.5), (0, -1.0)))),
        Gate("SX", (0,)),
        Gate("RX", (0,), Angle(1.1)),
        Gate("RZ", (0,), Angle(-0.2, ((2, 2.0),), (("w", 0, 0.5), ("w", 1, 1.0)))),
        Gate("Y", (0,)),
        Gate("RX", (0,), Angle(0.0, (), (("w", 1, 1.0),))),
    )
    observables = tuple(Observable(((1.0, ((0, p),)),)) for p in "XYZ")
    circuit = Circuit(1, 3, gates, observables, (("w", (2,)),))
    windows, weights = draw_point(circuit, filters=3, windows=5)
    torch.testing.assert_close(
        run_compiled(circuit, windows, weights), expected(circuit, windows, weights), rtol=0, atol=1e-10
    )


def test_an_untouched_ancilla_takes_part_only_by_the_gates_that_meet_it() -> None:
    gates = (
        Gate("RY", (0,), Angle(0.0, ((0, 1.0),))),
        Gate("CNOT", (0, 2)),
        Gate("RX", (2,), Angle(0.0, (), (("w", 0, 1.0),))),
        Gate("ISWAP", (2, 1)),
    )
    observables = tuple(Observable(((1.0, ((wire, "Z"),)),)) for wire in range(3))
    circuit = Circuit(3, 1, gates, observables, (("w", (1,)),))
    windows, weights = draw_point(circuit, filters=2, windows=4)
    assert compile_circuit(circuit).sizes[1:] == (1, 1)
    torch.testing.assert_close(
        run_compiled(circuit, windows, weights), expected(circuit, windows, weights), rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("factor", [math.pi, 1.0])
def test_threshold_reads_one_bit_and_the_limit_itself_is_dark(factor: float) -> None:
    gate = Gate("RX", (0,), Angle(0.1, ((0, factor),)))
    circuit = Circuit(1, 1, (gate,), (Z0, Observable(((1.0, ((0, "Y"),)),))), threshold=0.5)
    windows = torch.tensor([[0.0], [0.5], [0.5000001], [1.0], [-3.0]], dtype=torch.float64)
    found = run_compiled(circuit, windows, {})
    torch.testing.assert_close(found, expected(circuit, windows, {}), rtol=0, atol=1e-12)
    for dark, bright in ((0, 2), (1, 3)):
        assert abs(found[dark, 0, 0] - found[bright, 0, 0]) > 0.1
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[4])
    assert torch.equal(found[2], found[3])


def test_probabilities_of_all_outcomes_add_up_to_one() -> None:
    # |b><b| of two qubits in Pauli words
    observables = []
    for a in (1.0, -1.0):
        for b in (1.0, -1.0):
            terms = ((0.25, ()), (a / 4, ((0, "Z"),)), (b / 4, ((1, "Z"),)), (a * b / 4, ((0, "Z"), (1, "Z"))))
            observables.append(Observable(terms))
    gates = (
        Gate("RY", (0,), Angle(0.0, ((0, 1.0),))),
        Gate("RX", (1,), Angle(0.0, ((1, 1.0),))),
        Gate("CNOT", (0, 1)),
        Gate("RY", (0,), Angle(0.0, (), (("w", 0, 1.0),))),
    )
    circuit = Circuit(2, 2, gates, tuple(observables), (("w", ()),))
    windows, weights = draw_point(circuit, filters=3, windows=4)
    found = run_compiled(circuit, windows, weights)
    torch.testing.assert_close(found, expected(circuit, windows, weights), rtol=0, atol=1e-10)
    torch.testing.assert_close(found.sum(-1), torch.ones(4, 3, dtype=torch.float64))
    assert found.min() > -1e-12


def test_coefficients_of_ry_encoding_have_three_functions_a_qubit() -> None:
    gates = tuple(Gate("RY", (w,), Angle(0.0, ((w, 1.0),))) for w in range(4))
    mix = tuple(Gate("RX", (w,), Angle(0.0, (), (("w", w, 1.0),))) for w in range(4))
    circuit = Circuit(4, 4, (*gates, *mix), (Z0,), (("w", (4,)),))
    recipe = compile_circuit(circuit)
    assert recipe.sizes == (3, 3, 3, 3)
    found = coefficients(recipe, {"w": torch.rand(5, 4)})
    assert found.shape == (5, 1, 81)


def test_windows_and_filters_of_a_batch_do_not_mix() -> None:
    gates = (
        Gate("RY", (0,), Angle(0.0, ((0, 1.0),))),
        Gate("RX", (1,), Angle(0.0, ((1, 1.0),))),
        Gate("CNOT", (0, 1)),
        Gate("RX", (0,), Angle(0.0, (), (("w", 0, 1.0),))),
    )
    circuit = Circuit(2, 2, gates, (Z0, Observable(((1.0, ((1, "Y"),)),))), (("w", (1,)),))
    windows, weights = draw_point(circuit, filters=4, windows=6)
    together = run_compiled(circuit, windows, weights)
    for i in range(6):
        for f in range(4):
            alone = run_compiled(circuit, windows[i : i + 1], {"w": weights["w"][f : f + 1]})
            torch.testing.assert_close(together[i, f], alone[0, 0], rtol=0, atol=1e-14)

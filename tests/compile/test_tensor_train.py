"""Observables as networks: against default.qubit, a stabiliser simulator, light cones, and rewritten circuits."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import stim
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quanvolve import Quanv2d
from quanvolve._errors import PlanError
from quanvolve.circuits import Angle, Circuit, Gate, Observable, named_circuit
from quanvolve.compile import StatevectorPlan, TensorTrainPlan, plans_of
from quanvolve.compile.tables._chains import chains_of
from quanvolve.compile.tables._cones import cone, cut, split
from quanvolve.compile.tables._splitting import split_gate
from quanvolve.compile.tables._sweeps import sweeps

from .reference import draw_point, expected, product_circuits, run_plan

Z = {wire: Observable(((1.0, ((wire, "Z"),)),)) for wire in range(49)}


@pytest.mark.parametrize("name", ["CNOT", "CZ", "CY", "SWAP", "ISWAP"])
def test_gates_are_the_sum_of_their_parts(name: str) -> None:
    from quanvolve.circuits import GATES
    from quanvolve.compile.tables._pauli import heisenberg_matrix

    first, second = split_gate(name)
    whole = sum(np.kron(a, b) for a, b in zip(first, second, strict=True))
    np.testing.assert_allclose(whole, heisenberg_matrix(GATES[name].unitary()), atol=1e-12)
    assert len(first) == (16 if "SWAP" in name else 4)


@given(circuit=product_circuits(8))
@settings(max_examples=60)
def test_random_circuits_equal_default_qubit(circuit: Circuit) -> None:
    windows, weights = draw_point(circuit, filters=2, windows=2)
    try:
        plan = TensorTrainPlan([circuit])
    except PlanError:
        assume(False)
    found = run_plan(plan, circuit, windows, weights, True)
    torch.testing.assert_close(found, expected(circuit, windows, weights), rtol=0, atol=1e-10)


@given(circuit=product_circuits(12))
@settings(max_examples=25)
def test_random_circuits_of_up_to_12_qubits_equal_default_qubit(circuit: Circuit) -> None:
    windows, weights = draw_point(circuit, filters=1, windows=1)
    try:
        plan = TensorTrainPlan([circuit])
    except PlanError:
        assume(False)
    found = run_plan(plan, circuit, windows, weights, True)
    torch.testing.assert_close(found, expected(circuit, windows, weights), rtol=0, atol=1e-10)


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize(
    ("name", "n", "layers", "columns"),
    [
        ("strongly_entangling", 12, 2, None),
        ("strongly_entangling", 6, 3, None),
        ("basic_entangler", 11, 2, None),
        ("hardware_efficient", 12, 2, None),
        ("brickwork", 12, 4, 4),
        ("grid", 12, 3, 4),
        ("identity_blocks", 12, 2, 4),
    ],
)
def test_wide_circuits_equal_default_qubit(name: str, n: int, layers: int, columns: int | None, single: bool) -> None:
    circuit = named_circuit(name, n, n_layers=layers, columns=columns)
    windows, weights = draw_point(circuit, filters=1, windows=2)
    reference = expected(circuit, windows, weights)
    dtype = torch.float32 if single else torch.float64
    close = {"rtol": 0, "atol": 2e-6 if single else 1e-10}
    given = {key: value.to(dtype) for key, value in weights.items()}
    found = run_plan(TensorTrainPlan([circuit]), circuit, windows.to(dtype), given, True)
    torch.testing.assert_close(found.double(), reference, **close)


def stabiliser(circuit: Circuit, turns: dict[tuple[str, int], int], bits: list[int]) -> list[float]:
    """Expectation values by Stim, all angles being quarter turns: RX, RY and RZ are then Clifford gates."""
    gates = {"RX": "SQRT_X", "RY": "SQRT_Y", "RZ": "S"}
    simulator = stim.TableauSimulator()
    simulator.set_num_qubits(circuit.n_wires)
    for gate in circuit.gates:
        if gate.angle is None:
            simulator.do(stim.CircuitInstruction({"SX": "SQRT_X"}.get(gate.name, gate.name), gate.wires))
            continue
        count = sum(turns[name, index] for name, index, _ in gate.angle.weights)
        count += sum(bits[index] for index, _ in gate.angle.inputs)
        for _ in range(count % 4):
            simulator.do(stim.CircuitInstruction(gates[gate.name], gate.wires))
    found = []
    for observable in circuit.observables:
        ((_, ((wire, pauli),)),) = observable.terms
        word = stim.PauliString(circuit.n_wires)
        word[wire] = pauli
        found.append(float(simulator.peek_observable_expectation(word)))
    return found


@pytest.mark.parametrize(
    ("name", "n", "layers", "columns"),
    [
        ("strongly_entangling", 25, 2, None),
        ("strongly_entangling", 49, 2, None),
        ("brickwork", 49, 4, 7),
        ("grid", 25, 4, 5),
        ("hardware_efficient", 49, 2, None),
    ],
)
def test_quarter_turns_equal_a_stabiliser_simulator(name: str, n: int, layers: int, columns: int | None) -> None:
    circuit = named_circuit(name, n, n_layers=layers, columns=columns)
    rng = np.random.default_rng(0)
    plan = TensorTrainPlan([circuit])
    ((_, shape),) = circuit.weight_shapes
    different = set()
    for _ in range(20):
        # Many multiples of a half turn: those of a quarter alone nearly always give zeros on so many qubits.
        turns = rng.choice([0, 2, 1], p=[0.45, 0.45, 0.1], size=shape)
        bits = rng.choice([0, 2, 1, 3], p=[0.45, 0.45, 0.05, 0.05], size=n)
        weights = {"weights": torch.from_numpy(turns * math.pi / 2)[None]}
        found = run_plan(plan, circuit, torch.from_numpy(bits * math.pi / 2)[None], weights, True)[0, 0]
        by_place = {("weights", k): int(turn) for k, turn in enumerate(turns.reshape(-1))}
        reference = stabiliser(circuit, by_place, [int(bit) for bit in bits])
        np.testing.assert_allclose(found.numpy(), reference, rtol=0, atol=1e-9)
        different |= set(reference)
    assert different == {-1.0, 0.0, 1.0}, "a test of zeros alone would say little"


@pytest.mark.parametrize("name", ["brickwork", "grid"])
def test_a_light_cone_alone_gives_the_same(name: str) -> None:
    circuit = named_circuit(name, 49, n_layers=2, columns=7)
    windows, weights = draw_point(circuit, filters=1, windows=3)
    whole = run_plan(TensorTrainPlan([circuit]), circuit, windows, weights, True)
    for output in (0, 17, 24, 48):
        (small,) = cut([circuit], (output,))
        assert small.n_wires <= 4
        found = run_plan(StatevectorPlan([small]), small, windows, weights, True)
        torch.testing.assert_close(found[..., 0], whole[..., output], rtol=0, atol=1e-10)


@given(circuit=product_circuits(5), which=st.integers(0, 2))
@settings(max_examples=60)
def test_a_cut_circuit_measures_the_same(circuit: Circuit, which: int) -> None:
    outputs = (which % circuit.n_outputs,)
    windows, weights = draw_point(circuit, filters=1, windows=2)
    (small,) = cut([circuit], outputs)
    assert small.n_wires == len(cone(circuit, outputs)[0]) <= circuit.n_wires
    torch.testing.assert_close(
        expected(small, windows, weights), expected(circuit, windows, weights)[..., outputs], rtol=0, atol=1e-10
    )


def test_values_with_the_same_cone_stay_together() -> None:
    assert split([named_circuit("strongly_entangling", 6)]) == (tuple(range(6)),)
    assert split([named_circuit("none", 4)]) == ((0,), (1,), (2,), (3,))
    parts = plans_of([named_circuit("brickwork", 25, columns=5)])[0]
    assert list(parts) == ["polynomial", "tensor_train", "statevector"], "each cone fits into every plan"
    assert "25 qubits in" in str(parts["statevector"])


def _chain(n: int, order: list[int], halves: bool) -> Circuit:
    """Encoding, a layer, CZ gates in an order, another layer; each rotation whole or as two halves."""
    gates = [Gate("RY", (wire,), Angle(inputs=((wire, 1.0),))) for wire in range(n)]

    def layer(number: int) -> None:
        for wire in range(n):
            for part in (0.5, 0.5) if halves else (1.0,):
                gates.append(Gate("RX", (wire,), Angle(weights=(("w", number * n + wire, part),))))

    layer(0)
    pairs = list(pairwise(range(n)))
    gates.extend(Gate("CZ", pairs[k]) for k in order)
    layer(1)
    gates.extend(Gate("CZ", pair) for pair in pairs)
    layer(2)
    return Circuit(n, n, tuple(gates), tuple(Z[wire] for wire in range(n)), (("w", (3, n)),))


def test_the_order_of_commuting_gates_does_not_matter_nor_halves_of_rotations() -> None:
    n = 25
    straight = _chain(n, list(range(n - 1)), halves=False)
    shuffled = _chain(n, list(np.random.default_rng(0).permutation(n - 1)), halves=True)
    windows, weights = draw_point(straight, filters=2, windows=3)
    found = [run_plan(TensorTrainPlan([c]), c, windows, weights, True) for c in (straight, shuffled)]
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-11)
    assert found[0].std() > 0.01


def test_a_swap_only_renames() -> None:
    encode = tuple(Gate("RY", (wire,), Angle(inputs=((wire, 1.0),))) for wire in range(3))
    gates = (
        *encode,
        Gate("SWAP", (0, 2)),
        Gate("RX", (0,), Angle(0.3)),
        Gate("ISWAP", (0, 1)),
        Gate("RY", (1,), Angle(1.1)),
    )
    circuit = Circuit(3, 3, gates, tuple(Z[wire] for wire in range(3)))
    windows, _ = draw_point(circuit, filters=1, windows=3)
    found = run_plan(TensorTrainPlan([circuit]), circuit, windows, {}, True)
    torch.testing.assert_close(found, expected(circuit, windows, {}), rtol=0, atol=1e-11)


def test_gradients_on_six_qubits() -> None:
    layer = Quanv2d(1, 6, (2, 3), engine="tensor_train", seed=0, dtype=torch.float64)
    images = torch.rand(1, 1, 3, 4, dtype=torch.float64, requires_grad=True)

    def call(images: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weights": weights}, (images,))

    assert torch.autograd.gradcheck(call, (images, layer.weights))


def test_gradients_on_twenty_five_qubits_against_finite_differences() -> None:
    layer = Quanv2d(1, 25, 5, seed=0, dtype=torch.float64)
    images = torch.rand(2, 1, 6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2)).requires_grad_()
    factors = torch.randn(2, 25, 2, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def loss() -> torch.Tensor:
        return (layer(images) * factors).sum()

    loss().backward()
    generator = torch.Generator().manual_seed(1)
    for leaf in (layer.weights, images):
        assert leaf.grad is not None
        assert leaf.grad.abs().max() > 1e-4
        direction = torch.randn(leaf.shape, dtype=torch.float64, generator=generator)
        step = 1e-5
        with torch.no_grad():
            leaf += step * direction
            above = loss()
            leaf -= 2 * step * direction
            below = loss()
            leaf += step * direction
        slope = (above - below) / (2 * step)
        torch.testing.assert_close((leaf.grad * direction).sum(), slope, rtol=1e-6, atol=1e-9)


def test_several_structures_channels_and_groups() -> None:
    layer = Quanv2d(
        4, 20, 3, groups=2, circuit="random", n_layers=2, seed=0, engine="tensor_train", dtype=torch.float64
    )
    assert len(layer.circuits) > 1
    weights = layer.circuit_weights()
    other = Quanv2d(
        4, 20, 3, groups=2, circuit=layer.circuits, scale=math.pi, engine="statevector", weights=weights,
        dtype=torch.float64,
    )  # fmt: skip
    images = torch.rand(2, 4, 6, 5, dtype=torch.float64)
    torch.testing.assert_close(layer(images), other(images), rtol=0, atol=1e-10)


def test_limits_say_what_the_circuit_would_need() -> None:
    with pytest.raises(
        PlanError, match=r"needs a bond of at least \d+ between qubits \d+ and \d+, .* at most 1024: use"
    ):
        TensorTrainPlan([named_circuit("strongly_entangling", 25, n_layers=4)])
    with pytest.raises(PlanError, match=r"qubit 0 has 8 two-qubit gates, .* at most 6 on one qubit: use fewer layers"):
        TensorTrainPlan([named_circuit("strongly_entangling", 25, n_layers=5)])
    with pytest.raises(PlanError, match=r"has 65 qubits, the tensor-train plan takes at most 64: use a smaller"):
        TensorTrainPlan([named_circuit("none", 65)])
    with pytest.raises(PlanError, match=r"measures 512 values, and each of them has a network: .* at most 256"):
        TensorTrainPlan([named_circuit("none", 9, readout="probs")])
    outcome = Observable((), tuple((wire, 0) for wire in range(9)))
    with pytest.raises(PlanError, match=r"sums of more than 256 Pauli words.*measure single qubits"):
        TensorTrainPlan([replace(named_circuit("none", 9), observables=(outcome,))])
    first = named_circuit("none", 2)
    with pytest.raises(PlanError, match=r"circuit 1 differs from circuit 0 in its encoding"):
        TensorTrainPlan([first, replace(first, gates=(Gate("H", (0,)), *first.gates))])


def test_the_last_entangling_layer_costs_nothing() -> None:
    one = sweeps(chains_of(named_circuit("strongly_entangling", 25, n_layers=1)))
    assert max(sweep.bond for sweep in one) == 1
    two = sweeps(chains_of(named_circuit("strongly_entangling", 25, n_layers=2)))
    assert max(sweep.bond for sweep in two) == 16
    three = sweeps(chains_of(named_circuit("strongly_entangling", 25, n_layers=3)))
    assert max(sweep.bond for sweep in three) == 960

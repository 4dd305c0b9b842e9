"""Every plan that can run a circuit gives what PennyLane's simulator gives, and the others say why they cannot."""

import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.circuits import Circuit, Gate, Observable, Preparation, named_circuit
from quanvolve.compile import Layout, Planner, StatevectorPlan, TablePlan, plans_of

from .reference import any_circuits, draw_point, expected, product_circuits, run_plan

ONE = Layout(1, 1, 1, 4)


@given(circuit=any_circuits(), fold=st.booleans())
@settings(max_examples=80)
def test_any_circuit_as_state_vectors_equals_default_qubit(circuit: Circuit, fold: bool) -> None:
    windows, weights = draw_point(circuit, filters=2, windows=3)
    plan = StatevectorPlan([circuit])
    torch.testing.assert_close(
        run_plan(plan, circuit, windows, weights, fold), expected(circuit, windows, weights), rtol=0, atol=1e-10
    )


@given(circuit=any_circuits(), threshold=st.sampled_from((-0.5, 0.25)))
@settings(max_examples=40)
def test_tables_equal_default_qubit(circuit: Circuit, threshold: float) -> None:
    circuit = replace(circuit, threshold=threshold)
    windows, weights = draw_point(circuit, filters=2, windows=4)
    found = run_plan(TablePlan([circuit]), circuit, windows, weights, True)
    torch.testing.assert_close(found, expected(circuit, windows, weights), rtol=0, atol=1e-10)


@given(circuit=product_circuits())
@settings(max_examples=30)
def test_all_plans_agree_in_value_and_gradient(circuit: Circuit) -> None:
    windows, weights = draw_point(circuit, filters=2, windows=3)
    possible, _ = plans_of([circuit])
    assert {"polynomial", "statevector"} <= set(possible)
    found = {}
    for name, plan in possible.items():
        leaves = {n: w.clone().requires_grad_() for n, w in weights.items()}
        inputs = windows.clone().requires_grad_()
        values = run_plan(plan, circuit, inputs, leaves, False)
        factors = torch.arange(values.numel()).reshape(values.shape)
        if values.requires_grad:  # some circuits read neither inputs nor weights
            (values * factors).sum().backward()
        found[name] = [values.detach(), inputs.grad, *(leaf.grad for leaf in leaves.values())]
    for name in possible:
        for leaf, a, b in zip((None, windows, *weights.values()), found[name], found["statevector"], strict=True):
            nothing = None if leaf is None else torch.zeros_like(leaf)
            torch.testing.assert_close(nothing if a is None else a, nothing if b is None else b, rtol=0, atol=1e-9)


def test_sixteen_qubits_and_no_more() -> None:
    circuit = named_circuit("none", 16, n_layers=1)
    windows, weights = draw_point(circuit, filters=1, windows=2)
    found = run_plan(StatevectorPlan([circuit]), circuit, windows, weights, True)
    # Without entangling gates each qubit is on its own.
    for wire in (0, 7, 15):
        alone = named_circuit("none", 1, n_layers=1)
        own = {"weights": weights["weights"][:, :, wire : wire + 1]}
        torch.testing.assert_close(
            found[:, :, wire], expected(alone, windows[:, wire : wire + 1], own)[:, :, 0], rtol=0, atol=1e-10
        )
    with pytest.raises(PlanError, match="the circuit has 17 qubits, the state-vector plan takes at most 16"):
        StatevectorPlan([named_circuit("none", 17, n_layers=1)])


def test_a_zero_window_is_basis_state_zero() -> None:
    circuit = Circuit(2, 4, (Gate("X", (0,)),), (Observable((), ((0, 1), (1, 0))),), (), None, None, None)
    circuit = replace(circuit, preparation=Preparation((0, 1), (0, 1, 2, 3)))
    zero = torch.zeros(1, 4, dtype=torch.float64, requires_grad=True)
    value = run_plan(StatevectorPlan([circuit]), circuit, zero, {}, False)
    assert value.item() == 1.0
    value.sum().backward()
    assert zero.grad is not None
    assert torch.equal(zero.grad, torch.zeros(1, 4, dtype=torch.float64))


def test_amplitudes_do_not_depend_on_the_size_of_the_numbers() -> None:
    circuit = Circuit(1, 2, (), (Observable((), ((0, 1),)),), preparation=Preparation((0,), (0, 1)))
    windows = torch.tensor([[3.0, 4.0], [3e-30, 4e-30], [3e30, 4e30]])
    found = run_plan(StatevectorPlan([circuit]), circuit, windows, {}, False)
    torch.testing.assert_close(found.flatten(), torch.full((3,), 0.64))


def test_sampled_numbers_of_ones_follow_the_distribution() -> None:
    gates = named_circuit("basic_entangler", 3, n_layers=1).gates
    circuit = Circuit(3, 3, gates, (), (("weights", (1, 3)),), counts="sampled")
    windows = torch.tensor([[0.4, 1.3, 2.2]], dtype=torch.float64)
    weights = {"weights": torch.tensor([[[0.3, 0.9, 0.5]]], dtype=torch.float64)}
    outcomes = tuple(
        Observable((), tuple((wire, (number >> (2 - wire)) & 1) for wire in range(3))) for number in range(8)
    )
    exact = expected(replace(circuit, counts=None, observables=outcomes), windows, weights).flatten()
    torch.manual_seed(0)
    count = 40_000
    drawn = run_plan(StatevectorPlan([circuit]), circuit, windows.expand(count, -1), weights, True).flatten()
    for ones in range(4):
        p = sum(float(exact[number]) for number in range(8) if number.bit_count() == ones)
        share = float((drawn == ones).double().mean())
        assert abs(share - p) < 5 * (p * (1 - p) / count) ** 0.5 + 1e-4


def test_the_planner_says_what_it_chose_and_why() -> None:
    text = str(Planner([named_circuit("strongly_entangling", 4)], ONE))
    assert text.startswith("polynomial: 4 qubits in a product encoding give 81 features a window (3 x 3 x 3 x 3)")
    assert re.search(r"; chosen because tensor_train would take about .* times and statevector would take about", text)
    bits = named_circuit("strongly_entangling", 9, encoding="threshold")
    text = str(Planner([bits], Layout(1, 1, 1, 9)))
    assert text.startswith("table: a window of 9 bits has 512 patterns, each looked up; exact, 1 circuit structure")
    text = str(Planner([named_circuit("basic_entangler", 4, encoding="iqp")], ONE))
    assert text.startswith("statevector: 4 qubits as 16 amplitudes a window")
    assert "the only plan for this circuit. table cannot run it" in text


def test_the_plan_depends_on_how_many_windows_one_compilation_serves() -> None:
    planner = Planner([named_circuit("random", 9)], Layout(1, 1, 1, 9))
    assert planner.choose(1).name == "tensor_train"
    assert planner.choose(None).name == "polynomial"
    assert "training steps of fewer than" in str(planner)


@pytest.mark.parametrize(
    ("engine", "encoding", "text"),
    [
        ("table", "ry", "the circuit reads numbers and not bits, the table plan needs a threshold encoding"),
        ("polynomial", "iqp", "reads an input after its qubit met another one"),
        ("polynomial", "amplitude", "the circuit prepares a state with amplitudes from the window"),
    ],
)
def test_an_impossible_override_says_why(engine: str, encoding: str, text: str) -> None:
    with pytest.raises(PlanError) as raised:
        Planner([named_circuit("basic_entangler", 4, encoding=encoding)], ONE, engine)
    assert str(raised.value).startswith(f"`engine` (={engine!r}) cannot run this circuit: ")
    assert text in str(raised.value)
    assert "engines that can: " in str(raised.value)


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(QuanvolveError, match="`engine` \\(='fast'\\) must be one of 'auto', 'table', 'polynomial'"):
        Planner([named_circuit("basic_entangler", 4)], ONE, "fast")


def test_no_plan_at_all_gives_every_reason() -> None:
    with pytest.raises(
        PlanError,
        match=r"no plan can run this circuit: the circuit has 17 qubits, the state-vector .*\(table: .* polynomial: ",
    ):
        Planner([named_circuit("basic_entangler", 17, encoding="iqp")], ONE)

"""Programs: angles that are any function of inputs and weights, as data."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Circuit, capture, draw_text, named_circuit
from quanvolve.circuits.description._functions import FUNCTIONS
from quanvolve.compile import StatevectorPlan
from tests.compile.reference import run_plan, run_qnode

ANGLES: dict[str, Callable[[Any, Any], Any]] = {
    "arctan": lambda x, w: torch.arctan(x[0]),
    "product": lambda x, w: (np.pi - x[0]) * (np.pi - x[1]),
    "weight times input": lambda x, w: w[0] * x[0] + w[1],
    "ratio": lambda x, w: x[0] / (1 + x[1] ** 2),
    "relu of inputs": lambda x, w: torch.relu(x[0]),
    "absolute weights": lambda x, w: w[0].abs() + x[0],
    "clamped": lambda x, w: x.clamp(-0.5, 0.5)[1],
    "where": lambda x, w: torch.where(x[0] > 0.1, x[0], -2 * x[1]),
    "mean and norm": lambda x, w: (x - x.mean()).norm() + x.max(),
    "matrix product": lambda x, w: torch.tensor([[1.0, 2.0, 3.0], [0.5, 0.0, 1.0]], dtype=x.dtype)[0] @ x**2,
    "softmax": lambda x, w: torch.softmax(x, dim=0)[2],
    "functional": lambda x, w: F.softplus(F.normalize(x, dim=0))[1],
    "einsum": lambda x, w: torch.einsum("i,j->ij", x, w)[1, 0],
    "iteration": lambda x, w: sum(v * v for v in x),
    "stacked": lambda x, w: torch.stack([torch.sin(v) for v in x]).prod(),
    "autoray": lambda x, w: qp.math.tanh(x[0]) + qp.math.sqrt(x[1] ** 2 + 1),
    "transposed": lambda x, w: (x.reshape(3, 1) * w.reshape(1, 2)).T[1, 2],
    "copied": lambda x, w: x.clone().to(torch.float64)[0] ** 3,
    "constant of inputs": lambda x, w: torch.ones_like(x).sum() * torch.cos(x[2]),
    "detached factor": lambda x, w: x[0].detach() * x[1],
}


def _function(angle: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def function(inputs: Any, w: Any) -> Any:
        qp.Hadamard(wires=0)
        qp.RZ(angle(inputs, w), wires=0)
        qp.RY(0.3, wires=0)
        return [qp.expval(qp.Z(0)), qp.expval(qp.X(0))]

    return function


@pytest.mark.parametrize("name", ANGLES)
def test_any_expression_runs_and_differentiates(name: str) -> None:
    function = _function(ANGLES[name])
    circuit = capture(function, 3, {"w": (2,)})
    assert circuit.program is not None
    assert Circuit.from_json(circuit.to_json()) == circuit
    assert hash(Circuit.from_json(circuit.to_json())) == hash(circuit)
    generator = torch.Generator().manual_seed(0)
    windows = (3 * torch.rand(4, 3, generator=generator, dtype=torch.float64) - 1).requires_grad_()
    weights = (3 * torch.rand(1, 2, generator=generator, dtype=torch.float64) - 2).requires_grad_()
    found = run_plan(StatevectorPlan([circuit]), circuit, windows, {"w": weights}, False)[:, 0]
    node = qp.QNode(function, qp.device("default.qubit", wires=1), diff_method="backprop")
    expected = torch.stack([torch.stack(node(inputs=window, w=weights[0])) for window in windows])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    factors = torch.rand(found.shape, generator=generator, dtype=torch.float64)
    ours = torch.autograd.grad((found * factors).sum(), (windows, weights), allow_unused=True, materialize_grads=True)
    theirs = torch.autograd.grad(
        (expected * factors).sum(), (windows, weights), allow_unused=True, materialize_grads=True
    )
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-9)
    single = run_plan(StatevectorPlan([circuit]), circuit, windows.float(), {"w": weights.float()}, False)[:, 0]
    torch.testing.assert_close(single.double(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("arctan", "RZ(arctan(x0))"),
        ("product", "RZ((pi - x0) (pi - x1))"),
        ("weight times input", "RZ(w[0] x0 + w[1])"),
        ("ratio", "RZ(x0 / (x1^2 + 1))"),
        ("softmax", "RZ(f0(x))"),
        ("einsum", "RZ(f0(x, w))"),
    ],
)
def test_drawings_say_what_an_angle_is(name: str, text: str) -> None:
    assert text in draw_text(capture(_function(ANGLES[name]), 3, {"w": (2,)}))


def test_sums_need_no_program() -> None:
    assert capture(_function(lambda x, w: 2 * x[0] - w[1] + 0.5), 3, {"w": (2,)}).program is None


def test_a_circuit_with_a_program_is_what_the_function_computes_on_one_window() -> None:
    function = _function(ANGLES["einsum"])
    circuit = capture(function, 3, {"w": (2,)})
    window, weights = np.array([0.3, -0.7, 1.2]), np.array([0.4, 2.0])
    found = run_plan(
        StatevectorPlan([circuit]), circuit, torch.tensor(window[None]), {"w": torch.tensor(weights[None])}, True
    )
    np.testing.assert_allclose(
        found[0, 0], run_qnode(function, torch.tensor(window), {"w": torch.tensor(weights)}, 1), rtol=0, atol=1e-12
    )


# -- descriptions from strangers ---------------------------------------------------------------------------------------


def _described() -> dict[str, Any]:
    return json.loads(capture(_function(ANGLES["weight times input"]), 3, {"w": (2,)}).to_json())


@pytest.mark.parametrize("name", ["os.system", "torch.load", "torch.Tensor.numpy", "torch.save", "builtins.eval"])
def test_a_program_calls_nothing_but_its_functions(name: str) -> None:
    data = _described()
    data["program"]["calls"][0][0] = name
    with pytest.raises(QuanvolveError, match="which is not a function that a program may call"):
        Circuit.from_dict(data)
    assert not any(word in key for key in FUNCTIONS for word in ("load", "save", "numpy", "file", "apply_", "map_"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p["calls"][0][1].append(["call", 99]), "refers to a call that comes later"),
        (lambda p: p["calls"][0][1].append(["call", -1]), "a negative number"),
        (lambda p: p["values"][0].__setitem__(0, ["call", 50]), "refers to a call that is not there"),
        (lambda p: p["calls"][0][1].append(["python", "1"]), "is not a kind of argument"),
        (lambda p: p["calls"][0][1].append(["dtype", "nn"]), "is not a dtype of torch"),
        (lambda p: p["calls"][0][1].append(["constant", {}]), "is not a constant"),
        (lambda p: p["calls"][0][1].append(["tensor", "float64", [1], ["x"]]), "is not a number"),
        (lambda p: p.pop("values"), "not a circuit description: KeyError"),
        (lambda p: p["values"][0].__setitem__(1, 1.5), "not a circuit description: TypeError"),
    ],
)
def test_damaged_programs_are_refused(change: Callable[[Any], Any], message: str) -> None:
    data = _described()
    change(data["program"])
    with pytest.raises(QuanvolveError, match=message):
        Circuit.from_dict(data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_BASE = json.loads(named_circuit("basic_entangler", 3, encoding="iqp", readout="probs", n_layers=1).to_json())
_AMPLITUDE = json.loads(named_circuit("none", 3, encoding="amplitude", readout="popcount", n_layers=1).to_json())


@given(data=st.data(), junk=_JSON)
def test_junk_anywhere_is_an_error_of_ours(data: st.DataObject, junk: Any) -> None:
    description = json.loads(json.dumps(data.draw(st.sampled_from((_BASE, _AMPLITUDE)))))
    place, key = description, data.draw(st.sampled_from(sorted(description)))
    while isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
    place[key] = junk
    try:
        found = Circuit.from_dict(description)
    except QuanvolveError:
        return
    assert Circuit.from_json(found.to_json()) == found

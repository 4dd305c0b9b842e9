"""The last look: what capture did not see is refused with both values, never captured in silence."""

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quanvolve._errors import CaptureError, QuanvolveError
from quanvolve.circuits import ENCODINGS, Circuit, Preparation, capture, list_circuits, named_circuit, simulate
from quanvolve.circuits.capture import _capture as capture_module
from quanvolve.circuits.capture._last_look import windows

BOTH = re.compile(
    r"on the window \[(.+)\] \(drawn .+\).* default\.qubit gives (\S+) for its value (\d+), what was captured gives "
    r"(\S+)\. Something in it was not seen"
)


def z(n: int) -> list[Any]:
    return [qp.expval(qp.Z(i)) for i in range(n)]


def encoded(angles: Any) -> list[Any]:
    for wire, angle in enumerate(angles):
        qp.RY(angle, wires=wire)
    return z(len(angles))


def norm_is_not_one(inputs):
    qp.AmplitudeEmbedding(inputs, wires=range(2), validate_norm=False)
    return z(2)


def norm_of_a_batch_is_not_one(inputs):
    qp.AmplitudeEmbedding(inputs[:, :4], wires=range(2), validate_norm=False)
    return z(2)


@pytest.mark.parametrize("function", [norm_is_not_one, norm_of_a_batch_is_not_one])
def test_what_the_recorder_does_not_see_is_refused_with_both_values(function):
    capture(function, 4, last_look=False)
    with pytest.raises(CaptureError) as refused:
        capture(function, 4)
    found = BOTH.search(str(refused.value))
    assert found is not None, refused.value
    assert float(found.group(2)) != float(found.group(4))
    assert "state of norm one" in str(refused.value)


def steps(inputs):
    return encoded(inputs)


WRONG = {
    "clamp": lambda x: torch.clamp(x, 0, 1),
    "relu": torch.relu,
    "bytes": lambda x: torch.where(x > 200, 0 * x, x),
    "sign": lambda x: torch.where((x < 0).all(), x + 1, 2 * x - x),
    "zero": lambda x: torch.where(x == 0, x + 1, x),
    "half": lambda x: torch.where((x - 0.5).abs() < 0.1, x + 1, x),
}


@pytest.mark.parametrize("wires", [1, 4, 14])
@pytest.mark.parametrize("name", WRONG)
def test_a_description_that_is_wrong_on_one_kind_of_windows_is_refused(name, wires):
    """Were a kink lost, the look would see it: the description of a function, held against another one."""

    def other(inputs):
        return encoded(WRONG[name](inputs))

    circuit = capture(steps, wires)
    seen = []
    genuine = capture_module.last_look

    def look(_: Circuit, function: Any, brought: Any) -> None:
        seen.append(function)
        genuine(circuit, function, brought)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capture_module, "last_look", look)
        with pytest.raises(CaptureError) as refused:
            capture(other, wires)
    assert len(seen) == 1
    found = BOTH.search(str(refused.value))
    assert found is not None, refused.value
    shown, theirs, place, ours = found.groups()
    if "..." not in shown:
        window = torch.tensor([float(number) for number in shown.split(", ")])  # four digits of it
        node = qp.QNode(other, qp.device("default.qubit"))
        assert float(np.stack(node(window))[int(place)]) == pytest.approx(float(theirs), abs=0.06)
        assert simulate(circuit, window.tolist(), {})[int(place)] == pytest.approx(float(ours), abs=0.06)


@pytest.mark.parametrize(
    "state",
    [
        lambda inputs, weights: weights / torch.linalg.norm(weights),
        lambda inputs, weights: torch.exp(weights) / torch.linalg.norm(torch.exp(weights)),
        lambda inputs, weights: torch.nn.functional.normalize(torch.cat([inputs, weights[:2]]), dim=0),
        lambda inputs, weights: torch.stack([torch.cos(weights[0]), torch.sin(weights[0]), *(0 * inputs)]),
    ],
)
@pytest.mark.parametrize("options", [{}, {"normalize": True}, {"validate_norm": False}])
def test_states_of_weights_are_gates(state, options):
    def function(inputs, weights):
        qp.StatePrep(state(inputs, weights), wires=range(2), **options)
        return encoded(inputs)

    assert capture(function, 2, {"weights": 4}).preparation is None


def test_a_state_of_weights_that_is_normalised_is_made_of_gates():
    def function(inputs, weights):
        qp.StatePrep(weights, wires=range(2), normalize=True)
        return encoded(inputs)

    assert capture(function, 2, {"weights": 4}).preparation is None


def test_a_description_whose_state_depends_on_weights_is_refused():
    def function(inputs, weights):
        qp.RY(torch.sin(weights[0] * inputs[0]), wires=0)
        return encoded(inputs)

    circuit = capture(function, 2, {"weights": 2})
    assert circuit.program is not None
    with pytest.raises(QuanvolveError, match="the preparation has amplitudes that depend on weights"):
        replace(circuit, preparation=Preparation((0,), (circuit.n_inputs,)))


@pytest.mark.parametrize("n", [0, 1, 9])
def test_windows_are_of_all_kinds(n):
    drawn = windows(np.random.default_rng(0), n)
    kinds = {kind: np.array([w.values for w in drawn if w.kind == kind]) for kind in {w.kind for w in drawn}}
    assert set(kinds) == {"in [0, 1]", "in [-4, 4]", "in [0, 255]", "with many zeros", "near 0.5"}
    assert all(values.shape[1:] == (n,) for values in kinds.values())
    if n == 0:
        return
    assert kinds["in [0, 1]"].min() >= 0
    assert kinds["in [0, 1]"].max() <= 1
    assert (kinds["in [-4, 4]"] < 0).all(axis=1).any()
    assert kinds["in [0, 255]"].max() == 255
    assert (kinds["with many zeros"] == 0).all(axis=1).any()
    assert np.abs(kinds["near 0.5"] - 0.5).max() <= 0.1
    if n == 9:
        assert kinds["in [-4, 4]"].min() < -3
        assert kinds["in [-4, 4]"].max() > 2


def test_named_circuits_are_exempt(monkeypatch):
    looked: list[Circuit] = []
    monkeypatch.setattr(capture_module, "last_look", lambda circuit, function, brought: looked.append(circuit))
    for name in list_circuits():
        for encoding in ENCODINGS:
            if not (encoding == "reupload" and name in ("random", "none", "grid")):
                try:
                    named_circuit(name, 4, encoding=encoding, seed=987_654)
                except ValueError:
                    continue
    assert looked == []
    capture(lambda inputs: encoded(inputs), 2)
    assert len(looked) == 1


def test_no_value_anywhere_is_refused():
    calls = 0

    def function(inputs):
        nonlocal calls
        calls += 1
        if calls > 2:  # the points of capture
            raise ValueError("no more")
        return encoded(inputs)

    with pytest.raises(
        CaptureError, match=r"has no value on any of the windows it was tried on .* pass last_look=False"
    ):
        capture(function, 2)


def test_windows_without_a_value_are_passed_over():
    def only_between(inputs):
        return encoded(torch.arccos(inputs[:1]))

    def never_zero(inputs):
        qp.AmplitudeEmbedding(inputs, wires=range(2), normalize=True)
        return z(2)

    for function in (only_between, never_zero):
        capture(function, 4)


def test_large_angles_are_no_difference():
    def function(inputs, weights):
        qp.RY(torch.exp(inputs[0]) * weights[0], wires=0)
        qp.RX(1e7 * inputs[1], wires=0)
        qp.RZ(inputs[0] ** 6, wires=1)
        return z(2)

    assert len(capture(function, 2, {"weights": (2,)}).gates) == 3


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
        self.layer = torch.nn.Linear(2, 2).double()

    def times(self, inputs):
        return encoded(self.a * inputs)

    def linear(self, inputs):
        return encoded(self.layer(inputs))

    def constant(self, inputs):
        qp.RX(self.a[0], wires=0)
        return encoded(inputs)

    def detached(self, inputs):
        return encoded(self.a.detach() * inputs)


def test_detached_tensors_are_constants():
    model = Model()
    circuit = capture(model.detached, 2)
    np.testing.assert_allclose(simulate(circuit, [0.3, 0.4], {}), np.cos([0.3, 0.4]), atol=1e-12)


PIECES = {
    "clamp": lambda x, a: torch.clamp(x, 0, a),
    "relu": lambda x, a: torch.relu(x - a),
    "where": lambda x, a: torch.where(x > a, x, -x),
    "sign": lambda x, a: torch.sign(x - a) * x,
    "branch": lambda x, a: torch.where(x.sum() > a, x, 2 * x),
    "floor": lambda x, a: torch.floor(x / a),
    "maximum": lambda x, a: torch.maximum(x, torch.as_tensor(a)),
    "abs": lambda x, a: torch.abs(x - a),
    "smooth": lambda x, a: a * x,
}


@settings(max_examples=40, deadline=None)
@given(
    pieces=st.lists(st.sampled_from(sorted(PIECES)), min_size=1, max_size=3),
    cut=st.sampled_from([0.1, 0.5, 1.0, 3.0, 5.0, 20.0, 200.0]),
    scale=st.sampled_from([1.0, math.pi, 0.01]),
    seed=st.integers(0, 2**16),
)
def test_what_is_captured_is_right_on_other_windows(pieces, cut, scale, seed):
    def function(inputs):
        angles = inputs
        for piece in pieces:
            angles = PIECES[piece](angles, cut)
        return encoded(scale * angles)

    circuit = capture(function, 3)
    node = qp.QNode(function, qp.device("default.qubit"))
    for window in windows(np.random.default_rng(seed), 3):
        expected = np.stack(node(torch.tensor(window.values)))
        np.testing.assert_allclose(simulate(circuit, window.values, {}), expected, atol=1e-6)

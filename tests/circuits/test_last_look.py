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

from quanvolve import Quanv2d
from quanvolve._errors import CaptureError, QuanvolveError
from quanvolve.circuits import ENCODINGS, Circuit, Preparation, capture, list_circuits, named_circuit, simulate
from quanvolve.circuits.capture import _capture as capture_module
from quanvolve.circuits.capture._last_look import A_KIND, DRAWS, windows

BOTH = re.compile(
    r"on the window \[(.+)\] \(drawn .+\).* default\.qubit gives (\S+) for its value (\d+), what was captured gives "
    r"(\S+)\. It"
)


def z(n: int) -> list[Any]:
    return [qp.expval(qp.Z(i)) for i in range(n)]


def encoded(angles: Any) -> list[Any]:
    for wire, angle in enumerate(angles):
        qp.RY(angle, wires=wire)
    return z(len(angles))


def everywhere_positive(inputs):
    qp.AngleEmbedding(inputs, wires=range(4))
    if bool((inputs > 0).all()):
        qp.PauliX(0)
    return z(4)


def everywhere_negative(inputs):
    if bool((inputs < 0).all()):
        qp.PauliX(0)
    return encoded(inputs)


def mostly_zero(inputs):
    if 5 < int((inputs == 0).sum()) < 9:
        qp.PauliX(0)
    return encoded(inputs)


def close_to_a_half(inputs):
    if bool(((inputs - 0.5).abs() < 0.11).all()):
        qp.PauliX(0)
    return encoded(inputs)


def far_out(inputs):
    if float(inputs.sum()) > 300:
        qp.PauliX(0)
    return encoded(inputs)


def branch_of_a_batch(inputs):
    for wire in range(4):
        qp.RY(inputs[:, wire], wires=wire)
    if bool((inputs > 0).all()):
        qp.PauliX(0)
    return z(4)


def norm_is_not_one(inputs):
    qp.AmplitudeEmbedding(inputs, wires=range(2), validate_norm=False)
    return z(2)


def angle_of_a_branch(inputs):
    angle = inputs[0] if float(inputs[0]) < 12 else inputs[0] * 0
    qp.RY(angle, wires=0)
    return z(1)


def fourteen_wires(inputs):
    qp.AngleEmbedding(inputs, wires=range(14))
    for wire in range(13):
        qp.CNOT(wires=[wire, wire + 1])
    if bool((inputs > 0).all()):
        qp.PauliX(0)
    return z(14)


DIFFERENT = [
    (everywhere_positive, 4),
    (everywhere_negative, 9),
    (mostly_zero, 9),
    (close_to_a_half, 9),
    (far_out, 4),
    (branch_of_a_batch, 4),
    (norm_is_not_one, 4),
    (angle_of_a_branch, 1),
    (fourteen_wires, 14),
]


@pytest.mark.parametrize(("function", "n"), DIFFERENT, ids=lambda value: getattr(value, "__name__", None))
def test_what_no_point_of_capture_shows_is_refused_with_both_values(function, n):
    blind = capture(function, n, last_look=False)
    with pytest.raises(CaptureError) as refused:
        capture(function, n)
    found = BOTH.search(str(refused.value))
    assert found is not None, refused.value
    shown, theirs, place, ours = found.groups()
    assert float(theirs) != float(ours)
    assert "write it with the same gates for all windows" in str(refused.value)
    if "..." not in shown and function is not branch_of_a_batch:
        window = [float(number) for number in shown.split(", ")]
        node = qp.QNode(function, qp.device("default.qubit"))
        # The window is shown with four digits.
        assert float(np.stack(node(torch.tensor(window)))[int(place)]) == pytest.approx(float(theirs), abs=0.05)
        assert simulate(blind, window, {})[int(place)] == pytest.approx(float(ours), abs=0.05)


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
def test_states_of_weights_are_refused(state, options):
    def function(inputs, weights):
        qp.StatePrep(state(inputs, weights), wires=range(2), **options)
        return encoded(inputs)

    # PennyLane's own normalising takes numbers out of tensors.
    text = r"\(StatePrep\) (prepares a state that depends on weights: make it with gates|has an angle that is not one)"
    with pytest.raises(CaptureError, match=text):
        capture(function, 2, {"weights": 4})
    with pytest.raises(CaptureError, match=text):
        capture(function, 2, {"weights": 4}, last_look=False)


def test_an_unnormalised_state_of_weights_is_refused():
    def function(inputs, weights):
        qp.StatePrep(weights, wires=range(2), normalize=True)
        return encoded(inputs)

    with pytest.raises(CaptureError, match="depends on weights"):
        capture(function, 2, {"weights": 4})


def test_a_description_whose_state_depends_on_weights_is_refused():
    def function(inputs, weights):
        qp.RY(torch.sin(weights[0] * inputs[0]), wires=0)
        return encoded(inputs)

    circuit = capture(function, 2, {"weights": 2})
    assert circuit.program is not None
    with pytest.raises(QuanvolveError, match="the preparation has amplitudes that depend on weights"):
        replace(circuit, preparation=Preparation((0,), (circuit.n_inputs,)))


def test_a_branch_on_weights_is_refused():
    def function(inputs, weights):
        if float(weights.abs().max()) > 0.5 and float(weights.abs().max()) < 0.9:
            qp.PauliX(0)
        return encoded(inputs + weights[0])

    def rare(inputs, weights):
        if float(inputs[0]) > 30 and float(weights[0]) > 0:
            qp.PauliX(0)
        return encoded(inputs + weights[0])

    for circuit in (function, rare):
        with pytest.raises(CaptureError):
            capture(circuit, 1, {"weights": 4})


def test_windows_are_of_all_kinds_and_enough():
    drawn = windows(np.random.default_rng(0), 9)
    assert len(drawn) * DRAWS >= 256
    kinds = {kind: np.array([w.values for w in drawn if w.kind == kind]) for kind in {w.kind for w in drawn}}
    assert {kind: len(values) for kind, values in kinds.items()} == dict.fromkeys(kinds, A_KIND)
    assert len(kinds) == 5
    assert kinds["in [0, 1]"].min() >= 0
    assert kinds["in [0, 1]"].max() <= 1
    assert kinds["in [-4, 4]"].min() < -3
    assert kinds["in [-4, 4]"].max() > 3
    assert (kinds["in [-4, 4]"] < 0).all(axis=1).any()
    assert kinds["in [0, 255]"].max() > 200
    assert (kinds["with many zeros"] == 0).mean() > 0.7
    assert (kinds["with many zeros"] == 0).all(axis=1).any()
    assert np.abs(kinds["near 0.5"] - 0.5).max() <= 0.1
    assert (kinds["near 0.5"] == 0.5).any()


def test_named_circuits_are_exempt(monkeypatch):
    looked: list[Circuit] = []
    monkeypatch.setattr(capture_module, "last_look", lambda circuit, function: looked.append(circuit))
    for name in list_circuits():
        for encoding in ENCODINGS:
            if not (encoding == "reupload" and name in ("random", "qcnn", "none", "grid")):
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
        if calls > 6:  # the points of capture
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


CLOSED = torch.tensor(0.3, requires_grad=True)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (Model().times, r"uses 'self\.a', a parameter of shape \(2,\)"),
        (Model().linear, r"uses 'self\.layer\.(weight|bias)', a parameter of shape"),
        (Model().constant, r"uses 'self\.a', a parameter"),
        (lambda inputs: encoded(CLOSED * inputs), r"uses 'CLOSED', a tensor that requires gradients of shape \(\)"),
    ],
    ids=["attribute", "module", "constant angle", "global"],
)
def test_closed_over_tensors_that_want_gradients_are_refused(function, words):
    with pytest.raises(CaptureError, match=words + ".* would be frozen at its present value and get no gradient"):
        capture(function, 2)
    with pytest.raises(CaptureError, match="make it an argument, with its shape in `weight_shapes`"):
        Quanv2d(1, 2, (1, 2), circuit=function)


def test_detached_tensors_are_constants():
    model = Model()
    circuit = capture(model.detached, 2)
    np.testing.assert_allclose(simulate(circuit, [0.3, 0.4], {}), np.cos([0.3, 0.4]), atol=1e-12)


PIECES = {
    "clamp": lambda x, a: torch.clamp(x, 0, a),
    "relu": lambda x, a: torch.relu(x - a),
    "where": lambda x, a: torch.where(x > a, x, -x),
    "sign": lambda x, a: torch.sign(x - a) * x,
    "branch": lambda x, a: x if float(x.sum()) > a else 2 * x,
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

    try:
        circuit = capture(function, 3)
    except CaptureError:
        return
    node = qp.QNode(function, qp.device("default.qubit"))
    for window in windows(np.random.default_rng(seed), 3)[:40]:
        expected = np.stack(node(torch.tensor(window.values)))
        np.testing.assert_allclose(simulate(circuit, window.values, {}), expected, atol=1e-6)

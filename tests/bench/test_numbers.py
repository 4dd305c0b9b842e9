"""The workloads, and the reference that everybody is compared with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pennylane as qp
import pytest

from quanvolve.bench._reference import _loss, reference_step, reference_values
from quanvolve.bench._rounds import _scatter
from quanvolve.bench._workloads import WORKLOADS, choose_workloads, make_problem, with_rotations
from tests.bench.conftest import small

_PLAIN = {"RX", "RY", "RZ", "CNOT"}


@pytest.mark.parametrize("name", list(WORKLOADS))
def test_the_reference_is_what_default_qubit_gives(name: str) -> None:
    problem = make_problem(small(name))
    weights, n_wires = problem.arrays["weights"], problem.circuit.n_wires
    layers, noise = WORKLOADS[name].layers, WORKLOADS[name].noise

    @qp.qnode(qp.device("default.mixed" if noise else "default.qubit", wires=n_wires))
    def node(window):
        qp.AngleEmbedding(window, wires=range(n_wires), rotation="Y")
        if WORKLOADS[name].circuit == "random":
            qp.RandomLayers(weights.reshape(layers, n_wires), wires=range(n_wires), seed=42)
        else:
            qp.StronglyEntanglingLayers(weights.reshape(layers, n_wires, 3), wires=range(n_wires))
        return [qp.expval(qp.PauliZ(wire)) for wire in range(n_wires)]

    if noise:
        channel = qp.noise.partial_wires(qp.DepolarizingChannel, noise)
        every = qp.BooleanFn(lambda operation: True)
        # The condition and the channel are asked gate by gate; a gate on two wires has a channel on each.
        both = {every: lambda op, **_: [channel(wire) for wire in op.wires]}
        node = qp.add_noise(qp.transforms.decompose(node, gate_set=_PLAIN), qp.NoiseModel(both))
    windows = problem.windows()[:20]
    first = problem.arrays["images"][0, 0, : problem.workload.kernel, : problem.workload.kernel]
    np.testing.assert_allclose(windows[0], np.pi * first.ravel().astype(float))
    np.testing.assert_allclose(reference_values(problem, windows), np.transpose(node(windows)), atol=1e-12)


def test_w1_is_the_demo_circuit() -> None:
    problem = make_problem(small("W1"))
    window = np.array([[0.3, 0.5, 0.7, 1.1]])
    found = reference_values(problem, window)[0]
    first = -0.9533 * np.cos(0.5) + 0.3019 * np.sin(0.5)
    expected = [np.cos(0.3), first, 0.4254 * np.cos(0.7) + 0.1675 * np.sin(0.7), first * np.cos(1.1)]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["W3", "W4"])
def test_the_gradient_is_that_of_finite_differences(name: str) -> None:
    problem = make_problem(small(name))
    arrays, windows, step = problem.arrays, problem.windows(), reference_step(problem)

    def loss(weights: np.ndarray) -> float:
        values = reference_values(problem, windows, weights)
        return _loss(problem, values, arrays["head_weight"].astype(float), arrays["head_bias"].astype(float))[0]

    weights = arrays["weights"]
    assert step.losses[0] == pytest.approx(loss(weights), abs=1e-12)
    assert step.losses[1] < step.losses[0]
    for index in (0, 1, 5, len(weights) - 2):
        shift = np.zeros_like(weights)
        shift[index] = 1e-5
        slope = (loss(weights + shift) - loss(weights - shift)) / 2e-5
        assert step.gradient[index] == pytest.approx(slope, abs=1e-9)


def test_rotations_become_one_gate() -> None:
    angles = [((0.5, (), ()),), ((0.1, (), ()),), ((0.2, (), ()),)]
    three = [(name, (1,), angle) for name, angle in zip(("RZ", "RY", "RZ"), angles, strict=True)]
    assert with_rotations(three) == [("ROT", (1,), tuple(angle[0] for angle in angles))]
    apart = [three[0], ("RY", (0,), angles[1]), three[2]]
    assert with_rotations(apart) == apart


def test_windows_are_all_different_and_the_same_each_time(tmp_path: Path) -> None:
    problem = make_problem(replace(WORKLOADS["W1"], images=32))
    windows = problem.windows()
    assert windows.shape == (32 * 196, 4)
    assert len(np.unique(windows, axis=0)) == len(windows)
    problem.write(tmp_path / "new")
    stored = np.load(tmp_path / "new" / "arrays.npz")
    np.testing.assert_array_equal(stored["images"], make_problem(problem.workload).arrays["images"])
    assert json.loads((tmp_path / "new" / "problem.json").read_text())["n_wires"] == 4


def test_all_workloads_unless_some_are_named() -> None:
    assert [w.name for w in choose_workloads(None)] == ["W1", "W1d", "W2", "W3", "W4", "W5", "W6"]
    assert [w.name for w in choose_workloads("W3,W1,W3")] == ["W3", "W1"]


def test_the_scatter_of_shots_is_checked() -> None:
    rng = np.random.default_rng(0)
    expected = rng.uniform(-1, 1, (256, 4))
    drawn = 2 * rng.binomial(1000, (1 + expected) / 2) / 1000 - 1
    assert _scatter(drawn, expected, 1000) == 0
    assert _scatter(expected, expected, 1000) > 0.5  # exact values are no shots
    assert _scatter(drawn, expected, 100) > 0.5
    assert _scatter(drawn + 0.1, expected, 1000) > 0.5
    assert _scatter(drawn[:9], expected, 1000) == np.inf

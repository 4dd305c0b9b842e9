"""Coherent trees on backends: the layer's values within shot noise, its exact noise, and what an estimate counts."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from quanvolve import CoherentTree, Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.backends import (
    Cache,
    PennyLaneBackend,
    QiskitBackend,
    Rates,
    TreeSize,
    calibrate_model,
    check_model,
    estimate,
    on_backend,
    run_tree,
    tree_noise,
    tree_size,
)

RESULTS = Path(__file__).parents[2] / "benchmarks" / "tree_on_device.csv"
DOUBLE = torch.float64


def made(**options: Any) -> CoherentTree:
    return CoherentTree(**{"in_channels": 1, "input_size": 8, "seed": 0, "dtype": DOUBLE, **options})


def drawn(*shape: int) -> Tensor:
    return torch.rand(*shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "options",
    [
        {"input_size": 8, "n_trees": 2},
        {"input_size": (2, 4), "n_levels": 2, "readout": "z"},
        {"input_size": 4, "encoding": "threshold", "readout": "z"},
        {"input_size": 6, "window": [3, 2], "keep": 2, "readout": "zz"},
    ],
    ids=str,
)
def test_samples_on_aer_scatter_about_the_values_of_the_layer(options: dict[str, Any]) -> None:
    tree = made(**options)
    images = drawn(3, 1, *tree.input_size)
    images[2] = images[0]
    found = run_tree(tree, images, QiskitBackend("aer", shots=2000, seed=0))
    exact = tree(images).detach().numpy()
    assert found.values.shape == found.errors.shape == exact.shape
    pulls = (found.values - exact)[:2] / np.maximum(found.errors[:2], 1e-3)
    assert np.abs(pulls).max() < 4
    np.testing.assert_array_equal(found.values[2], found.values[0])
    assert np.abs(found.values[0] - found.values[1]).max() > 0.05


def test_progress_counts_circuits_and_one_image_may_be_alone() -> None:
    seen: list[tuple[int, int]] = []
    tree = made(readout="z", n_trees=2)
    backend = QiskitBackend("aer", shots=100, seed=0)
    found = run_tree(tree, drawn(1, 8), backend, progress=lambda done, total: seen.append((done, total)))
    assert found.values.shape == (2,)
    assert seen == [(1, 2), (2, 2)]


def test_a_fake_backend_is_near_the_exact_value_with_its_mean_noise() -> None:
    tree = made()
    images = drawn(2, 1, 8)
    backend = QiskitBackend("fake_guadalupe", shots=10000, seed=0, optimization_level=1)
    noisy = made(noise=tree_noise(tree, backend))
    exact, quiet = noisy(images).detach().numpy(), tree(images).detach().numpy()
    found = run_tree(tree, images, backend)
    # Qubits differ, and X and Y are turned to Z by a further gate: a few hundredths. The noise itself is far more.
    assert np.abs(found.values - exact).max() < 0.05
    assert np.abs(found.values - quiet).max() > 0.1


def test_with_one_noise_for_all_qubits_aer_gives_the_exact_noisy_value() -> None:
    from qiskit_aer import AerSimulator

    tree = made(readout="z")
    images = drawn(4, 1, 8)
    model = tree_noise(tree, QiskitBackend("fake_guadalupe", seed=0, optimization_level=1))
    backend = QiskitBackend(AerSimulator(noise_model=model), shots=20000, seed=0, optimization_level=0)
    found = run_tree(tree, images, backend)
    exact = made(readout="z", noise=model)(images).detach().numpy()
    assert np.abs((found.values - exact) / found.errors).max() < 3.5
    assert np.abs(found.values - tree(images).detach().numpy()).max() > 0.05


def test_a_model_runs_with_its_filters_and_trees_there() -> None:
    filters = Quanv2d(1, 2, 1, circuit="basic_entangler", n_layers=1, seed=0)
    model = nn.Sequential(filters, CoherentTree(2, (2, 4), readout="z", seed=0), nn.Linear(1, 2))
    images = drawn(2, 1, 2, 4).float()
    there = on_backend(model, QiskitBackend("aer", shots=4000, seed=0))
    out = there(images)
    assert (out - model(images)).abs().max() < 0.1
    with pytest.raises(QuanvolveError, match="diff_method"):
        out.sum().backward()
    for name, given, text in (
        ("diff_method", "parameter-shift", "has no gradients on a backend, `diff_method`"),
        ("cache", Cache, "does not keep results, and `cache` is given: leave it out"),
    ):
        with pytest.raises(QuanvolveError, match=rf"the layer '1' \(CoherentTree\) {text}"):
            on_backend(model, QiskitBackend("aer"), **{name: given})


def test_an_estimate_counts_circuits_of_whole_images() -> None:
    tree = made(n_trees=2)
    images = drawn(5, 1, 8)
    images[4] = images[0]
    rates = Rates(seconds_a_shot=1e-3)
    found = estimate(tree, images, shots=100, rates=rates)
    (layer,) = found.layers
    assert (layer.windows.settings, layer.windows.circuits) == (5 * 2, 5 * 2 * 3)
    assert (layer.distinct.settings, layer.distinct.circuits) == (4 * 2, 4 * 2 * 3)
    assert layer.windows.seconds == pytest.approx(30 * 100 * 1e-3)
    assert layer.tree == TreeSize(4, layer.depth, 8 + 7 * 15 + 3, 7 * 6, 4)
    assert found.calibration is None
    assert "one function of all pixels" in str(layer.not_calibrated)


def test_time_on_a_device_is_that_of_its_gates() -> None:
    tree, backend = made(readout="z"), QiskitBackend("fake_guadalupe", shots=100, seed=0)
    size = tree_size(tree, backend)
    assert size.qubits == 4
    assert size.resets == 4
    assert size.two_qubit_gates == 7 * 3  # any block is three CNOTs, and no two qubits have to be moved
    assert size.seconds is not None
    assert 5e-6 < size.seconds < 1e-3
    found = estimate(tree, drawn(1, 1, 8), backend=backend, shots=100, rates=Rates(seconds_a_shot=1e-3))
    assert found.windows.seconds == pytest.approx(100 * (1e-3 + size.seconds))


def test_trees_and_filters_are_estimated_together() -> None:
    model = nn.Sequential(Quanv2d(1, 2, (1, 2), stride=(1, 2), seed=0), CoherentTree(2, (2, 2), seed=0))
    images = drawn(3, 1, 2, 4).float()
    found = estimate(model, images, shots=10)
    assert [layer.name for layer in found.layers] == ["0", "1"]
    assert [layer.windows.settings for layer in found.layers] == [3 * 4, 3]
    assert found.layers[0].calibration is not None
    assert found.calibration is None


def test_what_cannot_run_is_named() -> None:
    tree = CoherentTree(1, (32, 32), seed=0)
    images = torch.zeros(1, 1, 32, 32)
    small = QiskitBackend("fake_manila")
    few = r"a tree of 1024 qubits takes 11 qubits with resets, the backend fake_manila has 5: take a larger device"
    with pytest.raises(QuanvolveError, match=few):
        run_tree(tree, images, small)
    with pytest.raises(QuanvolveError, match=rf"the CoherentTree cannot run there: {few}.*no circuit has run"):
        estimate(tree, images, backend=small)
    with pytest.raises(QuanvolveError, match=r"runs on backends of Qiskit, whose circuits have resets, got default"):
        run_tree(tree, images, PennyLaneBackend("default.qubit"))
    fits = r"the model is a CoherentTree, whose circuit is one of a whole image: it has no filters"
    with pytest.raises(QuanvolveError, match=fits):
        calibrate_model(tree, QiskitBackend("aer"))
    with pytest.raises(QuanvolveError, match=r"the layer '0' is a CoherentTree"):
        check_model(nn.Sequential(tree), QiskitBackend("aer"))
    with pytest.raises(QuanvolveError, match="the backend aer_simulator has no noise"):
        tree_noise(made(), QiskitBackend("aer"))
    with pytest.raises(QuanvolveError, match=r"expected images of \(8,\) places"):
        run_tree(made(), drawn(1, 1, 4), QiskitBackend("aer"))


def test_committed_runs_of_1024_qubits_are_near_the_exact_values() -> None:
    with RESULTS.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {int(row["qubits"]) for row in rows} == {11}
    assert {int(row["resets"]) for row in rows} == {1013}
    ideal = [row for row in rows if row["runs on"] == "aer"]
    assert len(ideal) >= 3
    for row in ideal:
        off = float(row["measured"]) - float(row["exact value"])
        assert abs(off) < 4 * max(float(row["standard error"]), 0.01)


@pytest.mark.slow
def test_1024_qubits_run_on_11() -> None:
    tree = CoherentTree(1, (32, 32), readout="z", seed=0, dtype=DOUBLE)
    image = drawn(1, 1, 32, 32)
    found = run_tree(tree, image, QiskitBackend("aer", shots=1000, seed=0))
    assert abs(found.values.item() - tree(image).item()) < 4 * found.errors.item()

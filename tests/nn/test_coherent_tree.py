"""Coherent trees compute what PennyLane computes of all their qubits at once."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from quanvolve import CoherentTree
from tests.nn.trees import on_all_qubits, with_gradients

DOUBLE = torch.float64
TREES: dict[str, dict[str, Any]] = {
    "a series of 4": {"input_size": 4},
    "8 pixels": {"input_size": (2, 4), "n_trees": 2},
    "shared weights": {"input_size": (2, 4), "shared": True, "n_trees": 2},
    "padding": {"input_size": (3, 2)},
    "a volume": {"input_size": (2, 2, 2), "readout": "probs"},
    "two channels": {"in_channels": 2, "input_size": (1, 4)},
    "dense": {"in_channels": 2, "input_size": 4, "encoding": "dense", "readout": "z"},
    "a map": {"input_size": (2, 4), "n_levels": 2, "shared": True},
    "a window of 2": {"input_size": (2, 4), "window": 2, "block": "strongly_entangling"},
    "two kept": {"input_size": 8, "keep": 2, "readout": "paulis"},
    "two kept of windows of 3": {"input_size": 9, "window": 3, "keep": 2, "block": "hardware_efficient"},
    "three kept": {"input_size": 6, "window": [3, 2], "keep": 3, "block": "brickwork", "readout": "zz", "n_layers": 2},
    "windows by turns": {"input_size": (2, 5), "window": [(2, 1), (1, 3)], "block": "basic_entangler"},
}


def made(name: str, **more: Any) -> CoherentTree:
    options: dict[str, Any] = {"in_channels": 1, "seed": 1, "init": "uniform", "dtype": DOUBLE, **TREES[name], **more}
    return CoherentTree(**options)


def drawn(tree: CoherentTree, count: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.rand(count, tree.in_channels, *tree.input_size, dtype=DOUBLE, generator=generator)


@pytest.mark.parametrize("name", TREES)
def test_values_and_gradients_are_those_of_all_qubits_at_once(name: str) -> None:
    tree = made(name)
    images = drawn(tree, 1)
    assert 4 <= tree.n_qubits <= 12
    found, expected = with_gradients(lambda t, x: t(x), tree, images), with_gradients(on_all_qubits, tree, images)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize("noise", [{"amplitude_damping": 0.05, "readout": (0.02, 0.04)}, {"depolarizing": 0.03}])
@pytest.mark.parametrize("name", ["a series of 4", "dense"])
def test_noise_is_that_of_density_matrices(name: str, noise: dict[str, Any]) -> None:
    tree = made(name, noise=noise).requires_grad_(False)
    images = drawn(tree, 1)
    with torch.no_grad():  # with torch's numbers default.mixed computes in single precision
        expected = on_all_qubits(tree, images, noise)
    torch.testing.assert_close(tree(images), expected, rtol=0, atol=1e-10)
    assert (tree(images) - made(name)(images)).abs().max() > 1e-3


def test_shots_scatter_about_the_exact_values() -> None:
    exact, drawn_ = made("two kept"), made("two kept", shots=4000)
    images = drawn(exact, 3)
    torch.manual_seed(0)
    difference = drawn_(images) - exact(images)
    assert 0 < difference.abs().max() < 6 / 4000**0.5
    torch.testing.assert_close(
        *(torch.autograd.grad(tree(images).sum(), [*tree.parameters()]) for tree in (exact, drawn_))
    )

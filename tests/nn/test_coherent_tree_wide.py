"""Coherent trees that no state vector holds, and trees in any order of their blocks, and any trees at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pennylane as qp
import pytest
import stim
import torch
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from torch import Tensor

from quanvolve import CoherentTree
from quanvolve._errors import QuanvolveError
from tests.nn.trees import apply, measured, on_all_qubits, places

DOUBLE = torch.float64
QUARTER = torch.pi / 2


def clifford_tree(size: int, n_trees: int) -> CoherentTree:
    """Rotations by quarter turns; interactions that swap two qubits, leave them alone or entangle them."""
    tree = CoherentTree(1, (size, size), n_trees=n_trees, init="uniform", seed=0, dtype=DOUBLE)
    generator = torch.Generator().manual_seed(5)
    kinds = torch.tensor([*[[1, 1, 1]] * 4, *[[0, 0, 0]] * 4, [1, 0, 0], [0, 1, 1]], dtype=DOUBLE)
    with torch.no_grad():
        for weight in tree.parameters():
            weight.copy_(torch.randint(4, weight.shape, generator=generator)).mul_(QUARTER)
            if weight.shape[-1] == 9:
                drawn = torch.randint(len(kinds), weight.shape[:-1], generator=generator)
                weight[..., 6:] = kinds[drawn] * QUARTER
    return tree.requires_grad_(False)


def turned(simulator: stim.TableauSimulator, weights: Tensor, qubit: int) -> None:
    for gate, weight in zip(("S", "SQRT_Y", "S"), weights, strict=True):
        for _ in range(round(float(weight / QUARTER))):
            simulator.do(stim.Circuit(f"{gate} {qubit}"))


def by_stim(tree: CoherentTree, number: int, halves: Tensor) -> list[float]:
    """X, Y and Z of the root; pixels are halves, so that RY(pi x) is a Clifford gate."""
    simulator = stim.TableauSimulator()
    live = {place: n for n, place in enumerate(places(tree.input_size))}
    for place, qubit in live.items():
        for _ in range(int(halves[place])):
            simulator.do(stim.Circuit(f"SQRT_Y {qubit}"))
    for level in tree.levels:
        joined = {}
        for block, place in enumerate(places(level.places)):
            first, second = (
                live[tuple(p * w + o for p, w, o in zip(place, level.window, offset, strict=True))]
                for offset in places(level.window)
            )
            weights = level.weights_of(number, block)
            (w,) = weights["weights"]
            turned(simulator, w[:3], first)
            turned(simulator, w[3:6], second)
            for gate, weight in zip(("SQRT_XX", "SQRT_YY", "SQRT_ZZ"), w[6:], strict=True):
                for _ in range(round(float(weight / QUARTER))):
                    simulator.do(stim.Circuit(f"{gate} {first} {second}"))
            if "turns" in weights:
                turned(simulator, weights["turns"][0], first)
            joined[place] = first
        live = joined
    (root,) = live.values()
    return [simulator.peek_x(root), simulator.peek_y(root), simulator.peek_z(root)]


def test_clifford_trees_of_1024_qubits_are_those_of_stim() -> None:
    tree = clifford_tree(32, 3)
    assert tree.n_qubits == 1024
    halves = torch.randint(3, (2, 32, 32), generator=torch.Generator().manual_seed(1))
    expected = [[value for n in range(3) for value in by_stim(tree, n, image)] for image in halves]
    found = tree(halves.unsqueeze(1).to(DOUBLE) / 2)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=DOUBLE), rtol=0, atol=1e-10)
    assert found.abs().amax(0).sum() >= 2, "some trees are pure to the root"


# -- any order of blocks, and few qubits -------------------------------------------------------------------------------


def depth_first(tree: CoherentTree, angles: Tensor, wires: list[int]) -> None:
    """Queue a tree block by block as soon as its inputs are there; qubits are reset and used again."""
    free = list(wires)

    def grown(depth: int, place: tuple[int, ...]) -> list[int]:
        if depth < 0:
            own = [free.pop(0) for _ in range(tree.encoding.n_wires)]
            for gate in tree.encoding.gates:
                apply(gate, own, {}, [angles[(channel, *place)] for channel in range(tree.in_channels)])
            return own
        level = tree.levels[depth]
        inputs: list[int] = []
        for offset in places(level.window):
            inputs += grown(depth - 1, tuple(p * w + o for p, w, o in zip(place, level.window, offset, strict=True)))
        block = list(places(level.places)).index(place)
        for gate in level.circuit.gates:
            apply(gate, inputs, level.weights_of(0, block), [])
        for wire in inputs[tree.keep :]:
            qp.measure(wire, reset=True)
            free.append(wire)
        return inputs[: tree.keep]

    root = grown(len(tree.levels) - 1, (0,) * tree.dims)
    assert root == wires[: tree.keep]


@pytest.mark.parametrize(
    ("size", "options", "qubits"), [(8, {}, 4), ((2, 4), {"shared": True}, 4), (8, {"keep": 2}, 6)]
)
def test_a_tree_runs_on_few_qubits_with_reset(size: Any, options: dict[str, Any], qubits: int) -> None:
    tree = CoherentTree(1, size, init="uniform", seed=2, dtype=DOUBLE, **options).requires_grad_(False)
    images = torch.rand(1, 1, *tree.input_size, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))
    angles = (images * tree.scale)[0]

    @qp.qnode(qp.device("default.qubit"), mcm_method="tree-traversal", diff_method=None)
    def node() -> list[Any]:
        depth_first(tree, angles, list(range(qubits)))
        return [qp.expval(measured(observable, list(range(tree.keep)))) for observable in tree.observables]

    found = torch.tensor([float(value) for value in node()], dtype=DOUBLE)
    torch.testing.assert_close(tree(images)[0], found, rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", [0, 1])
def test_blocks_of_a_level_may_change_places(seed: int) -> None:
    tree = CoherentTree(1, (2, 4), init="uniform", seed=4, dtype=DOUBLE).requires_grad_(False)
    images = torch.rand(2, 1, 2, 4, dtype=DOUBLE, generator=torch.Generator().manual_seed(7))
    order = torch.Generator().manual_seed(seed)

    def mixed(size: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        every = list(places(size))
        return (every[n] for n in torch.randperm(len(every), generator=order).tolist())

    torch.testing.assert_close(tree(images), on_all_qubits(tree, images, order=mixed), rtol=0, atol=1e-10)


# -- trees that hypothesis draws ---------------------------------------------------------------------------------------

BLOCKS = ["su4", "u_ttn", "u_6", "u_so4", "strongly_entangling", "hardware_efficient"]


SIZES = [(2,), (3,), (4,), (5,), (7,), (8,), (1, 3), (2, 2), (2, 3), (3, 2), (2, 4), (1, 2, 2), (2, 2, 2)]


@st.composite
def trees(draw: st.DrawFn) -> CoherentTree:
    try:
        tree = CoherentTree(
            draw(st.integers(1, 2)), draw(st.sampled_from(SIZES)), window=draw(st.sampled_from([None, 2, 3])),
            block=draw(st.sampled_from(BLOCKS)), keep=draw(st.integers(1, 2)), shared=draw(st.booleans()),
            n_trees=draw(st.integers(1, 2)), encoding=draw(st.sampled_from(["ry", "rx", "rz", "dense"])),
            readout=draw(st.sampled_from(["xyz", "z", "zz", "paulis", "probs"])),
            n_levels=draw(st.sampled_from([None, 1])), init="uniform", seed=draw(st.integers(0, 9)), dtype=DOUBLE,
        )  # fmt: skip
    except QuanvolveError:
        reject()  # what does not fit is refused, which other tests are about
    assume(tree.n_qubits <= 8)
    return tree


@settings(max_examples=30)
@given(tree=trees())
def test_any_tree_is_that_of_all_qubits_at_once(tree: CoherentTree) -> None:
    images = torch.rand(1, tree.in_channels, *tree.input_size, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = on_all_qubits(tree, images)
    torch.testing.assert_close(tree(images), expected, rtol=0, atol=1e-10)

"""What is said of coherent trees: readings, purities, formulas and audits against what the slow twins find."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from torch import Tensor, nn

from quanvolve import CoherentTree
from quanvolve._errors import QuanvolveError
from quanvolve.analysis import (
    TreeAudit,
    audit,
    block_formula,
    coherent_trees,
    quantum_layers,
    tree_formula,
    tree_purity,
    tree_reading,
)
from quanvolve.circuits import Angle, Circuit, Gate, Observable
from quanvolve.nn import HybridModel
from tests.nn.trees import on_all_qubits, run_tree

DOUBLE = torch.float64
TREES: dict[str, dict[str, Any]] = {
    "padding": {"input_size": (3, 4)},
    "shared and noisy": {"input_size": (2, 4), "shared": True, "noise": {"amplitude_damping": 0.02}},
    "dense": {"in_channels": 2, "input_size": 4, "encoding": "dense"},
    "two kept": {"input_size": 4, "keep": 2, "readout": "paulis"},
    "a map": {"input_size": (2, 4), "window": 2, "n_levels": 1, "readout": "probs"},
    "threshold": {"input_size": (1, 3), "encoding": "threshold"},
    "scales": {"input_size": 6, "scale": torch.rand(1, 6, dtype=DOUBLE, generator=torch.Generator().manual_seed(5))},
}


def made(name: str, **more: Any) -> CoherentTree:
    options = {"in_channels": 1, "seed": 1, "init": "uniform", "dtype": DOUBLE, "n_trees": 2, **TREES[name], **more}
    return CoherentTree(**options)


def drawn(tree: CoherentTree, count: int = 4) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.rand(count, tree.in_channels, *tree.input_size, dtype=DOUBLE, generator=generator)


def summed(tree: CoherentTree, images: Tensor) -> Tensor:
    """Values, those of all windows together: (images, values)."""
    return tree(images).reshape(len(images), tree.out_features, -1).sum(-1)


@pytest.mark.parametrize("name", TREES)
def test_dropped_pixels_change_what_the_layer_changes_without_them(name: str) -> None:
    tree = made(name)
    images = drawn(tree)
    found = tree_reading(tree, images)
    before = summed(tree, images).detach()
    for place in np.ndindex(*tree.input_size):
        without = images.clone()
        without[(..., *place)] = images[(..., *place)].mean(0)
        change = (summed(tree, without).detach() - before).square().mean(0).sqrt()
        np.testing.assert_allclose(found.dropped[(slice(None), *place)], change, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["padding", "dense", "two kept", "threshold"])
def test_gradients_are_those_of_the_layer(name: str) -> None:
    tree = made(name)
    images = drawn(tree).requires_grad_()
    found = tree_reading(tree, images)
    for number, value in enumerate(summed(tree, images).T):
        (slopes,) = torch.autograd.grad(value.sum(), images, retain_graph=True)
        expected = slopes.square().sum(1).mean(0).sqrt()
        np.testing.assert_allclose(found.gradients[number], expected, rtol=0, atol=1e-12)


def test_a_mixed_leaf_is_the_mean_of_opposite_states() -> None:
    tree = made("padding")
    images = drawn(tree)
    found = tree_reading(tree, images, by="mixed")
    before = tree(images).detach()
    for place in np.ndindex(*tree.input_size):
        opposite = images.clone()
        opposite[(..., *place)] += 1.0  # half a turn further: RY(pi x)
        change = ((tree(opposite).detach() + before) / 2 - before).square().mean(0).sqrt()
        np.testing.assert_allclose(found.dropped[(slice(None), *place)], change, rtol=0, atol=1e-12)


def test_values_of_a_tree_together() -> None:
    tree = made("dense")
    found = tree_reading(tree, drawn(tree))
    np.testing.assert_allclose(found.of_tree(1)[0], np.sqrt((found.gradients[3:] ** 2).sum(0)))


@pytest.mark.parametrize(("name", "noise"), [("two kept", None), ("shared and noisy", {"amplitude_damping": 0.02})])
def test_purities_are_those_of_all_qubits_at_once(name: str, noise: Any) -> None:
    tree = made(name).requires_grad_(False)
    images = drawn(tree, 1)
    angles = tree.shape.pad(images * tree.scale)[0]
    found = tree_purity(tree, images)

    @qp.qnode(qp.device("default.qubit" if noise is None else "default.mixed", wires=tree.n_qubits))
    def node() -> Any:
        live = run_tree(tree, angles, 1, noise)
        return qp.purity(live[(0,) * len(tree.places)])

    assert found.levels[-1].shape == (1, 2, *tree.places)
    assert found.levels[-1][0, 1].item() == pytest.approx(float(node()), abs=1e-10)
    assert all(0.5**tree.keep <= level.min() <= level.max() <= 1 + 1e-12 for level in found.levels)


def valued(formula: Any, pixels: list[float]) -> float:
    """The value of a formula's terms, one after the other."""
    total = 0.0
    for term in formula.terms:
        product = term.coefficient
        for factor in term.factors:
            angle = 0.0
            for number, part in factor.angle:
                x = pixels[part.pixel]
                if part.name != f"x{part.pixel}":  # [x3 > 0.5]
                    x = float(x > float(part.exact.strip("[]").split()[2]))
                angle += number * x
            product *= getattr(math, factor.function)(angle)
        total += product
    return total


@pytest.mark.parametrize("name", [name for name in TREES if name != "padding"])
def test_formulas_have_the_values_of_the_layer(name: str) -> None:
    tree = made(name)
    images = drawn(tree, 2)
    values = tree(images).detach().reshape(2, tree.out_features, -1)
    for output in (0, tree.out_features - 1):
        formula = tree_formula(tree, output, place=values.shape[2] - 1, tolerance=0.0)
        for image, expected in zip(images, values[:, output, -1], strict=True):
            assert valued(formula, image.flatten().tolist()) == pytest.approx(expected.item(), abs=1e-10)


def test_formulas_have_the_values_of_all_qubits_at_once() -> None:
    tree = CoherentTree(1, 4, readout="z", seed=2, dtype=DOUBLE)
    images = drawn(tree, 1)
    formula = tree_formula(tree, 0)
    with torch.no_grad():
        assert valued(formula, images.flatten().tolist()) == pytest.approx(on_all_qubits(tree, images).item(), abs=1e-4)
    assert formula.n_pixels == 4
    assert formula.error < 1e-3
    numbers = {f"x{k}": x for k, x in enumerate(images.flatten().tolist())}
    assert float(formula.sympy().subs(numbers)) == pytest.approx(tree(images).item(), abs=1e-4)


def test_added_pixels_are_no_part_of_a_formula() -> None:
    tree = CoherentTree(1, 3, readout="z", seed=0, dtype=DOUBLE)
    formula = tree_formula(tree, 0, tolerance=0.0)
    assert formula.pixels == (0, 1, 2)
    images = drawn(tree, 1)
    assert valued(formula, images.flatten().tolist()) == pytest.approx(tree(images).item(), abs=1e-10)


def test_a_block_is_a_mean_and_a_cross_product() -> None:
    tree = CoherentTree(1, 4, seed=0)
    with torch.no_grad():
        tree.levels[1].weights.zero_()
        tree.levels[1].weights[..., 6:] = torch.pi / 4
        tree.levels[1].turns.zero_()
    assert block_formula(tree, 1, digits=1).splitlines() == [
        "X = 0.5 X_a + 0.5 X_b - 0.5 Y_a Z_b + 0.5 Z_a Y_b",
        "Y = 0.5 Y_a + 0.5 Y_b + 0.5 X_a Z_b - 0.5 Z_a X_b",
        "Z = 0.5 Z_a + 0.5 Z_b - 0.5 X_a Y_b + 0.5 Y_a X_b",
    ]
    assert block_formula(tree, 0, block=1).splitlines()[0].startswith("X = ")
    assert "x3" in block_formula(tree, 0, block=1)
    assert "x0" not in block_formula(tree, 0, block=1)
    assert len(block_formula(CoherentTree(1, 8, keep=2, seed=0), 1).splitlines()) == 15


def of(tree: nn.Module, images: Tensor) -> TreeAudit:
    (found,) = audit(tree, images).layers
    assert isinstance(found, TreeAudit)
    return found


def turned(name: str, wire: int, index: int) -> Gate:
    return Gate(name, (wire,), Angle(0.0, (), (("w", index, 1.0),)))


Z = (Observable(((1.0, ((0, "Z"),)),)),)


def test_rotations_of_traced_out_qubits_do_nothing() -> None:
    gates = (turned("RY", 0, 0), turned("RY", 1, 1), Gate("CNOT", (1, 0)), turned("RX", 1, 2), turned("RX", 0, 3))
    tree = CoherentTree(1, 4, block=Circuit(2, 0, gates, Z, (("w", (4,)),)), readout="z", seed=0, init="uniform")
    found = of(tree, drawn(tree).float())
    assert found.traced_out == tuple(f"levels.{level}.w[0, {block}, 2]" for level, block in ((0, 0), (0, 1), (1, 0)))
    assert found.dead == ()
    assert (found.n_weights, found.free_rank) == (12, 9)
    assert found.sentences()[0].startswith(
        "3 of 12 weights can do nothing, whatever they are: they turn qubits that are then traced out, or about an "
        "axis that what is measured commutes with: levels.0.w[0, 0, 2], levels.0.w[0, 1, 2], levels.1.w[0, 0, 2]."
    )


def test_what_is_measured_may_commute_with_a_rotation() -> None:
    tree = CoherentTree(1, (2, 4), readout="z", n_trees=2, seed=0, dtype=DOUBLE)
    assert of(tree, drawn(tree)).traced_out == ("levels.2.turns[0, 0, 0, 2]", "levels.2.turns[1, 0, 0, 2]")
    assert of(CoherentTree(1, (2, 4), seed=0, dtype=DOUBLE), drawn(tree)).traced_out == ()
    # RZ after a CNOT that takes Z to ZZ commutes as well; RX does not.
    gates = (turned("RZ", 0, 0), turned("RZ", 1, 1), turned("RX", 1, 2), Gate("CNOT", (1, 0)))
    tree = CoherentTree(1, 2, block=Circuit(2, 0, gates, Z, (("w", (3,)),)), readout="z", seed=0, dtype=DOUBLE)
    assert of(tree, drawn(tree)).traced_out == ("levels.0.w[0, 0, 0]",)


def test_shared_weights_live_if_one_block_needs_them() -> None:
    gates = (turned("RZ", 0, 0), turned("RX", 1, 1), Gate("CNOT", (1, 0)))
    block = Circuit(2, 0, gates, Z, (("w", (2,)),))
    for shared, nothing in ((False, ("levels.0.w[0, 0, 0]", "levels.1.w[0, 0, 0]")), (True, ("levels.1.w[0, 0, 0]",))):
        tree = CoherentTree(1, 4, block=block, readout="z", shared=shared, seed=0, dtype=DOUBLE)
        assert of(tree, drawn(tree)).traced_out == nothing  # only the first block of level 0 is asked for its Z alone


def test_weights_that_do_nothing_there_are_found_by_derivatives() -> None:
    tree = CoherentTree(1, 4, seed=0, dtype=DOUBLE)
    found = of(tree, torch.zeros(5, 1, 4, dtype=DOUBLE))  # RZ does nothing to qubits in the state 0
    assert found.dead == tuple(f"levels.0.weights[0, {block}, 0, {k}]" for block in (0, 1) for k in (0, 3))
    assert found.constant == (0, 1, 2)
    assert found.effective_rank == 0


def test_noise_is_part_of_the_audit() -> None:
    tree = CoherentTree(1, (4, 4), readout="z", seed=0, noise={"depolarizing": 0.2})
    found = of(tree, drawn(tree).float())
    assert found.traced_out == ("levels.3.turns[0, 0, 0, 2]",)
    assert found.purity[-1] < 0.51
    assert any("almost completely mixed" in sentence for sentence in found.sentences())


def test_structure_agrees_with_derivatives() -> None:
    for block in ("strongly_entangling", "basic_entangler", "hardware_efficient"):
        tree = CoherentTree(1, 8, block=block, readout="z", init="uniform", seed=3, dtype=DOUBLE)
        found = of(tree, drawn(tree, 20))
        loss = (tree(drawn(tree, 20)) * torch.arange(1.0, 21.0).double().cos()[:, None]).sum()
        slopes = torch.autograd.grad(loss, list(tree.parameters()))
        names = [
            f"{name}[{', '.join(map(str, index))}]"
            for (name, _), slope in zip(tree.named_parameters(), slopes, strict=True)
            for index in (tuple(i.tolist()) for i in (slope.abs() < 1e-13).nonzero())
        ]
        assert sorted(names) == sorted((*found.traced_out, *found.dead)), block


def test_trees_of_a_model_are_audited() -> None:
    tree = CoherentTree(1, (4, 4), seed=0)
    model = HybridModel(tree, nn.Linear(3, 2))
    assert [name for name, _ in coherent_trees(model)] == ["backbone"]
    assert quantum_layers(model) == []
    found = audit(model, torch.rand(6, 1, 4, 4))
    assert (found.n_quantum, found.n_parameters) == (138, 146)
    assert str(found).splitlines()[1] == "backbone (tree): 138 weights are trained; 138 of them change something."


def test_errors_say_what_is_wrong() -> None:
    tree = CoherentTree(1, (2, 2), seed=0)
    with pytest.raises(QuanvolveError, match="`tree` is a Linear, expected a CoherentTree"):
        tree_reading(nn.Linear(1, 1), torch.zeros(1))  # type: ignore[arg-type]
    with pytest.raises(QuanvolveError, match=r"`by` \(='none'\) must be one of 'mean', 'mixed'"):
        tree_reading(tree, torch.zeros(1, 1, 2, 2), by="none")
    with pytest.raises(QuanvolveError, match=r"`images` has shape \(1, 1, 3, 2\), expected \(N, 1, 2, 2\) with at"):
        tree_purity(tree, torch.zeros(1, 1, 3, 2))
    with pytest.raises(QuanvolveError, match=r"`output` \(=3\) must be in 0 to 2"):
        tree_formula(tree, 3)
    with pytest.raises(QuanvolveError, match="more than 600,000 products: look at a tree of fewer pixels"):
        tree_formula(CoherentTree(1, (4, 4), seed=0), 0)
    with pytest.raises(QuanvolveError, match=r"`level` \(=2\) must be in 0 to 1"):
        block_formula(tree, 2)
    with pytest.raises(QuanvolveError, match=r"`block` \(=2\) must be in 0 to 1"):
        block_formula(tree, 0, block=2)

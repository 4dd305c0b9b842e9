"""Presets of coherent trees and what they are compared with: what is in them, and that controls lack what they say."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from quanvolve import CoherentTree
from quanvolve._errors import QuanvolveError
from quanvolve.nn import BilinearTree, Temperature, TreeConv, preset_model, tossed_block
from quanvolve.nn._tree_controls import unentangled_tree
from quanvolve.nn._tree_shape import TreeShape

MNIST = (1, 28, 28)
DOUBLE = torch.float64


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _images(*shape: int) -> Tensor:
    return torch.rand(*shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("name", "layers"), [("tree", ["BatchNorm1d", "Linear"]), ("tree-headless", ["Temperature"])])
def test_the_networks_of_mnist(name: str, layers: list[str]) -> None:
    model, maps = preset_model(name, MNIST, 10)
    tree = model.backbone
    assert isinstance(tree, CoherentTree)
    assert (tree.n_qubits, len(tree.levels), tree.shared, tree.keep) == (1024, 10, False, 1)
    assert [type(m).__name__ for m in model.head.modules() if not list(m.children())] == layers
    assert _count(model) <= 100_000
    assert maps == (tree.out_features,)


def test_without_a_head_the_scores_are_ten_measured_values_times_one_number() -> None:
    model, _ = preset_model("tree-headless", (1, 8, 8), 10)
    values = model.backbone(torch.rand(3, 1, 8, 8))
    assert values.shape == (3, 10)
    assert values.abs().max() <= 1
    assert model.backbone.n_trees == 10
    assert _count(model.head) == 1
    ratio = model(torch.rand(3, 1, 8, 8)) / model.backbone(torch.rand(3, 1, 8, 8))
    assert ratio.shape == (3, 10)
    scores = model.head(values)
    torch.testing.assert_close(scores, values * (scores[0, 0] / values[0, 0]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 4, 4), (5, 4, 2), (2, 8), (1, 2, 2, 2), (2, 2, 2, 2)])
def test_channels_are_places_of_their_own(shape: tuple[int, ...]) -> None:
    model, _ = preset_model("tree", shape, 2)
    tree = next(m for m in model.modules() if isinstance(m, CoherentTree))
    assert tree.n_qubits >= math.prod(shape)
    images = torch.rand(2, *shape, requires_grad=True)
    tree_values = model.backbone(images)
    (gradient,) = torch.autograd.grad(tree_values.square().sum(), images)
    assert (gradient != 0).all()  # every value of every channel is read


def test_what_is_too_small_is_refused() -> None:
    with pytest.raises(QuanvolveError, match=r"`preset` \(='tree'\) needs images of at least 2 values, got the shape"):
        preset_model("tree", (1, 1, 1), 2)


# -- the classical twin


@pytest.mark.parametrize(
    "options",
    [
        {"input_size": (4, 4), "n_trees": 3},
        {"input_size": 6, "readout": "z", "scale": torch.tensor(2.0)},
        {"input_size": (3, 3), "shared": True, "window": 3},
    ],
)
def test_the_twin_has_the_quantum_tree_as_a_special_case(options: dict[str, object]) -> None:
    tree = CoherentTree(1, init="uniform", seed=2, dtype=DOUBLE, **options)  # type: ignore[arg-type]
    twin = BilinearTree(tree)
    images = _images(5, 1, *tree.input_size)
    torch.testing.assert_close(twin(images), tree(images), rtol=0, atol=1e-6)
    torch.testing.assert_close(twin.frozen()(images), tree(images), rtol=0, atol=1e-6)
    torch.testing.assert_close(twin(images[0]), tree(images)[0], rtol=0, atol=1e-6)
    with torch.no_grad():
        twin.maps.mul_(3)
    assert twin(images).abs().max() > 1  # which no quantum tree reaches


def test_the_twin_is_the_tree_of_bilinear_maps_written_out() -> None:
    tree = CoherentTree(1, (1, 4), seed=0, dtype=DOUBLE)
    twin = BilinearTree(tree)
    with torch.no_grad():
        twin.maps.copy_(torch.randn(twin.maps.shape, generator=torch.Generator().manual_seed(1), dtype=DOUBLE))
    (maps,), images = twin.maps.detach(), _images(4, 1, 1, 4)
    first, last = maps[: 2 * 27].reshape(2, 3, 3, 3), maps[2 * 27 :].reshape(3, 4, 4)
    angles = math.pi * images[:, 0, 0]
    pixels = torch.stack([torch.ones_like(angles), angles.cos(), angles.sin()], -1)
    one = torch.ones(4, 1, dtype=DOUBLE)
    kept = [
        torch.cat([one, torch.einsum("iab,na,nb->ni", first[k], pixels[:, 2 * k], pixels[:, 2 * k + 1])], 1)
        for k in range(2)
    ]
    torch.testing.assert_close(twin(images), torch.einsum("iab,na,nb->ni", last, *kept), rtol=0, atol=1e-10)


def test_twins_of_as_many_parameters_and_of_as_many_trees() -> None:
    sizes = {b: _count(preset_model("tree", MNIST, 10, b)[0]) for b in ("quantum", "classical", "cnn")}
    assert all(0.8 < size / sizes["quantum"] < 1.2 for size in sizes.values()), sizes
    wide = preset_model("tree", MNIST, 10, "classical-wide")[0].backbone
    assert wide.n_trees == preset_model("tree", MNIST, 10)[0].backbone.n_trees


def test_a_twin_has_no_shots() -> None:
    with pytest.raises(QuanvolveError, match=r"`tree` has shots \(=10\), expected one with exact values: leave them"):
        BilinearTree(CoherentTree(1, 4, shots=10))


# -- the tree without entanglement


def _rotation(angles: Tensor) -> Tensor:
    """Of Bloch vectors, by RZ, RY and RZ one after the other."""

    def about(angle: Tensor, first: int, second: int) -> Tensor:
        turn = torch.eye(3, dtype=DOUBLE)
        turn[first, first] = turn[second, second] = angle.cos()
        turn[second, first], turn[first, second] = angle.sin(), -angle.sin()
        return turn

    return about(angles[2], 0, 1) @ about(angles[1], 2, 0) @ about(angles[0], 0, 1)


def test_tossed_blocks_keep_one_of_their_qubits_at_random() -> None:
    tree = CoherentTree(1, (1, 2), block=tossed_block(2, last=True), dtype=DOUBLE, init="uniform", seed=0)
    images = _images(6, 1, 1, 2)
    weights = {name: weight.detach()[0, 0] for name, weight in tree.levels[0].circuit_weights().items()}
    first, second, angle = weights["weights"][0].split([3, 3, 1])
    angles = math.pi * images[:, 0, 0]
    p, q = torch.stack([angles.sin(), torch.zeros_like(angles), angles.cos()], -1).unbind(1)
    kept = angle.cos() ** 2 * (p @ _rotation(first).T) + angle.sin() ** 2 * (q @ _rotation(second).T)
    expected = kept @ _rotation(weights["turns"][0]).T
    torch.testing.assert_close(tree(images), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("size", [(4, 4), (3, 2, 2)])
def test_an_unentangled_tree_multiplies_no_pixels(size: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    window = [[3, 1, 1], [1, 1, 2], [1, 2, 1]] if len(size) == 3 else None
    tree = unentangled_tree(1, size, window=window, n_trees=2, readout="xyz").double()
    image = _images(1, *size).requires_grad_()
    jacobian = torch.autograd.functional.jacobian(lambda x: tree(x)[0], image)
    assert (jacobian != 0).all()
    hessian = torch.autograd.functional.hessian(lambda x: tree(x)[0], image).reshape(image.numel(), -1)
    assert (hessian - hessian.diag().diag()).abs().max() < 1e-12
    assert hessian.diag().abs().max() > 1e-6


# -- the CNN and the temperature


def test_a_cnn_reads_the_windows_of_the_tree() -> None:
    form = TreeShape.parse((5, 6))
    made = TreeConv(1, form, 4, 7)
    convolutions = [m for m in made.layers if isinstance(m, nn.Conv2d)]
    assert [m.kernel_size for m in convolutions] == list(form.windows) == [m.stride for m in convolutions]
    assert made(torch.rand(3, 1, 5, 6)).shape == (3, 7)


def test_a_temperature_stays_positive() -> None:
    scale = Temperature(2.0)
    with torch.no_grad():
        scale.log.sub_(20)
    assert (scale(torch.ones(2)) > 0).all()

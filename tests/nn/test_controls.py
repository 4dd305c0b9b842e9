"""Stand-ins for quantum convolutions: shapes, what they compute, and that models with them are saved."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from quanvolve import Quanv2d, QuanvClassifier, load, load_dataset
from quanvolve.nn import BACKBONES, CONTROLS, Geometry, fixed_kernels, hybrid_model, make_backbone

KERNELS: list[tuple[int, ...]] = [(4,), (2, 2), (3, 5), (2, 3, 2), (1, 1)]


@pytest.mark.parametrize("kind", [kind for kind in BACKBONES if kind != "none"])
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_maps_have_the_shape_of_the_quantum_ones(kind: str, kernel: tuple[int, ...]) -> None:
    stride = tuple(max(1, n - 1) for n in kernel)
    images = torch.rand(3, 2, *(7, 8, 6)[: len(kernel)])
    quantum: dict[str, Any] = (
        {"n_layers": 1, "circuit": "basic_entangler"} if kind in ("quantum", "unentangled") else {}
    )
    made = make_backbone(kind, 2, 5, kernel, stride, trainable=True, seed=0, **quantum)
    out = made(images)
    assert out.shape == (3, 5, *Geometry.parse(len(kernel), kernel, stride).output_size(tuple(images.shape[2:])))
    again = make_backbone(kind, 2, 5, kernel, stride, trainable=True, seed=0, **quantum)
    torch.testing.assert_close(again(images), out, rtol=0, atol=0)
    trained = [p for p in made.parameters() if p.requires_grad]
    assert bool(trained) == (kind not in CONTROLS or CONTROLS[kind].trains)
    fixed = make_backbone(kind, 2, 5, kernel, stride, trainable=False, seed=0, **quantum)
    assert not [p for p in fixed.parameters() if p.requires_grad]


def test_seeds_leave_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one = make_backbone("trigonometric", 1, 4, (2, 2), (2, 2), trainable=False, seed=1)
    assert torch.rand(1) == expected
    other = make_backbone("trigonometric", 1, 4, (2, 2), (2, 2), trainable=False, seed=2)
    assert not torch.equal(one.weight, other.weight)


def test_trigonometric_features_are_cosines() -> None:
    made = make_backbone("trigonometric", 2, 3, (2, 2), (1, 1), trainable=False, seed=0)
    images = torch.rand(2, 2, 4, 5)
    windows = F.unfold(images, 2).double()
    angles = made.weight.double().flatten(1) @ windows + made.offset.double()[:, None]
    torch.testing.assert_close(made(images).double().flatten(2), angles.cos(), rtol=0, atol=1e-4)
    many = make_backbone("trigonometric", 1, 4000, (2, 2), (1, 1), trainable=False, seed=0)
    assert float(many.weight.std()) == pytest.approx(math.pi, rel=0.05)


def test_subsampled_channels_are_pixels() -> None:
    made = make_backbone("subsampled", 1, 6, (2, 2), (2, 2), trainable=True, seed=0)
    images = torch.rand(2, 1, 4, 6)
    out = made(images)
    for channel in range(6):
        row, column = divmod(channel % 4, 2)
        torch.testing.assert_close(out[:, channel], images[:, 0, row::2, column::2])


@pytest.mark.parametrize("kernel", [(3,), (2, 2), (3, 3), (5, 5), (3, 3, 3)], ids=str)
def test_kernels_are_what_they_are_called(kernel: tuple[int, ...]) -> None:
    found = fixed_kernels(kernel)
    dims = len(kernel)
    assert all(float(kernel.abs().sum()) == pytest.approx(1, abs=1e-5) or not kernel.abs().sum() for kernel in found)
    assert float(found[0].sum()) == pytest.approx(1)  # the Gaussian keeps the mean
    ramp = torch.meshgrid(*[torch.arange(n).float() for n in kernel], indexing="ij")
    for axis in range(dims):
        slopes = [float((found[1 + axis] * part).sum()) for part in ramp]
        assert [abs(slope) > 1e-3 for slope in slopes] == [a == axis for a in range(dims)]
    for kernel_of_no_mean in found[1:]:
        assert float(kernel_of_no_mean.sum()) == pytest.approx(0, abs=1e-5)
    names = {tuple(np.round(kernel.flatten().tolist(), 6)) for kernel in found if kernel.abs().sum()}
    assert len(names) >= (8 if max(kernel) > 2 and dims > 1 else 4)


def test_unentangled_layers_keep_weights_and_training() -> None:
    layer = Quanv2d(1, 8, 2, stride=2, seed=0)
    found = layer.unentangled()
    assert torch.equal(found.weights, layer.weights)
    assert found.weights.requires_grad
    assert not any(len(gate.wires) > 1 for gate in found.circuits[0].gates)
    images = torch.rand(2, 1, 4, 4)
    out = found(images)
    moved = images.clone()
    moved[:, :, 0, 0] += 0.3
    changed = (found(moved) - out).abs().amax(dim=(0, 2, 3)) > 1e-6
    assert changed.tolist() == [True, False, False, False] * 2
    out.sum().backward()
    assert layer.weights.grad is None


@pytest.mark.parametrize("kind", BACKBONES)
def test_classifiers_with_all_backbones_are_saved(kind: str, tmp_path: Path) -> None:
    data = load_dataset("digits")
    clf = QuanvClassifier(kind, n_filters=1, max_epochs=2, trainable=True, random_state=0)
    clf.fit(data.train_images[:200], data.train_labels[:200])
    clf.save(tmp_path)
    loaded = load(tmp_path)
    np.testing.assert_array_equal(loaded.predict_proba(data.test_images), clf.predict_proba(data.test_images))
    assert repr(loaded.module_) == repr(clf.module_)


@pytest.mark.parametrize("kind", BACKBONES)
def test_features_without_axes_go_through_all_backbones(kind: str) -> None:
    model = hybrid_model((4,), 3, kind, "mlp", seed=0)
    assert model(torch.rand(5, 4)).shape == (5, 3)

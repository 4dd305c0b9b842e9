"""Presets: what is in their networks, that nothing but circuits is nonlinear, and what they refuse."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from quanvolve import Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import named_circuit
from quanvolve.nn import PRESETS, AngleNorm, StackedPreset, find_preset, preset_model

STACKED = {name: preset for name, preset in PRESETS.items() if isinstance(preset, StackedPreset)}
BOTH = [(name, backbone) for name, preset in PRESETS.items() for backbone in preset.training]
MNIST = (1, 28, 28)


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_quantum_preset_has_one_linear_layer_and_no_classical_nonlinearity() -> None:
    model, shape = preset_model("quantum", MNIST, 10)
    linear = (AngleNorm, nn.BatchNorm2d, nn.AvgPool2d, nn.Flatten, nn.Dropout, nn.Linear)
    leaves = [m for m in model.modules() if not list(m.children())]
    assert all(isinstance(m, (Quanv2d, *linear)) for m in leaves)
    assert sum(isinstance(m, nn.Linear) for m in leaves) == 1
    quantum = [m for m in leaves if isinstance(m, Quanv2d)]
    assert len(quantum) >= 2
    assert all(weight.requires_grad for layer in quantum for weight in layer.circuit_weights().values())
    assert _count(model) <= 100_000
    assert model.backbone(torch.rand(2, *MNIST)).shape == (2, *shape)


def test_the_hybrid_preset_begins_with_a_trainable_quantum_convolution() -> None:
    model, _ = preset_model("hybrid", MNIST, 10)
    layers = [m for m in model.modules() if isinstance(m, Quanv2d | nn.Conv2d)]
    assert isinstance(layers[0], Quanv2d)
    assert layers[0].trainable
    assert all(isinstance(layer, nn.Conv2d) for layer in layers[1:])
    assert len(layers) > 1


@pytest.mark.parametrize("name", STACKED)
def test_the_twin_has_the_same_shapes(name: str) -> None:
    seen = []
    for backbone in ("quantum", "classical"):
        model, shape = preset_model(name, MNIST, 10, backbone)
        convolutions = [m for m in model.backbone if isinstance(m, Quanv2d | nn.Conv2d)]
        assert {isinstance(m, Quanv2d) for m in convolutions} == {backbone == "quantum"}
        seen.append(
            (
                shape,
                [(m.in_channels, m.out_channels, m.kernel_size, m.stride) for m in convolutions],
                [str(m) for m in model.head],
            )
        )
    assert seen[0] == seen[1]
    quantum, classical = (_count(preset_model(name, MNIST, 10, b)[0]) for b in ("quantum", "classical"))
    assert 0.8 < classical / quantum < 1.25


@pytest.mark.parametrize(("name", "backbone"), BOTH)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 5), (1, 28, 28)])
def test_images_of_any_size_and_colour(name: str, backbone: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    model, maps = preset_model(name, shape, 3, backbone)
    images = torch.rand(4, *shape)
    assert model.backbone(images).shape == (4, *maps)
    scores = model(images)
    assert scores.shape == (4, 3)
    scores.square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


def test_the_smallest_images() -> None:
    for name, backbone in BOTH:
        preset = PRESETS[name]
        least = len(preset.stages) + 1 if isinstance(preset, StackedPreset) else 2
        model, _ = preset_model(name, (1, least, least), 2, backbone)
        assert model.eval()(torch.rand(1, 1, least, least)).shape == (1, 2)


def test_weights_come_from_the_global_generator() -> None:
    def scores(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        model, _ = preset_model("quantum", (1, 8, 8), 2)
        return model.eval()(torch.linspace(0, 1, 64).reshape(1, 1, 8, 8))

    assert torch.equal(scores(0), scores(0))
    assert not torch.equal(scores(0), scores(1))


def test_a_description_of_the_circuit_makes_the_same_network() -> None:
    circuit = named_circuit("strongly_entangling", n_inputs=4)
    models = [preset_model("quantum", (1, 8, 8), 2, circuit=c)[0].eval() for c in ("strongly_entangling", circuit)]
    models[1].load_state_dict(models[0].state_dict(), strict=True)
    images = torch.rand(3, 1, 8, 8)
    assert torch.equal(models[0](images), models[1](images))
    assert str(models[0]) == str(models[1])


def test_angles_lie_around_a_right_angle() -> None:
    layer = AngleNorm(3, deviation=0.3)
    angles = layer(5 + 7 * torch.randn(64, 3, 6, 6))
    assert angles.mean(dim=(0, 2, 3)).tolist() == pytest.approx([math.pi / 2] * 3, abs=1e-4)
    assert angles.std(dim=(0, 2, 3), correction=0).tolist() == pytest.approx([0.3] * 3, abs=1e-4)
    assert all(p.requires_grad for p in layer.parameters())


def test_refusals() -> None:
    with pytest.raises(QuanvolveError) as error:
        find_preset("quantun", "quantum")
    assert str(error.value) == (
        "`preset` (='quantun') must be one of 'quantum', 'hybrid', 'tree', 'tree-headless'; did you mean 'quantum'?"
    )
    with pytest.raises(
        QuanvolveError, match=r"^`preset` \(='x'\) must be one of 'quantum', 'hybrid', 'tree', 'tree-headless'$"
    ):
        preset_model("x", MNIST, 10)
    with pytest.raises(QuanvolveError, match=r"^`backbone` \(='none'\) must be one of 'quantum', 'classical' with a"):
        preset_model("hybrid", MNIST, 10, "none")
    with pytest.raises(QuanvolveError, match="is for images, got series of shape"):
        preset_model("quantum", (1, 100), 2)
    with pytest.raises(QuanvolveError, match="is for images, got volumes of shape"):
        preset_model("quantum", (1, 8, 8, 8), 2)
    with pytest.raises(QuanvolveError, match=r"images of at least 4x4 pixels, got 3x9: leave `preset` out"):
        preset_model("quantum", (1, 3, 9), 2)

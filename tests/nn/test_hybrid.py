"""Quantum and classical backbones with quantum and classical heads: matching shapes, and they train."""

from typing import Any

import pytest
import torch
from sklearn.datasets import load_digits, make_moons
from torch import nn

from quanvolve import QuantumLinear, Quanv1d, Quanv2d, Quanv3d
from quanvolve._errors import QuanvolveError
from quanvolve.nn import BACKBONES, HybridModel, hybrid_model, make_backbone, make_dense_backbone

KINDS = [(backbone, head) for backbone in ("quantum", "classical") for head in ("quantum", "mlp")]
INPUTS = [(3,), (2, 9), (1, 6, 8), (1, 4, 4, 6)]


def train(model: nn.Module, images: torch.Tensor, labels: torch.Tensor, steps: int) -> list[float]:
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize(("backbone", "head"), KINDS)
def test_all_four_combinations_learn_digits(backbone: str, head: str) -> None:
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images[:60] / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    losses = train(hybrid_model((1, 8, 8), 10, backbone, head, seed=0), x, torch.tensor(labels[:60]), 25)
    assert losses[-1] < 0.4 * losses[0]


@pytest.mark.parametrize(("backbone", "head"), KINDS)
def test_all_four_combinations_learn_moons(backbone: str, head: str) -> None:
    points, labels = make_moons(60, noise=0.1, random_state=0)
    model = hybrid_model((2,), 2, backbone, head, out_channels=4, seed=0)
    losses = train(model, torch.tensor(points, dtype=torch.float32), torch.tensor(labels), 40)
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(("backbone", "head"), KINDS)
def test_all_four_combinations_take_a_step_on_images_of_mnists_size(backbone: str, head: str) -> None:
    x = torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    model = hybrid_model((1, 28, 28), 10, backbone, head, seed=0)
    before = [p.detach().clone() for p in model.parameters()]
    train(model, x, torch.arange(8), 1)
    assert all(bool(torch.isfinite(p).all()) for p in model.parameters())
    assert all(not torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))


@pytest.mark.parametrize("shape", INPUTS)
def test_the_combinations_agree_in_every_shape(shape: tuple[int, ...]) -> None:
    x = torch.rand(2, *shape)
    seen = []
    for backbone, head in KINDS:
        model = hybrid_model(shape, 3, backbone, head, seed=0)
        maps = model.backbone(x)
        seen.append((tuple(maps.shape), tuple(model.head[:4](maps).shape), tuple(model(x).shape)))
    assert len(set(seen)) == 1


@pytest.mark.parametrize(
    ("shape", "quantum", "classical"),
    [
        ((3,), QuantumLinear, nn.Linear),
        ((2, 9), Quanv1d, nn.Conv1d),
        ((1, 6, 8), Quanv2d, nn.Conv2d),
        ((1, 4, 4, 6), Quanv3d, nn.Conv3d),
    ],
)
def test_the_rank_of_the_input_picks_the_layer(shape: tuple, quantum: type, classical: type) -> None:
    assert type(hybrid_model(shape, 2, "quantum").backbone) is quantum
    model = hybrid_model(shape, 2, "classical")
    assert type(model.backbone[0]) is classical
    assert isinstance(model.backbone[1], nn.ReLU)
    assert isinstance(hybrid_model(shape, 2, "none").backbone, nn.Identity)
    assert hybrid_model(shape, 2, "none")(torch.rand(4, *shape)).shape == (4, 2)


def test_arguments_reach_the_layer() -> None:
    options: dict[str, Any] = {"kernel_size": (2, 1), "stride": 1, "padding": (1, 0), "out_channels": 5}
    quantum = hybrid_model((2, 5, 4), 3, **options, circuit="random", n_layers=3, trainable=False, seed=0)
    layer = quantum.backbone
    assert (layer.kernel_size, layer.stride, layer.padding, layer.out_channels) == ((2, 1), (1, 1), (1, 0), 5)
    assert layer.circuit_name == "random"
    assert quantum.fixed_backbone
    classical = hybrid_model((2, 5, 4), 3, "classical", **options, trainable=False, seed=0)
    assert classical.fixed_backbone
    assert classical.backbone(torch.rand(1, 2, 5, 4)).shape == layer(torch.rand(1, 2, 5, 4)).shape == (1, 5, 6, 4)
    joint = hybrid_model((2, 5, 4), 3, kernel_size=(1, 2), channel_mixing="joint")
    assert joint.backbone.out_channels == 4
    assert hybrid_model((2, 5, 4), 3, "classical", kernel_size=(1, 2)).backbone[0].out_channels == 2


def test_a_module_as_the_backbone_is_copied_and_probed() -> None:
    own = nn.Sequential(nn.Conv2d(1, 3, 2), nn.BatchNorm2d(3))
    model = hybrid_model((1, 5, 6), 4, own, "cnn")
    assert model.backbone is not own
    assert model.backbone.training
    assert int(model.backbone[1].num_batches_tracked) == 0
    assert model(torch.rand(2, 1, 5, 6)).shape == (2, 4)


@pytest.mark.parametrize(("backbone", "head"), KINDS)
def test_a_seed_fixes_everything_and_leaves_torchs_generator_alone(backbone: str, head: str) -> None:
    before = torch.get_rng_state()
    first, again, other = (hybrid_model((1, 4, 4), 2, backbone, head, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    x = torch.rand(2, 1, 4, 4)
    assert torch.equal(first(x), again(x))
    assert not torch.allclose(first(x), other(x))


def test_three_stacked_quantum_convolutions_train_together() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        Quanv2d(1, 4, 2, seed=0),
        Quanv2d(4, 4, 2, seed=1, scale=1.0),
        Quanv2d(4, 4, 2, stride=2, seed=2, scale=1.0),
        nn.Flatten(),
        nn.Linear(36, 3),
    )
    x = torch.rand(12, 1, 8, 8)
    labels = torch.arange(12) % 3
    nn.functional.cross_entropy(model(x), labels).backward()
    for layer in model[:3]:
        gradient = layer.weights.grad
        assert bool(torch.isfinite(gradient).all())
        assert float(gradient.abs().max()) > 1e-4
    weights = [layer.weights.detach().clone() for layer in model[:3]]
    losses = train(model, x, labels, 30)
    assert losses[-1] < 0.5 * losses[0]
    assert all(not torch.equal(layer.weights, old) for layer, old in zip(model[:3], weights, strict=True))


def test_three_dimensional_and_sequence_models_train() -> None:
    for shape in ((1, 12), (1, 4, 4, 4)):
        x = torch.rand(12, *shape, generator=torch.Generator().manual_seed(0))
        labels = (x.flatten(1).mean(1) > x.mean()).long()
        losses = train(hybrid_model(shape, 2, "quantum", "linear", n_layers=1, seed=0), x, labels, 30)
        assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: hybrid_model((1, 8, 8), 2, "quantums"),
            r"`backbone` \(='quantums'\) must be one of .* or an",
        ),
        (lambda: hybrid_model((), 2), r"`input_shape` \(=\(\)\) must be \(features,\), \(C, L\)"),
        (lambda: hybrid_model((1, 0, 4), 2), r"no axis of it may be empty"),
        (lambda: hybrid_model((1, 2, 4), 2, kernel_size=3), r"window of 3x3 is larger than the padded image of 2x4"),
        (lambda: hybrid_model((1, 4), 2, "none", "forest"), r"`head` \(='forest'\)"),
        (
            lambda: make_backbone("quantum", 1, 1, (1,) * 4, (1,) * 4, trainable=True, seed=0),
            r"`kernel_size` \(=\(1, 1, 1, 1\)\) must have one, two or three numbers",
        ),
        (
            lambda: make_backbone("qonvolution", 1, 1, (1,), (1,), trainable=True, seed=0),
            r"`backbone` \(='qonvolution'\) must be one of",
        ),
        (lambda: make_dense_backbone("cnn", 1, 1, trainable=True, seed=0), r"`backbone` \(='cnn'\) must be one of"),
    ],
)
def test_what_makes_no_model_is_refused(call: Any, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        call()


def test_the_backbones_have_names() -> None:
    assert {"quantum", "unentangled", "classical", "none"} < set(BACKBONES)
    assert isinstance(hybrid_model((2,), 2, "none"), HybridModel)

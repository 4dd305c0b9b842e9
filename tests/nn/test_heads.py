"""Heads of every kind for maps of every rank."""

import copy
import math

import pytest
import torch
from torch import nn

from quanvolve import QuantumLinear
from quanvolve._errors import QuanvolveError
from quanvolve.nn import HEADS, Standardize, learn_statistics, make_head

SHAPES = [(5,), (3, 6), (2, 5, 4), (2, 3, 4, 2), (4, 1), (1, 1, 1)]


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("shape", SHAPES)
def test_scores_and_gradients_for_maps_of_every_rank(name: str, shape: tuple[int, ...]) -> None:
    if name == "cnn" and len(shape) == 1:
        with pytest.raises(QuanvolveError, match=r"`head='cnn'` needs feature maps with spatial axes, got.*\(5,\)"):
            make_head(name, shape, 3)
        return
    head = make_head(name, shape, 3)
    maps = torch.rand(4, *shape, requires_grad=True)
    scores = head(maps)
    assert scores.shape == (4, 3)
    scores.square().sum().backward()
    assert all(bool(torch.isfinite(p.grad).all()) for p in head.parameters())
    assert maps.grad is not None


def test_the_quantum_head_and_its_classical_twin_agree_in_shapes() -> None:
    for shape in SHAPES:
        quantum, twin = make_head("quantum", shape, 3), make_head("mlp", shape, 3)
        width = min(8, math.prod(shape))
        assert [type(m).__name__ for m in quantum] == [
            *("Standardize", "Flatten", "Linear", "Sigmoid"),
            "QuantumLinear",
            "Linear",
        ]
        assert [type(m).__name__ for m in twin] == [
            *("Standardize", "Flatten", "Linear", "Sigmoid"),
            *("Linear", "Tanh"),
            "Linear",
        ]
        assert (quantum[4].in_features, quantum[4].out_features) == (width, width)
        assert (twin[4].in_features, twin[4].out_features) == (width, width)
        assert isinstance(quantum[4], QuantumLinear)
        assert quantum[4].scale == math.pi
        for theirs, ours in zip((twin[2], twin[6]), (quantum[2], quantum[5]), strict=True):
            assert theirs.weight.shape == ours.weight.shape


def test_the_state_of_linear_and_cnn_keeps_its_names() -> None:
    """Models saved by earlier versions load."""
    linear = {name: tuple(v.shape) for name, v in make_head("linear", (4, 5, 6), 10).state_dict().items()}
    assert linear == {"0.mean": (4, 1, 1), "0.deviation": (4, 1, 1), "2.weight": (10, 120), "2.bias": (10,)}
    cnn = {name: tuple(v.shape) for name, v in make_head("cnn", (4, 14, 14), 10).state_dict().items()}
    names = ("weight", "bias", "running_mean", "running_var")
    assert cnn == {
        "0.mean": (4, 1, 1),
        "0.deviation": (4, 1, 1),
        "1.weight": (32, 4, 3, 3),
        **{f"2.{name}": (32,) for name in names},
        "2.num_batches_tracked": (),
        "5.weight": (64, 32, 3, 3),
        **{f"6.{name}": (64,) for name in names},
        "6.num_batches_tracked": (),
        "11.weight": (128, 64 * 9),
        "11.bias": (128,),
        "14.weight": (10, 128),
        "14.bias": (10,),
    }


@pytest.mark.parametrize("shape", SHAPES)
def test_statistics_are_those_of_the_channels(shape: tuple[int, ...]) -> None:
    maps = 3 * torch.rand(50, *shape) - 1
    head = make_head("linear", shape, 2)
    learn_statistics(head, maps)
    found = head[0](maps)
    axes = (0, *range(2, maps.dim()))
    torch.testing.assert_close(found.mean(axes), torch.zeros(shape[0]), rtol=0, atol=1e-5)
    torch.testing.assert_close(found.std(axes, correction=0), torch.ones(shape[0]), rtol=0, atol=1e-4)


def test_a_constant_channel_is_only_shifted() -> None:
    layer = Standardize(2, 1)
    layer.learn(torch.tensor([[[2.0, 2.0], [0.0, 4.0]]]))
    assert layer.deviation.flatten().tolist() == [1.0, 2.0]
    assert layer(torch.tensor([[[2.5], [4.0]]])).flatten().tolist() == [0.5, 1.0]


def test_a_module_as_the_head_is_copied() -> None:
    own = nn.Sequential(nn.Flatten(), nn.Linear(6, 3))
    before = copy.deepcopy(own.state_dict())
    head = make_head(own, (2, 3), 3)
    assert head is not own
    torch.testing.assert_close(head(torch.ones(1, 2, 3)), own(torch.ones(1, 2, 3)))
    with torch.no_grad():
        head[1].weight.zero_()
    assert torch.equal(own[1].weight, before["1.weight"])


def test_a_function_as_the_head_gets_shape_and_classes() -> None:
    seen = []

    def build(shape: tuple[int, ...], n_classes: int) -> nn.Module:
        seen.append((shape, n_classes))
        return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), n_classes))

    assert make_head(build, (2, 3, 4), 5)(torch.rand(7, 2, 3, 4)).shape == (7, 5)
    assert seen == [((2, 3, 4), 5)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("knn", (4,), 2), r"`head` \(='knn'\) must be one of 'linear', 'cnn', 'mlp', 'quantum'"),
        ((7, (4,), 2), r"`head` \(=7\) must be one of .*, an nn\.Module, or a function"),
        ((lambda shape, n: None, (4,), 2), r"the function given as `head` returned NoneType, expected an nn\.Module"),
        (("linear", (), 2), r"the feature maps have the shape \(\), expected \(channels, \*size\)"),
        (("linear", (1, 0), 2), r"the shape \(1, 0\), expected .* no empty axis"),
        (("linear", (1, 2, 2, 2, 2), 2), r"one to three spatial axes"),
        (("linear", (4,), 0), r"`n_classes` \(=0\) must be a whole number of at least 1"),
    ],
)
def test_what_makes_no_head_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        make_head(*arguments)

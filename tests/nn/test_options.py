"""The one list of options: it is the layer's signature, and says of each option what others need to know."""

from __future__ import annotations

import inspect

import pytest
import torch

from quanvolve import QuantumLinear, Quanv1d, Quanv2d, Quanv3d
from quanvolve._options import Option, layer_options, layer_signature, model_options
from quanvolve.nn import BACKBONES, QuanvNd, choices_of, hybrid_model, make_backbone


def test_what_is_read_from_the_source_is_what_python_sees() -> None:
    seen = inspect.signature(QuanvNd.__init__)
    assert list(seen.parameters.values()) == list(layer_signature().parameters.values())
    assert list(layer_options()) == list(seen.parameters)[1:]


@pytest.mark.parametrize("option", model_options().values(), ids=lambda option: option.name)
def test_every_option_says_what_it_is(option: Option) -> None:
    assert option.help.endswith(".")
    assert len(option.help) < 100
    assert option.plain or option.name == "weight_shapes"
    assert option.needs is None or option.needs in model_options()
    choices = choices_of(option.name)
    assert not choices or option.default in choices
    for kind in (Quanv1d, Quanv2d, Quanv3d):
        assert option.name in (kind.__doc__ or "")


def test_choices_can_stand_in_the_annotation() -> None:
    option = Option("edge", "soft", "Literal['soft', 'hard'] | None", "Of it.")
    assert (option.kinds, option.choices) == (("str",), ("soft", "hard"))


def test_the_dense_layer_has_the_options_that_are_not_about_windows() -> None:
    names = list(inspect.signature(QuantumLinear).parameters)
    assert names == [
        "in_features", "out_features", "bias", "device", "dtype", "circuit", "encoding", "readout", "n_qubits",
        "n_layers", "scale", "trainable", "engine", "noise", "shots", "seed", "weight_shapes", "weights", "init",
        "diff_method",
    ]  # fmt: skip
    assert inspect.signature(QuantumLinear).parameters["n_layers"].default == 2
    with pytest.raises(TypeError, match=r"QuantumLinear.__init__\(\) got an unexpected keyword argument 'padding'"):
        QuantumLinear(2, 2, padding=1)


@pytest.mark.parametrize("kind", [kind for kind in BACKBONES if kind != "none"])
def test_backbones_of_all_kinds_have_the_same_windows(kind: str) -> None:
    window = {"padding": (2, 1), "dilation": (2, 1), "groups": 2, "padding_mode": "reflect"}
    made = make_backbone(kind, 4, 8, (2, 3), (1, 2), trainable=True, seed=0, **window)  # type: ignore[arg-type]
    like = torch.nn.Conv2d(4, 8, (2, 3), (1, 2), **window)  # type: ignore[arg-type]
    images = torch.rand(2, 4, 7, 8)
    assert made(images).shape == like(images).shape
    changed = images.clone()
    changed[:, 2:] = torch.rand(2, 2, 7, 8)  # the second group alone
    assert torch.equal(made(changed)[:, :4], made(images)[:, :4])
    assert not torch.equal(made(changed)[:, 4:], made(images)[:, 4:])


@pytest.mark.parametrize("kind", ["classical", "kernels"])
def test_groups_that_do_not_fit_are_refused_by_all_kinds(kind: str) -> None:
    with pytest.raises(ValueError, match=r"`in_channels` \(=3\) must be divisible by `groups` \(=2\)"):
        make_backbone(kind, 3, 8, (2, 2), (1, 1), trainable=True, seed=0, groups=2)


@pytest.mark.parametrize("backbone", ["quantum", "classical", "subsampled"])
def test_hybrid_models_of_dilated_and_grouped_windows(backbone: str) -> None:
    more = {"dilation": 2, "groups": 2, "padding_mode": "circular", "channel_mixing": "joint"}
    model = hybrid_model((2, 6, 6), 3, backbone, kernel_size=(1, 2), stride=1, padding=1, seed=0, **more)  # type: ignore[arg-type]
    assert model(torch.rand(2, 2, 6, 6)).shape == (2, 3)

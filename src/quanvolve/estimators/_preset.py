"""A preset in place of the arguments that describe filters and head."""

from __future__ import annotations

from typing import Any

import torch

from quanvolve._errors import QuanvolveError
from quanvolve._options import model_options
from quanvolve.circuits import Circuit
from quanvolve.estimators._inputs import ImageSpec
from quanvolve.nn import HybridModel, find_preset, preset_model


def training_of(name: str, backbone: str) -> dict[str, Any]:
    """The training settings of a preset, as arguments of the classifier.

    Raises:
        QuanvolveError: if there is no such preset.
    """
    return dict(find_preset(name, backbone).training[backbone])


def build_preset(
    params: dict[str, Any],
    defaults: dict[str, Any],
    spec: ImageSpec,
    n_classes: int,
    seed: int,
    circuits: tuple[Circuit, ...] = (),
) -> tuple[HybridModel, tuple[int, ...]]:
    """The network of a preset for these images, and the shape (C, H, W) of its feature maps.

    Args:
        params: the estimator's parameters.
        defaults: the same of an estimator that was given none.
        spec: the images.
        n_classes: number of classes.
        seed: of all weights.
        circuits: of a saved model, whose weights are still to be loaded; none for a new one.

    Raises:
        QuanvolveError: if the images do not fit the preset, or an argument is given that it takes the place of.
    """
    name = params["preset"]
    circuit = {"circuit": circuits[0]} if circuits else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, shape = preset_model(name, spec.shape, n_classes, params["backbone"], **circuit)
    for argument, default in defaults.items():
        replaced = argument in ("head", "n_filters", *model_options()) and argument != "trainable"
        given = params[argument]
        dims = len(spec.shape) - 1
        if argument in ("kernel_size", "stride") and dims != 2 and given == (default,) * dims:
            continue  # how series and volumes are asked for
        if replaced and given is not default and given != default:
            raise QuanvolveError(
                f"`{argument}` (={given!r}) has no meaning with `preset` (={name!r}), which fixes the "
                "network: leave one of the two out"
            )
    return model, shape

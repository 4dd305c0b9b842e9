"""The arguments that say which filters an estimator has, and the backbone they make."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torch import nn

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Circuit
from quanvolve.estimators._inputs import ImageSpec, fit_padding, fit_window
from quanvolve.estimators._options import quantum_of, window_of
from quanvolve.nn import (
    DESCRIBED,
    QUANTUM_BACKBONES,
    Geometry,
    QuanvNd,
    check_channels,
    make_backbone,
    measured_values,
)


def build_backbone(
    params: dict[str, Any],
    spec: ImageSpec,
    *,
    kind: str,
    trainable: bool,
    seed: int | None,
    out_channels: int | None = None,
) -> tuple[nn.Module, tuple[int, ...]]:
    """The backbone for these images, and the shape (C, *size) of its feature maps.

    Args:
        params: the estimator's parameters.
        spec: the images.
        kind: one of :data:`quanvolve.nn.BACKBONES`.
        trainable: whether the filters are trained.
        seed: of structure and weights.
        out_channels: channels of the feature maps where they are known; else as many as the filters measure.

    Raises:
        QuanvolveError: if window, circuit and images do not fit each other.
    """
    if kind == "none":
        return make_backbone(kind, 1, 1, (1, 1), (1, 1), trainable=False, seed=None), spec.shape
    n_filters = params["n_filters"]
    if not isinstance(n_filters, int | np.integer) or n_filters < 1:
        raise QuanvolveError(f"`n_filters` (={n_filters!r}) must be a whole number of at least 1")
    kernel, stride = fit_window(spec, params["kernel_size"], params["stride"])
    window, quantum = window_of(params), quantum_of(params)
    window["padding"] = fit_padding(spec, window["padding"])
    groups = window["groups"]
    sides = {name: value for name, value in window.items() if name != "groups"}
    geometry = Geometry.parse(len(kernel), kernel, stride, **sides)
    places = geometry.output_size(spec.shape[1:])
    channels = spec.shape[0]
    check_channels(channels, groups, groups, params["channel_mixing"])
    if int(n_filters) % groups:
        raise QuanvolveError(f"`n_filters` (={n_filters}) must be divisible by `groups` (={groups})")
    n_inputs = geometry.window_size * (channels // groups if params["channel_mixing"] == "joint" else 1)
    if out_channels is None:
        # A classical twin has as many channels as the quantum filters would measure.
        described = {name: quantum[name] for name in DESCRIBED}
        out_channels = int(n_filters) * measured_values(n_inputs=n_inputs, **described)
    backbone = make_backbone(
        kind,
        channels,
        out_channels,
        kernel,
        stride,
        trainable=trainable,
        seed=seed,
        **window,
        **(quantum if kind in QUANTUM_BACKBONES else {}),
    )
    return backbone, (out_channels, *places)


def restore_backbone(
    params: dict[str, Any],
    spec: ImageSpec,
    circuits: tuple[Circuit, ...],
    out_channels: int,
    *,
    kind: str,
    trainable: bool,
) -> tuple[nn.Module, tuple[int, ...]]:
    """The backbone of a saved model, from its circuit descriptions; the weights are still to be loaded."""
    named = isinstance(params["circuit"], str)
    fixed = {"circuit": circuits, "weight_shapes": None, "encoding": "ry", "readout": "z", "n_layers": 2, "noise": None}
    known = {**params, **fixed}
    if named and params["scale"] is None:
        known["scale"] = math.pi
    backbone, shape = build_backbone(known, spec, kind=kind, trainable=trainable, seed=0, out_channels=out_channels)
    if isinstance(backbone, QuanvNd) and named:
        backbone.circuit_name = params["circuit"] + (", unentangled" if kind == "unentangled" else "")
        backbone.encoding_name, backbone.readout_name = params["encoding"], params["readout"]
    return backbone, shape

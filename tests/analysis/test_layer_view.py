"""Analyses read of a layer what `LayerView` names, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from quanvolve import QuantumLinear, Quanv1d, Quanv2d, Quanv3d
from quanvolve.analysis import LayerView, WindowsView, channel_circuits, layer_formula, reading
from quanvolve.analysis._jacobian import gradient_variance, jacobian, windows_of
from quanvolve.figures import bloch_figure, filters_figure, gallery_figure, overview_figure, reading_figure


def members(protocol: type) -> set[str]:
    """What a protocol asks for."""
    return {name for name in vars(protocol) if not name.startswith("_")}


class Only:
    """An object with the members of a protocol, and no others."""

    def __init__(self, thing: Any, protocol: type) -> None:
        self._thing, self._members = thing, members(protocol)

    def __getattr__(self, name: str) -> Any:
        if name not in self._members:
            raise AttributeError(f"{name!r} is read, which the protocol does not have")
        found = getattr(self._thing, name)
        return Only(found, WindowsView) if name == "geometry" else found

    def __call__(self, images: torch.Tensor) -> Any:
        return self._thing(images)


@pytest.mark.parametrize(
    "layer",
    [Quanv1d(1, 2, 2), Quanv2d(1, 2, (1, 2)), Quanv3d(1, 2, (1, 1, 2)), QuantumLinear(2, 2)],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_have_all_of_it(layer: Any) -> None:
    assert [name for name in sorted(members(LayerView)) if not hasattr(layer, name)] == []
    assert [name for name in sorted(members(WindowsView)) if not hasattr(layer.geometry, name)] == []


def test_it_is_enough_for_all_that_looks_into_a_layer() -> None:
    layer = Quanv2d(2, 3, (1, 2), seed=0, bias=True)
    view: Any = Only(layer, LayerView)
    images = torch.rand(4, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    assert layer_formula(view, 1, digits=4, tolerance=1e-6) == layer.formula(1)
    assert reading(view, images) == reading(layer, images)
    assert [one.first for one in channel_circuits(view, 0)] == [0, 2]
    windows = windows_of(view, images, 8)
    assert jacobian(view, windows).names == jacobian(layer, windows).names
    assert gradient_variance(view, windows, 2, 0) == gradient_variance(layer, windows, 2, 0)
    for figure in (filters_figure(view), reading_figure(view), bloch_figure(view)):
        assert figure.axes
    for draw in (overview_figure, gallery_figure):
        assert draw(view, images[0].numpy()).axes

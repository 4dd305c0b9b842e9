"""A layer on a backend: the windows of images, each distinct one once."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve.backends._backend import Backend, Progress, measure
from quanvolve.backends._cache import Cache
from quanvolve.backends._settings import Floats
from quanvolve.compile import Layout
from quanvolve.nn import QuanvNd


@dataclass(frozen=True)
class Row:
    """One circuit of a layer: which filter it belongs to, its weights, and the group and channel that it reads."""

    circuit: Any
    weights: dict[str, Floats]
    group: int
    channel: int


def rows_of_layer(layer: QuanvNd) -> list[Row]:
    """The circuits of a layer in the order of its rows (groups, filters, channels)."""
    layout = layer.layout
    flat = {name: w.detach().cpu().double().flatten(0, 1).numpy() for name, w in layer.circuit_weights().items()}
    found = []
    for row in range(layout.rows):
        group, rest = divmod(row, layout.filters * layout.channels)
        circuit = layer.circuits[min(row, len(layer.circuits) - 1)]
        weights = {name: values[row] for name, values in flat.items()}
        found.append(Row(circuit, weights, group, rest % layout.channels))
    return found


def rows_of_model(model: nn.Module) -> list[Row]:
    """The circuits of all quantum convolutions of a model, in the order of layers and rows.

    Raises:
        QuanvolveError: if it has none.
    """
    found: list[Row] = []

    def make(layer: QuanvNd) -> nn.Module:
        found.extend(rows_of_layer(layer))
        return layer

    replace_layers(model, make)
    return found


def windows_of(layer: QuanvNd, images: Tensor) -> Tensor:
    """What the circuits read, in float64: shape (images, groups, channels, *places, inputs)."""
    windows = layer.windows(images.double())
    view = windows.view()
    flat = view.flatten(3 + windows.dims)
    if isinstance(windows.scale, Tensor):
        scale = windows.scale.detach().double()
        flat = flat * scale.reshape(1, *scale.shape[:2], *(1,) * windows.dims, scale.shape[-1])
    else:
        flat = flat * windows.scale
    return flat.detach().cpu()


def quantise(images: Tensor, levels: int) -> Tensor:
    """Images rounded to so many evenly spaced levels between their smallest and largest value.

    Examples:
        >>> quantise(torch.tensor([0.0, 0.2, 0.4, 1.0]), levels=3)
        tensor([0.0000, 0.0000, 0.5000, 1.0000])
    """
    if not isinstance(levels, int) or isinstance(levels, bool) or levels < 2:
        raise QuanvolveError(f"`levels` (={levels!r}) must be a whole number of at least 2, or None for none")
    if not images.numel():
        return images
    low, high = images.min(), images.max()
    step = (high - low) / (levels - 1)
    return low + ((images - low) / step).round() * step if step > 0 else images


def quantisation_error(layer: QuanvNd, images: Tensor, levels: int) -> tuple[float, float]:
    """The largest and the root-mean-square change of the layer's exact values when its inputs are rounded.

    Args:
        layer: whose values they are.
        images: as the layer takes them.
        levels: of the inputs.
    """
    with torch.no_grad():
        change = layer(quantise(images, levels)) - layer(images)
    return float(change.abs().max()), float(change.square().mean().sqrt())


def run_layer(
    layer: QuanvNd,
    images: Tensor,
    backend: Backend,
    *,
    levels: int | None = None,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Tensor:
    """The values of a layer on a backend.

    Args:
        layer: a quantum convolution, or dense quantum layer for features of shape (N, 1, features).
        images: shape (N, C, *size).
        backend: where its circuits run.
        levels: round the images to so many levels first, so that fewer windows are distinct; see
            :func:`quantisation_error` for what that changes.
        cache: of results on disk.
        progress: called with the number of settings that are done, and of all, for each circuit.

    Returns:
        Tensor (N, out_channels, *places), as the layer itself gives.

    Raises:
        QuanvolveError: if images do not fit the layer, or the backend cannot run its circuits.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> from quanvolve.backends import PennyLaneBackend
        >>> layer, images = Quanv2d(1, 4, 2, stride=2, seed=0), torch.rand(1, 1, 4, 4)
        >>> torch.allclose(run_layer(layer, images, PennyLaneBackend("lightning.qubit")), layer(images), atol=1e-5)
        True
    """
    if levels is not None:
        images = quantise(images, levels)
    with torch.no_grad():
        layer(images[:1])  # refuses what does not fit
    windows = windows_of(layer, images)
    layout: Layout = layer.layout
    places = windows.shape[3:-1]
    count = len(windows) * math.prod(places)
    rows = []
    for row in rows_of_layer(layer):
        inputs = windows[:, row.group, row.channel].reshape(count, -1).numpy()
        rows.append(measure(backend, row.circuit, row.weights, inputs, cache=cache, progress=progress).values.T)
    found = layout.arrange(torch.from_numpy(np.stack(rows))).sum(2)  # groups, outputs, images x places
    out = found.reshape(-1, len(windows), *places).movedim(1, 0).to(images.dtype)
    if layer.bias is not None:
        out = out + layer.bias.detach().cpu().reshape(-1, *(1,) * len(places))
    return out


class _OnBackend(nn.Module):
    """A layer that runs on a backend when it is called."""

    def __init__(self, layer: QuanvNd, options: dict[str, Any]) -> None:
        super().__init__()
        self.layer, self._options = layer, options

    def forward(self, images: Tensor) -> Tensor:
        """As the layer, without gradients."""
        return run_layer(self.layer, images.detach(), **self._options)


def on_backend(
    model: nn.Module,
    backend: Backend,
    *,
    levels: int | None = None,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> nn.Module:
    """A copy of a trained model whose quantum convolutions run on a backend.

    Args:
        model: any torch module, such as the `module_` of a classifier.
        backend, levels, cache, progress: as in :func:`run_layer`.

    Returns:
        A copy in evaluation mode; the model itself is left alone.

    Raises:
        QuanvolveError: if the model has no quantum convolution.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> from quanvolve.backends import PennyLaneBackend
        >>> model = nn.Sequential(Quanv2d(1, 4, 2, stride=2, seed=0), nn.Flatten())
        >>> on_backend(model, PennyLaneBackend("default.qubit"))(torch.rand(1, 1, 4, 4)).shape
        torch.Size([1, 16])
    """
    options = {"backend": backend, "levels": levels, "cache": cache, "progress": progress}
    return replace_layers(model, lambda layer: _OnBackend(layer, options))


def replace_layers(model: nn.Module, make: Any) -> nn.Module:
    """A copy of a model in evaluation mode with every quantum convolution replaced.

    Raises:
        QuanvolveError: if it has none.
    """
    whole = copy.deepcopy(model).eval()
    if isinstance(whole, QuanvNd):
        replaced: nn.Module = make(whole).eval()
        return replaced
    names = [name for name, module in whole.named_modules() if isinstance(module, QuanvNd)]
    if not names:
        raise QuanvolveError(f"the model ({type(model).__name__}) has no quantum convolution to run elsewhere")
    for name in names:
        parent, _, own = name.rpartition(".")
        holder = whole.get_submodule(parent) if parent else whole
        setattr(holder, own, make(getattr(holder, own)))
    return whole.eval()

"""A layer on a backend: the windows of images, each distinct one once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve.backends._backend import Backend, Progress, measure
from quanvolve.backends._cache import Cache
from quanvolve.backends._gradients import NoGradient, check_diff_method, with_shifted_runs
from quanvolve.backends._rows import Row, all_layers_of, check_layers, replace_layers, rows_of_layer, windows_of
from quanvolve.backends._settings import Floats, Weights
from quanvolve.backends._tree_run import check_tree_runs, run_tree
from quanvolve.circuits import Circuit
from quanvolve.compile import arranged
from quanvolve.nn import CoherentTree, QuanvNd, in_format_of


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


@dataclass(frozen=True)
class Run:
    """How layers run: the arguments of :func:`run_layer` but for the layer and its images."""

    backend: Backend
    levels: int | None
    cache: Cache | None
    progress: Progress | None
    diff_method: str | None

    def measured(self, circuit: Circuit, weights: Weights, inputs: Floats) -> Tensor:
        """Values of shape (outputs, settings)."""
        values = measure(self.backend, circuit, weights, inputs, cache=self.cache, progress=self.progress).values
        return torch.from_numpy(np.ascontiguousarray(values.T))


def run_layer(
    layer: QuanvNd,
    images: Tensor,
    backend: Backend,
    *,
    levels: int | None = None,
    cache: Cache | None = None,
    progress: Progress | None = None,
    diff_method: str | None = None,
) -> Tensor:
    """The values of a layer on a backend.

    Args:
        layer: a quantum convolution, or dense quantum layer.
        images: as the layer takes them: (N, C, *size) or (C, *size), features (*, in_features).
        backend: where its circuits run.
        levels: round the images to so many levels first, so that fewer windows are distinct; see
            :func:`quantisation_error` for what that changes.
        cache: of results on disk.
        progress: called with the number of settings that are done, and of all, for each circuit.
        diff_method: "parameter-shift" for gradients of weights, `scale` and images, measured on the backend too: in
            the backward pass each distinct window runs twice more for every rotation that one of these turns. Without
            it a gradient that would have to pass the circuits is refused in the backward pass.

    Returns:
        What the layer itself gives: (N, out_channels, *places), (out_channels, *places) or (*, out_features).

    Raises:
        QuanvolveError: if images do not fit the layer, or the backend cannot run its circuits; nothing has run then.
            In the backward pass, if `diff_method` is not given.

    References:
        Schuld et al., Phys. Rev. A 99, 032331 (2019), equation 14, for the parameter-shift rule.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> from quanvolve.backends import PennyLaneBackend
        >>> layer, images = Quanv2d(1, 4, 2, stride=2, seed=0), torch.rand(1, 1, 4, 4)
        >>> torch.allclose(run_layer(layer, images, PennyLaneBackend("lightning.qubit")), layer(images), atol=1e-5)
        True
    """
    check_diff_method(diff_method)
    check_layers({"": layer}, backend)
    return _run(layer, images, Run(backend, levels, cache, progress, diff_method))


def _run(layer: QuanvNd, images: Tensor, how: Run) -> Tensor:
    if isinstance(images, Tensor) and torch.is_autocast_enabled(images.device.type):
        like = next(chain(layer.parameters(), layer.buffers()), images)
        with torch.autocast(images.device.type, enabled=False):  # as the layer does
            return _run(layer, images.to(like.dtype), how)
    batch = layer.batched(images)
    sources = [t for t in (batch, layer.scale, *layer.circuit_weights().values()) if isinstance(t, Tensor)]
    wanting = [t for t in sources if t.requires_grad] if torch.is_grad_enabled() else []
    shifts = bool(wanting) and how.diff_method is not None
    if how.levels is not None:
        if shifts and batch.requires_grad:
            raise QuanvolveError(
                f"`levels` (={how.levels}) rounds the images, which has no gradient, and their gradient is asked for: "
                "leave `levels` out, or give images without requires_grad"
            )
        batch = quantise(batch, how.levels)
    with torch.set_grad_enabled(shifts):
        windows = windows_of(layer, batch)
        out = _values(layer, windows, how, shifts)
    if wanting and not shifts:
        out = NoGradient.apply(out, *wanting)  # type: ignore[no-untyped-call]
    out = out.to(images)
    if layer.bias is not None:
        out = out + layer.bias.reshape(-1, *(1,) * layer.dims)
    if layer.dense:
        return out.reshape(*images.shape[:-1], layer.out_channels)
    out = in_format_of(batch, out)
    return out if images.dim() == layer.dims + 2 else out.squeeze(0)


def _values(layer: QuanvNd, windows: Tensor, how: Run, shifts: bool) -> Tensor:
    """What the circuits measure, in float64: shape (images, out_channels, *places)."""
    places = windows.shape[3:-1]
    count = len(windows) * math.prod(places)

    def inputs(row: Row) -> Tensor:
        return windows[:, row.group, row.channel].reshape(count, windows.shape[-1])

    measured = []
    for row, followed in zip(rows_of_layer(layer), layer.rows(), strict=True):
        values = how.measured(row.circuit, row.weights, inputs(row).detach().numpy())
        if shifts:
            weights = {name: weight.cpu().double().unsqueeze(0) for name, weight in followed.weights.items()}
            values = with_shifted_runs(row, values, inputs(row), weights, how.measured)
        measured.append(values)
    channels = arranged(torch.stack(measured), layer.layout).sum(2)  # groups, outputs, images x places
    return channels.reshape(layer.out_channels, len(windows), *places).movedim(1, 0)


class _OnBackend(nn.Module):
    """A layer that runs on a backend when it is called."""

    def __init__(self, layer: QuanvNd, how: Run) -> None:
        super().__init__()
        self.layer, self._how = layer, how

    def forward(self, images: Tensor) -> Tensor:
        """As the layer."""
        return _run(self.layer, images, self._how)


class _TreeOnBackend(nn.Module):
    """A tree that runs on a backend when it is called."""

    def __init__(self, tree: CoherentTree, how: Run) -> None:
        super().__init__()
        self.tree, self._how = tree, how

    def forward(self, images: Tensor) -> Tensor:
        """As the tree."""
        how = self._how
        read = images if how.levels is None else quantise(images, how.levels)
        out = torch.from_numpy(run_tree(self.tree, read, how.backend, progress=how.progress).values).to(images)
        wanting = [t for t in (images, *self.tree.parameters()) if t.requires_grad] if torch.is_grad_enabled() else []
        return NoGradient.apply(out, *wanting) if wanting else out  # type: ignore[no-untyped-call]


def check_trees(layers: Mapping[str, nn.Module], backend: Backend | None, how: Run | None = None) -> None:
    """Raise unless a backend can run all coherent trees of a model in a way.

    Raises:
        QuanvolveError: naming the tree.
    """
    for name, tree in layers.items():
        if not isinstance(tree, CoherentTree):
            continue
        where = f"the layer {name!r} (CoherentTree)" if name else "the CoherentTree"
        if how is not None and how.diff_method is not None:
            raise QuanvolveError(
                f"{where} has no gradients on a backend, `diff_method` (={how.diff_method!r}) asks for them: train "
                "with the layer's own exact ones, its `noise` included, and run it there afterwards"
            )
        if how is not None and how.cache is not None:
            raise QuanvolveError(f"{where} does not keep results, and `cache` is given: leave it out")
        try:
            check_tree_runs(tree, backend)
        except QuanvolveError as error:
            raise QuanvolveError(f"{where} cannot run there: {error} (no circuit has run)") from error


def on_backend(
    model: nn.Module,
    backend: Backend,
    *,
    levels: int | None = None,
    cache: Cache | None = None,
    progress: Progress | None = None,
    diff_method: str | None = None,
) -> nn.Module:
    """A copy of a trained model whose quantum layers run on a backend.

    Args:
        model: any torch module, such as the `module_` of a classifier.
        backend, levels, cache, progress, diff_method: as in :func:`run_layer`. Coherent trees run as by
            :func:`run_tree`, without `cache` and `diff_method`.

    Returns:
        A copy in evaluation mode; the model itself is left alone.

    Raises:
        QuanvolveError: if the model has no quantum layer, or the backend cannot run a circuit of one of them; in the
            backward pass, if `diff_method` is not given and a gradient would have to pass a quantum layer.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> from quanvolve.backends import PennyLaneBackend
        >>> model = nn.Sequential(Quanv2d(1, 4, 2, stride=2, seed=0), nn.Flatten())
        >>> on_backend(model, PennyLaneBackend("default.qubit"))(torch.rand(1, 1, 4, 4)).shape
        torch.Size([1, 16])

        Gradients by the parameter-shift rule:

        >>> backend = PennyLaneBackend("default.qubit")
        >>> there = on_backend(Quanv2d(1, 4, 2, seed=0), backend, diff_method="parameter-shift")
        >>> there(torch.rand(1, 1, 2, 2)).sum().backward()
        >>> there.layer.weights.grad.shape
        torch.Size([1, 1, 2, 4, 3])
    """
    check_diff_method(diff_method)
    how = Run(backend, levels, cache, progress, diff_method)
    layers = all_layers_of(model)
    check_layers({name: layer for name, layer in layers.items() if isinstance(layer, QuanvNd)}, backend)
    check_trees(layers, backend, how)
    return replace_layers(model, lambda layer: _OnBackend(layer, how), lambda tree: _TreeOnBackend(tree, how))

"""Derivatives of a layer's channels with respect to its weights, over windows of data."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve.compile import Layout, Planner, Windows

if TYPE_CHECKING:
    from quanvolve.analysis._layer_view import LayerView

Floats = npt.NDArray[np.float64]
_RANK = 1e-9
"""Singular values below this share of the largest one are rounding."""
_MOST_NUMBERS = 30_000_000
_AT_ONCE = 64
"""Weights by which is differentiated at the same time."""


def on_windows(layer: LayerView) -> Any:
    """An exact copy in double precision, without bias, for images that are single windows: a module like the layer."""
    copied = layer.with_circuits(layer.circuits).to("cpu", torch.float64)
    dims = layer.dims
    copied.geometry = replace(
        copied.geometry, stride=(1,) * dims, padding=(0,) * dims, dilation=(1,) * dims, padding_mode="zeros"
    )
    copied.bias = None
    return copied


def windows_of(layer: LayerView, images: Tensor, count: int, seed: int = 0) -> Tensor:
    """Some of the different windows of images, at random: shape (windows, channels, *kernel_size)."""
    batch = images.detach().to("cpu", torch.float64)
    view = layer.geometry.windows(batch).view()  # (images, 1, channels, *places, *window)
    rows = view.squeeze(1).movedim(1, 1 + layer.dims).reshape(-1, layer.in_channels, *layer.geometry.kernel_size)
    different = np.unique(rows.flatten(1).clone().numpy(), axis=0)
    if len(different) > count:
        different = different[np.random.default_rng(seed).choice(len(different), count, replace=False)]
    return torch.from_numpy(different).reshape(-1, *rows.shape[1:])


@dataclass(frozen=True)
class Jacobian:
    """Of a layer's channels over windows. A channel depends only on the circuits of its own filter.

    Args:
        values: of the channels, shape (windows, channels).
        blocks: for each filter the derivatives of its channels, shape (windows, channels, weights).
        names: for each filter those of its weights, such as "weights[0, 0, 1, 2]".
    """

    values: Floats
    blocks: tuple[Floats, ...]
    names: tuple[tuple[str, ...], ...]

    @property
    def largest(self) -> float:
        """The largest derivative."""
        return max((float(np.abs(block).max(initial=0.0)) for block in self.blocks), default=0.0)

    def rank(self) -> int:
        """How many directions of the weights change something."""
        return sum(_rank(block, self.largest) for block in self.blocks)

    def beyond_affine(self) -> Jacobian:
        """What no affine map of the channels, with the same coefficients for all windows, could do instead."""
        basis = np.column_stack([np.ones(len(self.values)), self.values])
        lengths = np.linalg.norm(basis, axis=0)
        left, sizes, _ = np.linalg.svd(basis / np.where(lengths > 0, lengths, 1.0), full_matrices=False)
        span = left[:, sizes > _RANK * sizes[0]]
        least = _RANK * self.largest

        def rest(block: Floats) -> Floats:
            flat = block.reshape(len(block), -1)
            for _ in range(2):
                flat = flat - span @ (span.T @ flat)
            return np.where(np.abs(flat) > least, flat, 0.0).reshape(block.shape)

        return replace(self, blocks=tuple(map(rest, self.blocks)))

    def without_effect(self, of: Jacobian | None = None) -> tuple[str, ...]:
        """The weights whose derivative vanishes, compared with the largest derivative (of another Jacobian)."""
        least = _RANK * (of or self).largest
        weights: list[str] = []
        for block, names in zip(self.blocks, self.names, strict=True):
            sizes = np.abs(block).max(axis=(0, 1), initial=0.0)
            weights += [name for name, size in zip(names, sizes, strict=True) if size <= least]
        return tuple(weights)


def _rank(columns: Floats, largest: float) -> int:
    if np.abs(columns).max(initial=0.0) <= _RANK * largest:
        return 0
    rows = columns.reshape(-1, columns.shape[-1])
    # Of the small square: R of a QR decomposition has the same singular values.
    sizes = np.linalg.svd(np.linalg.qr(rows, mode="r"), compute_uv=False)
    return int((sizes > _RANK * sizes[0] * math.sqrt(max(rows.shape))).sum())


def jacobian(layer: LayerView, windows: Tensor) -> Jacobian:
    """Exact derivatives by forward-mode differentiation, by the same weight of all circuits at once.

    Args:
        layer: of any kind with derivatives.
        windows: shape (windows, channels, *kernel_size).
    """
    groups, filters, mixed = layer.groups, layer.layout.filters, layer.layout.channels
    measured, a_group = layer.circuits[0].n_outputs, layer.out_channels // layer.groups
    # One group for each circuit's own input channels, so that nothing is summed.
    rows = sorted(layer.rows(), key=lambda row: (row.group, row.part, row.filter))
    layout = Layout(groups * mixed, filters, 1, filters * measured)
    circuits = [row.circuit for row in rows] if len(layer.circuits) > 1 else list(layer.circuits)
    plan = Planner(circuits, layout).choose(None)
    weights = {
        name: torch.stack([row.weights[name].detach().to("cpu", torch.float64) for row in rows])
        for name, _ in layer.circuits[0].weight_shapes
    }
    pixels = windows * layer.scale.detach().to("cpu", torch.float64) if isinstance(layer.scale, Tensor) else windows
    scale = 1.0 if isinstance(layer.scale, Tensor) else layer.scale
    each = [math.prod(weight.shape[1:]) for weight in weights.values()]
    whole = torch.cat(
        [torch.empty(len(rows), 0, dtype=torch.float64), *(w.reshape(len(w), -1) for w in weights.values())], dim=1
    )
    once = (1,) * layer.dims
    block = max(1, _MOST_NUMBERS // max(1, whole.numel() * measured))
    values, columns = [], []
    for some in pixels.split(block):
        where = Windows(
            some, layer.geometry.kernel_size, once, once, layout.groups, layer.channel_mixing == "joint", scale
        )

        def run(numbers: Tensor, where: Windows = where) -> Tensor:
            parts = numbers.split(each, dim=1)
            shaped = {n: part.reshape(w.shape) for (n, w), part in zip(weights.items(), parts, strict=True)}
            compiled = plan.compile(shaped, numbers, layout, None)
            return plan.evaluate(compiled, where, layout).flatten(1)

        def along(direction: Tensor, run: Callable[[Tensor], Tensor] = run) -> Tensor:
            derivative: Tensor = torch.func.jvp(run, (whole,), (direction.expand_as(whole),))[1]
            return derivative

        with torch.no_grad():
            values.append(run(whole).numpy())
        if whole.shape[1]:
            with warnings.catch_warnings():
                # Torch itself scripts functions when it first differentiates in forward mode.
                warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", DeprecationWarning)
                directions = torch.eye(whole.shape[1], dtype=torch.float64)
                columns.append(torch.func.vmap(along, chunk_size=_AT_ONCE)(directions).movedim(0, 2).numpy())
        else:
            columns.append(np.zeros((*values[-1].shape, 0)))
    form = (len(windows), groups, mixed, filters, measured)
    summed = np.concatenate(values).reshape(form).sum(axis=2).reshape(len(windows), groups, -1)[:, :, :a_group]
    parts = np.concatenate(columns).reshape(*form, -1)
    blocks, names = [], []
    for group in range(groups):
        for place in range(filters):
            used = min(measured, a_group - place * measured)
            derivatives = parts[:, group, :, place, :used].transpose(0, 2, 1, 3)
            blocks.append(np.ascontiguousarray(derivatives).reshape(len(windows), used, -1))
            names.append(_names(layer, group * filters + place))
    return Jacobian(summed.reshape(len(windows), -1), tuple(blocks), tuple(names))


def _names(layer: LayerView, place: int) -> tuple[str, ...]:
    """The weights of a filter: those of its first circuit, then those of the next."""
    return tuple(
        f"{name}[{', '.join(map(str, (place, mixed, *np.unravel_index(k, shape))))}]"
        for mixed in range(layer.layout.channels)
        for name, shape in layer.circuits[0].weight_shapes
        for k in range(math.prod(shape))
    )


def gradient_variance(layer: LayerView, windows: Tensor, draws: int, seed: int) -> float:
    """The mean square of a channel's derivative with respect to a weight of its filter, over random weights.

    Args:
        layer: whose `init` says how weights are drawn.
        windows: shape (windows, channels, *kernel_size); each draw takes the next one.
        draws: of all weights.
        seed: of the draws.

    References:
        McClean et al., Nat. Commun. 9, 4812 (2018), arXiv:1803.11173, equation 2: the variance of a derivative, whose
        mean is zero.
    """
    single = on_windows(layer)
    total, count = 0.0, 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for draw in range(draws):
            channel = single.channel(draw % layer.out_channels)
            single.reset_parameters()
            weights = {n: w.detach().clone().requires_grad_() for n, w in single.circuit_weights().items()}
            window = windows[draw % len(windows) : draw % len(windows) + 1]
            value = torch.func.functional_call(single, weights, (window,)).reshape(-1)[channel.number]
            gradients = torch.autograd.grad(value, list(weights.values()))
            for gradient in gradients:
                total += float((gradient[channel.filter] ** 2).sum())
                count += gradient[channel.filter].numel()
    return total / max(count, 1)

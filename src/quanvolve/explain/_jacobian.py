"""Derivatives of a layer's channels with respect to its weights, over windows of data."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

if TYPE_CHECKING:
    from quanvolve.nn import QuanvNd

Floats = npt.NDArray[np.float64]
_RANK = 1e-9
"""Singular values below this share of the largest one are rounding."""
_MOST_NUMBERS = 30_000_000
_AT_ONCE = 64
"""Weights by which is differentiated at the same time."""


def on_windows(layer: QuanvNd) -> QuanvNd:
    """An exact copy in double precision, without bias, for images that are single windows."""
    found = layer.with_circuits(layer.circuits).to("cpu", torch.float64)
    dims = layer.dims
    found.geometry = replace(
        layer.geometry, stride=(1,) * dims, padding=(0,) * dims, dilation=(1,) * dims, padding_mode="zeros"
    )
    found.bias = None
    return found


def windows_of(layer: QuanvNd, images: Tensor, count: int, seed: int = 0) -> Tensor:
    """Some of the different windows of images, at random: shape (windows, channels, *kernel_size)."""
    batch = images.detach().to("cpu", torch.float64)
    view = layer.geometry.windows(batch).view()  # (images, 1, channels, *places, *window)
    rows = view.squeeze(1).movedim(1, 1 + layer.dims).reshape(-1, layer.in_channels, *layer.geometry.kernel_size)
    different = np.unique(rows.flatten(1).numpy(), axis=0)
    if len(different) > count:
        different = different[np.random.default_rng(seed).choice(len(different), count, replace=False)]
    return torch.from_numpy(different).reshape(-1, *rows.shape[1:])


@dataclass(frozen=True)
class Jacobian:
    """Of a layer's channels over windows.

    Args:
        values: of the channels, shape (windows, channels).
        columns: derivatives, shape (windows, channels, weights).
        names: of the weights, such as "weights[0, 0, 1, 2]".
    """

    values: Floats
    columns: Floats
    names: tuple[str, ...]

    def rank(self) -> int:
        """How many directions of the weights change something."""
        return _rank(self.columns)

    def beyond_affine(self) -> Jacobian:
        """What no affine map of the channels, with the same coefficients for all windows, could do instead."""
        basis = np.column_stack([np.ones(len(self.values)), self.values])
        lengths = np.linalg.norm(basis, axis=0)
        left, sizes, _ = np.linalg.svd(basis / np.where(lengths > 0, lengths, 1.0), full_matrices=False)
        span = left[:, sizes > _RANK * sizes[0]]
        flat = self.columns.reshape(len(self.values), -1)
        flat = flat - span @ (span.T @ flat)
        flat = flat - span @ (span.T @ flat)
        rest = flat.reshape(self.columns.shape)
        rest = np.where(np.abs(rest) > _RANK * np.abs(self.columns).max(initial=0.0), rest, 0.0)
        return replace(self, columns=rest)

    def without_effect(self, of: Jacobian | None = None) -> tuple[str, ...]:
        """The weights whose derivative vanishes, compared with the largest derivative (of another Jacobian)."""
        sizes = np.abs(self.columns).max(axis=(0, 1), initial=0.0)
        largest = np.abs((of or self).columns).max(initial=0.0)
        return tuple(name for name, size in zip(self.names, sizes, strict=True) if size <= _RANK * largest)


def _rank(columns: Floats) -> int:
    if not np.abs(columns).max(initial=0.0):
        return 0
    rows = columns.reshape(-1, columns.shape[-1])
    # Of the small square: R of a QR decomposition has the same singular values.
    sizes = np.linalg.svd(np.linalg.qr(rows, mode="r"), compute_uv=False)
    return int((sizes > _RANK * sizes[0] * math.sqrt(max(rows.shape))).sum())


def jacobian(single: QuanvNd, windows: Tensor) -> Jacobian:
    """Exact derivatives by forward-mode differentiation, a block of windows at a time.

    Args:
        single: from :func:`on_windows`.
        windows: shape (windows, channels, *kernel_size).
    """
    weights = {name: weight.detach() for name, weight in single.circuit_weights().items()}
    flat = torch.cat([torch.empty(0, dtype=torch.float64), *(weight.flatten() for weight in weights.values())])
    names = tuple(
        f"{name}[{', '.join(map(str, np.unravel_index(k, weight.shape)))}]"
        for name, weight in weights.items()
        for k in range(weight.numel())
    )
    directions = torch.eye(len(flat), dtype=torch.float64)
    block = max(1, _MOST_NUMBERS // max(1, len(flat) * single.out_channels))
    values, columns = [], []
    for some in windows.split(block):

        def run(numbers: Tensor, some: Tensor = some) -> Tensor:
            parts = numbers.split([weight.numel() for weight in weights.values()])
            given = {n: part.reshape(w.shape) for (n, w), part in zip(weights.items(), parts, strict=True)}
            out: Tensor = torch.func.functional_call(single, given, (some,))
            return out.reshape(len(some), -1)

        def along(direction: Tensor, run: Callable[[Tensor], Tensor] = run) -> Tensor:
            found: Tensor = torch.func.jvp(run, (flat,), (direction,))[1]
            return found

        with torch.no_grad():
            values.append(run(flat).numpy())
        if len(flat):
            with warnings.catch_warnings():
                # Torch itself scripts functions when it first differentiates in forward mode.
                warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", DeprecationWarning)
                columns.append(torch.func.vmap(along, chunk_size=_AT_ONCE)(directions).movedim(0, 2).numpy())
        else:
            columns.append(np.zeros((len(some), single.out_channels, 0)))
    return Jacobian(np.concatenate(values), np.concatenate(columns), names)


def gradient_variance(layer: QuanvNd, windows: Tensor, draws: int, seed: int) -> float:
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
    group = layer.out_channels // layer.groups
    total, count = 0.0, 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for draw in range(draws):
            channel = draw % layer.out_channels
            single.reset_parameters()
            weights = {n: w.detach().clone().requires_grad_() for n, w in single.circuit_weights().items()}
            window = windows[draw % len(windows) : draw % len(windows) + 1]
            value = torch.func.functional_call(single, weights, (window,)).reshape(-1)[channel]
            found = torch.autograd.grad(value, list(weights.values()))
            place, output = divmod(channel, group)
            row = place * layer.layout.filters + output // layer.circuits[0].n_outputs
            for gradient in found:
                total += float((gradient[row] ** 2).sum())
                count += gradient[row].numel()
    return total / max(count, 1)

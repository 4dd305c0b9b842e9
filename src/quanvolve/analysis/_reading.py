"""What a channel reads: which pixels move its value, which it multiplies, and what a linear filter would see."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.analysis._anova import Floats, Pixel, divided, limit_of, observed, uniform
from quanvolve.analysis._channel_circuits import ChannelCircuit, channel_circuits
from quanvolve.analysis._pick_freeze import Estimated, estimated, sample

if TYPE_CHECKING:
    from quanvolve.analysis._layer_view import LayerView

_SEEN = 1e-6
"""Shares of the variance below this are rounding."""
_MOST_WINDOWS = 50_000
_CONSTANT = 1e-14


@dataclass(frozen=True)
class Reading:
    """What one channel reads. Shares are of the variance of its value, between 0 and 1.

    Attributes:
        channel: its number.
        mean, variance: of its value.
        first: for each pixel the share that is a function of it alone (first-order Sobol index).
        total: for each pixel the share that it takes part in (total Sobol index).
        pairs: for each pair of pixels (the smaller first) the share that is a function of both and of nothing less
            (second-order Sobol index); pairs without one are left out. They are what the channel multiplies.
        entanglement: the share that is lost without gates on two qubits, however the value is then scaled and shifted
            (one minus the squared correlation with the same circuit without them); 0 if entangling gates add
            nothing. None for a constant channel. Some of it another channel may have instead; `products` is what no
            circuit without such gates has, if each qubit encodes one pixel and each value is measured on one qubit.
        filter: for each pixel the weight in the closest linear filter (of least mean square error).
        filter_share: the share that this linear filter explains (R squared). None for a constant channel.
        error: the largest standard error of the shares above; 0 where they are exact up to rounding.
        method: how they were found.
    """

    channel: int
    mean: float
    variance: float
    first: tuple[float, ...]
    total: tuple[float, ...]
    pairs: dict[tuple[int, int], float]
    entanglement: float | None
    filter: tuple[float, ...]
    filter_share: float | None
    error: float
    method: str

    @property
    def pixels(self) -> tuple[int, ...]:
        """The pixels that it reads."""
        least = max(_SEEN, 2 * self.error)
        return tuple(k for k, share in enumerate(self.total) if share > least)

    @property
    def products(self) -> float:
        """The share that is no sum of functions of single pixels."""
        return max(0.0, 1.0 - math.fsum(self.first)) if self.variance > _CONSTANT else 0.0

    def __str__(self) -> str:
        if self.variance <= _CONSTANT:
            return f"ch{self.channel} is constant ({self.mean:.4f})"
        parts = [f"x{k} ({_percent(self.total[k])})" for k in sorted(self.pixels, key=lambda k: -self.total[k])[:4]]
        more = f" and {len(self.pixels) - 4} more" if len(self.pixels) > 4 else ""
        text = f"ch{self.channel} reads {', '.join(parts)}{more}"
        if self.products > max(_SEEN, 2 * self.error):
            best = sorted(self.pairs, key=lambda pair: -self.pairs[pair])[:2]
            named = ", ".join(f"x{i} x{j}" for i, j in best)
            text += f"; products make up {_percent(self.products)}" + (f" (mostly {named})" if named else "")
        else:
            text += "; it multiplies nothing" if len(self.pixels) > 1 else ""
        if self.entanglement is not None and self.entanglement > max(_SEEN, 2 * self.error):
            text += f"; without entangling gates {_percent(self.entanglement)} would be lost"
        else:
            text += "; entangling gates add nothing"
        text += f"; a linear filter explains {_percent(self.filter_share or 0.0)}"
        return f"{text} (standard errors up to {_percent(self.error)})" if self.error else text


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.0005 else "less than 0.1 %"


def reading(layer: LayerView, images: Any = None) -> list[Reading]:
    """What each channel of a layer reads of its windows.

    Pixels are taken to be independent of each other: all values in [0, 1] alike, or each with the values that it has
    in images. The linear filter alone is fitted to the windows of the images as they are, where these are given.

    Args:
        layer: a :class:`quanvolve.Quanv2d` or one of its siblings.
        images: shape (N, C, \\*size), as the layer takes them; an array or a tensor.

    Returns:
        One for each output channel. Pixels are numbered channel, row, column of the window.

    Raises:
        QuanvolveError: if the layer draws its values at random, or the images do not fit it.

    References:
        Sobol, Math. Comput. Simul. 55, 271 (2001), equations 2 to 5, for the indices. They are exact for product
        encodings and small windows; for others, Saltelli et al., Comput. Phys. Commun. 181, 259 (2010), table 2, over
        8,192 windows.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> layer = Quanv2d(1, 2, (1, 2), circuit="basic_entangler", n_layers=1, weights=[[[[0.0, 0.0]]]])
        >>> found = reading(layer)[1]
        >>> print(found)
        ch1 reads x0 (100.0 %), x1 (100.0 %); products make up 100.0 % (mostly x0 x1); without entangling gates 100.0 %
            would be lost; a linear filter explains less than 0.1 %
        >>> found.pairs
        {(0, 1): 1.0}
    """
    if layer.circuits[0].counts == "sampled":
        raise QuanvolveError(
            "the layer's values are bit strings drawn at random, so what they read cannot be told from chance: use "
            "readout='popcount_expected', which is their mean"
        )
    windows = None if images is None else _windows(layer, images)
    by_group: dict[int, tuple[list[Pixel], Floats | None]] = {}
    readings = []
    for channel in range(layer.out_channels):
        group = layer.channel(channel).group
        parts = channel_circuits(layer, channel)
        if group not in by_group:
            data = None if windows is None else windows[:, group].reshape(len(windows), -1)
            if data is None:
                pixels = [uniform(limit_of(part, k)) for part in parts for k in range(part.circuit.n_inputs)]
            else:
                pixels = [observed(data[:, k]) for k in range(data.shape[1])]
            by_group[group] = pixels, data
        pixels, data = by_group[group]
        bias = 0.0 if layer.bias is None else float(layer.bias[channel].detach())
        n_pixels = layer.in_channels * layer.geometry.window_size
        readings.append(_of_channel(channel, parts, pixels, data, bias, n_pixels))
    return readings


def _windows(layer: LayerView, images: Any) -> Floats:
    """All windows, or an even choice of them, before scaling: shape (windows, groups, channels, inputs)."""
    tensor = images if isinstance(images, Tensor) else torch.as_tensor(np.asarray(images))
    batch = tensor.detach().to("cpu", torch.float64)
    if batch.dim() != layer.dims + 2 or batch.shape[1] != layer.in_channels or not len(batch):
        raise QuanvolveError(
            f"`images` has shape {tuple(batch.shape)}, expected (N, {layer.in_channels}, and {layer.dims} more axes)"
        )
    view = layer.geometry.windows(batch, layer.groups, layer.channel_mixing == "joint")
    every = view.view()
    # Places become rows: (images, groups, channels, *places, *window).
    flat = every.movedim((1, 2), (1 + layer.dims, 2 + layer.dims)).reshape(-1, *every.shape[1:3], view.inputs)
    step = -(-len(flat) // _MOST_WINDOWS)
    return np.asarray(flat[::step].clone().numpy())


def _of_channel(
    channel: int, parts: list[ChannelCircuit], pixels: list[Pixel], data: Floats | None, bias: float, n_pixels: int
) -> Reading:
    first, total, covariances = np.zeros(n_pixels), np.zeros(n_pixels), np.zeros(n_pixels)
    pairs: dict[tuple[int, int], float] = {}
    mean, variance, error = bias, 0.0, 0.0
    together, plain = 0.0, 0.0
    methods = []
    start = 0
    for part in parts:
        part_pixels = pixels[start : start + part.circuit.n_inputs]
        start += len(part_pixels)
        estimate, (covariance, spread), how = _of_circuit(part, part_pixels)
        places = np.arange(part.first, part.first + len(part_pixels))
        first[places], total[places], covariances[places] = estimate.first, estimate.total, estimate.covariances
        for i, j in zip(*np.nonzero(np.triu(estimate.pairs, 1)), strict=True):
            pairs[int(places[i]), int(places[j])] = float(estimate.pairs[i, j])
        mean, variance, error = mean + estimate.mean, variance + estimate.variance, max(error, estimate.error)
        together, plain = together + covariance, plain + spread
        methods.append(how)
    constant = variance <= _CONSTANT
    without = 1.0 if plain <= _CONSTANT else max(0.0, 1.0 - together**2 / (plain * max(variance, _CONSTANT)))
    whole = 1.0 if constant else variance
    spreads = np.ones(n_pixels)
    spreads[_places(parts)] = [pixel.variance for pixel in pixels]
    weights = np.divide(covariances, spreads, out=np.zeros(n_pixels), where=spreads > 1e-300)
    share: float | None = float((weights**2 * spreads).sum() / whole)
    if data is not None:
        weights, share = _fitted(parts, data, n_pixels)
    least = max(_SEEN, 2 * error / whole)
    shares = {pair: size / whole for pair, size in sorted(pairs.items()) if size / whole > least}
    return Reading(
        channel,
        mean,
        variance,
        _shares(first, whole),
        _shares(total, whole),
        {} if constant else {pair: min(1.0, round(share, 12)) for pair, share in shares.items()},
        None if constant else without,
        tuple(weights.tolist()),
        None if constant or share is None else min(1.0, share),
        error / whole,
        "; ".join(dict.fromkeys(methods)),
    )


def _places(parts: list[ChannelCircuit]) -> list[int]:
    """The numbers of the pixels that the circuits read, in their order."""
    return [part.first + k for part in parts for k in range(len(part.scales))]


def _shares(parts: Floats, whole: float) -> tuple[float, ...]:
    return tuple(float(min(1.0, max(0.0, part / whole))) for part in parts)


def _of_circuit(part: ChannelCircuit, pixels: list[Pixel]) -> tuple[Estimated, tuple[float, float], str]:
    """The parts of one circuit's variance; its covariance with the value without entangling gates, and the variance of
    that; and the method."""
    plain = part.unentangled()
    try:
        full, other = divided([part, plain], pixels)
    except PlanError:
        windows = sample(pixels)[0]
        both = np.cov(part.of_pixels(windows).numpy(), plain.of_pixels(windows).numpy(), ddof=0)
        by = f"estimated, from {len(windows):,} windows"
        return estimated(part.of_pixels, pixels), (float(both[0, 1]), float(both[1, 1])), by
    squares = full.parts()
    count = squares.ndim
    whole = float(squares.sum() - squares[(0,) * count])

    def only(*axes: int) -> float:
        return float(squares[tuple(int(a in axes) for a in range(count))])

    first = np.array([only(k) for k in range(count)])
    total = np.array([float(squares.take(1, k).sum()) for k in range(count)])
    pairs = np.zeros((count, count))
    for i, j in itertools.combinations(range(count), 2):
        pairs[i, j] = only(i, j)
    pairs[pairs < _SEEN * whole] = 0.0
    covariance = float((full.entries * other.entries).sum()) - full.mean * other.mean
    spread = float((other.entries**2).sum()) - other.mean**2
    parts = Estimated(full.mean, whole, first, total, pairs, full.covariances(), 0.0)
    return parts, (covariance, spread), full.by


def _fitted(parts: list[ChannelCircuit], data: Floats, n_pixels: int) -> tuple[Floats, float | None]:
    """The linear filter of least squares over windows as they occur, and the share that it explains of the variance."""
    value = np.zeros(len(data))
    start = 0
    for part in parts:
        inputs = data[:, start : start + len(part.scales)]
        value += part.of_pixels(torch.from_numpy(np.ascontiguousarray(inputs))).numpy()
        start += len(part.scales)
    centred, around = data - data.mean(0), value - value.mean()
    solution = np.linalg.lstsq(centred, around, rcond=1e-9)[0]
    weights = np.zeros(n_pixels)
    weights[_places(parts)] = solution
    whole = float(around @ around)
    if whole <= _CONSTANT * len(data):
        return weights, None
    return weights, max(0.0, 1 - float(((around - centred @ solution) ** 2).sum()) / whole)

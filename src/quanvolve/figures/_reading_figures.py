"""What channels read, as pictures: heat maps on the window, responses to two pixels, and all of a filter in a row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from quanvolve._errors import QuanvolveError
from quanvolve.analysis import Reading, channel_circuits, reading
from quanvolve.figures._feature_maps_figure import DIVERGING, symmetric_limit
from quanvolve.figures._filter_figures import check_layer
from quanvolve.figures._style import (
    BLUE,
    DARK_ON,
    FONT,
    GREY,
    INK,
    LIGHT_ON,
    ORANGE,
    PAPER,
    SMALL,
    TEXT,
    TITLE,
    Array,
    as_array,
    check_pixels,
    colour_bar,
    frame,
    new_figure,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from quanvolve.analysis import LayerView

_STEPS = 41
_MIDDLE = 0.5
_LEAST_PAIR = 0.005
_AROUND_NUMBER = 0.25  # of a cell


def reading_figure(layer: LayerView, readings: Sequence[Reading] | None = None, *, max_channels: int = 16) -> Figure:
    """Which pixels of the window each channel reads, and which it multiplies.

    Args:
        layer: a :class:`quanvolve.Quanv2d` or one of its siblings.
        readings: from :func:`reading`; computed for pixels uniform in [0, 1] if not given.
        max_channels: how many channels to show at most.

    Returns:
        A figure with a panel for each channel. A cell is a pixel, its number the share of the variance that it takes
        part in, in percent; a line joins pixels that are multiplied, the wider the larger the share.

    Raises:
        QuanvolveError: if `layer` is no quantum convolution or `max_channels` is less than 1.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> figure = reading_figure(Quanv2d(1, 2, (1, 2), circuit="basic_entangler", n_layers=1, seed=0))
        >>> [text.get_text() for text in figure.axes[1].texts]
        ['100', '100']
    """
    chosen = _readings(layer, readings, max_channels)
    rows, columns = _window_form(layer)
    across = min(len(chosen), 8 if columns * rows <= 4 else 4)
    down = math.ceil(len(chosen) / across)
    cell = 0.55 if columns <= 3 else 0.42
    figure = new_figure(max(across * (columns * cell + 0.35) + 0.9, 4.2), down * (rows * cell + 0.75) + 0.75)
    grid = figure.subplots(down, across, squeeze=False)
    shown: Any = None
    for ax, channel_reading in zip(grid.flat, chosen, strict=False):
        shown = draw_reading(ax, layer, channel_reading, 72 * cell)
        frame(ax, f"ch {channel_reading.channel}")
        ax.set_xlabel(_caption(channel_reading), fontsize=SMALL - 1, color=GREY, family=FONT)
    for ax in list(grid.flat)[len(chosen) :]:
        ax.set_visible(False)
    which = "each channel reads" if len(chosen) == layer.out_channels else f"the first {len(chosen)} channels read"
    title = f"What {which} of its window; orange joins pixels that are multiplied"
    figure.suptitle(title, fontsize=TITLE, color=INK, family=FONT)
    colour_bar(figure, shown, grid, "share of the variance", fraction=0.04, pad=0.02, aspect=14 * down)
    return figure


def draw_reading(ax: Axes, layer: LayerView, channel_reading: Reading, points: float) -> Any:
    """The heat map of one channel; `points` is the side of a cell."""
    from matplotlib.colors import LinearSegmentedColormap

    rows, columns = _window_form(layer)
    shares = np.array(channel_reading.total).reshape(rows, columns)
    colours = LinearSegmentedColormap.from_list("reads", [PAPER, "#9CC9E6", BLUE, "#003F66"])
    shown = ax.imshow(shares, cmap=colours, vmin=0, vmax=1, interpolation="nearest")
    for (i, j), share in channel_reading.pairs.items():
        if share >= _LEAST_PAIR:
            ends = np.array([divmod(i, columns), divmod(j, columns)], dtype=float)
            step = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
            (r0, c0), (r1, c1) = ends[0] + _AROUND_NUMBER * step, ends[1] - _AROUND_NUMBER * step
            ax.plot([c0, c1], [r0, r1], color=ORANGE, linewidth=1 + 5 * share, alpha=0.9, solid_capstyle="round")
    for k, share in enumerate(channel_reading.total):
        r, c = divmod(k, columns)
        text = f"{100 * share:.0f}"
        dark = share > 0.45
        ax.text(
            c, r, text, ha="center", va="center", fontsize=min(TEXT, 0.34 * points), family=FONT,
            color=LIGHT_ON if dark else DARK_ON, zorder=6,
        )  # fmt: skip
    ax.set_xlim(-0.5, columns - 0.5)
    ax.set_ylim(rows - 0.5, -0.5)
    return shown


def _caption(channel_reading: Reading) -> str:
    if channel_reading.filter_share is None:
        return "constant"
    return f"products {100 * channel_reading.products:.0f} %\nlinear {100 * channel_reading.filter_share:.0f} %"


def response_figure(
    layer: LayerView, readings: Sequence[Reading] | None = None, *, pixels: tuple[int, int] | None = None,
    max_channels: int = 8,
) -> Figure:  # fmt: skip
    """The value of each channel over two pixels of its window, the others being 0.5.

    Args:
        layer: a :class:`quanvolve.Quanv2d` or one of its siblings.
        readings: from :func:`reading`, to choose the pixels by.
        pixels: which two, the same for all channels. Default: for each channel those that it multiplies most, or
            else those that it reads most.
        max_channels: how many channels to show at most.

    Raises:
        QuanvolveError: if `layer` is no quantum convolution, or there are no such pixels.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> figure = response_figure(Quanv2d(1, 2, (1, 2), circuit="basic_entangler", n_layers=1, seed=0))
        >>> figure.axes[1].get_xlabel(), figure.axes[1].get_ylabel()
        ('pixel x0', 'pixel x1')
    """
    chosen = _readings(layer, readings, max_channels)
    n_pixels = len(chosen[0].total)
    if n_pixels < 2:
        raise QuanvolveError("the window has one pixel, a response surface needs two")
    if pixels is not None and (len(set(pixels)) != 2 or not all(0 <= k < n_pixels for k in pixels)):
        raise QuanvolveError(f"`pixels` (={pixels}) must be two different numbers in 0 to {n_pixels - 1}")
    surfaces = [(pixels or chosen_pixels(channel_reading), channel_reading) for channel_reading in chosen]
    values = [surface(layer, channel_reading.channel, pair) for pair, channel_reading in surfaces]
    limit = symmetric_limit(np.array(values))
    across = min(len(chosen), 4)
    down = math.ceil(len(chosen) / across)
    figure = new_figure(across * 2.05 + 0.9, down * 2.1 + 0.45)
    grid = figure.subplots(down, across, squeeze=False)
    shown: Any = None
    for ax, (pair, channel_reading), value in zip(grid.flat, surfaces, values, strict=False):
        shown = draw_surface(ax, value, limit)
        tidy(ax, f"ch {channel_reading.channel}", f"pixel x{pair[0]}", f"pixel x{pair[1]}")
    for ax in list(grid.flat)[len(chosen) :]:
        ax.set_visible(False)
    figure.suptitle("Response to two pixels, the others 0.5", fontsize=TITLE, color=INK, family=FONT)
    colour_bar(figure, shown, grid, "measured value", fraction=0.04, pad=0.02, aspect=14 * down)
    return figure


def chosen_pixels(channel_reading: Reading) -> tuple[int, int]:
    """The two pixels that a channel multiplies most, or else reads most."""
    if channel_reading.pairs:
        return max(channel_reading.pairs, key=lambda pair: channel_reading.pairs[pair])
    order = sorted(range(len(channel_reading.total)), key=lambda k: -channel_reading.total[k])
    first, second = sorted(order[:2])
    return first, second


def surface(layer: LayerView, channel: int, pair: tuple[int, int]) -> Array:
    """Values of a channel, shape (second pixel, first pixel)."""
    steps = torch.linspace(0, 1, _STEPS, dtype=torch.float64)
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    whole = torch.full((_STEPS**2, layer.in_channels * layer.geometry.window_size), _MIDDLE, dtype=torch.float64)
    whole[:, pair[0]], whole[:, pair[1]] = columns.flatten(), rows.flatten()
    value = torch.zeros(len(whole), dtype=torch.float64)
    for part in channel_circuits(layer, channel):
        value += part.of_pixels(whole[:, part.first : part.first + len(part.scales)])
    if layer.bias is not None:
        value += layer.bias[channel].detach().cpu().double()
    return value.reshape(_STEPS, _STEPS).numpy()


def draw_surface(ax: Axes, values: Array, limit: float) -> Any:
    """Colours, and contours at quarters of the range."""
    ends = (0.0, 1.0, 0.0, 1.0)
    shown = ax.imshow(
        values, cmap=DIVERGING, vmin=-limit, vmax=limit, origin="lower", extent=ends, interpolation="bilinear"
    )
    if float(np.ptp(values)) > 1e-6:
        levels = [level * limit for level in (-0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75)]
        ax.contour(values, levels=levels, origin="lower", extent=ends, colors=GREY, linewidths=0.5, linestyles="-")
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    return shown


def gallery_figure(
    layer: LayerView, image: Any, readings: Sequence[Reading] | None = None, *, max_channels: int = 8
) -> Figure:
    """A row for each channel: what it reads, its closest linear filter, its response to two pixels, and its map.

    Args:
        layer: a :class:`quanvolve.Quanv2d`.
        image: shape (H, W) or (C, H, W), pixels in [0, 1].
        readings: from :func:`reading`; computed for pixels uniform in [0, 1] if not given.
        max_channels: how many channels to show at most.

    Raises:
        QuanvolveError: if `layer` is not over images, or the image does not fit it.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> layer = Quanv2d(1, 2, 2, stride=2, circuit="basic_entangler", n_layers=1, seed=0)
        >>> figure = gallery_figure(layer, np.linspace(0, 1, 64).reshape(8, 8))
        >>> [ax.get_title() for ax in figure.axes[:5]]
        ['reads', 'closest linear filter', 'response', 'feature map', '']
    """
    check_layer(layer)
    pixels = as_array("image", image)
    pixels = pixels[None] if pixels.ndim == 2 else pixels
    if layer.dims != 2 or pixels.ndim != 3 or pixels.shape[0] != layer.in_channels:
        raise QuanvolveError(
            f"`image` has shape {np.shape(image)}, expected (C, H, W) with {layer.in_channels} channel(s), and a "
            "Quanv2d"
        )
    check_pixels("image", pixels)
    chosen = _readings(layer, readings, max_channels)
    like = next(iter((*layer.parameters(), *layer.buffers())), torch.empty(0))
    with torch.no_grad():
        maps = as_array("maps", layer(torch.as_tensor(pixels).to(like)))
    rows, columns = _window_form(layer)
    pairs = [chosen_pixels(channel_reading) if len(channel_reading.total) > 1 else None for channel_reading in chosen]
    values = [
        np.zeros((2, 2)) if p is None else surface(layer, o.channel, p) for o, p in zip(chosen, pairs, strict=True)
    ]
    limit = symmetric_limit(np.concatenate([maps[: len(chosen)].ravel(), np.array(values).ravel()]))
    weights = symmetric_limit(np.array([channel_reading.filter for channel_reading in chosen]))
    figure = new_figure(7.6, 1.5 * len(chosen) + 0.7)
    grid = figure.subplots(len(chosen), 4, squeeze=False, width_ratios=[1, 1, 1, 1.15])
    bar: Any = None
    for row, (channel_reading, pair, value) in enumerate(zip(chosen, pairs, values, strict=True)):
        first = row == 0
        draw_reading(grid[row, 0], layer, channel_reading, 72 * 1.1 / max(rows, columns))
        frame(grid[row, 0], "reads" if first else "")
        grid[row, 0].set_ylabel(f"ch {channel_reading.channel}", fontsize=TEXT, color=INK, family=FONT)
        linear = np.array(channel_reading.filter).reshape(rows, columns)
        grid[row, 1].imshow(linear, cmap="PuOr_r", vmin=-weights, vmax=weights, interpolation="nearest")
        frame(grid[row, 1], "closest linear filter" if first else "")
        share = (
            "constant"
            if channel_reading.filter_share is None
            else f"explains {100 * channel_reading.filter_share:.0f} %"
        )
        grid[row, 1].set_xlabel(share, fontsize=SMALL - 1, color=GREY, family=FONT)
        draw_surface(grid[row, 2], value, limit)
        frame(grid[row, 2], "response" if first else "")
        if pair is not None:
            grid[row, 2].set_xlabel(f"x{pair[0]} 0 to 1", fontsize=SMALL - 1, color=GREY, family=FONT)
            grid[row, 2].set_ylabel(f"x{pair[1]}", fontsize=SMALL - 1, color=GREY, family=FONT)
        bar = grid[row, 3].imshow(
            maps[channel_reading.channel], cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest"
        )
        frame(grid[row, 3], "feature map" if first else "")
    colour_bar(figure, bar, grid[:, 3], "measured value", fraction=0.08, pad=0.04, aspect=14 * len(chosen))
    return figure


def _readings(layer: LayerView, readings: Sequence[Reading] | None, max_channels: int) -> list[Reading]:
    check_layer(layer)
    if max_channels < 1:
        raise QuanvolveError(f"`max_channels` (={max_channels}) must be at least 1")
    chosen = list(reading(layer) if readings is None else readings)[:max_channels]
    if not chosen:
        raise QuanvolveError("`readings` is empty, expected one for each channel")
    return chosen


def _window_form(layer: LayerView) -> tuple[int, int]:
    """Rows and columns of the window as it is drawn; channels and slices stand below each other."""
    columns = layer.geometry.kernel_size[-1]
    return layer.in_channels * layer.geometry.window_size // columns, columns

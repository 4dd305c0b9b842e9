"""An image's windows, and one of them with its pixels as angles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from quanvolve.figures._style import BLUE, DARK_ON, FONT, LIGHT_ON, PALE, RED, Array, as_array, frame, show_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from quanvolve.analysis import LayerView

_MOST_PIXELS, _LETTERS = 18, 10.5
_BRIGHTEST = 0.998  # and not the colour of paper, which dark pictures exchange


def _windows(layer: LayerView, pixels: Array) -> Array:
    """Shape (C, rows, columns, kH, kW)."""
    return as_array("windows", layer.geometry.windows(torch.as_tensor(pixels)[None]).view()[0, 0])


def window_of_contrast(layer: LayerView, pixels: Array) -> tuple[int, int]:
    """The place of the window whose pixels differ most: the one with most to show."""
    spread = _windows(layer, pixels).var(axis=(3, 4)).sum(0)
    row, column = np.unravel_index(int(spread.argmax()), spread.shape)
    return int(row), int(column)


def _corner(layer: LayerView, place: tuple[int, int]) -> tuple[float, float]:
    """Where a window begins: row and column of its first pixel, which may lie in the padding."""
    (top, _), (left, _) = layer.geometry.sides()
    stride = layer.geometry.stride
    return place[0] * stride[0] - top - 0.5, place[1] * stride[1] - left - 0.5


def draw_windows(ax: Axes, layer: LayerView, pixels: Array, place: tuple[int, int]) -> None:
    """The image with the border of each window, one of them marked."""
    from matplotlib.patches import Rectangle

    show_image(ax, pixels)
    geometry = layer.geometry
    rows, columns = geometry.output_size(pixels.shape[1:])
    (top, bottom), (left, right) = geometry.sides()
    ax.set_facecolor(PALE)
    ax.set_xlim(-0.5 - left, pixels.shape[2] - 0.5 + right)
    ax.set_ylim(pixels.shape[1] - 0.5 + bottom, -0.5 - top)
    frame(ax)
    apart = all(s >= n for s, n in zip(geometry.stride, geometry.span, strict=True))
    # Windows that overlap would make a grid in which no window can be seen: two neighbours show the step instead.
    if apart:
        others = [(row, column) for row in range(rows) for column in range(columns)]
    else:
        row, column = place
        others = [(row, min(column + 1, columns - 1)), (min(row + 1, rows - 1), column)]
    for other in others:
        y, x = _corner(layer, other)
        ax.add_patch(
            Rectangle(
                (x, y),
                geometry.span[1],
                geometry.span[0],
                fill=False,
                edgecolor=BLUE,
                linewidth=0.6 if apart else 1.2,
                linestyle="-" if apart else "--",
            )
        )
    y, x = _corner(layer, place)
    ax.add_patch(
        Rectangle((x, y), geometry.span[1], geometry.span[0], fill=False, edgecolor=RED, linewidth=2.5, zorder=5)
    )


def draw_window(ax: Axes, layer: LayerView, pixels: Array, place: tuple[int, int], inches: tuple[float, float]) -> None:
    """The pixels that the first circuit reads, in reading order; its input channels below each other."""
    from matplotlib.patches import Rectangle

    kh, kw = layer.geometry.kernel_size
    inputs = layer.circuits[0].n_inputs
    read = _windows(layer, pixels)[:, place[0], place[1]].reshape(-1)[:inputs]
    tiles = inputs // (kh * kw)
    scales = layer.channel(0).rows[0].scale.tolist()
    wide, tall = kw, tiles * kh + 0.3 * (tiles - 1)
    ax.set_xlim(-0.03 * wide, wide * 1.03)
    ax.set_ylim(tall + 0.03 * wide, -0.03 * wide)
    ax.set_aspect("equal")
    ax.set_axis_off()
    points = 72 * min(inches[0] / wide, inches[1] / tall)
    for index, value in enumerate(read):
        tile, inside = divmod(index, kh * kw)
        row, column = divmod(inside, kw)
        y = tile * (kh + 0.3) + row
        ax.add_patch(
            Rectangle(
                (column, y), 1, 1, facecolor=str(float(np.clip(value, 0, _BRIGHTEST))), edgecolor=RED, linewidth=2
            )
        )
        if inputs > _MOST_PIXELS:
            continue
        angle = f"{value * scales[index]:.2f}"
        lines = f"x{index} = {value:.2f}\n→ {angle} rad" if wide <= 2 and tiles == 1 else f"x{index}\n{angle}"
        ax.text(
            column + 0.5,
            y + 0.5,
            lines,
            ha="center",
            va="center",
            fontsize=min(_LETTERS, points / (6.9 if wide <= 2 and tiles == 1 else 3.2)),
            color=LIGHT_ON if value < 0.5 else DARK_ON,
            family=FONT,
            linespacing=1.5,
        )

"""What the quantum channels of images look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.figures._style import (
    FONT,
    GREY,
    INK,
    SMALL,
    TITLE,
    Array,
    as_array,
    check_pixels,
    frame,
    new_figure,
    style_bar,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DIVERGING = "RdBu_r"  # ColorBrewer's, safe for all common forms of colour vision; white is exactly zero
_LEFT, _BAR, _TOP, _FOOT, _GAP = 0.35, 0.85, 0.62, 0.06, 0.06  # inches


def feature_maps_figure(
    images: Any, maps: Any, *, labels: Sequence[Any] | None = None, max_channels: int = 16
) -> Figure:
    """Images, and beside each its quantum channels on one common colour scale around zero.

    Args:
        images: shape (k, H, W) or (k, C, H, W), pixels in [0, 1].
        maps: shape (k, channels, H', W'), what the layer made of them.
        labels: k names to stand beside the images.
        max_channels: how many channels to show at most; the title says if there are more.

    Returns:
        A figure with axes for the images, for each channel and for the scale; in each the rows are the images.

    Raises:
        QuanvolveError: if shapes do not fit each other, or values are not finite or no pixels.

    Examples:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> figure = feature_maps_figure(rng.random((2, 8, 8)), rng.random((2, 4, 4, 4)) - 0.5)
        >>> [ax.get_title() for ax in figure.axes[:5]]
        ['image', 'ch 0', 'ch 1', 'ch 2', 'ch 3']
    """
    pixels, values = _checked(images, maps, labels, max_channels)
    rows, channels = values.shape[:2]
    count = min(channels, max_channels)
    limit = symmetric_limit(values[:, :count])
    cell = 1.25 if count <= 6 else 0.95
    tall = max(pixels.shape[2] / pixels.shape[3], 0.2)
    wide, high = _LEFT + (count + 1) * cell + _BAR, _TOP + rows * cell * tall + _FOOT
    figure = new_figure(wide, high, constrained=False)

    def column(number: int, title: str, cells: Array, **options: Any) -> Any:
        """Cells (rows, height, width) or (rows, height, width, 4) below each other, in axes of their own."""
        place = (_LEFT + number * cell) / wide, _FOOT / high, (cell - _GAP) / wide, (high - _TOP - _FOOT) / high
        ax = figure.add_axes(place, xticks=(), yticks=())
        shown = _stacked(ax, cells, _GAP / (cell * tall), **options)
        frame(ax, title)
        return shown

    first = column(0, "image", _in_colours(pixels), cmap="gray", vmin=0, vmax=1)
    if labels is not None:
        names = [str(label) for label in labels]
        middles = [row + 0.5 for row in range(rows)]
        first.axes.set_yticks(
            middles, names, rotation=90, va="center", fontsize=SMALL, color=INK, family=FONT, parse_math=False
        )
        first.axes.tick_params(axis="y", length=0)
    scale: dict[str, Any] = {"cmap": DIVERGING, "vmin": -limit, "vmax": limit}
    shown = [column(k + 1, f"ch {k}", values[:, k], **scale) for k in range(count)][-1]
    which = f"the first {count} of {channels}" if count < channels else "their"
    title_at = 1 - 0.2 / high
    figure.suptitle(f"Images and {which} quantum channels", fontsize=TITLE, color=INK, family=FONT, y=title_at)
    place = ((wide - _BAR + 0.08) / wide, (_FOOT + _GAP) / high, 0.12 / wide, (high - _TOP - _FOOT - _GAP) / high)
    style_bar(figure.colorbar(shown, cax=figure.add_axes(place)), "measured value")
    return figure


def _in_colours(pixels: Array) -> Array:
    """Images (k, C, H, W) as they are drawn: three channels in colour, (k, H, W, 4), any other number by their mean."""
    if pixels.shape[1] != 3:
        grey: Array = pixels.mean(1)
        return grey
    return np.concatenate([np.clip(pixels, 0, 1).transpose(0, 2, 3, 1), np.ones((*pixels[:, 0].shape, 1))], axis=3)


def _stacked(ax: Axes, cells: Array, gap: float, **options: Any) -> Any:
    """Cells below each other, cell k from k to k + 1 on the vertical axis, each with a frame; what is drawn last.

    Each in axes of its own would take matplotlib longer than all else of a small training.
    """
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    for row, shown in enumerate(cells):
        last = ax.imshow(shown, extent=(0, 1, row + 1 - gap, row), interpolation="nearest", aspect="auto", **options)
    frames = [Rectangle((0, row), 1, 1 - gap) for row in range(len(cells))]
    ax.add_collection(PatchCollection(frames, facecolor="none", edgecolor=GREY, linewidth=0.6, clip_on=False))
    ax.set(xlim=(0, 1), ylim=(len(cells), 0))
    for spine in ax.spines.values():
        spine.set_visible(False)
    return last


def symmetric_limit(values: Array) -> float:
    """The end of a colour scale around zero; 1 where everything is zero."""
    return float(np.abs(values).max(initial=0.0)) or 1.0


def _checked(images: Any, maps: Any, labels: Any, max_channels: int) -> tuple[Array, Array]:
    pixels, values = as_array("images", images), as_array("maps", maps)
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    if pixels.ndim != 4 or not pixels.size:
        raise QuanvolveError(f"`images` has shape {pixels.shape}, expected (k, H, W) or (k, C, H, W)")
    if values.ndim != 4 or not values.size:
        raise QuanvolveError(f"`maps` has shape {values.shape}, expected (k, channels, H', W')")
    if len(values) != len(pixels):
        raise QuanvolveError(f"`maps` has {len(values)} rows, `images` has {len(pixels)}")
    if labels is not None and len(labels) != len(pixels):
        raise QuanvolveError(f"`labels` has {len(labels)} names, `images` has {len(pixels)} images")
    if max_channels < 1:
        raise QuanvolveError(f"`max_channels` (={max_channels}) must be at least 1")
    check_pixels("images", pixels)
    return pixels, values

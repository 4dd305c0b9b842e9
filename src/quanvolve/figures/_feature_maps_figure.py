"""What the quantum channels of images look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.figures._style import (
    FONT,
    INK,
    SMALL,
    TITLE,
    Array,
    as_array,
    check_pixels,
    frame,
    new_figure,
    show_image,
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
        A figure with a row for each image.

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
    # Of this many axes a layout of matplotlib's takes longer than all else of a small training.
    figure = new_figure(wide, high, constrained=False)

    def axes(row: int, column: int) -> Axes:
        left, low = _LEFT + column * cell, high - _TOP - (row + 1) * cell * tall
        inside = cell - _GAP, cell * tall - _GAP
        return figure.add_axes((left / wide, low / high, inside[0] / wide, inside[1] / high), xticks=(), yticks=())

    shown: Any = None
    for row in range(rows):
        first = axes(row, 0)
        show_image(first, pixels[row])
        frame(first, "image" if row == 0 else "")
        if labels is not None:
            first.set_ylabel(str(labels[row]), fontsize=SMALL, color=INK, family=FONT, parse_math=False)
        for channel in range(count):
            ax = axes(row, channel + 1)
            shown = ax.imshow(values[row, channel], cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest")
            frame(ax, f"ch {channel}" if row == 0 else "")
    which = f"the first {count} of {channels}" if count < channels else "their"
    title_at = 1 - 0.2 / high
    figure.suptitle(f"Images and {which} quantum channels", fontsize=TITLE, color=INK, family=FONT, y=title_at)
    place = ((wide - _BAR + 0.08) / wide, (_FOOT + _GAP) / high, 0.12 / wide, (high - _TOP - _FOOT - _GAP) / high)
    style_bar(figure.colorbar(shown, cax=figure.add_axes(place)), "measured value")
    return figure


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

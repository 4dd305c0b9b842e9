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
    colour_bar,
    frame,
    new_figure,
    show_image,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIVERGING = "RdBu_r"  # ColorBrewer's, safe for all common forms of colour vision; white is exactly zero


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
    figure = new_figure((count + 1) * cell + 1.1, rows * cell * tall + 0.75)
    grid = figure.subplots(rows, count + 1, squeeze=False)
    shown: Any = None
    for row in range(rows):
        show_image(grid[row, 0], pixels[row])
        frame(grid[row, 0], "image" if row == 0 else "")
        if labels is not None:
            grid[row, 0].set_ylabel(str(labels[row]), fontsize=SMALL, color=INK, family=FONT, parse_math=False)
        for channel in range(count):
            ax = grid[row, channel + 1]
            shown = ax.imshow(values[row, channel], cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest")
            frame(ax, f"ch {channel}" if row == 0 else "")
    which = f"the first {count} of {channels}" if count < channels else "their"
    figure.suptitle(f"Images and {which} quantum channels", fontsize=TITLE, color=INK, family=FONT)
    colour_bar(figure, shown, grid, "measured value", fraction=0.03, pad=0.01, aspect=12 * rows)
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

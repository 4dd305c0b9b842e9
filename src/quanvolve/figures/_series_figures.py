"""What the quantum channels of time series look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quanvolve._errors import QuanvolveError
from quanvolve.figures._feature_maps_figure import DIVERGING, symmetric_limit
from quanvolve.figures._style import BLUE, GREEN, ORANGE, RED, SMALL, TITLE, as_array, colour_bar, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_CHANNELS = 32


def series_figure(series: Any, maps: Any, *, labels: Sequence[Any] | None = None) -> Figure:
    """Time series as lines, and beside each its quantum channels as a heat map on one common scale around zero.

    Args:
        series: shape (k, C, L), in [0, 1].
        maps: shape (k, channels, L'), what the layer made of them.
        labels: k names to stand over the series.

    Returns:
        A figure with a row for each series.

    Raises:
        QuanvolveError: if shapes do not fit each other, or values are not finite.

    Examples:
        >>> import numpy as np
        >>> figure = series_figure(np.zeros((2, 1, 30)), np.zeros((2, 4, 10)), labels=["a", "b"])
        >>> [ax.get_title(loc="left") for ax in figure.axes[:4]]
        ['a', '4 channels', 'b', '4 channels']
    """
    lines, values = as_array("series", series), as_array("maps", maps)
    if lines.ndim != 3 or values.ndim != 3 or len(lines) != len(values) or not lines.size or not values.size:
        raise QuanvolveError(
            f"`series` and `maps` have shapes {lines.shape} and {values.shape}, expected (k, C, L) and "
            "(k, channels, L')"
        )
    names = [str(label) for label in labels] if labels is not None else [f"series {i}" for i in range(len(lines))]
    if len(names) != len(lines):
        raise QuanvolveError(f"`labels` has {len(names)} names, expected {len(lines)}, one for each series")
    count = min(values.shape[1], _MOST_CHANNELS)
    limit = symmetric_limit(values[:, :count])
    figure = new_figure(9.0, 0.7 + 1.45 * len(lines))
    axes = figure.subplots(len(lines), 2, squeeze=False)
    shown = None
    for row, (line, channels, name) in enumerate(zip(lines, values, names, strict=True)):
        left, right = axes[row]
        last = row == len(lines) - 1
        for number, channel in enumerate(line):
            left.plot(channel, color=(BLUE, ORANGE, GREEN, RED)[number % 4], linewidth=1.2)
        tidy(left, "", "position in the series" if last else "", "value")
        left.set_title(name, loc="left", fontsize=SMALL)
        left.margins(x=0)
        shown = right.imshow(
            channels[:count], cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest"
        )
        tidy(right, "", "window" if last else "", "channel")
        more = f", the first {count} shown" if count < len(channels) else ""
        right.set_title(f"{len(channels)} channels{more}", loc="left", fontsize=SMALL)
    colour_bar(figure, shown, axes[:, 1].tolist(), "measured value")
    figure.suptitle("Series and their quantum channels", fontsize=TITLE)
    return figure

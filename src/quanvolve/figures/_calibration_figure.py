"""A device's filters beside the ideal ones: feature maps, and how well held-out settings were predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from quanvolve._errors import QuanvolveError
from quanvolve.figures._style import BLUE, FONT, GREY, INK, ORANGE, SMALL, TEXT, frame, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[Any]
_CHANNELS = 4


def calibration_figure(
    maps: Mapping[str, Array], measured: Array, predicted: Array, errors: Array, *, device: str = "the device"
) -> Figure:
    """Feature maps of one image by several forms of the same filters, and the test of a calibration.

    Args:
        maps: by name, such as "ideal" and "calibrated", arrays (channels, H, W) with values in [-1, 1]; up to four
            channels are shown, in the same colours.
        measured, predicted: values in the settings that took no part in the fit, of one shape.
        errors: standard errors of their differences, of that shape.
        device: its name.

    Returns:
        A figure: a row of maps for each form, and beside them predictions over measurements with error bars.

    Raises:
        QuanvolveError: if shapes do not fit each other.

    Examples:
        >>> ideal = np.linspace(-1, 1, 32).reshape(2, 4, 4)
        >>> figure = calibration_figure({"ideal": ideal, "device": 0.8 * ideal}, ideal, ideal, 0.1 + 0 * ideal)
        >>> figure.axes[-1].get_xlabel()
        'measured on the device'
    """
    shapes = {np.shape(feature_map) for feature_map in maps.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 3:
        raise QuanvolveError(f"`maps` must be arrays (channels, H, W) of one shape, got the shapes {sorted(shapes)}")
    if not np.shape(measured) == np.shape(predicted) == np.shape(errors):
        raise QuanvolveError(
            f"`measured`, `predicted` and `errors` must have one shape, got {np.shape(measured)}, "
            f"{np.shape(predicted)} and {np.shape(errors)}"
        )
    channels = min(_CHANNELS, next(iter(shapes))[0])
    figure = new_figure(1.55 * channels + 5.6, max(3.6, 1.65 * len(maps) + 0.5))
    parts: Any = figure.subfigures(1, 2, width_ratios=[1.55 * channels + 1.0, 4.6])
    left, right = parts
    grid = left.subplots(len(maps), channels, squeeze=False)
    for row, (name, values) in zip(grid, maps.items(), strict=True):
        for channel, ax in enumerate(row):
            shown = ax.imshow(values[channel], cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
            frame(ax, f"channel {channel}" if ax in grid[0] else "")
        row[0].set_ylabel(name, fontsize=TEXT, color=INK, family=FONT)
    bar = left.colorbar(shown, ax=grid, fraction=0.04, pad=0.02)
    bar.ax.tick_params(labelsize=SMALL, colors=GREY, labelcolor=INK)
    ax = right.subplots()
    flat = np.ravel(measured)
    ax.plot([-1, 1], [-1, 1], color=GREY, linewidth=0.8, zorder=1)
    ax.errorbar(
        flat, np.ravel(predicted), yerr=np.ravel(errors), fmt="o", markersize=3, linewidth=0.8, color=BLUE,
        ecolor=ORANGE, zorder=2,
    )  # fmt: skip
    pulls = (np.ravel(predicted) - flat) / np.maximum(np.ravel(errors), 1e-12)
    inside = float(np.mean(np.abs(pulls) <= 1))
    tidy(ax, f"Settings not used in the fit: {inside:.0%} within one error", f"measured on {device}", "predicted")
    low, high = float(min(flat.min(), np.min(predicted))), float(max(flat.max(), np.max(predicted)))
    margin = 0.06 * (high - low) + 0.02
    ax.set_xlim(low - margin, high + margin)
    ax.set_ylim(low - margin, high + margin)
    return figure

"""How far the numbers that a model predicts are from the true ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.figures._style import BLUE, FONT, GREY, INK, PALE, RED, SMALL, as_array, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_TARGETS = 6
"""Targets that are drawn, a row each."""


def residuals_figure(truth: Any, predicted: Any) -> Figure:
    """Predictions against true numbers, and what is left of the difference.

    Args:
        truth: the true numbers, shape (n,), or (n, targets) of which the first six are drawn.
        predicted: the same shape.

    Returns:
        A figure with a row for each target: on the left predictions against true numbers, whose distance from the line
        is the error; on the right the error against the prediction, with the root of its mean square as a band.

    Raises:
        QuanvolveError: if the shapes differ, or numbers are not finite.

    Examples:
        >>> figure = residuals_figure([1.0, 2.0, 3.0], [1.5, 2.0, 2.5])
        >>> [ax.get_title(loc="left") for ax in figure.axes]
        ['3 test samples, R² 0.75', 'Errors, RMSE 0.4082']
    """
    true, found = as_array("truth", truth), as_array("predicted", predicted)
    if true.shape != found.shape or true.ndim not in (1, 2) or not true.size:
        raise QuanvolveError(
            f"`predicted` has shape {found.shape}, expected {true.shape} as `truth`: (n,) or (n, targets)"
        )
    single = true.ndim == 1 or true.shape[1] == 1
    true, found = true.reshape(len(true), -1), found.reshape(len(found), -1)
    rows = min(true.shape[1], _MOST_TARGETS)
    figure = new_figure(9.0, 0.4 + 3.6 * rows)
    for row, (left, right) in enumerate(figure.subplots(rows, 2, squeeze=False)):
        name = "" if single else f"Target {row + 1}: "
        _fit(left, true[:, row], found[:, row], name)
        _errors(right, true[:, row], found[:, row])
    return figure


def _fit(ax: Axes, true: Any, found: Any, name: str) -> None:
    total = float(((true - true.mean()) ** 2).sum())
    share = 1 - float(((true - found) ** 2).sum()) / total if total else 0.0
    text = f"{name}{len(true)} test samples, R² {share:.2f}"
    low, high = _limits(np.concatenate([true, found]))
    ax.plot([low, high], [low, high], color=GREY, linewidth=1.0, zorder=1)
    ax.annotate(
        "exact", (high, high), xytext=(-22, -3), textcoords="offset points", ha="right", va="top", rotation=0,
        fontsize=SMALL, color=GREY, family=FONT,
    )  # fmt: skip
    _points(ax, true, found)
    tidy(ax, text, "true", "predicted")
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    ax.set_aspect("equal", adjustable="box")
    ax.grid(True, color=PALE, linewidth=0.6)


def _errors(ax: Axes, true: Any, found: Any) -> None:
    error = found - true
    root = float(np.sqrt((error**2).mean()))
    ax.axhspan(-root, root, color=RED, alpha=0.12, linewidth=0, zorder=0, label="± RMSE")
    ax.axhline(0, color=GREY, linewidth=1.0, zorder=1)
    _points(ax, found, error)
    tidy(ax, f"Errors, RMSE {root:.4g}", "predicted", "predicted minus true")
    far = 1.15 * max(float(np.abs(error).max()), root) or 1.0
    ax.set_xlim(*_limits(found))
    ax.set_ylim(-far, far)
    ax.grid(True, color=PALE, linewidth=0.6)
    ax.legend(frameon=False, fontsize=SMALL, labelcolor=INK, loc="upper right")


def _points(ax: Axes, x: Any, y: Any) -> None:
    # Many points are small and faint, so that where they are dense is seen.
    many = len(x) > 300
    ax.scatter(x, y, s=8 if many else 22, color=BLUE, alpha=0.35 if many else 0.65, linewidths=0, zorder=2)
    ax.set_axisbelow(True)


def _limits(values: Any) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = 0.05 * (high - low) or max(abs(low), 1.0) * 0.05
    return low - room, high + room

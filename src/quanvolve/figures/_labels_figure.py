"""How well a model finds each of several labels that samples may have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.figures._style import BLUE, FONT, INK, PALE, SMALL, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_LABELS = 40
_MOST_LETTERS = 24
_ROW, _HEAD = 0.3, 1.0


def labels_figure(scores: Mapping[str, tuple[float, int]]) -> Figure:
    """The F1 of each label, and how many samples have it, from the best to the worst.

    Args:
        scores: by the name of the label its F1, between 0 and 1, and in how many test samples it occurs.

    Returns:
        A figure with a bar for each label; of more than 40 the 40 worst.

    Raises:
        QuanvolveError: if there is no label, or a score is not between 0 and 1.

    Examples:
        >>> figure = labels_figure({"cat": (0.75, 12), "dog": (0.9, 7)})
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['dog (7)', 'cat (12)']
    """
    if not scores:
        raise QuanvolveError("`scores` has no label, expected an F1 and a number of samples for each")
    for name, (f1, _) in scores.items():
        if not 0 <= f1 <= 1:
            raise QuanvolveError(f"`scores` has the F1 {f1!r} for {name!r}, expected a number from 0 to 1")
    ordered = sorted(scores.items(), key=lambda entry: -entry[1][0])
    shown = ordered[-_MOST_LABELS:]
    figure = new_figure(7.5, _HEAD + _ROW * len(shown))
    ax = figure.subplots()
    values: Any = np.array([f1 for _, (f1, _) in shown])
    ax.barh(range(len(shown)), values, color=BLUE, height=0.7)
    for place, value in enumerate(values):
        ax.text(value + 0.01, place, f"{value:.2f}", va="center", fontsize=SMALL, color=INK, family=FONT)
    which = f"the {_MOST_LABELS} worst of {len(scores)} labels" if len(scores) > len(shown) else "of each label"
    tidy(ax, f"F1, {which}", "F1 on the test samples; in brackets, how many have the label")
    names = [f"{name[:_MOST_LETTERS]} ({n})" for name, (_, n) in shown]
    ax.set_yticks(range(len(shown)), names, fontsize=SMALL, family=FONT)
    for label in ax.get_yticklabels():
        label.set_parse_math(False)
    ax.set_xlim(0, 1.08)
    ax.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(True, axis="x", color=PALE, linewidth=0.6)
    ax.set_axisbelow(True)
    return figure

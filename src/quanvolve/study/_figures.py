"""Pictures of a study: scores, paired differences, learning curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.figures import style
from quanvolve.study._contenders import MODEL
from quanvolve.study._results import Results, outcomes_of
from quanvolve.study._statistics import BETTER, COLLAPSED, TESTED, WORSE
from quanvolve.study._table import DONE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW, _HEAD = 0.34, 1.1
_COLOURS = {BETTER: style.BLUE, WORSE: style.RED}
_MARKS = {BETTER: "^", WORSE: "v"}


def scores_figure(results: Results) -> Figure:
    """Test scores, such as accuracies: every seed or split a dot, the mean a mark, a line one deviation to both sides.

    Examples:
        >>> import tempfile
        >>> from quanvolve.study import Protocol, compare
        >>> quick = Protocol(seeds=(0, 1, 2), lrs=(1e-2,), epochs=1, train_size=60, test_size=60)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = compare("digits", folder, controls=["pixels"], protocol=quick)
        >>> [label.get_text() for label in scores_figure(found).axes[0].get_yticklabels()]
        ['model', 'pixels']
    """
    names, metric = [standing.name for standing in results.standings], results.plan.metric
    figure = style.new_figure(8.0, _HEAD + _ROW * len(names))
    ax = figure.subplots()
    for place, name in enumerate(names):
        values = metric.factor * _scores(results, name)
        colour = style.BLUE if name == MODEL else style.GREY
        shift = np.linspace(-0.16, 0.16, len(values)) if len(values) > 1 else np.zeros(1)
        ax.plot(values, place + shift, "o", color=colour, markersize=3.5, alpha=0.55, markeredgewidth=0)
        mean = values.mean()
        if len(values) > 1:
            reach = values.std(ddof=1)
            ax.plot([mean - reach, mean + reach], [place, place], color=style.INK, linewidth=1.6)
        ax.plot([mean], [place], "|", color=style.INK, markersize=12, markeredgewidth=2)
    _rows(
        ax,
        names,
        f"Test {metric.words.title}",
        f"{metric.words.axis}; dots are {results.plan.unit.word}s, lines one standard deviation from the mean",
    )
    return figure


def difference_figure(results: Results) -> Figure:
    """The model minus each control: every seed or split a dot, means with the intervals of the corrected test.

    Without an interval there are too few of them for a test.

    Raises:
        QuanvolveError: if there is no control that can be compared.
    """
    shown = [comparison for comparison in results.comparisons if comparison.outcome != COLLAPSED]
    if not shown:
        raise QuanvolveError("there is no control to compare with that has not collapsed to chance")
    metric = results.plan.metric
    outcomes = outcomes_of(results.rows, metric)
    figure = style.new_figure(8.0, _HEAD + _ROW * len(shown))
    ax = figure.subplots()
    ax.axvline(0, color=style.INK, linewidth=0.9)
    for place, comparison in enumerate(shown):
        colour, mark = _COLOURS.get(comparison.outcome, style.GREY), _MARKS.get(comparison.outcome, "o")
        pairs = [
            metric.factor * (outcomes[MODEL][seed].score - other.score)
            for seed, other in outcomes[comparison.control].items()
            if seed in outcomes[MODEL]
        ]
        shift = np.linspace(-0.16, 0.16, len(pairs)) if len(pairs) > 1 else np.zeros(1)
        ax.plot(pairs, place + shift, "o", color=colour, markersize=3, alpha=0.4, markeredgewidth=0)
        if comparison.outcome in TESTED:
            ax.plot(
                [metric.factor * comparison.low, metric.factor * comparison.high],
                [place, place],
                color=colour,
                linewidth=2.2,
            )
        ax.plot([metric.factor * comparison.difference], [place], mark, color=colour, markersize=7)
    _rows(
        ax,
        [comparison.control for comparison in shown],
        "Model minus control",
        f"{metric.words.differences}; dots are {results.plan.unit.word}s, lines intervals of the corrected test",
    )
    handles = [
        ax.plot([], [], mark, color=colour, label=word, markersize=6)[0]
        for word, mark, colour in (
            ("better", "^", style.BLUE), ("worse", "v", style.RED), ("no difference seen or testable", "o", style.GREY),
        )
    ]  # fmt: skip
    legend = ax.legend(
        handles=handles, frameon=False, fontsize=style.SMALL, labelcolor=style.INK, ncols=3, loc="lower right",
        bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2,
    )  # fmt: skip
    legend.set_in_layout(True)
    return figure


def learning_figure(results: Results) -> Figure:
    """Validation score by epoch, mean over seeds or splits: the model and its controls."""
    figure, metric = style.new_figure(8.0, 4.2), results.plan.metric
    ax = figure.subplots()
    palette = ["#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#999999", "#F0E442"]
    for place, standing in enumerate(results.standings):
        curves = [r["result"]["learning_curve"] for r in _done(results, standing.name)]
        length = min(map(len, curves))
        mean = metric.factor * np.array([curve[:length] for curve in curves]).mean(axis=0)
        is_model = standing.name == MODEL
        ax.plot(
            range(1, length + 1), mean, label=standing.name,
            linewidth=2.6 if is_model else 1.3, zorder=5 if is_model else 2,
            color=style.BLUE if is_model else palette[place % len(palette)],
            linestyle="-" if is_model else ("--", ":", "-.")[place % 3],
        )  # fmt: skip
    style.tidy(ax, f"Validation {metric.words.title}, mean over {results.plan.unit.word}s", "epoch", metric.words.axis)
    ax.grid(True, axis="y", color=style.PALE, linewidth=0.6)
    ax.legend(frameon=False, fontsize=style.SMALL, labelcolor=style.INK, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def _rows(ax: Axes, names: list[str], title: str, label: str) -> None:
    style.tidy(ax, title, label)
    ax.set_yticks(range(len(names)), names, fontsize=style.SMALL, family=style.FONT)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(True, axis="x", color=style.PALE, linewidth=0.6)
    ax.set_axisbelow(True)


def _done(results: Results, name: str) -> list[dict[str, Any]]:
    return [row for row in results.rows if row["contender"] == name and row["status"] == DONE]


def _scores(results: Results, name: str) -> np.ndarray[Any, Any]:
    return np.array([row["result"][results.plan.metric.tested] for row in _done(results, name)])

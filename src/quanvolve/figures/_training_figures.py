"""Pictures of a training run: how it went, and what it gets wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.figures._style import (
    BLUE,
    DARK_ON,
    FONT,
    GREY,
    INK,
    LIGHT_ON,
    PALE,
    PAPER,
    RED,
    SMALL,
    TEXT,
    as_array,
    new_figure,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_CELL_LETTERS = 12.0
_SCALE = np.linspace(0.0, 1.0, 256) ** 2


class _Score(NamedTuple):
    """How a validation score is drawn: its name, the label of its axis, a value in words, and in which unit."""

    name: str
    label: str
    form: str
    factor: float
    least_room: float


_SCORES = {
    "accuracy": _Score("accuracy", "accuracy (percent)", "{:.1f} percent", 100.0, 5.0),
    "r2": _Score("R²", "R²", "R² {:.3f}", 1.0, 0.05),
    "f1": _Score("F1", "F1, mean of the labels", "F1 {:.3f}", 1.0, 0.05),
}


def history_figure(history: Sequence[Mapping[str, Any]], *, best: int | None = None, score: str = "accuracy") -> Figure:
    """The losses and the validation accuracy, or another score, of every epoch, the best epoch marked.

    Args:
        history: one row an epoch, as in `history.jsonl`: "epoch" and "train_loss", and if there are validation data
            "valid_loss" and "valid_accuracy" (a share, not percent), or that of another score. Missing values may be
            None or left out.
        best: the epoch whose weights were kept; the first of the most accurate ones if not given.
        score: "accuracy", or another that is better the higher it is, such as "r2".

    Returns:
        A figure with two panels: losses, the score; an accuracy is in percent.

    Raises:
        QuanvolveError: if there is no row, or a row has no epoch, no loss, or something else than numbers.

    Examples:
        >>> rows = [{"epoch": e, "train_loss": 1 / e, "valid_loss": 1.2 / e, "valid_accuracy": 1 - 0.3 / e}
        ...         for e in (1, 2, 3)]
        >>> [ax.get_title(loc="left") for ax in history_figure(rows).axes]
        ['Loss', 'Validation accuracy']
    """
    from matplotlib.ticker import MaxNLocator

    epochs = _column(history, "epoch", required=True)
    figure = new_figure(9.0, 3.4)
    losses, accuracy = figure.subplots(1, 2)
    # A single epoch is a dot; many epochs are a line without dots that would touch each other.
    dots = "o" if len(epochs) <= 40 else None
    train, valid = _column(history, "train_loss", required=True), _column(history, "valid_loss")
    losses.plot(epochs, train, color=BLUE, marker=dots, markersize=4, label="training")
    if not np.isnan(valid).all():
        losses.plot(epochs, valid, color=RED, marker=dots, markersize=4, linestyle="--", label="validation")
    losses.legend(frameon=False, fontsize=SMALL, labelcolor=INK)
    tidy(losses, "Loss", "epoch", "loss")

    shown = _SCORES.get(score, _Score(score, score, "{:.3g}", 1.0, 0.05))
    percent = shown.factor * _column(history, f"valid_{score}")
    tidy(accuracy, f"Validation {shown.name}", "epoch", shown.label)
    if np.isnan(percent).all():
        _note(accuracy, "no validation data")
    else:
        accuracy.plot(epochs, percent, color=RED, marker=dots, markersize=4, linestyle="--")
        chosen = int(np.nanargmax(percent)) if best is None else int(np.argmin(np.abs(epochs - best)))
        _mark_best(accuracy, epochs, percent, chosen, shown)
    for ax in (losses, accuracy) if accuracy.lines else (losses,):
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
        ax.grid(True, axis="y", color=PALE, linewidth=0.6)
        ax.set_axisbelow(True)
        if len(epochs) == 1:
            ax.set_xticks(epochs)
            ax.set_xlim(epochs[0] - 0.5, epochs[0] + 0.5)
    return figure


def confusion_figure(matrix: Any, class_names: Sequence[str], accuracy: float) -> Figure:
    """Which classes are taken for which: counts in cells, right answers blue, mistakes red.

    Args:
        matrix: shape (k, k), counts; rows are true classes, columns predicted ones.
        class_names: k names.
        accuracy: the share of right answers, between 0 and 1, for the title.

    Returns:
        A figure. A cell's colour is its share of the true class, on a scale that lets single mistakes be seen; empty
        cells are white.

    Raises:
        QuanvolveError: if the matrix is not square or has negative or broken counts, or the names do not fit it.

    Examples:
        >>> figure = confusion_figure([[9, 1], [0, 5]], ["cat", "dog"], 14 / 15)
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['9', '1', '5']
    """
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    counts = _counts(matrix, class_names, accuracy)
    k = len(counts)
    totals = counts.sum(1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    # With a linear scale, one mistake in a hundred would look like none.
    norm = PowerNorm(0.5, 0.0, 1.0)
    right = LinearSegmentedColormap.from_list("right", [PAPER, "#9CC9E6", BLUE, "#003F66"])
    wrong = LinearSegmentedColormap.from_list("wrong", [PAPER, "#F6C09A", RED, "#7A3200"])
    side = min(max(3.2, 1.4 + 0.46 * k), 10.5)
    longest = min(max(len(str(name)) for name in class_names), 16)
    figure = new_figure(side + 1.4 + 0.08 * longest, side + 0.3 + 0.04 * longest)
    ax = figure.subplots()
    diagonal = np.eye(k, dtype=bool)
    ax.imshow(np.ma.masked_array(shares, ~diagonal | (counts == 0)), cmap=right, norm=norm)
    ax.imshow(np.ma.masked_array(shares, diagonal | (counts == 0)), cmap=wrong, norm=norm)
    tidy(ax, f"{100 * accuracy:.1f} percent of {int(counts.sum())} right", "predicted class", "true class")
    _cells(ax, counts, shares, 72 * (side - 1.0) / k)
    _class_ticks(ax, class_names)
    _legend_bar(ax, right(norm(_SCALE)), wrong(norm(_SCALE)), norm, side - 1.0)
    return figure


def _column(history: Sequence[Mapping[str, Any]], name: str, required: bool = False) -> Any:
    """One value of every row, not a number where there is none."""
    if not history:
        raise QuanvolveError("`history` has no rows, expected one for each finished epoch")
    values = []
    for position, row in enumerate(history):
        value = row.get(name)
        if value is None and required:
            raise QuanvolveError(f"row {position} of `history` has no {name!r}, it has {list(row)}")
        try:
            values.append(math.nan if value is None else float(value))
        except (TypeError, ValueError):
            raise QuanvolveError(f"row {position} of `history` has the {name!r} {value!r}, expected a number") from None
    return np.array(values)


def _mark_best(ax: Axes, epochs: Any, percent: Any, best: int, shown: _Score) -> None:
    ax.plot(epochs[best], percent[best], marker="*", markersize=13, color=RED, markeredgecolor=PAPER, zorder=5)
    # The label stands at the foot of a dotted line, below the lowest value: there it crosses no curve.
    low, high = np.nanmin(percent), np.nanmax(percent)
    room = max(high - low, shown.least_room)
    foot = low - 0.25 * room
    ax.set_ylim(foot - 0.08 * room, high + 0.12 * room)
    ax.plot([epochs[best]] * 2, [foot, percent[best]], color=GREY, linestyle=":", linewidth=1.0, zorder=1)
    late = epochs[best] > (epochs[0] + epochs[-1]) / 2
    ax.annotate(
        f"best: {shown.form.format(percent[best])}, epoch {epochs[best]:g}",
        (epochs[best], foot),
        xytext=(-5 if late else 5, 0),
        textcoords="offset points",
        ha="right" if late else "left",
        va="bottom",
        fontsize=SMALL,
        color=INK,
        family=FONT,
    )


def _note(ax: Axes, text: str) -> None:
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=GREY, fontsize=TEXT, family=FONT)
    ax.set_xticks([])
    ax.set_yticks([])


def _counts(matrix: Any, class_names: Sequence[str], accuracy: float) -> Any:
    counts = as_array("matrix", matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise QuanvolveError(f"`matrix` has shape {counts.shape}, expected (k, k): a row and a column a class")
    if (counts < 0).any() or (counts != np.round(counts)).any():
        raise QuanvolveError("`matrix` must hold counts, it has negative or broken numbers")
    if len(class_names) != len(counts):
        raise QuanvolveError(f"`class_names` has {len(class_names)} names, `matrix` has {len(counts)} classes")
    if not 0 <= accuracy <= 1:
        raise QuanvolveError(f"`accuracy` (={accuracy}) must be a share between 0 and 1")
    return counts


def _cells(ax: Axes, counts: Any, shares: Any, points: float) -> None:
    for row, column in zip(*np.nonzero(counts), strict=True):
        text = f"{int(counts[row, column])}"
        ax.text(
            column,
            row,
            text,
            ha="center",
            va="center_baseline",
            fontsize=min(_MOST_CELL_LETTERS, 0.45 * points, 1.25 * points / len(text)),
            family=FONT,
            in_layout=False,  # it is inside the axes, and hundreds of them would make the layout slow
            color=LIGHT_ON if shares[row, column] > (0.25 if row == column else 0.35) else DARK_ON,
        )


def _class_ticks(ax: Axes, class_names: Sequence[str]) -> None:
    names = [name if len(name) <= 16 else name[:15] + "…" for name in map(str, class_names)]
    k = len(names)
    size = SMALL if k <= 12 else 7.5
    upright = max(map(len, names)) <= 2
    ax.set_xticks(range(k), names, fontsize=size, rotation=0 if upright else 45, ha="center" if upright else "right")
    ax.set_yticks(range(k), names, fontsize=size)
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        label.set_parse_math(False)
        label.set_rotation_mode("anchor")
    # Thin lines between cells instead of ticks.
    ax.set_xticks(np.arange(k + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(k + 1) - 0.5, minor=True)
    ax.grid(True, which="minor", color=PALE, linewidth=0.6)
    ax.tick_params(which="both", length=0)
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color(PALE)


def _legend_bar(ax: Axes, right: Any, wrong: Any, norm: Any, inches: float) -> None:
    """One colour bar with two columns, because both colours share a scale."""
    bar = ax.inset_axes((1.03, 0.0, 0.45 / inches, 1.0))
    bar.imshow(np.stack([right, wrong], axis=1), origin="lower", aspect="auto", extent=(0, 2, 0, 1))
    tidy(bar, ylabel="share of the true class (percent)")
    bar.yaxis.tick_right()
    bar.yaxis.set_label_position("right")
    percents = [0, 1, 5, 20, 50, 100]
    bar.set_yticks([float(norm(p / 100)) for p in percents], [str(p) for p in percents], fontsize=SMALL)
    bar.set_xticks([0.5, 1.5], ["right", "wrong"], rotation=90, fontsize=SMALL)
    bar.tick_params(axis="x", length=0)
    for spine in bar.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.6)

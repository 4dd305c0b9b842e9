"""The outcome as a picture: a bar for each contender, on a logarithmic scale, a panel for each workload."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from quanvolve.bench._contenders import OURS
from quanvolve.bench._report import Row, machine, short, times

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAR = 0.27  # inches from one bar to the next
_TITLE, _AXIS, _FOOT = 0.42, 0.34, 0.5  # inches over a panel, under it, and at the foot of the figure
_LEFT, _WIDTH, _RIGHT = 2.95, 5.6, 0.35
_WORDS = 0.38  # share of a panel's width that is free behind the longest bar


def bench_figure(rows: Sequence[Row]) -> Figure:
    """Draw all rates; contenders without one stand there with the reason.

    Args:
        rows: of one workload or more, in the order in which they are shown.

    Returns:
        A figure with a panel for each workload.
    """
    from quanvolve.figures import style  # loads torch

    FONT, GREY, SMALL, new_figure = style.FONT, style.GREY, style.SMALL, style.new_figure

    panels: dict[str, list[Row]] = {}
    for row in rows:
        panels.setdefault(row.outcome.workload.name, []).append(row)
    height = sum(_TITLE + _AXIS + _BAR * len(group) for group in panels.values()) + _FOOT
    width = _LEFT + _WIDTH + _RIGHT
    figure = new_figure(width, height, constrained=False)
    top = height
    for group in panels.values():
        tall = _BAR * len(group)
        top -= _TITLE + tall
        ax = figure.add_axes((_LEFT / width, top / height, _WIDTH / width, tall / height))
        _panel(ax, group)
        top -= _AXIS
    figure.text(
        _LEFT / width,
        0.16 / height,
        f"medians, whiskers from the slowest to the fastest round; logarithmic scales\n{machine()}",
        fontsize=SMALL - 1.5,
        color=GREY,
        family=FONT,
        linespacing=1.4,
    )
    return figure


def _panel(ax: Axes, rows: Sequence[Row]) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    from quanvolve.figures import style  # loads torch

    BLUE, ORANGE, PALE, INK, GREY = style.BLUE, style.ORANGE, style.PALE, style.INK, style.GREY
    FONT, SMALL, TITLE, tidy = style.FONT, style.SMALL, style.TITLE, style.tidy

    workload = rows[0].outcome.workload
    rates = [rate for row in rows for rate in row.outcome.rates] or [1.0]
    low = 10 ** (math.floor(math.log10(min(rates))) - 0.3)
    # Room at the right for the words behind the longest bar.
    high = max(rates) * (max(rates) / low) ** (_WORDS / (1 - _WORDS))
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.set_ylim(len(rows) - 0.45, -0.55)
    for place, row in enumerate(rows):
        outcome = row.outcome
        ours = outcome.contender.name == OURS
        if outcome.rate is None:
            note = outcome.reason if len(outcome.reason) <= 60 else outcome.reason[:59] + "…"
            _words(ax, low, place, note, GREY)
            continue
        color = BLUE if ours else ORANGE if outcome.contender.peer else PALE
        ax.barh(place, outcome.rate, height=0.66, color=color, zorder=2)
        ax.plot([min(outcome.rates), max(outcome.rates)], [place, place], color=INK, linewidth=1.1, zorder=3)
        ratio = f"  {times(row.ratio)} the best peer" if ours and row.ratio is not None else ""
        end = max(outcome.rates)
        _words(ax, end, place, short(outcome.rate) + ratio + ("  best peer" if row.best else ""), INK, bold=ours)
    ax.set_yticks(range(len(rows)), [row.outcome.contender.title for row in rows])
    ax.grid(True, axis="x", color=PALE, linewidth=0.6, zorder=0)
    ax.set_axisbelow(True)
    tidy(ax)
    # Titles begin at the edge of the figure: over the bars alone they would not have room.
    edge = (0.12 - _LEFT) / _WIDTH
    title = f"{workload.name}   {workload.title}"
    ax.set_title(title, x=edge, loc="left", fontsize=TITLE, color=INK, family=FONT, fontweight="bold")
    ax.set_title(f"{workload.unit} a second", loc="right", fontsize=SMALL, color=GREY, family=FONT)
    # Ticks and lines end with the bars, so that most words stand on white.
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(max(rates)))
    ax.set_xticks([10.0**k for k in range(first, last + 1, 2 if last - first > 6 else 1)])
    ax.xaxis.set_major_formatter(FuncFormatter(_decade))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.tick_params(axis="y", length=0)
    for label, row in zip(ax.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row.outcome.contender.name == OURS else "normal")


def _decade(value: float, _: object) -> str:
    number, _, letter = short(value).partition(" ")
    return f"{float(number):g} {letter}".rstrip()


def _words(ax: Axes, x: float, place: int, text: str, color: str, *, bold: bool = False) -> None:
    from quanvolve.figures import style  # loads torch

    FONT, SMALL = style.FONT, style.SMALL

    ax.annotate(
        text,
        (x, place),
        xytext=(5, 0),
        textcoords="offset points",
        va="center_baseline",
        fontsize=SMALL,
        family=FONT,
        color=color,
        fontweight="bold" if bold else "normal",
        parse_math=False,
    )

"""The outcome as rows, a CSV file and a chart."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from quanvolve.bench._contenders import CONV, OURS
from quanvolve.bench._rounds import Outcome

COLUMNS = ("workload", "contender", "unit", "rate", "low", "high", "to_best_peer", "to_conv2d", "difference", "versions", "note")


def best_peer(outcomes: Sequence[Outcome]) -> float | None:
    """The highest rate of a peer on one workload."""
    rates = [o.rate for o in outcomes if o.contender.name not in (OURS, CONV) and o.rate is not None]
    return max(rates) if rates else None


def rows(outcomes: Sequence[Outcome]) -> list[dict[str, str]]:
    """A row for each contender of one workload; ratios are to the best peer and to the classical convolution."""
    best = best_peer(outcomes)
    conv = next((o.rate for o in outcomes if o.contender.name == CONV), None)
    found = []
    for o in outcomes:
        rate = o.rate
        found.append(
            {
                "workload": o.workload.name,
                "contender": o.contender.title,
                "unit": f"{o.workload.unit}/s",
                "rate": "" if rate is None else f"{rate:.4g}",
                "low": f"{min(o.rates):.4g}" if o.rates else "",
                "high": f"{max(o.rates):.4g}" if o.rates else "",
                "to_best_peer": "" if rate is None or not best else f"{rate / best:.3g}",
                "to_conv2d": "" if rate is None or not conv else f"{rate / conv:.3g}",
                "difference": "" if o.difference is None else f"{o.difference:.1e}",
                "versions": o.versions,
                "note": o.reason,
            }
        )
    return found


def write_csv(found: Sequence[dict[str, str]], path: Path) -> None:
    """Write rows to a file."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)


def short(number: str) -> str:
    """A rate to read: 115 M, 30.3 k, 133."""
    if not number:
        return "-"
    value = float(number)
    for limit, letter in ((1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:.3g}{letter}"
    return f"{value:.3g}"


def draw_chart(found: Sequence[dict[str, str]], path: Path) -> None:
    """Bars of all rates on a logarithmic scale, a panel for each workload."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(row["workload"] for row in found))
    panels = {name: [row for row in found if row["workload"] == name and row["rate"]] for name in names}
    panels = {name: own for name, own in panels.items() if own}
    heights = [len(own) + 1.2 for own in panels.values()]
    figure = Figure(figsize=(9, 0.32 * sum(heights) + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(panels), 1, height_ratios=heights, squeeze=False)[:, 0] if panels else []
    for ax, (name, own) in zip(axes, panels.items(), strict=True):
        own = sorted(own, key=lambda row: float(row["rate"]))
        rates = [float(row["rate"]) for row in own]
        colors = ["#0b6e75" if r["contender"] == "quanvolve" else "#9aa5b1" if "Conv2d" in r["contender"] else "#d9a441" for r in own]
        ax.barh([row["contender"] for row in own], rates, color=colors)
        ax.set_xscale("log")
        ax.set_xlim(10 ** math.floor(math.log10(min(rates)) - 0.5), max(rates) * 12)
        for k, row in enumerate(own):
            text = short(row["rate"]) + (f"   {row['to_best_peer']}x" if row["contender"] == "quanvolve" and row["to_best_peer"] else "")
            ax.text(rates[k] * 1.15, k, text, va="center", fontsize=8)
        ax.set_title(f"{name}: {own[0]['unit']}", loc="left", fontsize=10, fontweight="bold")
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)

"""How much of an image reaches the root of a coherent tree, and which gradient its leaves get, for each start.

For trees of 16 to 4,096 qubits and 4 seeds: the standard deviation over random images of what the blocks of each level
keep (mean over X, Y, Z and blocks), and the root mean square of the derivatives of the root's variance by the weights
of each level, times the square root of the level's blocks, as these share one root. Pixels are independent, uniform in
[0, 1]: their mean over a tree shrinks as 1 / sqrt(qubits) by itself, which is the grey line.

How many pixels the root reads: (sum g)^2 / sum g^2 with g the mean over images of the absolute derivatives by a pixel;
all of them where all count the same.

Usage: python benchmarks/tree_signals.py [--output CSV] [--picture PNG]
"""

from __future__ import annotations

import argparse
import csv
import statistics
from pathlib import Path
from typing import Any

import torch

from quanvolve import CoherentTree
from quanvolve.figures import save_figure, style

HERE = Path(__file__).parent
SIDES = (4, 8, 16, 32, 64)
STARTS = ("auto", "small", "uniform")
NAMES = {"auto": "auto: near the root of SWAP", "small": "small: near the identity", "uniform": "uniform"}
COLORS = {"auto": "#1b7837", "small": "#2166ac", "uniform": "#b2182b"}
SEEDS, IMAGES = 4, 256


def measure(side: int, init: str) -> tuple[list[tuple[int, float, float]], float]:
    """Level, signal and gradient, and how many pixels the root reads; medians over the seeds."""
    signals: dict[int, list[float]] = {}
    gradients: dict[int, list[float]] = {}
    read: list[float] = []
    for seed in range(SEEDS):
        generator = torch.Generator().manual_seed(seed)
        images = torch.rand(IMAGES, 1, side, side, generator=generator)
        tree = CoherentTree(1, (side, side), init=init, seed=seed)
        tree(images).var(0).mean().backward()
        pixels = images.clone().requires_grad_()
        (slopes,) = torch.autograd.grad(tree(pixels).sum(), pixels)
        size = slopes.abs().mean(0)
        read.append(float(size.sum() ** 2 / size.square().sum()))
        for number, level in enumerate(tree.levels, 1):
            lower = CoherentTree(1, (side, side), init=init, seed=seed, n_levels=number)
            with torch.no_grad():
                for mine, theirs in zip(lower.levels, tree.levels, strict=False):
                    mine.weights.copy_(theirs.weights)
                lower.levels[-1].turns.zero_()
                signals.setdefault(number, []).append(float(lower(images).std(0).mean()))
            rms = level.weights.grad.square().mean().sqrt()
            gradients.setdefault(number, []).append(float(rms) * level.weights.shape[1] ** 0.5)
    levels = [(n, statistics.median(signals[n]), statistics.median(gradients[n])) for n in signals]
    return levels, statistics.median(read)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Two panels over the levels, and one over the number of qubits."""
    figure = style.new_figure(12.0, 4.0)
    *panels, last = figure.subplots(1, 3)
    titles = {"signal": "Standard deviation of kept qubits", "gradient": "Gradient by a level's weights (rms)"}
    for ax, (key, title) in zip(panels, titles.items(), strict=True):
        for init in STARTS:
            for side in SIDES:
                own = [row for row in rows if (row["init"], row["qubits"]) == (init, side * side)]
                ax.plot(
                    [row["level"] for row in own], [row[key] for row in own], color=COLORS[init], marker="o",
                    markersize=3.0, linewidth=1.2, label=NAMES[init] if side == SIDES[-1] else None,
                )  # fmt: skip
        ax.set_yscale("log")
        style.tidy(ax, title, "level, from the leaves")
        ax.grid(axis="y", color="#dddddd", linewidth=0.6)
    levels = range(1, 13)
    first = next(row["signal"] for row in rows if row["init"] == "auto")
    mean = [first * 2 ** (-(n - 1) / 2) for n in levels]
    panels[0].plot(levels, mean, color="#999999", linestyle=":", label="mean of the pixels")
    for init in STARTS:
        own = [row for row in rows if row["init"] == init and row["level"] == 1]
        last.plot([row["qubits"] for row in own], [row["pixels read"] for row in own], color=COLORS[init], marker="o")
    last.plot([16, 4096], [16, 4096], color="#999999", linestyle=":")
    last.set_xscale("log", base=2)
    last.set_yscale("log", base=2)
    style.tidy(last, "Pixels that the root reads", "qubits")
    last.grid(axis="y", color="#dddddd", linewidth=0.6)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=style.SMALL)
    save_figure(figure, path, dpi=130)


def main() -> None:
    """Measure all, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=HERE / "tree_signals.csv")
    parser.add_argument("--picture", type=Path, default=HERE.parent / "docs" / "tree-signals.png")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for init in STARTS:
        for side in SIDES:
            levels, pixels = measure(side, init)
            for level, signal, gradient in levels:
                rows.append(
                    {"init": init, "qubits": side * side, "level": level, "signal": float(f"{signal:.3g}"),
                     "gradient": float(f"{gradient:.3g}"), "pixels read": round(pixels, 1)}
                )  # fmt: skip
            print(rows[-1], flush=True)
    with given.output.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
    draw(rows, given.picture)


if __name__ == "__main__":
    main()

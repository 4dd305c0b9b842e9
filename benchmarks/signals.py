"""How much of the picture is left in the values of wide circuits, and in their gradients, for each initialisation.

For 8 seeds: the standard deviation of the values over random windows (mean over outputs), and the root mean square of
the derivative of that variance by the weights. Float64, random pixels in [0, 1].

Usage: python benchmarks/signals.py [--output CSV] [--picture PNG]
"""

from __future__ import annotations

import argparse
import csv
import statistics
from pathlib import Path
from typing import Any

import torch

from quanvolve import Quanv2d
from quanvolve.figures import save_figure, style

HERE = Path(__file__).parent
KERNELS = ((2, 2), (2, 3), (3, 3), (3, 4), (4, 4), (4, 5), (5, 5), (6, 6), (7, 7))
KINDS = [(a, i) for a in ("strongly_entangling", "brickwork", "grid", "identity_blocks") for i in ("uniform", "small")]
SEEDS, WINDOWS, LAYERS = 8, 512, 2
COLORS = {"strongly_entangling": "#b2182b", "brickwork": "#2166ac", "grid": "#1b7837", "identity_blocks": "#e08214"}


def measure(kernel: tuple[int, int], ansatz: str, init: str) -> tuple[float, float]:
    """Signal and gradient, medians over the seeds."""
    signals, gradients = [], []
    for seed in range(SEEDS):
        n = kernel[0] * kernel[1]
        layer = Quanv2d(1, n, kernel, circuit=ansatz, n_layers=LAYERS, init=init, seed=seed, dtype=torch.float64)
        generator = torch.Generator().manual_seed(seed)
        windows = torch.rand(WINDOWS, 1, *kernel, generator=generator, dtype=torch.float64)
        values = layer(windows).flatten(1)
        values.var(0).mean().backward()
        assert layer.weights.grad is not None
        signals.append(float(values.std(0).mean().detach()))
        gradients.append(float(layer.weights.grad.square().mean().sqrt()))
    return statistics.median(signals), statistics.median(gradients)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Two panels over the number of qubits."""
    figure = style.new_figure(9.6, 4.0)
    panels = figure.subplots(1, 2)
    titles = {"signal": "Standard deviation of the values", "gradient": "Gradient of the variance (rms)"}
    for ax, (key, title) in zip(panels, titles.items(), strict=True):
        for ansatz, init in KINDS:
            own = [row for row in rows if (row["ansatz"], row["init"]) == (ansatz, init)]
            ax.plot(
                [row["qubits"] for row in own], [row[key] for row in own], color=COLORS[ansatz], marker="o",
                markersize=3.5, linestyle="-" if init == "small" else "--", linewidth=1.6, label=f"{ansatz}, {init}",
            )  # fmt: skip
        ax.set_yscale("log")
        ax.set_xscale("log")
        qubits = [4, 6, 9, 16, 25, 49]
        ax.set_xticks(qubits, [str(n) for n in qubits])
        ax.minorticks_off()
        style.tidy(ax, title, "qubits (pixels of a window)")
        ax.grid(axis="y", color="#dddddd", linewidth=0.6)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=style.SMALL)
    save_figure(figure, path, dpi=130)


def main() -> None:
    """Measure all, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=HERE / "signals.csv")
    parser.add_argument("--picture", type=Path, default=HERE.parent / "docs" / "signals.png")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for ansatz, init in KINDS:
        for kernel in KERNELS:
            signal, gradient = measure(kernel, ansatz, init)
            rows.append(
                {"ansatz": ansatz, "init": init, "qubits": kernel[0] * kernel[1], "layers": LAYERS,
                 "signal": float(f"{signal:.3g}"), "gradient": float(f"{gradient:.3g}")}
            )  # fmt: skip
            print(rows[-1], flush=True)
    with given.output.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
    draw(rows, given.picture)


if __name__ == "__main__":
    main()

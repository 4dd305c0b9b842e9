"""Write the README's tables from the committed benchmark results.

Usage: python docs/tables.py [--check]
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


MODELS = {
    "quantum, fixed": "quantum, fixed at random",
    "quantum, trained": "quantum, trained",
    "`Conv2d`, fixed": "nn.Conv2d + ReLU, fixed at random",
    "`Conv2d`, trained": "nn.Conv2d + ReLU, trained",
    "pixels": "no filters",
}


def accuracy() -> str:
    """Test accuracy in percent, a row for each group of models, and below it the command behind each number."""
    with (ROOT / "benchmarks" / "mnist_accuracy.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(row["group"], row["model"]): row for row in rows}
    groups = sorted({row["group"] for row in rows}, key=lambda group: ("raw" in group, "cnn" in group, len(group)))
    lines = [f"| test accuracy, percent | {' | '.join(MODELS)} |", "|---" * (len(MODELS) + 1) + "|"]
    for group in groups:
        scores = {model: float(found[group, model]["test accuracy"]) for g, model in found if g == group}
        best = max(scores.values())
        cells = []
        for model in MODELS.values():
            number = f"{100 * scores[model]:.2f}" if model in scores else ""
            cells.append(f"**{number}**" if scores.get(model) == best and len(scores) > 1 else number)
        lines.append(f"| {group} | {' | '.join(cells)} |")
    lines += ["", "<details><summary>The command behind each number</summary>", ""]
    lines += [f"- {row['group']}, {row['model']}: `{row['command']}`" for row in rows]
    return "\n".join([*lines, "", "</details>"])


def speed() -> str:
    """The transform benchmark beside PennyLane's loop."""
    with (ROOT / "benchmarks" / "transform_mnist.csv").open(newline="") as file:
        rows = [row for row in csv.reader(file) if row and not row[0].startswith("#")]
    _, ours, loop = rows
    return (
        f"All {int(ours[1]):,} MNIST images through {ours[2]} fixed filters of 4 qubits (16 channels), "
        f"`QuanvTransformer.transform`, 2 cores: **{float(ours[3]):.1f} s** and {ours[6]} GiB at the peak, "
        f"{float(ours[4]) / 1e6:.1f} million windows a second and filter. PennyLane's demo loop, one QNode call a "
        f"window, in the same run: {float(loop[4]):,.0f}. That is **{int(ours[5]):,} times** as fast, with values "
        "within 1e-5 (`benchmarks/transform_mnist.py`)."
    )


def fill(text: str, name: str, content: str) -> str:
    """Replace what stands between a pair of markers."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}\n{content}\n{end}{after}"


def main() -> int:
    """Rewrite the README, or with --check say whether it is up to date."""
    text = README.read_text()
    filled = fill(fill(text, "accuracy", accuracy()), "speed", speed())
    if "--check" in sys.argv:
        return int(filled != text)
    README.write_text(filled)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

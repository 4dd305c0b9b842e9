"""Write the README's tables from the committed benchmark results.

Usage: python docs/tables.py [--check]
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def accuracy() -> str:
    """Test accuracy of every model, group by group, with its command."""
    with (ROOT / "benchmarks" / "mnist_accuracy.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    order = {group: number for number, group in enumerate(dict.fromkeys(row["group"] for row in rows))}
    rows.sort(key=lambda row: order[row["group"]])
    lines = ["| | model | test accuracy | trained parameters | command |", "|---|---|---|---|---|"]
    for row in rows:
        percent = f"{100 * float(row['test accuracy']):.2f} %"
        count = f"{int(row['trained parameters']):,}"
        lines.append(f"| {row['group']} | {row['model']} | {percent} | {count} | `{row['command']}` |")
    return "\n".join(lines)


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

"""Accuracy on the real MNIST of one trained layer with wider and wider windows, and of `nn.Conv2d` in the same shape.

Each row is one `quanvolve train mnist` run with a linear head, stride 2 and about 48 channels; its command is in the
table. Rows that are there already are left alone.

Usage: python benchmarks/wide_accuracy.py [--data-dir DIR] [--epochs N] [--seeds N] [--output CSV]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
FILTERS = {2: 12, 3: 5, 5: 2, 7: 1}
MODELS = {
    "grid": ["--circuit", "grid"],
    "strongly_entangling": [],
    "nn.Conv2d": ["--backbone", "classical"],
    # A readout of one value makes one channel of each filter.
    "nn.Conv2d, as many parameters": ["--backbone", "classical", "--readout", "popcount_expected"],
}
SAME = {2: 58, 3: 27, 5: 12, 7: 6}
"""Channels of the convolution that has about as many parameters as the quantum layer."""
COLUMNS = (
    "kernel", "model", "seed", "epochs", "channels", "filter parameters", "parameters", "seconds",
    "validation accuracy", "test accuracy", "command",
)  # fmt: skip


def main() -> None:
    """Run what the table lacks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", default=os.environ.get("QUANVOLVE_DATA"))
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=HERE / "wide_accuracy.csv")
    given = parser.parse_args()
    rows: list[dict[str, object]] = []
    if given.output.exists():
        with given.output.open(newline="") as file:
            rows = list(csv.DictReader(file))
    done = {row["command"] for row in rows}
    for seed in range(given.seeds):
        for kernel, filters in FILTERS.items():
            for model, own in MODELS.items():
                alike = model.endswith("parameters")
                count = SAME[kernel] if alike else filters
                channels = count if alike else filters * kernel**2
                arguments = ["train", "mnist", "--trainable", "--filters", str(count), "--kernel-size", str(kernel)]
                arguments += [
                    "--stride",
                    "2",
                    *own,
                    "--epochs",
                    str(given.epochs),
                    "--batch-size",
                    "128",
                    "--lr",
                    "5e-3",
                ]
                arguments += ["--seed", str(seed)]
                command = " ".join(["quanvolve", *arguments])
                if command in done:
                    continue
                found = run(arguments, given.data_dir)
                head = 10 * (channels * ((28 - kernel) // 2 + 1) ** 2 + 1)
                trainable = found["parameters"]["trainable"]
                rows.append({
                    "kernel": kernel, "model": model, "seed": seed, "epochs": given.epochs,
                    "channels": channels, "filter parameters": trainable - head, "parameters": trainable,
                    "seconds": f"{found['seconds']:.0f}", "validation accuracy": f"{found['valid_accuracy']:.4f}",
                    "test accuracy": f"{found['test_accuracy']:.4f}", "command": command,
                })  # fmt: skip
                print(rows[-1], flush=True)
                with given.output.open("w", newline="") as file:
                    table = csv.DictWriter(file, COLUMNS)
                    table.writeheader()
                    table.writerows(rows)


def run(arguments: list[str], data_dir: str | None) -> dict:
    """Train in a folder of its own; the metrics."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).parent / "quanvolve"), *arguments, "--output", f"{folder}/run", "--quiet"]
        subprocess.run(command + (["--data-dir", data_dir] if data_dir else []), check=True)
        return json.loads((Path(folder) / "run" / "metrics.json").read_text())


if __name__ == "__main__":
    main()

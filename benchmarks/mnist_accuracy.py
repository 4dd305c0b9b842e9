"""Accuracy on the real MNIST: quantum filters beside an `nn.Conv2d` of the same shape, under one protocol.

Every row is one `quanvolve train mnist` run, and its command is in the table. All models of a group share head,
channels, epochs, batch size and seed; the learning rate of each is the better of two on the validation images (6,000
of the 60,000), and the test images are looked at for that run only. The classical twin is `nn.Conv2d` of the same
shape followed by ReLU, since without it convolution and linear head would be one linear map.

Usage: python benchmarks/mnist_accuracy.py [--data-dir DIR] [--output CSV] [--runs FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FIXED = {"quantum, fixed at random": [], "nn.Conv2d + ReLU, fixed at random": ["--backbone", "classical"]}
TRAINED = {
    "quantum, trained": ["--trainable"],
    "nn.Conv2d + ReLU, trained": ["--backbone", "classical", "--trainable"],
}
PIXELS = {"no filters": ["--backbone", "none"]}
FEW, MANY = "4 filters, linear head", "16 filters, linear head"
CNN = "4 filters, cnn head"
COMMON = ["--batch-size", "128", "--seed", "0"]
GROUPS = [
    ("raw pixels, linear head", ["--epochs", "10"], ("1e-3", "3e-4"), PIXELS),
    (FEW, ["--filters", "4", "--epochs", "10"], ("1e-3", "3e-4"), FIXED),
    (MANY, ["--filters", "16", "--epochs", "10"], ("3e-4", "1e-4"), FIXED),
    (CNN, ["--filters", "4", "--epochs", "12", "--head", "cnn"], ("2e-3", "1e-3"), FIXED),
    (FEW, ["--filters", "4", "--epochs", "10"], ("3e-3", "1e-3"), TRAINED),
    (MANY, ["--filters", "16", "--epochs", "10"], ("1e-3", "3e-4"), TRAINED),
    (CNN, ["--filters", "4", "--epochs", "12", "--head", "cnn"], ("2e-3", "1e-3"), TRAINED),
]
"""Group, its options, the two learning rates tried, its models."""


def run(arguments: list[str], folder: Path, data_dir: str | None) -> dict[str, object]:
    """Train one model, or go on with it; the run folder keeps what is finished."""
    command = [str(Path(sys.executable).parent / "quanvolve"), "train", "mnist", *arguments, "--output", str(folder)]
    if data_dir:
        command += ["--data-dir", data_dir]
    if folder.exists():
        command += ["--resume"]
    subprocess.run([*command, "--quiet"], check=True)
    return json.loads((folder / "metrics.json").read_text())


def main() -> None:
    """Run all models, choose learning rates on validation data, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    shared = HERE.parent.parent / "shared" / "data" / "mnist"
    parser.add_argument("--data-dir", default=str(shared) if shared.is_dir() else None)
    parser.add_argument("--output", type=Path, default=HERE / "mnist_accuracy.csv")
    parser.add_argument("--runs", type=Path, default=Path("runs") / "mnist-accuracy")
    arguments = parser.parse_args()
    rows = []
    for group, options, rates, models in GROUPS:
        for model, extra in models.items():
            tried = []
            for rate in rates:
                train = [*options, *extra, *COMMON, "--lr", rate]
                name = "_".join(part.strip("-") for part in train)
                tried.append((run(train, arguments.runs / name, arguments.data_dir), train))
            metrics, train = max(tried, key=lambda entry: entry[0]["valid_accuracy"])
            rows.append(
                {
                    "group": group,
                    "model": model,
                    "test accuracy": f"{metrics['test_accuracy']:.4f}",
                    "validation accuracy": f"{metrics['valid_accuracy']:.4f}",
                    "trained parameters": metrics["parameters"]["trainable"],
                    "command": " ".join(["quanvolve train mnist", *train]),
                }
            )
            print(rows[-1], flush=True)
            with arguments.output.open("w", newline="") as file:
                table = csv.DictWriter(file, rows[0])
                table.writeheader()
                table.writerows(rows)


if __name__ == "__main__":
    main()

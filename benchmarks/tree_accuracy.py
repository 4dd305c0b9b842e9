"""Accuracy on MNIST of coherent trees on 1,024 qubits, with and without a head, beside what they are compared with.

A row is one model trained on the first of MNIST's 60,000 training images with one seed, by the settings of its preset.
With fewer than 60,000 images the last 5,000 of them, which are then not trained on, choose the epoch; with all 60,000 a
tenth of them does, as in `quanvolve train mnist --preset NAME --seed N`, which gives the same model. The 10,000 test
images are looked at once, by the finished model.

Settings were chosen on the last 5,000 training images, with seed 0: learning rates of 5e-3, 1e-2 and 2e-2, 8 and 10
trees, and shifts of 0 and 1 pixels for `tree`; rates of 1e-2 and 2e-2 and temperatures of 20 and 60 for
`tree-headless`; rates of 3e-3, 1e-2 and 2e-2 for `bilinear`; the others have the first rate that was tried, 1e-2.
`quanvolution` is the preset "quantum" as it is.

Rows that are in the table already are left alone, and an interrupted training is continued.

Usage: python benchmarks/tree_accuracy.py [--images N ...] [--seeds N ...] [--models NAME ...] [--data-dir DIR]
    [--output CSV] [--runs FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import os
from pathlib import Path

import torch

from quanvolve import QuanvClassifier, load_dataset

HERE = Path(__file__).parent
ALL, HELD_OUT = 60_000, 5_000
MODELS = {
    "tree": ("tree", "quantum"),
    "tree-headless": ("tree-headless", "quantum"),
    "bilinear": ("tree", "classical"),
    "bilinear-wide": ("tree", "classical-wide"),
    "unentangled": ("tree", "unentangled"),
    "cnn": ("tree", "cnn"),
    "quanvolution": ("quantum", "quantum"),
}
"""Preset and backbone by name; the names are those of `quanvolve compare --preset tree`."""
COLUMNS = (
    "model",
    "training images",
    "seed",
    "parameters",
    "epochs",
    "validation accuracy",
    "test accuracy",
    "seconds",
    "threads",
)


def main() -> None:
    """Train what the table lacks, one model after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[5_000, ALL])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--data-dir", default=os.environ.get("QUANVOLVE_DATA"))
    parser.add_argument("--output", type=Path, default=HERE / "tree_accuracy.csv")
    parser.add_argument("--runs", type=Path, default=Path("runs") / "tree-accuracy")
    given = parser.parse_args()
    data = load_dataset("mnist", data_dir=None if given.data_dir is None else Path(given.data_dir))
    images, labels = data.train_images, data.train_labels
    given.runs.mkdir(parents=True, exist_ok=True)
    for count in given.images:
        for seed in given.seeds:
            for name in given.models:
                rows = read_rows(given.output)
                if any(
                    (row["model"], row["training images"], row["seed"]) == (name, str(count), str(seed)) for row in rows
                ):
                    continue
                apart = None if count == ALL else (images[-HELD_OUT:], labels[-HELD_OUT:])
                preset, backbone = MODELS[name]
                clf = QuanvClassifier.from_preset(preset, backbone, random_state=seed)
                clf.fit_watched(
                    images[:count],
                    labels[:count],
                    validation_data=apart,
                    checkpoint=given.runs / f"{name}-{count}-{seed}.safetensors",
                    resume=True,
                )
                row = {
                    "model": name,
                    "training images": count,
                    "seed": seed,
                    "parameters": sum(p.numel() for p in clf.module_.parameters()),
                    "epochs": len(clf.history_),
                    "validation accuracy": f"{clf.history_[clf.best_epoch_ - 1]['valid_accuracy']:.4f}",
                    "test accuracy": f"{clf.score(data.test_images, data.test_labels):.4f}",
                    "seconds": f"{sum(epoch['seconds'] for epoch in clf.history_):.0f}",
                    "threads": torch.get_num_threads(),
                }
                write_rows(given.output, [*rows, {column: str(row[column]) for column in COLUMNS}])
                print(row, flush=True)


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows that the table already has."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    """Write the table, whole or not at all, in the order in which one reads it."""
    names = list(MODELS)
    rows = sorted(rows, key=lambda row: (int(row["training images"]), names.index(row["model"]), int(row["seed"])))
    part = path.with_suffix(".part")
    with part.open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)
    part.replace(path)


if __name__ == "__main__":
    main()

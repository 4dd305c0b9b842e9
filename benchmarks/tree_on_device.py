"""A tree of 1,024 qubits on 11 that are reset: Aer and a fake backend beside the layer's exact values.

    python benchmarks/tree_on_device.py

trains one tree on two kinds of scikit-learn's digits, each pixel in 16 places, and runs it for a few test images:
without noise, and with that of a fake backend, as written and optimized. It writes `tree_on_device.csv` beside this
file; rows that are there already are left alone.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import torch
from torch import Tensor

from quanvolve import CoherentTree, load_dataset
from quanvolve.backends import QiskitBackend, run_tree, tree_noise, tree_size

HERE = Path(__file__).parent
STEPS, RATE = 60, 0.05
COLUMNS = (
    "image", "label", "runs on", "optimization level", "shots", "measured", "standard error", "exact value",
    "qubits", "resets", "depth", "gates", "two-qubit gates", "seconds a shot", "seconds to simulate",
)  # fmt: skip


def digits(train: bool) -> tuple[Tensor, Tensor]:
    """Images (N, 1, 32, 32) of zeros and ones, and their labels."""
    data = load_dataset("digits")
    images, labels = (data.train_images, data.train_labels) if train else (data.test_images, data.test_labels)
    chosen = labels < 2
    large = torch.from_numpy(images[chosen]).double().repeat_interleave(4, 1).repeat_interleave(4, 2)
    return large[:, None], torch.from_numpy(labels[chosen]).long()


def trained(**options: object) -> CoherentTree:
    """One tree whose Z is 1 for a zero and -1 for a one."""
    tree = CoherentTree(1, (32, 32), readout="z", seed=0, dtype=torch.float64, **options)
    images, labels = digits(train=True)
    optimizer = torch.optim.Adam(tree.parameters(), lr=RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        ((tree(images)[:, 0] - (1 - 2 * labels)) ** 2).mean().backward()
        optimizer.step()
    return tree


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=3, help="without noise; two of them with noise")
    parser.add_argument("--shots", type=int, default=250)
    parser.add_argument("--noisy-shots", type=int, default=100)
    parser.add_argument("--backend", default="fake_guadalupe")
    parser.add_argument("--output", type=Path, default=HERE / "tree_on_device.csv")
    given = parser.parse_args()
    tree = trained()
    images, labels = digits(train=False)
    with torch.no_grad():
        right = ((tree(images)[:, 0] < 0) == (labels == 1)).double().mean().item()
    print(f"test accuracy {right:.4f} of {len(images)}", flush=True)
    rows: list[dict[str, object]] = []
    if given.output.exists():
        with given.output.open(newline="") as file:
            rows += csv.DictReader(file)
    known = {(str(row["image"]), row["runs on"], str(row["optimization level"])) for row in rows}
    plans = [("aer", 0, given.shots, given.images)]
    plans += [(given.backend, level, given.noisy_shots, min(2, given.images)) for level in (1, 2)]
    for name, level, shots, count in plans:
        backend = QiskitBackend(name, shots=shots, seed=0, optimization_level=level)
        ours = tree
        if name != "aer":
            ours = CoherentTree(1, (32, 32), readout="z", seed=0, dtype=torch.float64, noise=tree_noise(tree, backend))
            ours.load_state_dict(tree.state_dict())
        size = tree_size(tree, backend)
        for number in range(count):
            if (str(number), name, str(level)) in known:
                continue
            image = images[number : number + 1]
            start = time.perf_counter()
            found = run_tree(tree, image, backend)
            seconds = time.perf_counter() - start
            with torch.no_grad():
                exact = ours(image).item()
            rows.append({
                "image": number, "label": int(labels[number]), "runs on": name, "optimization level": level,
                "shots": shots, "measured": f"{found.values.item():.4f}",
                "standard error": f"{found.errors.item():.4f}", "exact value": f"{exact:.4f}", "qubits": size.qubits,
                "resets": size.resets, "depth": size.depth, "gates": size.gates,
                "two-qubit gates": size.two_qubit_gates,
                "seconds a shot": "" if size.seconds is None else f"{size.seconds:.5f}",
                "seconds to simulate": f"{seconds:.1f}",
            })  # fmt: skip
            print(rows[-1], flush=True)
            with given.output.open("w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)


if __name__ == "__main__":
    main()

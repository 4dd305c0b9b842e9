"""All 70,000 MNIST images through 4 fixed filters of 4 qubits (16 channels), beside PennyLane's own loop.

Goal: under 60 s on 2 cores and under 4 GiB of memory for one `QuanvTransformer.transform`.
Rival: the loop of PennyLane's quanvolution demo, one QNode call a window, on 20 of the images and one filter; the
ratio compares windows a second and filter. Both run in this process, interleaved, medians of three; they agree to
1e-5 first.

Usage: python benchmarks/transform_mnist.py [--data-dir DIR] [--output CSV]
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import resource
import statistics
import time
from pathlib import Path

import numpy as np
import pennylane as qp
import torch

from quanvolve import QuanvTransformer, load_dataset
from quanvolve.circuits import named_circuit

LOOP_IMAGES = 20
ROUNDS = 3
HERE = Path(__file__).parent


def demo_loop(images: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The demo's loop: a QNode call for each 2x2 window."""
    device = qp.device("default.qubit", wires=4)

    @qp.qnode(device)
    def circuit(pixels):
        for wire in range(4):
            qp.RY(np.pi * pixels[wire], wires=wire)
        qp.StronglyEntanglingLayers(weights, wires=range(4))
        return [qp.expval(qp.PauliZ(wire)) for wire in range(4)]

    out = np.zeros((len(images), 4, 14, 14))
    for number, image in enumerate(images):
        for row in range(0, 28, 2):
            for column in range(0, 28, 2):
                window = image[row : row + 2, column : column + 2].ravel()
                out[number, :, row // 2, column // 2] = circuit(window)
    return out


def main() -> None:
    """Measure, compare, print and write the CSV."""
    parser = argparse.ArgumentParser(description=__doc__)
    shared = HERE.parent.parent / "shared" / "data" / "mnist"
    parser.add_argument("--data-dir", default=shared if shared.is_dir() else None)
    parser.add_argument("--output", type=Path, default=HERE / "transform_mnist.csv")
    arguments = parser.parse_args()

    data = load_dataset("mnist", data_dir=arguments.data_dir)
    images = np.concatenate([data.train_images, data.test_images])
    transformer = QuanvTransformer(n_filters=4, circuit="strongly_entangling", random_state=0).fit(images)
    assert named_circuit("strongly_entangling", 4) == transformer.module_.circuits[0]
    weights = transformer.module_.weights.numpy()[0, 0]

    ours, loop = [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        maps = transformer.transform(images)
        ours.append(time.perf_counter() - start)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        start = time.perf_counter()
        expected = demo_loop(images[:LOOP_IMAGES] / 255, weights)
        loop.append(time.perf_counter() - start)
        found = maps[:LOOP_IMAGES].reshape(LOOP_IMAGES, 16, 14, 14)[:, :4]
        difference = float(np.abs(found - expected).max())
        if difference > 1e-5:
            raise SystemExit(f"the two disagree by {difference}")

    windows = 14 * 14
    ours_rate = len(images) * windows * 4 / statistics.median(ours)
    loop_rate = LOOP_IMAGES * windows / statistics.median(loop)
    rows = [
        ("quanvolve QuanvTransformer.transform", len(images), 4, statistics.median(ours), ours_rate),
        ("PennyLane, one QNode call a window", LOOP_IMAGES, 1, statistics.median(loop), loop_rate),
    ]
    with arguments.output.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            ["what", "images", "filters", "seconds (median of 3)", "windows x filters / s", "ratio", "peak memory GiB"]
        )
        for what, count, filters, seconds, rate in rows:
            memory = f"{peak:.2f}" if count == len(images) else ""
            table.writerow([what, count, filters, f"{seconds:.2f}", f"{rate:.0f}", f"{rate / loop_rate:.0f}", memory])
        table.writerow([f"# torch {torch.__version__}, PennyLane {qp.__version__}, Python {platform.python_version()}"])
        table.writerow([f"# {os.cpu_count()} cores, {torch.get_num_threads()} threads, {platform.machine()}"])
    print(arguments.output.read_text())
    print(f"largest difference on the {LOOP_IMAGES} images: {difference:.1e}")


if __name__ == "__main__":
    main()

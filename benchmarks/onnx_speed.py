"""MNIST's 10,000 test images through the default classifier: this package beside its own exports.

    python benchmarks/onnx_speed.py --data-dir DIR

Trains for one epoch, exports to ONNX and `torch.export`, times all in turn and writes the medians to `onnx_speed.csv`
beside this file.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from quanvolve import QuanvClassifier, load_dataset
from quanvolve.deploy import export_onnx, export_torch

HERE = Path(__file__).parent
ROUNDS, BATCH = 9, 512


def main() -> None:
    """Export, check, time, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=Path)
    data = load_dataset("mnist", data_dir=parser.parse_args().data_dir)
    clf = QuanvClassifier(max_epochs=1, batch_size=128, random_state=0).fit(data.train_images, data.train_labels)
    given = data.test_images.astype(np.float32)[:, None]
    with tempfile.TemporaryDirectory() as folder:
        export_onnx(clf, Path(folder) / "model.onnx")
        export_torch(clf, Path(folder) / "model.pt2")
        session = onnxruntime.InferenceSession(str(Path(folder) / "model.onnx"), providers=["CPUExecutionProvider"])
        program = torch.export.load(str(Path(folder) / "model.pt2")).module()

    def in_batches(run: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return np.concatenate([run(given[start : start + BATCH]) for start in range(0, len(given), BATCH)])

    def by_torch(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return program(torch.from_numpy(images)).numpy()

    contenders: dict[str, Callable[[], np.ndarray]] = {
        "quanvolve": lambda: clf.predict_proba(data.test_images),
        "onnxruntime": lambda: in_batches(lambda images: session.run(None, {"images": images})[0]),
        "torch.export": lambda: in_batches(by_torch),
    }
    expected = contenders["quanvolve"]()
    off = {name: float(np.abs(run() - expected).max()) for name, run in contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    with (HERE / "onnx_speed.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["contender", "images", "median seconds", "least", "most", "largest difference"])
        for name, own in times.items():
            row = [statistics.median(own), min(own), max(own)]
            writer.writerow([name, len(given), *(f"{value:.4f}" for value in row), f"{off[name]:.1e}"])
            print(name, row, off[name])


if __name__ == "__main__":
    main()

"""The binary tasks of Hur, Kim and Park (2022): digits 0 and 1 on eight qubits, beside classical twins.

    python benchmarks/qcnn_binary.py [--data-dir DIR] [--dataset mnist]

Images become 256 numbers (16x16 pixels, amplitude encoding), eight (PCA, angle encoding) or sixteen (PCA, dense
encoding). The QCNN ends in the probabilities of one qubit. Beside it, on the same numbers: a small CNN with about as
many parameters, as in the paper, and logistic regression. Each model's learning rate is chosen by its mean accuracy
over the seeds on 2,000 training images that are set aside; test images choose nothing. Rows go to `qcnn_binary.csv`
beside this file.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn

from quanvolve import QuantumLinear, load_dataset

HERE = Path(__file__).parent
STEPS, BATCH, VALIDATION = 600, 64, 2_000
RATES = (0.01, 0.03, 0.1)
BLOCKS = ("u_ttn", "u_so4", "u_su4")
WAYS = {"16x16 pixels": "amplitude", "PCA, 8 numbers": "ry", "PCA, 16 numbers": "dense"}
Parts = dict[str, tuple[Tensor, Tensor]]


class QCNN(nn.Module):
    """Eight qubits, three levels: the logarithm of the last qubit's probabilities."""

    def __init__(self, block: str, encoding: str, n_inputs: int, seed: int) -> None:
        super().__init__()
        self.layer = QuantumLinear(
            n_inputs, 2, circuit=f"qcnn_{block}", encoding=encoding, readout="probs", n_layers=3, scale=1.0, seed=seed
        )

    def forward(self, numbers: Tensor) -> Tensor:
        """Logarithms of two probabilities."""
        return self.layer(numbers).clamp_min(1e-9).log()


def cnn(n_inputs: int, channels: int) -> nn.Module:
    """Two convolutions with pooling and a linear layer, on pixels or on a row of numbers.

    Leaky rectifiers, as plain ones of a single channel may be zero for all images, and stay so.
    """
    if n_inputs == 256:
        return nn.Sequential(
            nn.Unflatten(1, (1, 16, 16)), nn.Conv2d(1, channels, 3, stride=2), nn.LeakyReLU(0.1), nn.MaxPool2d(2),
            nn.Conv2d(channels, channels, 2), nn.LeakyReLU(0.1), nn.Flatten(), nn.Linear(4 * channels, 2),
        )  # fmt: skip
    return nn.Sequential(
        nn.Unflatten(1, (1, n_inputs)), nn.Conv1d(1, channels, 2), nn.LeakyReLU(0.1), nn.MaxPool1d(2),
        nn.Conv1d(channels, channels, 2), nn.LeakyReLU(0.1), nn.Flatten(), nn.Linear((n_inputs // 2 - 2) * channels, 2),
    )  # fmt: skip


def size(model: nn.Module) -> int:
    """How many numbers are trained."""
    return sum(parameter.numel() for parameter in model.parameters())


def numbers_of(way: str, fitted: np.ndarray, *others: np.ndarray) -> list[Tensor]:
    """Images as the numbers that circuits read; what is learned for that is learned from the first ones."""
    images = (fitted, *others)
    if way.startswith("16x16"):
        floats = [torch.from_numpy(part).float()[:, None] / 255 for part in images]
        return [nn.functional.interpolate(part, (16, 16), mode="area").flatten(1) for part in floats]
    pca = PCA(int(way.split()[1]), random_state=0).fit(fitted.reshape(len(fitted), -1) / 255)
    parts = [pca.transform(part.reshape(len(part), -1) / 255) for part in images]
    low, high = parts[0].min(0), parts[0].max(0)
    return [torch.from_numpy(np.pi * (part - low) / (high - low)).float() for part in parts]


def train(make: Callable[[int], nn.Module], parts: Parts, rate: float, seed: int) -> tuple[nn.Module, float]:
    """A model after all steps, and the seconds that they took."""
    torch.manual_seed(seed)
    model = make(seed)
    inputs, labels = parts["train"]
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    begun = time.perf_counter()
    for _ in range(STEPS):
        chosen = torch.randint(len(inputs), (BATCH,))
        loss = nn.functional.cross_entropy(model(inputs[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model, time.perf_counter() - begun


def judged(model: nn.Module, part: tuple[Tensor, Tensor]) -> tuple[float, float]:
    """Accuracy, and cross-entropy with its sign turned."""
    with torch.no_grad():
        scores = model(part[0])
    accuracy = (scores.argmax(1) == part[1]).double().mean().item()
    return accuracy, -nn.functional.cross_entropy(scores, part[1]).item()


def mean_judged(models: list[nn.Module], part: tuple[Tensor, Tensor]) -> tuple[float, float]:
    """The means of both over several models."""
    accuracies, others = zip(*(judged(model, part) for model in models), strict=True)
    return statistics.mean(accuracies), statistics.mean(others)


def contenders(encoding: str, n_inputs: int) -> dict[str, Callable[[int], nn.Module]]:
    """Models by name; a CNN for each QCNN, of the channels that come closest to its parameters."""
    made: dict[str, Callable[[int], nn.Module]] = {}
    for block in BLOCKS:
        made[f"qcnn_{block}"] = lambda seed, block=block: QCNN(block, encoding, n_inputs, seed)
        wanted = size(QCNN(block, encoding, n_inputs, 0))
        channels = min(range(1, 8), key=lambda count: abs(size(cnn(n_inputs, count)) - wanted))
        made[f"CNN like qcnn_{block}"] = lambda seed, channels=channels: cnn(n_inputs, channels)
    made["logistic regression"] = lambda seed: nn.Linear(n_inputs, 2)
    return made


def parts_of(name: str, data_dir: str | None, way: str) -> Parts:
    """Zeros and ones, in parts, as numbers."""
    data = load_dataset(name, data_dir=data_dir)
    train, test = data.train_labels < 2, data.test_labels < 2
    images, labels = data.train_images[train], torch.from_numpy(data.train_labels[train]).long()
    first, valid, tested = numbers_of(way, images[:-VALIDATION], images[-VALIDATION:], data.test_images[test])
    return {
        "train": (first, labels[:-VALIDATION]),
        "validation": (valid, labels[-VALIDATION:]),
        "test": (tested, torch.from_numpy(data.test_labels[test]).long()),
    }


def main() -> None:
    """Choose, train, test, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", default=os.environ.get("QUANVOLVE_DATA"))
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    rows = []
    for way, encoding in WAYS.items():
        parts = parts_of(given.dataset, given.data_dir, way)
        for name, make in contenders(encoding, parts["train"][0].shape[1]).items():
            tried = {rate: [train(make, parts, rate, seed) for seed in range(given.seeds)] for rate in RATES}
            best = max(RATES, key=lambda rate: mean_judged([model for model, _ in tried[rate]], parts["validation"]))
            scores = []
            for seed, (model, seconds) in enumerate(tried[best]):
                valid, tested = judged(model, parts["validation"])[0], judged(model, parts["test"])[0]
                scores.append(100 * tested)
                rows.append(
                    [given.dataset, way, name, size(model), seed, best, f"{valid:.4f}", f"{tested:.4f}",
                     f"{seconds:.1f}"]
                )  # fmt: skip
            print(way, name, size(model), best, f"{statistics.mean(scores):.2f} {scores}", flush=True)
    header = ["dataset", "numbers", "model", "parameters", "seed", "learning rate", "validation accuracy",
              "test accuracy", "seconds"]  # fmt: skip
    with (HERE / "qcnn_binary.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


if __name__ == "__main__":
    main()

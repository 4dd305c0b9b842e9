"""What a day buys: images of ImageNet's size through 64 channels, and trials of a study, on two cores and beyond.

    python benchmarks/a_day.py --data-dir FOLDER_WITH_MNIST [--output CSV]

What this machine can do is measured: forward passes and training steps of layers with 64 output channels on 3x224x224
images beside `nn.Conv2d` of the same shape, by one thread and by two; and the seconds of a trial, a training of four
filters on 1,000 images of MNIST for ten epochs with its test on 10,000, on one thread, as a worker of a study runs it.
What it cannot do is computed, and the line says by which formula.

- Two cores: two processes of one thread run trials, at the speed-up that `workers.csv` measured for two.
- 64 workers: 64 times a thread's rate, times that speed-up over two, which takes for granted that workers on machines
  of their own disturb each other no more than two on one machine. Images: 64 times a thread's rate; reading them is
  not counted.
- A GPU: no more than its bandwidth allows, each pixel and each value being moved once; 4.16 TB/s is what a copy reached
  on an NVIDIA H200. It is a bound, not a measurement.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import torch
from scaling import median
from torch import nn

from quanvolve import Quanv2d, QuanvClassifier, load_dataset

HERE = Path(__file__).parent
COLUMNS = ("what", "on", "a day", "how", "nn.Conv2d a day")
DAY = 86_400
SIZE, CHANNELS = 224, 64
BANDWIDTH = 4.157e12
"""Bytes a second that a copy reads and writes on an H200."""
LAYERS: dict[str, tuple[int, int, dict[str, object]]] = {
    "2x2 windows, stride 2, fixed `random`": (2, 2, {"circuit": "random", "trainable": False}),
    "2x2 windows, stride 2, trained": (2, 2, {}),
    "3x3 windows, stride 2, 9 qubits, trained": (3, 2, {}),
}


def passed(layer: nn.Module, images: torch.Tensor, training: bool) -> Callable[[], None]:
    """A forward pass, or one with its gradients."""

    def run() -> None:
        with torch.set_grad_enabled(training):
            out = layer(images)
            if training:
                out.mean().backward()

    return run


def speed_up() -> float:
    """Of two processes of a study on two cores."""
    with (HERE / "workers.csv").open(newline="") as file:
        lines = {(line["kind"], line["workers"]): float(line["median seconds"]) for line in csv.DictReader(file)}
    return lines["processes", "1"] / lines["processes", "2"]


def trial(data_dir: str | None) -> float:
    """Seconds of a trial on one thread."""
    data = load_dataset("mnist", data_dir=data_dir)

    def run() -> None:
        model = QuanvClassifier(trainable=True, max_epochs=10, random_state=0)
        model.fit(data.train_images[:1000], data.train_labels[:1000])
        model.score(data.test_images, data.test_labels)

    torch.set_num_threads(1)
    return median(run, 3)


def main() -> None:
    """Measure and compute."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-dir", default=None)
    parser.add_argument("--output", type=Path, default=HERE / "a_day.csv")
    arguments = parser.parse_args()
    rows: list[dict[str, str]] = []

    def add(what: str, on: str, a_day: float, how: str, conv: float | None = None) -> None:
        beside = "" if conv is None else f"{conv:.3g}"
        rows.append(dict(zip(COLUMNS, (what, on, f"{a_day:.3g}", how, beside), strict=True)))
        print(*rows[-1].values(), sep=" | ", flush=True)

    for name, (kernel, stride, options) in LAYERS.items():
        layer = Quanv2d(3, CHANNELS, kernel, stride=stride, seed=0, **options)  # type: ignore[arg-type]
        conv = nn.Conv2d(3, CHANNELS, kernel, stride=stride)
        images = torch.rand(16, 3, SIZE, SIZE)
        for training in (False, True) if layer.trainable else (False,):
            what = f"images, {name}, {'with gradients' if training else 'forward'}"
            for threads in (1, 2):
                torch.set_num_threads(threads)
                a_day, beside = (DAY * len(images) / median(passed(one, images, training)) for one in (layer, conv))
                if threads == 1:
                    alone = a_day
            add(what, "two cores", a_day, "measured", beside)
            add(what, "64 workers", 64 * alone, "64 x one thread, measured")
            if not training:
                with torch.no_grad():
                    moved = 4 * (images[0].numel() + layer(images[:1]).numel())
                add(what, "one GPU", DAY * BANDWIDTH / moved, "at most: bandwidth / bytes of an image")
    seconds, up = trial(arguments.data_dir), speed_up()
    what = f"trials of {seconds:.2g} s"
    add(what, "two cores", up * DAY / seconds, f"one thread, measured, x {up:.2f}")
    add(what, "64 workers", 64 * up / 2 * DAY / seconds, f"64 x one thread, measured, x {up / 2:.2f}")
    with arguments.output.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()

"""How the layer scales: qubits, filters, image sizes, memory, the first call of a process, and all of MNIST as bytes.

    python benchmarks/scaling.py --data-dir FOLDER_WITH_MNIST

writes `scaling.csv` beside this file. Each figure is the median of several runs; `nn.Conv2d` of the same shape runs
beside it, and the bandwidth of a copy tells how far from its limit a forward pass is.
"""

from __future__ import annotations

import argparse
import csv
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from quanvolve import Quanv2d, QuanvTransformer, load_dataset

HERE = Path(__file__).parent
COLUMNS = ("kind", "case", "plan", "value", "unit", "conv2d", "share_of_copy_limit")


def median(call: Callable[[], object], runs: int = 7) -> float:
    """Seconds of a call, after one to warm up."""
    call()
    found = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def copy_bandwidth() -> float:
    """Bytes that are read and written each second by a copy of 128 MiB."""
    source = torch.ones(2**25)
    target = torch.empty_like(source)
    return 2 * source.numel() * 4 / median(lambda: target.copy_(source))


def forward(layer: Quanv2d, images: torch.Tensor, copies: float) -> dict[str, str]:
    """Windows each second of a layer and of nn.Conv2d, and the share of the time that moving the bytes would take."""
    channels = layer.out_channels
    conv = torch.nn.Conv2d(layer.in_channels, channels, layer.kernel_size, stride=layer.stride)
    with torch.no_grad():
        out = layer(images)
        windows = out.numel() / channels
        ours, theirs = median(lambda: layer(images)), median(lambda: conv(images))
    moved = (images.numel() + out.numel()) * 4
    return {
        "plan": layer.plan.split(":")[0],
        "value": f"{windows / ours:.4g}",
        "unit": "windows/s",
        "conv2d": f"{windows / theirs:.4g}",
        "share_of_copy_limit": f"{moved / copies / ours:.3f}",
    }


def first_call() -> float:
    """Seconds of the first call of a layer in a new process, whose kernels are on disk."""
    lines = (
        "import time, torch, quanvolve",
        "layer, images = quanvolve.Quanv2d(1, 4, 2, stride=2), torch.rand(32, 1, 28, 28)",
        "start = time.perf_counter()",
        "layer(images).sum().backward()",
        "print(time.perf_counter() - start)",
    )
    command = [sys.executable, "-c", "\n".join(lines)]
    times = [float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(4)]
    return statistics.median(times[1:])


MEMORY = {
    "random, 2x2": "4 * 16, 2, circuit='random'",
    "strongly_entangling, 2x2": "4 * 16, 2",
    "strongly_entangling, 2x2, noise": "4 * 16, 2, noise={'depolarizing': 0.01}",
    "strongly_entangling, 3x3": "64, 3",
}
"""Layers of 64 channels on an image of a million pixels."""


def memory(arguments: str) -> dict[str, str]:
    """MiB that a forward and a backward pass take at most beyond what the process took before them, and its plan.

    The peak is that of Linux's `VmHWM`; what `getrusage` says of a new process begins with the peak of its parent.
    """
    lines = (
        "import torch, quanvolve",
        "def peak(): return next(int(line.split()[1]) for line in open('/proc/self/status') if 'VmHWM' in line)",
        f"layer = quanvolve.Quanv2d(1, {arguments}, seed=0)",
        "image = torch.rand(1, 1, 1024, 1024, requires_grad=True)",
        "before = peak()",
        "layer(image).sum().backward()",
        "print((peak() - before) / 1024, layer.plan.split(':')[0])",
    )
    command = [sys.executable, "-c", "\n".join(lines)]
    value, plan = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return {"plan": plan, "value": f"{float(value):.0f}", "unit": "MiB"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default=None)
    parser.add_argument("--output", type=Path, default=HERE / "scaling.csv")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    copies = copy_bandwidth()
    rows: list[dict[str, str]] = [{"kind": "machine", "case": "copy", "value": f"{copies:.3g}", "unit": "bytes/s"}]

    def add(kind: str, case: str, **values: str) -> None:
        rows.append({"kind": kind, "case": case, **values})
        print(kind, case, *values.values(), flush=True)

    kernels = {4: (2, 2), 6: (2, 3), 8: (2, 4), 9: (3, 3), 10: (2, 5), 12: (3, 4), 16: (4, 4)}
    for qubits, kernel in kernels.items():
        count = {4: 2000, 6: 500, 8: 100, 9: 60, 10: 30, 12: 5, 16: 1}[qubits]
        layer = Quanv2d(1, qubits, kernel, stride=2, seed=0)
        add("qubits", str(qubits), **forward(layer, torch.rand(count, 1, 28, 28), copies))
    for filters in (1, 4, 16, 64):
        layer = Quanv2d(1, 4 * filters, 2, stride=2, seed=0)
        add("filters", str(filters), **forward(layer, torch.rand(4000 // filters, 1, 28, 28), copies))
    for size in (28, 64, 128, 256, 512):
        layer = Quanv2d(1, 4, 2, stride=2, circuit="random", seed=0)
        images = torch.rand(max(1, 3_000_000 // size**2), 1, size, size)
        add("image size", str(size), **forward(layer, images, copies))
    for case, layer_arguments in MEMORY.items():
        add("memory, 1x1024x1024, 64 channels, forward and backward", case, **memory(layer_arguments))
    add("first call", "forward and backward, kernels cached", value=f"{first_call():.3f}", unit="s")
    data = load_dataset("mnist", data_dir=arguments.data_dir)
    pixels = np.concatenate([data.train_images, data.test_images]).reshape(70_000, -1)
    transformer = QuanvTransformer(4, 2, 2, random_state=0).fit(pixels)
    transformer.transform(pixels[:1000])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    maps = transformer.transform(pixels)
    cold = time.perf_counter() - start
    extra = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 - maps.nbytes / 2**20
    add("transform MNIST", "70,000 images, 16 channels, first touch of the output", value=f"{cold:.2f}", unit="s")
    del maps
    warm = median(lambda: transformer.transform(pixels), 5)
    add("transform MNIST", "70,000 images, 16 channels", value=f"{warm:.2f}", unit="s")
    add("transform MNIST", "memory beyond input and output", value=f"{max(extra, 0):.0f}", unit="MiB")
    with arguments.output.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()

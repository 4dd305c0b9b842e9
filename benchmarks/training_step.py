"""What quantum layers cost in training, beside a convolution of the same shape, on a quiet machine and on a busy one.

W1d (forward), W3 and W4 (training steps), and W6 (shots) are those of `quanvolve bench`; W1 without shots stands beside
W6, since no convolution draws. The preset `quantum` and its classical twin take training steps of 128 images. The
contenders take turns in one process; a line of the table is the median over the rounds, in wall time. "busy" is the
same beside as many processes as there are processors, each of which counts.

Usage: python benchmarks/training_step.py [--rounds N] [--threads N] [--only NAMES] [--output CSV]
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from quanvolve import Quanv2d
from quanvolve.bench._workloads import WORKLOADS
from quanvolve.compile import one_thread
from quanvolve.nn import preset_model

HERE = Path(__file__).parent
LEAST = 0.05  # seconds of a round of one contender, at least one call
SIDE, CLASSES, BATCH = 28, 10, 128


def quantum(name: str, shots: bool = True) -> Quanv2d:
    """The layer of a workload."""
    work = WORKLOADS[name]
    return Quanv2d(
        1, work.kernel**2, work.kernel, stride=work.stride, circuit=work.circuit, n_layers=work.layers, seed=0,
        trainable=work.training, shots=work.shots or None if shots else None,
    )  # fmt: skip


def classical(name: str) -> nn.Conv2d:
    """A convolution of its shape."""
    work = WORKLOADS[name]
    return nn.Conv2d(1, work.kernel**2, work.kernel, stride=work.stride, bias=False)


def forward_of(layer: nn.Module, images: torch.Tensor) -> Callable[[], None]:
    """A call without gradients."""

    def run() -> None:
        with torch.no_grad():
            layer(images)

    return run


def step_of(module: nn.Module, images: torch.Tensor, make: type[torch.optim.Optimizer]) -> Callable[[], None]:
    """A training step."""
    labels = torch.randint(0, CLASSES, (len(images),))
    optimizer = make(module.parameters(), lr=0.01)  # type: ignore[call-arg]

    def run() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(images), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return run


def with_head(layer: nn.Module, name: str) -> nn.Module:
    """A layer and a linear head."""
    work = WORKLOADS[name]
    return nn.Sequential(layer, nn.Flatten(), nn.Linear(work.kernel**2 * work.places, CLASSES))


def cases() -> Iterator[tuple[str, dict[str, Callable[[], None]]]]:
    """What is timed, by contender; the first is what the others are compared with."""
    torch.manual_seed(0)
    for name in ("W1d", "W3", "W4"):
        images = torch.rand(32 if WORKLOADS[name].training else 512, 1, SIDE, SIDE)
        pair = {"nn.Conv2d": classical(name), "quanvolve": quantum(name)}
        if not WORKLOADS[name].training:
            yield name, {who: forward_of(layer, images) for who, layer in pair.items()}
            continue
        yield name, {who: step_of(with_head(layer, name), images, torch.optim.SGD) for who, layer in pair.items()}
    images = torch.rand(64, 1, SIDE, SIDE)
    yield (
        "W6",
        {
            "quanvolve, exact": forward_of(quantum("W6", shots=False), images),
            "quanvolve": forward_of(quantum("W6"), images),
        },
    )
    images = torch.rand(BATCH, 1, SIDE, SIDE)
    models = {who: preset_model("quantum", (1, SIDE, SIDE), CLASSES, who)[0] for who in ("classical", "quantum")}
    yield "preset", {who: step_of(model, images, torch.optim.AdamW) for who, model in models.items()}


def on_one_thread(run: Callable[[], None]) -> Callable[[], None]:
    """As `fit` trains small networks."""

    def call() -> None:
        with one_thread():
            run()

    return call


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that count."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        time.sleep(1.0 if count else 0.0)
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def timed(contenders: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Microseconds of a call of each contender, one number a round."""
    taken: dict[str, list[float]] = {who: [] for who in contenders}
    for run in contenders.values():
        for _ in range(3):
            run()
    for number in range(rounds):
        order = list(contenders)
        for who in order[number % len(order) :] + order[: number % len(order)]:
            calls, start = 0, time.perf_counter()
            while not calls or time.perf_counter() - start < LEAST:
                contenders[who]()
                calls += 1
            taken[who].append(1e6 * (time.perf_counter() - start) / calls)
    return taken


def main() -> None:
    """Time everything, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", default="")
    parser.add_argument("--output", type=Path, default=HERE / "training_step.csv")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    wanted = [name for name in given.only.split(",") if name]
    lines = []
    for name, contenders in cases():
        if wanted and name not in wanted:
            continue
        for machine, count in (("quiet", 0), ("busy", given.threads)):
            with busy(count):
                several = timed(contenders, given.rounds)
                alone = timed({who: on_one_thread(run) for who, run in contenders.items()}, given.rounds)
            for threads, taken in ((given.threads, several), (1, alone)):
                first = statistics.median(next(iter(taken.values())))
                for who, rounds in taken.items():
                    middle = statistics.median(rounds)
                    lines.append([
                        name, machine, threads, who, f"{middle:.1f}", f"{min(rounds):.1f}", f"{max(rounds):.1f}",
                        f"{middle / first:.2f}",
                    ])  # fmt: skip
                    print(*lines[-1], sep="\t", flush=True)
    with given.output.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["what", "machine", "threads of torch", "contender", "microseconds", "lowest", "highest", "times the first"]
        )
        writer.writerows(lines)


if __name__ == "__main__":
    main()

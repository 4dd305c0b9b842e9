"""What the plans cost on a device: circuits of many kinds by every plan that can run them, and prices that fit.

Every line of the table is a layer by a plan: nanoseconds to compile its weights, and per window, in float32, medians.
With --fit the prices that the planner computes costs from (`quanvolve/compile/plans/prices.json`) are fitted to the
table, least squares of relative errors with no price below zero; without it they stay, and the table says how far the
planner's choice is from the fastest plan. Lines and prices of other devices stay as they are; what no circuit of the
table pays is on a GPU as many times cheaper than on the CPU as the rest is in the median.

Usage: python benchmarks/costs.py [--device cuda] [--fit] [--from-table] [--output CSV]
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.optimize import nnls

from quanvolve import Quanv2d
from quanvolve.compile import Plan, plans_of
from quanvolve.compile.plans import _prices
from quanvolve.nn._apply import compile_rows

HERE = Path(__file__).parent
COLUMNS = ("device", "threads", "encoding", "circuit", "kernel", "layers", "filters", "noise", "plan", "compile, ns",
           "window, ns")  # fmt: skip
SIZE = 40
IMAGES = {"cpu": 1, "cuda": 128}
"""In a batch: a GPU is to be full."""
ENOUGH = 0.02
"""Seconds that a measured call takes at least."""


class Case(NamedTuple):
    """A layer: the arguments that differ."""

    encoding: str
    circuit: str
    kernel: str
    layers: int
    filters: int
    noise: float = 0.0

    def layer(self) -> Quanv2d:
        """On one input channel; all values of its circuits are channels."""
        rows, columns = map(int, self.kernel.split("x"))
        options = {"circuit": self.circuit, "encoding": self.encoding, "n_layers": self.layers, "seed": 0}
        noise = {"depolarizing": self.noise} if self.noise else None
        measured = Quanv2d(1, 1, (rows, columns), noise=noise, **options).circuits[0].n_outputs  # type: ignore[arg-type]
        return Quanv2d(1, self.filters * measured, (rows, columns), noise=noise, **options)  # type: ignore[arg-type]


GRID = [
    *(Case("ry", circuit, kernel, layers, filters)
      for circuit in ("strongly_entangling", "basic_entangler", "hardware_efficient", "random", "brickwork")
      for kernel in ("1x2", "2x2", "2x3", "3x3") for layers in (1, 3) for filters in (1, 8)),
    *(Case("dense", "strongly_entangling", kernel, 2, 4) for kernel in ("2x2", "2x4", "3x4")),
    *(Case(encoding, "strongly_entangling", kernel, 2, filters)
      for encoding in ("iqp", "reupload", "threshold") for kernel in ("2x2", "2x3", "3x3") for filters in (1, 4)),
    *(Case(encoding, "strongly_entangling", "2x2", 2, 2, 0.01) for encoding in ("ry", "iqp")),
]  # fmt: skip


def wait(device: str) -> None:
    """For what a GPU still has to do."""
    if device == "cuda":
        torch.cuda.synchronize()


def median_ns(call: Callable[[], Any], device: str) -> float:
    """Nanoseconds of a call, the median of five that each take long enough."""
    call()
    wait(device)
    begun = time.perf_counter()
    call()
    wait(device)
    times = max(1, int(ENOUGH / max(time.perf_counter() - begun, 1e-7)))
    found = []
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(times):
            call()
        wait(device)
        found.append((time.perf_counter() - begun) / times)
    return statistics.median(found) * 1e9


def plans_of_layer(layer: Quanv2d) -> dict[str, Plan]:
    """All exact plans that can run it."""
    return plans_of(layer.circuits)[0]


def measured(case: Case, device: str) -> Iterator[dict[str, Any]]:
    """A line for each plan."""
    layer = case.layer().to(device)
    layout, weights = layer.layout, {name: w.detach() for name, w in layer.circuit_weights().items()}
    like = next(iter(weights.values()))
    for name, plan in plans_of_layer(layer).items():
        images = torch.rand(IMAGES[device], 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0)).to(device)
        with torch.no_grad():
            compiled = compile_rows(plan, weights, like, layout, None)
            setup = median_ns(partial(compile_rows, plan, weights, like, layout, None), device)
            windows = layer.windows(images)
            call = median_ns(partial(plan.evaluate, compiled, windows, layout), device)
        window = call / float(len(images) * np.prod(windows.places))
        yield {
            "device": device, "threads": torch.get_num_threads(), **case._asdict(), "plan": name,
            "compile, ns": f"{setup:.4g}", "window, ns": f"{window:.4g}",
        }  # fmt: skip


def table(path: Path) -> list[dict[str, str]]:
    """The lines that are there."""
    if not path.exists():
        return []
    with path.open() as file:
        return list(csv.DictReader(file))


def case_of(line: dict[str, str]) -> Case:
    """The layer of a line of the table."""
    return Case(
        line["encoding"], line["circuit"], line["kernel"], int(line["layers"]), int(line["filters"]),
        float(line["noise"]),
    )  # fmt: skip


@cache
def layer_of(case: Case) -> tuple[Quanv2d, dict[str, Plan]]:
    """The layer and its plans, made once."""
    layer = case.layer()
    return layer, plans_of_layer(layer)


def fitted(lines: list[dict[str, str]], device: str) -> dict[str, dict[str, dict[str, float]]]:
    """The prices of all devices, with new ones of this one for what its lines pay."""
    every: dict[str, dict[str, dict[str, float]]] = json.loads(_prices._FILE.read_text())
    counts: dict[str, list[dict[str, float]]] = {}
    for line in lines:
        name = line["plan"]
        layer, plans = layer_of(case_of(line))
        works = plans[name].work(layer.layout)
        times = float(line["compile, ns"]), float(line["window, ns"])
        for work, time_ns in zip(works, times, strict=True):
            if work.counts and all(plan == name for plan, _ in work.counts):
                counts.setdefault(name, []).append({kind: n / time_ns for (_, kind), n in work.counts.items()})
    found: dict[str, dict[str, float]] = {}
    for name, rows in counts.items():
        if device != "cpu" or name in ("polynomial", "tensor_train", "statevector"):
            kinds = sorted({kind for row in rows for kind, count in row.items() if count})
            matrix = np.array([[row.get(kind, 0.0) for kind in kinds] for row in rows])
            solution, _ = nnls(matrix, np.ones(len(matrix)))
            found[name] = {kind: float(f"{value:.3g}") for kind, value in zip(kinds, solution, strict=True)}
    cpu = every["cpu"]
    ratios = [value / cpu[name][kind] for name, own in found.items() for kind, value in own.items() if value]
    share = statistics.median(ratios) if device not in every else 1.0
    prices = {
        name: {kind: float(f"{share * value:.3g}") for kind, value in kinds.items()} | found.get(name, {})
        for name, kinds in every.get(device, cpu).items()
    }
    return every | {device: prices}


def choices(lines: list[dict[str, str]], device: str = "cpu") -> list[tuple[Case, str, float]]:
    """For each layer the plan that is chosen for inference, and its time as a multiple of the fastest one's."""
    times: dict[Case, dict[str, float]] = {}
    for line in lines:
        times.setdefault(case_of(line), {})[line["plan"]] = float(line["window, ns"])
    found = []
    for case, own in times.items():
        chosen = layer_of(case)[0]._planner.choose(None, device).name
        found.append((case, chosen, own[chosen] / min(own.values())))
    return found


def main() -> None:
    """Measure, fit if asked for, and say what the choices are worth."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fit", action="store_true", help="fit the prices to the table")
    parser.add_argument("--from-table", action="store_true", help="measure nothing, take the table that is there")
    parser.add_argument("--output", type=Path, default=HERE / "costs.csv")
    parser.add_argument("--device", choices=sorted(IMAGES), default="cpu")
    options = parser.parse_args()
    there = table(options.output)
    lines = [line for line in there if line["device"] == options.device]
    if not options.from_table:
        others, lines = [line for line in there if line["device"] != options.device], []
        for number, case in enumerate(GRID):
            lines += [{name: str(value) for name, value in line.items()} for line in measured(case, options.device)]
            print(f"{number + 1} of {len(GRID)}: {case}", flush=True)
            with options.output.open("w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS)
                writer.writeheader()
                writer.writerows([*others, *lines])
    if options.fit:
        _prices._FILE.write_text(json.dumps(fitted(lines, options.device), indent=1) + "\n")
        _prices._table.cache_clear()
    worst = sorted(choices(lines, options.device), key=lambda one: -one[2])
    for case, chosen, ratio in worst[:10]:
        print(f"{ratio:.2f} times the fastest: {chosen} for {case}")


if __name__ == "__main__":
    main()

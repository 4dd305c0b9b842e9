"""What the plans cost on this device: circuits of many kinds by every plan that can run them, and prices that fit.

Every line of the table is a layer by a plan: nanoseconds to compile its weights, and per window, in float32, medians.
With --fit the prices that the planner computes costs from (`quanvolve/compile/plans/prices.json`) are fitted to the
table, least squares of relative errors with no price below zero; without it they stay, and the table says how far the
planner's choice is from the fastest plan.

Usage: python benchmarks/costs.py [--fit] [--from-table] [--output CSV]
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
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


def median_ns(call: Callable[[], Any]) -> float:
    """Nanoseconds of a call, the median of five that each take long enough."""
    call()
    begun = time.perf_counter()
    call()
    times = max(1, int(ENOUGH / max(time.perf_counter() - begun, 1e-7)))
    found = []
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(times):
            call()
        found.append((time.perf_counter() - begun) / times)
    return statistics.median(found) * 1e9


def plans_of_layer(layer: Quanv2d) -> dict[str, Plan]:
    """All exact plans that can run it."""
    return plans_of(layer.circuits)[0]


def measured(case: Case) -> Iterator[dict[str, Any]]:
    """A line for each plan."""
    layer = case.layer()
    layout, weights = layer.layout, {name: w.detach() for name, w in layer.circuit_weights().items()}
    like = next(iter(weights.values()))
    for name, plan in plans_of_layer(layer).items():
        images = torch.rand(1, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            compiled = compile_rows(plan, weights, like, layout, None)
            setup = median_ns(partial(compile_rows, plan, weights, like, layout, None))
            windows = layer.windows(images)
            call = median_ns(partial(plan.evaluate, compiled, windows, layout))
        window = call / float(np.prod(windows.places))
        yield {
            "device": "cpu", "threads": torch.get_num_threads(), **case._asdict(), "plan": name,
            "compile, ns": f"{setup:.4g}", "window, ns": f"{window:.4g}",
        }  # fmt: skip


def case_of(line: dict[str, str]) -> Case:
    """The layer of a line of the table."""
    return Case(
        line["encoding"], line["circuit"], line["kernel"], int(line["layers"]), int(line["filters"]),
        float(line["noise"]),
    )  # fmt: skip


def fitted(lines: list[dict[str, str]]) -> dict[str, dict[str, float]]:
    """Prices of each plan: what costs become with one price of 1 and the others 0 is how often it is paid."""
    every = json.loads(_prices._FILE.read_text())["cpu"]
    counts: dict[str, list[list[float]]] = {}
    for line in lines:
        layer, name = case_of(line).layer(), line["plan"]
        plan = plans_of_layer(layer)[name]
        if name not in ("polynomial", "tensor_train", "statevector"):
            continue
        own = _prices.prices(name)
        kept, rows = dict(own), [[], []]  # type: tuple[dict[str, float], list[list[float]]]
        for price in kept:
            own.update(dict.fromkeys(kept, 0.0) | {price: 1.0})
            for row, count in zip(rows, plan.cost(layer.layout), strict=True):
                row.append(count)
        own.update(kept)
        for row, time_ns in zip(rows, (float(line["compile, ns"]), float(line["window, ns"])), strict=True):
            counts.setdefault(name, []).append([*(count / time_ns for count in row)])
    for name, rows in counts.items():
        matrix = np.array(rows)
        used = matrix.any(0)
        solution, _ = nnls(matrix[:, used], np.ones(len(matrix)))
        names = [price for price, one in zip(every[name], used, strict=True) if one]
        every[name] |= {price: float(f"{value:.3g}") for price, value in zip(names, solution, strict=True)}
    return every


def choices(lines: list[dict[str, str]]) -> list[tuple[Case, str, float]]:
    """For each layer the plan that is chosen for inference, and its time as a multiple of the fastest one's."""
    times: dict[Case, dict[str, float]] = {}
    for line in lines:
        times.setdefault(case_of(line), {})[line["plan"]] = float(line["window, ns"])
    found = []
    for case, own in times.items():
        chosen = case.layer()._planner.choose(None).name
        found.append((case, chosen, own[chosen] / min(own.values())))
    return found


def main() -> None:
    """Measure, fit if asked for, and say what the choices are worth."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fit", action="store_true", help="fit the prices to the table")
    parser.add_argument("--from-table", action="store_true", help="measure nothing, take the table that is there")
    parser.add_argument("--output", type=Path, default=HERE / "costs.csv")
    options = parser.parse_args()
    if options.from_table:
        with options.output.open() as file:
            lines = list(csv.DictReader(file))
    else:
        lines = []
        for number, case in enumerate(GRID):
            lines += [{name: str(value) for name, value in line.items()} for line in measured(case)]
            print(f"{number + 1} of {len(GRID)}: {case}", flush=True)
        with options.output.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(lines)
    if options.fit:
        _prices._FILE.write_text(json.dumps({"cpu": fitted(lines)}, indent=1) + "\n")
        _prices.prices.cache_clear()
    worst = sorted(choices(lines), key=lambda one: -one[2])
    for case, chosen, ratio in worst[:10]:
        print(f"{ratio:.2f} times the fastest: {chosen} for {case}")


if __name__ == "__main__":
    main()

"""What the vector code written by hand gains over plain Numba: process CPU time of layers with either of them.

A twin of `plain_loops.py` is put in the place of a piece before anything is compiled, in a process of its own with a
cache of its own; it and a process with the vector code take turns, one thread each. A line of the table is the median
of the ratios; the sums of what both compute must agree. A piece stays where plain Numba takes more than 1.2 times as
long on some of its layers.

Usage: python benchmarks/intrinsics.py [--rounds N] [--only PIECE]... [--output CSV]

Of pieces that are not measured the table keeps its lines.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import plain_loops
import torch

from quanvolve import Quanv2d
from quanvolve.compile.kernels.numba import _basis_states, _dense, _gates, _reading

HERE = Path(__file__).parent
COLUMNS = ["piece", "layer", "mode", "dtype", "plain / vector code"]
ENOUGH = 0.1
"""Seconds that a measured run takes at least."""
_VECTOR = {"engine": "statevector", "n_layers": 2}
LAYERS: dict[str, tuple[dict[str, Any], int, int]] = {
    "dense 2x2, stride 2, 32 filters": ({"out_channels": 128, "kernel_size": 2, "stride": 2}, 64, 28),
    "W1: random 2x2, stride 2": (
        {"out_channels": 4, "kernel_size": 2, "stride": 2, "circuit": "random", "n_layers": 1}, 512, 28,
    ),
    "4 qubits": ({"out_channels": 4, "kernel_size": 2, **_VECTOR}, 16, 14),
    "4 qubits, iqp": ({"out_channels": 4, "kernel_size": 2, "encoding": "iqp", **_VECTOR}, 16, 14),
    "4 qubits, reupload": ({"out_channels": 4, "kernel_size": 2, "encoding": "reupload", **_VECTOR}, 16, 14),
    "9 qubits": ({"out_channels": 9, "kernel_size": 3, **_VECTOR}, 4, 14),
    "12 qubits": ({"out_channels": 12, "kernel_size": (3, 4), **_VECTOR}, 1, 14),
}  # fmt: skip
"""Options, how many images, and their side; those with a number of qubits are state vectors."""
DENSE, W1, *VECTORS = LAYERS


class Piece(NamedTuple):
    """Vector code: names of a module, layers and modes that it counts for, and how much wider its twins' blocks are."""

    module: Any
    names: tuple[str, ...]
    cases: list[tuple[str, str]]
    wider: int = 1


_STEPS = [(layer, "step") for layer in ("4 qubits", "9 qubits", "12 qubits")]
_GATES, _UNDO = ("one_gate", "one_gate_lanes", "two_gates"), ("undo_gate", "undo_gate_lanes")
_ALL = (*_GATES, *_UNDO, "expand", "contract", "thin_tile")
PIECES = {
    "tiles": Piece(_dense, ("multiply",), [(DENSE, mode) for mode in ("forward", "step", "step with images")]),
    "sines": Piece(_reading, ("read_once",), [(W1, "forward")]),
    "tiles of state vectors": Piece(_gates, ("thin_tile",), _STEPS),
    "gates": Piece(_gates, _GATES, _STEPS),
    "gates undone": Piece(_gates, _UNDO, _STEPS),
    "expand, contract": Piece(_gates, ("expand", "contract"), _STEPS),
    "all of state vectors, blocks of 8 vectors": Piece(
        _gates, _ALL, [(layer, mode) for layer in VECTORS for mode in ("forward", "step")], wider=8
    ),
}


def work(piece: str) -> None:
    """A process that runs what lines of its input name, "layer|mode|times", and answers with seconds and sums."""
    if piece:
        module, names, _, wider = PIECES[piece]
        for name in names:
            assert hasattr(module, name), name
            setattr(module, name, getattr(plain_loops, name))
        if wider > 1:
            for place in (plain_loops, _gates, _basis_states):
                place.VECTOR_BYTES *= wider
    torch.set_num_threads(1)
    for line in sys.stdin:
        name, mode, times = line.strip().split("|")
        options, count, side = LAYERS[name]
        layer = Quanv2d(1, **options, seed=0)
        images = torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(0))
        images.requires_grad_(mode == "step with images")
        with torch.set_grad_enabled(mode != "forward"):
            weight = torch.rand(layer(images).shape, generator=torch.Generator().manual_seed(1))
            begun = time.process_time()
            for _ in range(int(times)):
                out = layer(images)
                if mode != "forward":
                    layer.zero_grad()
                    images.grad = None
                    out.backward(weight)
            seconds = time.process_time() - begun
        gradients = [one.grad for one in (*layer.parameters(), images) if one.grad is not None]
        print(json.dumps([seconds, *(float((one * one).sum()) for one in (out.detach(), *gradients))]), flush=True)


class Worker:
    """A process of :func:`work`, and its cache."""

    def __init__(self, piece: str) -> None:
        self._cache = tempfile.TemporaryDirectory()
        environment = {**os.environ, "OMP_NUM_THREADS": "1"} | ({"NUMBA_CACHE_DIR": self._cache.name} if piece else {})
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--work", piece], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment,
        )  # fmt: skip

    def run(self, layer: str, mode: str, times: int) -> list[float]:
        """Seconds, and sums of squares of the result and of the gradients."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        print(f"{layer}|{mode}|{times}", file=stdin, flush=True)
        answer: list[float] = json.loads(stdout.readline())
        return answer

    def stop(self) -> None:
        """Let it end."""
        self._process.communicate()
        self._cache.cleanup()


def compared(vector: Worker, plain: Worker, layer: str, mode: str, rounds: int) -> float:
    """Median of plain / vector; the first run of each compiles."""
    sums = [worker.run(layer, mode, 1)[1:] for worker in (vector, plain)]
    if not all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(*sums, strict=True)):
        raise SystemExit(f"{layer}, {mode}: sums of squares {sums[0]} by vector code, {sums[1]} by plain Numba")
    times = max(1, math.ceil(ENOUGH / max(vector.run(layer, mode, 3)[0] / 3, 1e-6)))
    ratios = []
    for _ in range(rounds):
        seconds = vector.run(layer, mode, times)[0]
        ratios.append(plain.run(layer, mode, times)[0] / seconds)
    return statistics.median(ratios)


def main() -> None:
    """Measure all pieces, or work for such a measurement."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=PIECES, action="append")
    parser.add_argument("--output", type=Path, default=HERE / "intrinsics.csv")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work is not None:
        work(options.work)
        return
    chosen = options.only or list(PIECES)
    lines: dict[str, list[list[str]]] = {}
    if options.output.exists():
        with options.output.open(newline="") as file:
            for line in list(csv.reader(file))[1:]:
                lines.setdefault(line[0], []).append(line)
    vector = Worker("")
    for name in chosen:
        plain, lines[name] = Worker(name), []
        for layer, mode in PIECES[name].cases:
            ratio = compared(vector, plain, layer, mode, options.rounds)
            lines[name].append([name, layer, mode, "float32", f"{ratio:.2f}"])
            print(*lines[name][-1], sep=", ", flush=True)
        plain.stop()
        with options.output.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(
                [COLUMNS, *(line for piece in PIECES for line in lines.get(piece, []))]
            )
    vector.stop()


if __name__ == "__main__":
    main()

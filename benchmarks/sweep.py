"""Encodings x ansatze x readouts x qubits beside PennyLane's `TorchLayer` and PennyLane with JAX, forward and step.

    python benchmarks/sweep.py --jax ENVIRONMENT/bin/python [--all] [--again "ry strongly_entangling z 4"]

A cell is a dense layer of one circuit with two layers; a step is the gradient of a weighted sum of its outputs by the
weights, and SGD. All contenders take the same circuit, numbers and batch, in single precision, on one core and in turn;
what is measured is the processor's time, which other work on the machine does not change. Compiling, capture and the
first call do not count. Values and gradients are compared before anything is timed. Medians go to `sweep.csv` beside
this file, cell by cell: what stands there is not run again. JAX is found in an environment of its own, which needs
`jax` and `pennylane` alone.

Without `--all` the product is taken in parts: each encoding with three ansatze, each ansatz and each readout with two
encodings. JAX takes part in those cells that `with_jax` names, as it compiles for 10 s to some minutes each. Circuits
that the catalogue refuses are no cells.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Any

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})

import numpy as np
import torch

from quanvolve import QuantumLinear
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import ENCODINGS, READOUTS, Circuit, list_circuits

HERE = Path(__file__).parent
WINDOWS = {8: 64, 10: 64, 4: 64, 12: 32, 14: 16}
"""Qubits, and the windows of a batch: fewer where a `TorchLayer`'s step would take seconds."""
USUAL = "strongly_entangling"
ROUNDS, LEAST, RATE = 3, 0.03, 0.01
TOLERANCE = 5e-4
"""In single precision, of values and relative to the largest gradient."""
CONTENDERS = ("TorchLayer", "JAX")
HEADER = [
    "encoding", "ansatz", "readout", "qubits", "windows", "what", "quanvolve ms", "TorchLayer ms", "JAX ms",
    "best peer / quanvolve", "plan", "remark",
]  # fmt: skip
Cell = tuple[str, str, str, int]


def cells(everything: bool) -> Iterator[Cell]:
    """(encoding, ansatz, readout, qubits), each once."""
    ansatze = list_circuits()
    usual = list(product(ENCODINGS, [USUAL], ["z"]))
    others = [
        *product(["amplitude", "ry"], [USUAL], READOUTS),
        *product(["ry", "amplitude"], ansatze, ["z"]),
        *product(ENCODINGS, ["random", "qcnn_u_su4"], ["z"]),
    ]
    parts = [usual, others, *([list(product(ENCODINGS, ansatze, READOUTS))] if everything else [])]
    yield from dict.fromkeys((*circuit, qubits) for part in parts for qubits, circuit in product(WINDOWS, part))


def with_jax(cell: Cell) -> bool:
    """Whether JAX takes part, which compiles some circuits for a minute and more."""
    encoding, ansatz, readout, qubits = cell
    most = 14 if encoding in ("ry", "amplitude") else 10
    if ansatz != USUAL:
        return (ansatz, readout, qubits) == ("random", "z", 8)
    return qubits <= most if readout == "z" else encoding == "amplitude" and qubits in (8, 10)


def layer_of(cell: Cell) -> QuantumLinear:
    """The layer of a cell."""
    encoding, ansatz, readout, qubits = cell
    n_inputs = {"amplitude": 2**qubits, "dense": 2 * qubits, "reupload": 2 * qubits}.get(encoding, qubits)
    options: dict[str, Any] = {"circuit": ansatz, "encoding": encoding, "readout": readout, "n_qubits": qubits}
    options |= {"n_layers": 2, "scale": 1.0, "seed": 0}
    outputs = QuantumLinear(n_inputs, 1, **options).circuits[0].n_outputs
    return QuantumLinear(n_inputs, outputs, **options)


def written(circuit: Circuit, encoding: str, numbers: str) -> dict[str, Any]:
    """A circuit as `sweep_peer.py` reads it."""
    programs = {"iqp": [(1.0, 0.0)], "zz_feature_map": 2 * [(2.0, math.pi)]}
    program = [
        (*numbers, *p) for numbers in programs.get(encoding, []) for p in combinations(range(circuit.n_inputs), 2)
    ]
    gates = []
    for gate in circuit.gates:
        angle = gate.angle
        angles = (
            [] if angle is None else [(angle.offset, angle.inputs, [(k, factor) for _, k, factor in angle.weights])]
        )
        gates.append((gate.name, gate.wires, angles))
    return {
        "do": "prepare",
        "numbers": numbers,
        "wires": circuit.n_wires,
        "gates": gates,
        "threshold": circuit.threshold,
        "prepared": circuit.preparation is not None,
        "program": program,
        "counts": circuit.counts,
        "observables": [(o.terms, o.outcome) for o in circuit.observables],
    }


class Ours:
    """This package's layer: forward, and a step that gives the gradient."""

    def __init__(self, layer: QuantumLinear, inputs: Any, slopes: Any) -> None:
        self.layer, self.inputs, self.slopes = layer, torch.from_numpy(inputs), torch.from_numpy(slopes)
        self.optimizer = torch.optim.SGD(layer.parameters(), lr=RATE)

    def forward(self) -> Any:
        with torch.no_grad():
            return self.layer(self.inputs).numpy()

    def step(self) -> Any:
        self.optimizer.zero_grad()
        (self.layer(self.inputs) * self.slopes).sum().backward()
        self.optimizer.step()
        return self.layer.weights.grad.numpy()

    def seconds(self, what: str, least: float) -> float:
        """Of the processor for a call that is repeated until it has taken so many."""
        call, calls, start = getattr(self, what), 0, time.process_time()
        while True:
            call()
            calls += 1
            if (passed := time.process_time() - start) >= least:
                return passed / calls


class Peer:
    """A process of `sweep_peer.py`, begun anew after it failed to answer in time."""

    def __init__(self, python: str, kind: str) -> None:
        self.command = [python, str(HERE / "sweep_peer.py"), kind]
        self.process: subprocess.Popen[str] | None = None

    def ask(self, request: dict[str, Any], patience: float) -> dict[str, Any]:
        """The answer, or `{"error": why}`."""
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        if select.select([self.process.stdout], [], [], patience)[0] and (line := self.process.stdout.readline()):
            said: dict[str, Any] = json.loads(line)
            return said
        self.stop()
        return {"error": f"nothing came within {patience:.0f} s"}

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def compared(said: dict[str, Any], values: Any, gradient: Any, counts: str | None) -> str:
    """How a peer's numbers differ from ours, in words; nothing where they do not."""
    if counts == "sampled":
        return ""
    theirs = np.array(said["values"])
    if counts == "most_probable":  # ties, but for rounding, may go either way
        return "" if (theirs != values).mean() < 0.05 else "other values"
    if (off := np.abs(theirs - values).max()) > TOLERANCE:
        return f"values differ by {off:.0e}"
    off = np.abs(np.array(said["gradient"]) - gradient.ravel()).max() / max(1.0, np.abs(gradient).max())
    return f"gradients differ by {off:.0e}" if off > TOLERANCE else ""


def rows_of(cell: Cell, peers: dict[str, Peer], folder: Path, patience: float) -> Iterator[list[Any]]:
    """What a cell's lines in the table are: forward, and the step where there are gradients."""
    try:
        layer = layer_of(cell)
    except QuanvolveError:
        return
    encoding, _, _, qubits = cell
    windows, circuit = WINDOWS[qubits], layer.circuits[0]
    rng = np.random.default_rng(0)
    inputs = rng.uniform(0.05, math.pi, (windows, circuit.n_inputs)).astype(np.float32)
    slopes = rng.normal(size=(windows, circuit.n_outputs)).astype(np.float32)
    weights = layer.weights.detach().numpy().ravel().copy()
    np.savez(folder / "numbers.npz", inputs=inputs, weights=weights, slopes=slopes)
    ours, remarks = Ours(layer, inputs, slopes), []
    trained = circuit.counts is None
    values, gradient = ours.forward(), ours.step() if trained else None
    request, running = written(circuit, encoding, str(folder / "numbers.npz")), {}
    for name, peer in peers.items():
        if name == "JAX" and not with_jax(cell):
            continue
        said = peer.ask(request, patience)
        wrong = said.get("error") or compared(said, values, gradient, circuit.counts)
        if wrong:
            remarks.append(f"{name}: {wrong}")
        else:
            running[name] = peer
    for what in ("forward", "step")[: 1 + trained]:
        times: dict[str, list[float]] = {name: [] for name in ("quanvolve", *running)}
        for _ in range(ROUNDS):
            times["quanvolve"].append(ours.seconds(what, LEAST))
            for name, peer in list(running.items()):
                said = peer.ask({"do": "time", "what": what, "least": LEAST}, patience)
                if "seconds" in said:
                    times[name].append(said["seconds"])
                else:
                    remarks.append(f"{name}: {said['error']}")
                    del running[name]
        own = {name: statistics.median(found) for name, found in times.items() if len(found) == ROUNDS}
        best = min((own[name] for name in CONTENDERS if name in own), default=None)
        yield [
            *cell, windows, what, *(f"{1000 * own[name]:.4g}" if name in own else "" for name in times_of(peers)),
            "" if best is None else f"{best / own['quanvolve']:.3g}", str(layer.plan).partition(":")[0],
            "; ".join(remarks),
        ]  # fmt: skip


def times_of(peers: dict[str, Peer]) -> tuple[str, ...]:
    """The contenders in the order of the table."""
    return ("quanvolve", *CONTENDERS)


def read(path: Path) -> list[list[str]]:
    """The lines of an earlier run."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.reader(file))[1:]


def write(path: Path, rows: list[list[Any]]) -> None:
    """All lines, whole or not at all."""
    aside = path.with_suffix(".new")
    with aside.open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    aside.replace(path)


def main() -> None:
    """Run the cells that are not there yet."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jax", metavar="PYTHON", help="interpreter of the environment with JAX")
    parser.add_argument("--all", action="store_true", help="the whole product")
    parser.add_argument("--again", nargs="+", metavar="CELL", help='such cells, run anew: "ry strongly_entangling z 4"')
    parser.add_argument("--below", type=float, help="cells with a smaller ratio than this, run anew")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds in which a contender must answer")
    parser.add_argument("--output", type=Path, default=HERE / "sweep.csv")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[list[Any]] = read(options.output)
    known = {(row[0], row[1], row[2], int(row[3])) for row in rows}
    if options.again:
        wanted = [cell for cell in cells(True) if " ".join(map(str, cell)) in options.again]
    elif options.below:
        low = {(row[0], row[1], row[2], int(row[3])) for row in rows if row[9] and float(row[9]) < options.below}
        wanted = [cell for cell in cells(True) if cell in low]
    else:
        wanted = [cell for cell in cells(options.all) if cell not in known]
    peers = {"TorchLayer": Peer(sys.executable, "torch")}
    if options.jax:
        peers["JAX"] = Peer(options.jax, "jax")
    with tempfile.TemporaryDirectory() as folder:
        for cell in wanted:
            lines = list(rows_of(cell, peers, Path(folder), options.patience))
            rows = [row for row in rows if (row[0], row[1], row[2], int(row[3])) != cell] + lines
            for line in lines:
                print(*line, flush=True)
            write(options.output, rows)
    for peer in peers.values():
        peer.stop()


if __name__ == "__main__":
    main()

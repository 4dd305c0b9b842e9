"""The workloads: what is computed, as numbers that any library can take."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quanvolve._errors import QuanvolveError


@dataclass(frozen=True)
class Workload:
    """One thing to time.

    Args:
        name: short.
        title: what it is, in a line.
        kernel, stride: of the window, along both axes.
        circuit: a name of the catalogue; always RY encoding and <Z> on every qubit.
        layers: of the circuit.
        training: whether a training step is timed, or the forward pass alone.
    """

    name: str
    title: str
    kernel: int
    stride: int
    circuit: str
    layers: int
    training: bool

    @property
    def unit(self) -> str:
        """What is counted each second."""
        return "steps" if self.training else "windows"


WORKLOADS = {
    w.name: w
    for w in (
        Workload("W1", "2x2 stride 2, 4 qubits, random circuit, forward", 2, 2, "random", 1, False),
        Workload("W1-dense", "2x2 stride 2, 4 qubits, 2 entangling layers, forward", 2, 2, "strongly_entangling", 2, False),
        Workload("W2", "3x3 stride 1, 9 qubits, 2 entangling layers, forward", 3, 1, "strongly_entangling", 2, False),
        Workload("W3", "2x2 stride 2, 4 qubits, training step on 32 images", 2, 2, "strongly_entangling", 2, True),
        Workload("W4", "3x3 stride 3, 9 qubits, training step on 32 images", 3, 3, "strongly_entangling", 2, True),
    )
}
"""By name."""

_IMAGES = 32
_CLASSES = 10


def chosen(names: str | None) -> list[Workload]:
    """The workloads of a list such as "W1,W3"; all, if not given.

    Raises:
        QuanvolveError: if there is no such workload.
    """
    if names is None:
        return list(WORKLOADS.values())
    found = []
    for name in names.split(","):
        if name.strip() not in WORKLOADS:
            raise QuanvolveError(f"no workload is called {name.strip()!r}: choose from {', '.join(WORKLOADS)}")
        found.append(WORKLOADS[name.strip()])
    return found


def write_problem(workload: Workload, folder: Path) -> None:
    """Write `problem.json` and `arrays.npz`, which the contenders read.

    Args:
        workload: of which.
        folder: made if it is not there.
    """
    from quanvolve.circuits import named_circuit

    rng = np.random.default_rng(7)
    circuit = named_circuit(workload.circuit, workload.kernel**2, n_layers=workload.layers, seed=3)
    places = (28 - workload.kernel) // workload.stride + 1
    features = circuit.n_outputs * places**2
    offsets, total = {}, 0
    for name, shape in circuit.weight_shapes:
        offsets[name] = total
        total += int(np.prod(shape))
    gates: list[Any] = []
    for gate in circuit.gates:
        angle = gate.angle
        entry = None
        if angle is not None:
            uses = [(offsets[name] + index, factor) for name, index, factor in angle.weights]
            entry = (angle.offset, angle.inputs, uses)
        gates.append((gate.name, gate.wires, entry))
    problem = {
        "kernel": workload.kernel,
        "stride": workload.stride,
        "n_wires": circuit.n_wires,
        "gates": gates,
        "circuit": circuit.to_json(),
        "scale": float(np.pi),
        "rate": 0.01,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "problem.json").write_text(json.dumps(problem))
    np.savez(
        folder / "arrays.npz",
        images=rng.random((_IMAGES, 1, 28, 28), dtype=np.float32),
        weights=rng.uniform(0, 2 * np.pi, total),
        head_weight=(rng.normal(size=(_CLASSES, features)) / np.sqrt(features)).astype(np.float32),
        head_bias=np.zeros(_CLASSES, np.float32),
        labels=rng.integers(0, _CLASSES, _IMAGES),
    )

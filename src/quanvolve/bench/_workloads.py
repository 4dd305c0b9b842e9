"""The workloads: what is computed, as numbers that any library can take."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from quanvolve._errors import QuanvolveError

if TYPE_CHECKING:
    from quanvolve.circuits import Circuit

Array = npt.NDArray[Any]
Angle = tuple[float, tuple[tuple[int, float], ...], tuple[tuple[int, float], ...]]
Gate = tuple[str, tuple[int, ...], tuple[Angle, ...]]

CLASSES, RATE, SCALE = 10, 0.01, float(np.pi)
_STRUCTURE = 42  # the seed of the quanvolution demo's random layer


@dataclass(frozen=True)
class Workload:
    """One thing to time. The encoding is RY(pi x) on a qubit for each pixel, and <Z> is measured on every qubit.

    Args:
        name: short, as on the command line.
        title: what it is, in a line.
        kernel: rows and columns of a window.
        stride: pixels from one window to the next.
        circuit: a name of the catalogue.
        layers: of the circuit.
        training: whether a training step is timed, or the forward pass alone.
        images: how many different ones there are; a training step takes all of them.
        side: rows and columns of an image.
        noise: probability of the depolarizing channel after every gate, on each of its wires.
        shots: of each window; 0 for exact values.
    """

    name: str
    title: str
    kernel: int
    stride: int
    circuit: str
    layers: int
    training: bool
    images: int
    side: int = 28
    noise: float = 0.0
    shots: int = 0

    @property
    def unit(self) -> str:
        """What is counted each second."""
        return "training steps" if self.training else "windows"

    @property
    def places(self) -> int:
        """Number of windows in an image."""
        return ((self.side - self.kernel) // self.stride + 1) ** 2


_DENSE = "strongly_entangling"
WORKLOADS = {
    w.name: w
    for w in (
        Workload("W1", "2x2 windows, stride 2: 4 qubits, the demo's random layer", 2, 2, "random", 1, False, 2048),
        Workload("W1d", "2x2 windows, stride 2: 4 qubits, 2 entangling layers", 2, 2, _DENSE, 2, False, 2048),
        Workload("W2", "3x3 windows, stride 1: 9 qubits, 2 entangling layers", 3, 1, _DENSE, 2, False, 512),
        Workload("W3", "training step, 32 images: 2x2 windows, 4 qubits, 2 layers", 2, 2, _DENSE, 2, True, 32),
        Workload("W4", "training step, 32 images: 3x3 windows, 9 qubits, 2 layers", 3, 3, _DENSE, 2, True, 32),
        Workload("W5", "W1 with noise: depolarizing, p = 0.01", 2, 2, "random", 1, False, 2048, noise=0.01),
        Workload("W6", "W1 with 1,000 shots a window", 2, 2, "random", 1, False, 512, shots=1000),
    )
}
"""By name."""


@dataclass(frozen=True)
class Problem:
    """A workload with its numbers.

    Args:
        workload: which.
        circuit: what a filter runs.
        gates: the same in the order of application: name, wires, angles; an angle is its offset, then pairs of an index
            and a factor of inputs, then of weights. "ROT" has the angles of RZ, RY, RZ.
        arrays: images, weights, head_weight, head_bias, labels.
    """

    workload: Workload
    circuit: Circuit
    gates: list[Gate]
    arrays: dict[str, Array]

    def windows(self) -> Array:
        """All windows, scaled to angles, shape (windows, inputs), in double precision."""
        kernel, stride = self.workload.kernel, self.workload.stride
        view = np.lib.stride_tricks.sliding_window_view(self.arrays["images"][:, 0], (kernel, kernel), axis=(1, 2))
        return view[:, ::stride, ::stride].reshape(-1, kernel**2).astype(np.float64) * SCALE

    def write(self, folder: Path) -> None:
        """Write `problem.json` and `arrays.npz`, which the contenders read."""
        problem = {
            "kernel": self.workload.kernel,
            "stride": self.workload.stride,
            "training": self.workload.training,
            "n_wires": self.circuit.n_wires,
            "gates": self.gates,
            "circuit": self.circuit.to_json(),
            "scale": SCALE,
            "rate": RATE,
            "noise": self.workload.noise,
            "shots": self.workload.shots,
        }
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "problem.json").write_text(json.dumps(problem))
        np.savez(folder / "arrays.npz", allow_pickle=False, **self.arrays)


def make_problem(workload: Workload) -> Problem:
    """Draw the numbers of a workload, the same ones each time.

    Pixels are uniform in [0, 1], so that no two windows are equal: nobody gains by computing equal ones once.
    """
    from quanvolve.circuits import named_circuit  # loads torch

    circuit = named_circuit(workload.circuit, workload.kernel**2, n_layers=workload.layers, seed=_STRUCTURE)
    first, total = {}, 0
    for name, shape in circuit.weight_shapes:
        first[name] = total
        total += int(np.prod(shape))
    gates: list[Gate] = []
    for gate in circuit.gates:
        angles: tuple[Angle, ...] = ()
        if gate.angle is not None:
            uses = tuple((first[name] + index, factor) for name, index, factor in gate.angle.weights)
            angles = ((gate.angle.offset, gate.angle.inputs, uses),)
        gates.append((gate.name, gate.wires, angles))
    rng = np.random.default_rng(0)
    features = circuit.n_outputs * workload.places
    side = workload.side
    arrays: dict[str, Array] = {
        # The weights of the quanvolution demo.
        "weights": np.random.RandomState(0).uniform(0, 2 * np.pi, total),
        "images": rng.random((workload.images, 1, side, side), dtype=np.float32),
        "head_weight": rng.normal(0, features**-0.5, (CLASSES, features)).astype(np.float32),
        "head_bias": np.zeros(CLASSES, np.float32),
        "labels": rng.integers(0, CLASSES, workload.images),
    }
    return Problem(workload, circuit, gates if workload.noise else with_rotations(gates), arrays)


def with_rotations(gates: list[Gate]) -> list[Gate]:
    """The gates with each RZ, RY, RZ of a wire as one "ROT", which most libraries have as a single gate."""
    merged: list[Gate] = []
    for gate in gates:
        merged.append(gate)
        last = merged[-3:]
        if [name for name, _, _ in last] == ["RZ", "RY", "RZ"] and len({wires for _, wires, _ in last}) == 1:
            merged[-3:] = [("ROT", gate[1], tuple(angles[0] for _, _, angles in last))]
    return merged


def choose_workloads(names: str | None) -> list[Workload]:
    """The workloads of a list such as "W1,W3"; all, if not given.

    Raises:
        QuanvolveError: if one is unknown, or none is named.

    Examples:
        >>> [workload.name for workload in choose_workloads("W3, W1")]
        ['W3', 'W1']
    """
    if names is None:
        return list(WORKLOADS.values())
    wanted = list(dict.fromkeys(filter(None, (name.strip() for name in names.split(",")))))
    for name in wanted or [names]:
        if name not in WORKLOADS:
            raise QuanvolveError(
                f"`workloads` (={names!r}) has {name!r}, expected some of {', '.join(WORKLOADS)}, with commas between",
                arguments=("workloads",),
            )
    return [WORKLOADS[name] for name in wanted]

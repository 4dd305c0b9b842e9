"""What a run on a device would take: circuits, shots, time and money, before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve.backends._design import Design
from quanvolve.backends._layer import quantise, rows_of_layer, windows_of
from quanvolve.backends._qiskit import QiskitBackend
from quanvolve.circuits import Circuit, bases_of
from quanvolve.nn import QuanvNd


@dataclass(frozen=True)
class Rates:
    """What a device charges.

    Args:
        seconds_a_shot: time of one shot, its reset included.
        seconds_a_circuit: further time for each circuit.
        price_a_second: of that time.
        price_a_shot, price_a_circuit: for providers who charge by these.
    """

    seconds_a_shot: float = 250e-6
    seconds_a_circuit: float = 0.0
    price_a_second: float = 0.0
    price_a_shot: float = 0.0
    price_a_circuit: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not np.isfinite(value) or value < 0:
                raise QuanvolveError(f"`{name}` (={value}) must be a number of at least 0")


@dataclass(frozen=True)
class Work:
    """One way to run: how many circuits and shots, and what these take.

    Args:
        circuits: that run, each measurement basis counted.
        shots: of all circuits together.
        seconds, price: by the rates.
    """

    circuits: int
    shots: int
    seconds: float
    price: float


@dataclass(frozen=True)
class Estimate:
    """A dry run of a model's first quantum convolution.

    Args:
        windows: of all images, one circuit each: what a loop over windows would run.
        distinct: with equal windows run once.
        calibration: all settings that determine the filters; None where the encoding does not allow it.
        depth, two_qubit_gates: of the largest circuit, after transpilation where the backend is one of Qiskit.
    """

    windows: Work
    distinct: Work
    calibration: Work | None
    depth: int
    two_qubit_gates: int


def estimate(
    model: nn.Module,
    images: Tensor,
    *,
    backend: QiskitBackend | None = None,
    shots: int = 4096,
    levels: int | None = None,
    rates: Rates | None = None,
) -> Estimate:
    """Count what a model would run on a device. Nothing runs.

    Args:
        model: whose first quantum convolution, which sees the images, is looked at.
        images: shape (N, C, *size), as the model takes them.
        backend: to transpile for; without one, depth and gates are those of the circuit as it is written.
        shots: of each circuit.
        levels: round the images to so many levels first.
        rates: of the device.

    Raises:
        QuanvolveError: if the model has no quantum convolution, or its circuits do not fit the backend.

    Examples:
        >>> import torch
        >>> from quanvolve import Quanv2d
        >>> images = torch.zeros(10, 1, 28, 28)
        >>> found = estimate(Quanv2d(1, 4, 2, stride=2, seed=0), images, shots=1000)
        >>> found.windows.circuits, found.distinct.circuits, found.calibration.circuits
        (1960, 1, 81)
    """
    rates = rates or Rates()
    layers = [module for module in model.modules() if isinstance(module, QuanvNd)]
    if not layers:
        raise QuanvolveError(f"the model ({type(model).__name__}) has no quantum convolution to run on a device")
    layer = layers[0]
    windows = windows_of(layer, images if levels is None else quantise(images, levels))
    count = windows[:, 0, 0, ..., 0].numel()
    every = distinct = settings = 0
    designed = True
    for row in rows_of_layer(layer):
        bases = len(bases_of(row.circuit))
        own = windows[:, row.group, row.channel].reshape(count, -1).numpy()
        if row.circuit.threshold is not None:
            own = own > row.circuit.threshold
        every += bases * count
        distinct += bases * len(np.unique(own, axis=0))
        try:
            design = Design.of(row.circuit)
            settings += bases * design.levels ** len(design.inputs)
        except QuanvolveError:
            designed = False

    def work(circuits: int) -> Work:
        seconds = circuits * (shots * rates.seconds_a_shot + rates.seconds_a_circuit)
        price = seconds * rates.price_a_second + circuits * (shots * rates.price_a_shot + rates.price_a_circuit)
        return Work(circuits, circuits * shots, seconds, price)

    sizes = [_size(circuit, backend) for circuit in dict.fromkeys(layer.circuits)]
    return Estimate(
        work(every),
        work(distinct),
        work(settings) if designed else None,
        max(depth for depth, _ in sizes),
        max(pairs for _, pairs in sizes),
    )


def _size(circuit: Circuit, backend: QiskitBackend | None) -> tuple[int, int]:
    if backend is not None:
        found = backend.transpiled(circuit)
        return found.depth, found.two_qubit_gates
    levels = [0] * circuit.n_wires
    for gate in circuit.gates:
        top = 1 + max(levels[wire] for wire in gate.wires)
        for wire in gate.wires:
            levels[wire] = top
    return max(levels), sum(len(gate.wires) == 2 for gate in circuit.gates)

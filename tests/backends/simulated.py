"""A backend of our own: exact values, and a count of what it was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.backends import Measured
from quanvolve.circuits import Circuit, simulate


class Simulated:
    """Exact values, setting by setting, from the slow and obvious simulator.

    Args:
        wires: the largest circuit that it takes; None for any.
        values: whether to compute them; zeros cost less where only the count matters.
    """

    name, identity, shots, settings_a_job = "simulated", "simulated", None, 10**9

    def __init__(self, wires: int | None = None, *, values: bool = True) -> None:
        self.wires, self.values = wires, values
        self.ran: list[tuple[Circuit, int]] = []

    @property
    def settings(self) -> int:
        """How many settings have run."""
        return sum(count for _, count in self.ran)

    def check(self, circuit: Circuit) -> None:
        """Refuse large circuits."""
        if self.wires is not None and circuit.n_wires > self.wires:
            raise QuanvolveError(f"{circuit.n_wires} qubits, there are {self.wires}")

    def run(self, circuit: Circuit, weights: Any, inputs: Any) -> Measured:
        """Run a job."""
        self.check(circuit)
        self.ran.append((circuit, len(inputs)))
        values = np.zeros((len(inputs), circuit.n_outputs))
        if self.values:
            values = np.array([simulate(circuit, row, weights) for row in inputs]).reshape(values.shape)
        return Measured(values, np.zeros_like(values))

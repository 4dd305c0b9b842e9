"""The trajectory plan: circuits with noise as means over random state vectors, on up to 16 qubits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit, absorbed
from quanvolve.compile.batch._chunks import CHUNK_BYTES, in_chunks
from quanvolve.compile.batch._layout import Layout
from quanvolve.compile.batch._precision import turned
from quanvolve.compile.batch._rows import angles_of, numbers_of, outputs_of, parts_of
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.reference._gates import Jump, run_steps, segments_of
from quanvolve.compile.reference._measurements import measure
from quanvolve.compile.reference._prepare import initial

MAX_WIRES = 16
TRAJECTORIES = 1000
"""How many are run where none are named."""
_TEMPORARIES = 10


class TrajectoryPlan:
    """Filters with noise: means over state vectors, on which each channel applies one Kraus operator at random.

    Each window and each row of the weights has draws of its own, from torch's generator: ``torch.manual_seed`` repeats
    them. Values and gradients are unbiased.

    Args:
        circuits: one circuit for all rows of the weights, or one for each.
        trajectories: how many the mean is over.

    Raises:
        PlanError: if the circuits have no noise, or more than 16 qubits.

    References:
        Dalibard, Castin and Molmer, Phys. Rev. Lett. 68, 580 (1992); Isakov et al., arXiv:2111.02396 (2021).
    """

    name = "trajectories"

    def __init__(self, circuits: Sequence[Circuit], trajectories: int = TRAJECTORIES) -> None:
        self.circuits, self.trajectories = tuple(absorbed(circuit) for circuit in circuits), trajectories
        if not any(circuit.noisy for circuit in self.circuits):
            raise PlanError("the circuit has no noise channels, without which every trajectory is the same")
        n = max(circuit.n_wires for circuit in self.circuits)
        if n > MAX_WIRES:
            raise PlanError(
                f"the circuit has {n} qubits, trajectories are run on at most {MAX_WIRES}: use a smaller "
                "`kernel_size`, or fewer channels or features that one circuit reads"
            )

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[Tensor, ...]:
        """The flat weights of every circuit, and its weights by name; arguments as in the state-vector plan."""
        return numbers_of(self.circuits, weights, like)

    def evaluate(self, compiled: tuple[Tensor, ...], windows: Windows, layout: Layout) -> Tensor:
        """Means over the trajectories, shape (images, groups, outputs, *places)."""
        first = self.circuits[0]
        depth = 2 * len(first.gates) if torch.is_grad_enabled() else 0
        together = layout.rows if len(self.circuits) == 1 else 1
        one = 2 * 2**first.n_wires * (_TEMPORARIES + depth) * together * windows.images.element_size()
        block = min(self.trajectories, max(1, CHUNK_BYTES // one))

        def on_chunk(inputs: Tensor, *tensors: Tensor) -> Tensor:
            parts = parts_of(self.circuits, tensors)
            total: Tensor | None = None
            for start in range(0, self.trajectories, block):
                count = min(block, self.trajectories - start)

                run = partial(_run, count)
                if block < self.trajectories and torch.is_grad_enabled():
                    found = checkpoint(outputs_of, run, self.circuits, inputs, parts, layout, use_reentrant=False)
                else:
                    found = outputs_of(run, self.circuits, inputs, parts, layout)
                part = found * (count / self.trajectories)
                total = part if total is None else total + part
            assert total is not None
            return total

        return in_chunks(on_chunk, windows, compiled, layout.outputs, one * block)

    def cost(self, layout: Layout) -> tuple[float, float]:
        """Estimated nanoseconds to compile, and per window, for all rows."""
        circuit = self.circuits[0]
        steps = [step for segment in segments_of(circuit) for step in segment.steps]
        operations = sum(3 * len(step.operators) if isinstance(step, Jump) else 2 for step in steps)
        window = 2.0**circuit.n_wires * 0.9 * operations * self.trajectories
        return 60_000.0 * len(circuit.gates) * len(self.circuits), window * layout.rows

    def __str__(self) -> str:
        circuit = self.circuits[0]
        n = circuit.n_wires
        return (
            f"trajectories: means over {self.trajectories:,} random runs of {n} qubit{'s' * (n > 1)} as state vectors, "
            f"no exact values: a value's standard error is at most {self._bound():.2g}"
        )

    def _bound(self) -> float:
        """The largest standard error that a mean of values between two numbers can have (Popoviciu's inequality)."""
        spans = []
        for observable in self.circuits[0].observables:
            words = observable.pauli_terms()
            # An outcome is 0 or 1, and a sum of words within the sum of their sizes.
            spans.append(1.0 if observable.outcome else 2 * sum(abs(c) for c, word in words if word))
        return float(np.max(spans)) / 2 / math.sqrt(self.trajectories)


def _run(
    count: int, circuit: Circuit, values: Tensor, rows: Tensor, folded: list[Tensor], shape: tuple[int, int, int]
) -> Tensor:
    """The mean over some trajectories."""
    positions = values.shape[-1]
    # Every row has its own draws, so that errors of filters are independent.
    many = values.expand(*shape, *values.shape[3:]).repeat_interleave(count, dim=-1)
    state = initial(circuit, many, rows.dtype)
    for segment in segments_of(circuit):
        turns = turned(angles_of(circuit, segment.angles, many, rows) / 2, rows.dtype)
        state = run_steps(segment, state, *turns)
    found = measure(circuit, state)
    return torch.unflatten(found, -1, (positions, count)).mean(-1).expand(*shape, -1, -1)

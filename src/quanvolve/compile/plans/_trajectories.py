"""The trajectory plan: circuits with noise as means over random state vectors, on up to 16 qubits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from quanvolve.circuits import Circuit
from quanvolve.compile.batch._chunks import chunk_bytes, in_chunks
from quanvolve.compile.batch._precision import turned
from quanvolve.compile.batch._rows import RowWeights, angles_of, outputs_of, row_weights, tensors_of, with_tensors
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.plans._noisy import with_noise
from quanvolve.compile.plans._work import Work
from quanvolve.compile.reference._gates import run_steps
from quanvolve.compile.reference._measure import measure
from quanvolve.compile.reference._prepare import initial
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._segments import Jump, segments_of

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
        self.circuits = with_noise(circuits, self.name, "every trajectory is the same")
        self.trajectories = trajectories

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[RowWeights, ...]:
        """The weights of every circuit; arguments as in the state-vector plan."""
        return row_weights(self.circuits, weights, like, layout)

    def evaluate(self, compiled: tuple[RowWeights, ...], windows: Windows, layout: Layout) -> Tensor:
        """Means over the trajectories, shape (images, groups, outputs, *places)."""
        first = self.circuits[0].circuit
        depth = 2 * len(first.gates) if torch.is_grad_enabled() else 0
        together = layout.rows if len(self.circuits) == 1 else 1
        trajectory_bytes = 2 * 2**first.n_wires * (_TEMPORARIES + depth) * together * windows.images.element_size()
        block = min(self.trajectories, max(1, chunk_bytes(windows.images.device) // trajectory_bytes))

        def on_chunk(inputs: Tensor, *tensors: Tensor) -> Tensor:
            parts = with_tensors(compiled, tensors)
            total: Tensor | None = None
            for start in range(0, self.trajectories, block):
                count = min(block, self.trajectories - start)

                run = partial(self._run, count)
                if block < self.trajectories and torch.is_grad_enabled():
                    means = checkpoint(outputs_of, run, self.circuits, inputs, parts, layout, use_reentrant=False)
                else:
                    means = outputs_of(run, self.circuits, inputs, parts, layout)
                part = means * (count / self.trajectories)
                total = part if total is None else total + part
            assert total is not None
            return total

        return in_chunks(on_chunk, windows, tensors_of(compiled), layout.outputs, trajectory_bytes * block)

    def _run(self, count: int, number: int, values: Tensor, weights: RowWeights, shape: tuple[int, int, int]) -> Tensor:
        """The mean over some trajectories."""
        parsed, flat = self.circuits[number], weights.flat
        positions = values.shape[-1]
        # Every row has its own draws, so that errors of filters are independent.
        many = values.expand(*shape, *values.shape[3:]).repeat_interleave(count, dim=-1)
        state = initial(parsed, many, flat.dtype)
        for segment in segments_of(parsed):
            state = run_steps(segment, state, *turned(angles_of(segment.maps, many, flat) / 2, flat.dtype))
        means = torch.unflatten(measure(parsed, state), -1, (positions, count)).mean(-1)
        return means.expand(*shape, -1, -1)

    def work(self, layout: Layout) -> tuple[Work, Work]:
        """To compile, and per window, for all rows."""
        parsed, circuit = self.circuits[0], self.circuits[0].circuit
        steps = [step for segment in segments_of(parsed) for step in segment.steps]
        operations = sum(3 * len(step.operators) if isinstance(step, Jump) else 2 for step in steps)
        gates = 2.0**circuit.n_wires * operations * self.trajectories
        setup = Work.of(self.name, compile=len(circuit.gates) * len(self.circuits))
        return setup, Work.of(self.name, gate=gates * layout.rows)

    def __str__(self) -> str:
        n = self.circuits[0].circuit.n_wires
        return (
            f"trajectories: means over {self.trajectories:,} random runs of {n} qubit{'s' * (n > 1)} as state vectors, "
            f"no exact values: a value's standard error is at most {self._bound():.2g}"
        )

    def _bound(self) -> float:
        """The largest standard error that a mean of values between two numbers can have (Popoviciu's inequality)."""
        spans = []
        for observable in self.circuits[0].circuit.observables:
            words = observable.pauli_terms()
            # An outcome is 0 or 1, and a sum of words within the sum of their sizes.
            spans.append(1.0 if observable.outcome else 2 * sum(abs(c) for c, word in words if word))
        return float(np.max(spans)) / 2 / math.sqrt(self.trajectories)

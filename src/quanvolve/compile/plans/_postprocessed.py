"""Outputs that are functions of expectation values: any other plan, and the circuits' post-processing behind it.

    out[g, f, j] = sum_c F_j(E(g, c, f); weights(g, f, c)),

with E the expectation values of filter f's circuit on input channel c. F is not linear, so it comes before the sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve.circuits import Circuit, Program
from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._graph import keep_graph
from quanvolve.compile.batch._precision import wide
from quanvolve.compile.batch._values import each
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.plans._plan import Plan
from quanvolve.compile.plans._sampled import SampledPlan, combine, each_alone
from quanvolve.compile.plans._trajectories import TrajectoryPlan
from quanvolve.compile.plans._work import Work
from quanvolve.compile.tables._layout import Layout, of_row, some_rows
from quanvolve.compile.tables._sampling import rows_alone


class PostprocessedPlan:
    """Values of another plan, row by row, and what each circuit makes of its own.

    Args:
        inner: a plan for what :func:`measured_alone` makes of the circuits.
        circuits: whose outputs they are, with their post-processing.
        layout: of the layer.
    """

    def __init__(self, inner: Plan, circuits: Sequence[Circuit], layout: Layout) -> None:
        self.inner, self.name = inner, inner.name
        self.measured = len(circuits[0].observables)
        self._alone = alone(circuits, layout)
        self._rows = np.array(rows_alone(layout), np.int64)
        self._blocks = _blocks([of_row(circuits, row) for row in self._rows])
        names = [name for name, _ in circuits[0].weight_shapes]
        self._read = [name for name in names if any(name in program.weights_read() for program, _ in self._blocks)]

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[Any, ...]:
        """What the inner plan makes of the weights (rows, *shape), and those that the post-processing reads."""
        order = constant(self._rows, like.device)
        ordered = {name: w.index_select(0, order) if len(w) > 1 else w for name, w in weights.items()}
        read = {name: ordered[name] for name in self._read}
        return self.inner.compile(ordered, like, self._alone, n_windows), read

    def evaluate(self, compiled: tuple[Any, ...], windows: Windows, layout: Layout) -> Tensor:
        """The circuits' outputs, shape (images, groups, outputs, *places)."""
        inner, weights = compiled
        values = self.inner.evaluate(inner, each_alone(windows), self._alone)
        images, places = values.shape[0], values.shape[3:]
        # images, rows in the order of _rows, measured, positions
        rows = values.reshape(images, len(self._rows), self.measured, places.numel())
        outputs = [
            _run(program, rows[:, rows_of], {name: some_rows(w, rows_of) for name, w in weights.items()})
            for program, rows_of in self._blocks
        ]
        whole = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)
        return combine(whole.flatten(0, 1), images, tuple(places), layout)

    def work(self, layout: Layout) -> tuple[Work, Work]:
        """To compile, and per window, for all rows: what is behind costs every plan the same."""
        return self.inner.work(self._alone)

    def __str__(self) -> str:
        measured, outputs = self.measured, len(self._blocks[0][0].values)
        estimated = isinstance(self.inner, SampledPlan) or self.name == TrajectoryPlan.name
        return (
            f"{self.inner}; the {outputs} output{'s' * (outputs > 1)} of a circuit are functions of its {measured} "
            f"measured value{'s' * (measured > 1)}{', whose errors make them biased' * estimated}"
        )


def measured_alone(circuits: Sequence[Circuit], layout: Layout) -> tuple[tuple[Circuit, ...], Layout]:
    """Circuits without their post-processing, and the layout in which none of their values are summed.

    The new rows are in the order (groups, channels, filters). Where there is no post-processing nothing changes.
    """
    if circuits[0].postprocessing is None:
        return tuple(circuits), layout
    plain = [circuit.without_postprocessing() for circuit in circuits]
    ordered = plain if len(plain) == 1 else [plain[row] for row in rows_alone(layout)]
    return tuple(ordered), alone(circuits, layout)


def alone(circuits: Sequence[Circuit], layout: Layout) -> Layout:
    """The layout of :func:`measured_alone`."""
    return Layout(layout.groups * layout.channels, layout.filters, 1, layout.filters * len(circuits[0].observables))


def _blocks(circuits: Sequence[Circuit]) -> list[tuple[Program, slice]]:
    """Rows that follow each other and have the same post-processing."""
    blocks: list[tuple[Program, slice]] = []
    for row, circuit in enumerate(circuits):
        program = circuit.postprocessing
        assert program is not None
        if blocks and blocks[-1][0] == program:
            blocks[-1] = program, slice(blocks[-1][1].start, row + 1)
        else:
            blocks.append((program, slice(row, row + 1)))
    return blocks


def _run(program: Program, values: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """The values of a program for each row and position.

    Args:
        program: reads the measured values.
        values: shape (images, rows, measured, positions).
        weights: by name, each of shape (rows or 1, *shape).

    Returns:
        Tensor of shape (images, rows, outputs, positions).
    """
    images, rows, measured, positions = values.shape
    which = tuple(range(len(program.values)))
    if not values.numel():
        return keep_graph(values.new_zeros(images, rows, len(which), positions), values, *weights.values())
    flat = wide(values.permute(1, 0, 3, 2).reshape(rows, -1, measured))
    shaped = {name: wide(weight).expand(rows, *weight.shape[1:]) for name, weight in weights.items()}

    def of_row(windows: Tensor, row: Mapping[str, Tensor]) -> Tensor:
        return torch.vmap(lambda window: program.run(window, row, which))(windows)

    outputs = each(of_row)(flat, shaped).to(values.dtype)
    return outputs.reshape(rows, images, positions, len(which)).permute(1, 0, 3, 2)

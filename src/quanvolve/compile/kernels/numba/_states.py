"""State vectors of all windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile.kernels.numba import _gates
from quanvolve.compile.kernels.numba._arrays import Floats
from quanvolve.compile.kernels.numba._launch import launch, shares, threads
from quanvolve.compile.kernels.numba._memory import array
from quanvolve.compile.tables._layout import Layout, some_rows
from quanvolve.compile.tables._states import StateSteps, StateTables

_SMALL = 2_000
"""Amplitudes times gates that are worth another thread."""


class _Block(NamedTuple):
    """Rows that run one circuit.

    Args:
        rows: of the weights.
        windows: groups and channels of the values that they read.
        outputs: groups and filters of the results that they add to.
        values, flat: what they read, and their weights.
        filters: how many.
        steps: of their circuit.
    """

    rows: slice
    windows: tuple[slice, slice]
    outputs: tuple[slice, slice]
    values: Floats
    flat: Floats
    filters: int
    steps: StateSteps

    def work(self) -> tuple[int, int]:
        """Amplitudes times gates, and the tasks that they may be cut into."""
        groups, channels, _, windows = self.values.shape
        gates = 2**self.steps.wires * (len(self.steps.steps) + 2)
        return groups * channels * self.filters * windows * gates, groups * -(-windows // 16)


class States:
    """The kernel of `ops.states`."""

    def supports(self, tables: StateTables, values: Tensor, weights: Tensor) -> bool:
        """Whatever the plan offers."""
        return True

    def forward(self, tables: StateTables, values: Tensor, weights: Tensor) -> Tensor:
        """Shape (groups, filters, measured, windows)."""
        groups, _, _, windows = values.shape
        outputs = torch.zeros((groups, tables.filters, tables.measured, windows), dtype=weights.dtype)
        out = array(outputs)
        for block in _blocks(tables, values, weights):
            work, tasks = block.work()
            parts = 1 if work < _SMALL else min(4 * threads(), tasks)
            whole = len(tables.circuits) == 1
            to = out if whole else np.empty((1, 1, tables.measured, windows), out.dtype)
            launch(_gates.forward, parts, block.values, block.flat, block.filters, block.steps, to)
            if not whole:
                out[block.outputs] += to
        return outputs

    def backward(
        self, tables: StateTables, grad: Tensor, values: Tensor, weights: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Gradients by values and weights."""
        d_out = array(grad)
        gradients = torch.zeros(values.shape, dtype=torch.float64), torch.zeros(weights.shape, dtype=weights.dtype)
        d_values, d_weights = map(array, gradients)
        for block in _blocks(tables, values, weights):
            whole = len(tables.circuits) == 1
            to = d_values if whole else np.zeros_like(block.values)
            of = d_out if whole else np.ascontiguousarray(d_out[block.outputs])
            work, tasks = block.work()
            parts = 1 if work < _SMALL else shares(work, tasks, 8 * block.flat.size)
            d_flat = np.zeros((parts, *block.flat.shape))
            launch(
                _gates.backward, parts, block.values, block.flat, block.filters, block.steps,
                of, to, d_flat,
            )  # fmt: skip
            total, rows = d_flat.sum(0), some_rows(d_weights, block.rows)
            rows += total if len(rows) == len(total) else total.sum(0, keepdims=True)
            if not whole:
                d_values[block.windows] += to
        return gradients


def _blocks(tables: StateTables, values: Tensor, weights: Tensor) -> Iterator[_Block]:
    value_array, flat = array(values), array(weights)
    groups, channels = value_array.shape[:2]
    layout = Layout(groups, tables.filters, channels, tables.filters * tables.measured)
    for block in layout.blocks(len(tables.circuits)):
        windows, (_, filters, _) = (block.groups, block.channels), block.shape
        row_weights = some_rows(flat, block.rows)
        count = block.shape[0] * filters * block.shape[2]
        yield _Block(
            block.rows, windows, (block.groups, block.filters), np.ascontiguousarray(value_array[windows]),
            np.ascontiguousarray(np.broadcast_to(row_weights, (count, row_weights.shape[1]))), filters,
            tables.steps(block.circuit, flat.dtype == np.float32),
        )  # fmt: skip


kernel = States()

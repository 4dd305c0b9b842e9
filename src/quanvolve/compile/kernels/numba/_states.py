"""State vectors of all windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile.kernels.numba import _gates
from quanvolve.compile.kernels.numba._arrays import Floats
from quanvolve.compile.kernels.numba._launch import launch, shares, threads
from quanvolve.compile.kernels.numba._memory import array
from quanvolve.compile.kernels.numba._tile import VECTOR_BYTES
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
            arguments = block.values, block.flat, block.filters, block.steps, to
            _launch(_gates.forward, parts, *arguments)
            if not whole:
                out[block.outputs] += to
        return outputs

    def backward(
        self, tables: StateTables, grad: Tensor, values: Tensor, weights: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Gradients by values and weights."""
        d_out = array(grad)
        size = values.shape if wanted[0] else (*values.shape[:2], 0, values.shape[3])
        gradients = torch.zeros(size, dtype=torch.float64), torch.zeros(weights.shape, dtype=weights.dtype)
        d_values, d_weights = map(array, gradients)
        for block in _blocks(tables, values, weights):
            whole = len(tables.circuits) == 1
            aside = wanted[0] and (not whole or block.values.shape != values.shape)
            to = np.zeros_like(block.values) if aside else d_values[block.windows]
            of = d_out if whole else np.ascontiguousarray(d_out[block.outputs])
            work, tasks = block.work()
            parts = 1 if work < _SMALL else shares(work, tasks, 8 * block.flat.size)
            d_flat = np.zeros((parts, *block.flat.shape))
            arguments = block.values, block.flat, block.filters, block.steps, of, to, d_flat
            _launch(_gates.backward, parts, *arguments)
            total, rows = d_flat.sum(0), some_rows(d_weights, block.rows)
            rows += total if len(rows) == len(total) else total.sum(0, keepdims=True)
            if aside:
                d_values[block.windows] += to[..., : values.shape[3]]
        return gradients if wanted[0] else (None, gradients[1])


def _launch(kernel: Callable[..., None], parts: int, *arguments: object) -> None:
    """All parts of a kernel, in one call where there is one thread: each call takes its tables apart anew."""
    if threads() == 1:
        kernel(0, parts, parts, *arguments)
        return
    launch(lambda part, parts, *rest: kernel(part, part + 1, parts, *rest), parts, *arguments)


def _blocks(tables: StateTables, values: Tensor, weights: Tensor) -> Iterator[_Block]:
    value_array, flat = array(values), array(weights)
    lanes = VECTOR_BYTES // flat.itemsize
    if tables.circuits[0].circuit.preparation is not None and values.shape[3] % lanes:
        value_array = np.pad(value_array, ((0, 0), (0, 0), (0, 0), (0, -values.shape[3] % lanes)))
    groups, channels = value_array.shape[:2]
    rows = groups * tables.filters * channels
    if len(tables.circuits) == 1 and len(flat) == rows:
        every = slice(None)
        steps = tables.steps(0, flat.dtype == np.float32)
        yield _Block(every, (every, every), (every, every), value_array, flat, tables.filters, steps)
        return
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

"""State vectors of all windows, with adjoint gradients; the formula stands in `plans._statevector`."""

from __future__ import annotations

from torch import Tensor

from quanvolve.compile.ops._operator import Operator
from quanvolve.compile.reference._states import states as in_torch
from quanvolve.compile.tables._states import StateTables


def _shape(tables: StateTables, values: Tensor, weights: Tensor) -> tuple[int, ...]:
    return values.shape[0], tables.filters, tables.measured, values.shape[3]


def _reference(tables: StateTables, values: Tensor, weights: Tensor) -> Tensor:
    return in_torch(tables.circuits, values, weights, tables.filters)


states = Operator("states", StateTables, ("values", "weights"), _shape, _reference)
"""What angles read, float64 (groups, channels, values, windows), and flat weights (rows, numbers) to measured values
(groups, filters, measured, windows), summed over the channels."""

"""The networks of all windows; the formula stands in `tables._sweeps`."""

from __future__ import annotations

from torch import Tensor

from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.ops._operator import Operator
from quanvolve.compile.reference._network import sweep_windows
from quanvolve.compile.tables._network import NetworkTables


def _shape(tables: NetworkTables, images: Tensor, numbers: Tensor) -> tuple[int, ...]:
    layout = tables.layout
    return images.shape[0], layout.groups, layout.outputs, *tables.grid.places(tuple(images.shape[2:]))


def _reference(tables: NetworkTables, images: Tensor, numbers: Tensor) -> Tensor:
    windows = Windows.on(images, tables.grid, tables.layout.groups, tables.scale)
    return sweep_windows(tables.chains, numbers, windows, tables.layout)


network = Operator("network", NetworkTables, ("images", "numbers"), _shape, _reference)
"""Images (N, channels, *size) and the numbers of all rows to (N, groups, outputs, *places)."""

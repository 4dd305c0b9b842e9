"""What the density plan computes beside its tensors."""

from __future__ import annotations

from collections.abc import Sequence

from quanvolve.compile.tables._grid import Grid
from quanvolve.compile.tables._handle import Tables
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._parsed import Parsed


class DensityWindows(Tables):
    """Circuits with noise on windows that slide over images.

    Args:
        circuits: one for all rows of the weights, or one for each.
        layout: of the rows.
        grid: how windows slide.
        scale: what pixels are multiplied with; None if that is a tensor, which then comes with the others.
    """

    def __init__(self, circuits: Sequence[Parsed], layout: Layout, grid: Grid, scale: float | None) -> None:
        self.circuits, self.layout, self.grid, self.scale = tuple(circuits), layout, grid, scale

    @classmethod
    def of_circuits(cls, circuits: Sequence[Parsed], layout: Layout, grid: Grid, scale: float | None) -> DensityWindows:
        """Tables that are shared with whoever has the same; arguments as of the class."""
        what_for = ([parsed.circuit for parsed in circuits], layout, grid, scale)
        return cls.shared(what_for, lambda: cls(circuits, layout, grid, scale))

"""The polynomials of a layer, as kernels take them."""

from __future__ import annotations

from collections.abc import Sequence

from quanvolve.compile.tables._features import WindowTables
from quanvolve.compile.tables._grid import Grid
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._products import Products
from quanvolve.compile.tables._recipe import Recipe


class PolynomialTables(WindowTables):
    """Polynomials on the windows of images.

    Args:
        recipes: one for all rows of the weights, or one for each; they share their encoding.
        few: the products that are needed, or None where evaluating all of them is cheaper.
        layout, grid, scale: as in :class:`WindowTables`.
    """

    def __init__(
        self, recipes: Sequence[Recipe], few: Products | None, layout: Layout, grid: Grid, scale: float
    ) -> None:
        super().__init__(recipes[0], layout, grid, scale)
        self.recipes, self.few = tuple(recipes), few

    @classmethod
    def for_windows(
        cls, recipes: Sequence[Recipe], few: Products | None, layout: Layout, grid: Grid, scale: float
    ) -> PolynomialTables:
        """Tables that are shared with whoever has the same; arguments as of the class."""
        circuits = [recipe.circuit for recipe in recipes]
        return cls.shared((circuits, layout, grid, scale), lambda: cls(recipes, few, layout, grid, scale))

    @property
    def recipe(self) -> Recipe:
        """One with the encoding of all."""
        return self.recipes[0]

"""The polynomials of a layer, as kernels take them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quanvolve.compile.tables._features import WindowTables
from quanvolve.compile.tables._grid import Grid
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._products import Pattern, Products, needed_by
from quanvolve.compile.tables._recipe import Recipe
from quanvolve.compile.tables._tiles import make_tiles


class PolynomialTables(WindowTables):
    """Polynomials on the windows of images.

    Args:
        recipes: one for all rows of the weights, or one for each; they share their encoding.
        few: the products that are needed, or None where evaluating all of them is cheaper.
        layout, grid, scale: as in :class:`WindowTables`.
        needed: which features an output can have, shape (outputs, features); all, if not given.
    """

    def __init__(
        self,
        recipes: Sequence[Recipe],
        few: Products | None,
        layout: Layout,
        grid: Grid,
        scale: float,
        needed: Pattern | None = None,
    ) -> None:
        super().__init__(recipes[0], layout, grid, scale)
        self.recipes, self.few = tuple(recipes), few
        if self.features is not None and few is None:
            left, right = self.features.sites.left, self.features.sites.right
            every = np.ones((layout.outputs, left * right), bool)
            self.tiles = make_tiles(every if needed is None else needed, left, right)

    @classmethod
    def for_windows(
        cls, recipes: Sequence[Recipe], few: Products | None, layout: Layout, grid: Grid, scale: float
    ) -> PolynomialTables:
        """Tables that are shared with whoever has the same, for the coefficients that the recipes can have."""
        circuits = [recipe.circuit for recipe in recipes]
        needed = None if few is not None else needed_by(recipes, layout)
        return cls.shared((circuits, layout, grid, scale), lambda: cls(recipes, few, layout, grid, scale, needed))

    @property
    def recipe(self) -> Recipe:
        """One with the encoding of all."""
        return self.recipes[0]

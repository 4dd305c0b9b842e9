"""A whole layer of polynomials: from its weights to coefficients, and from these and images to values."""

from __future__ import annotations

from typing import Any

from quanvolve.compile.tables._coefficients import CoefficientTables
from quanvolve.compile.tables._handle import Tables
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._polynomial import PolynomialTables
from quanvolve.compile.tables._recent import Recent


class FilterTables(Tables):
    """The tables of both.

    Args:
        coefficients, polynomial: of the weights, and of the windows.
        layout: of the rows.

    Attributes:
        by_shape: what a kernel keeps for images of a shape.
    """

    def __init__(self, coefficients: CoefficientTables, polynomial: PolynomialTables, layout: Layout) -> None:
        self.coefficients, self.polynomial, self.layout = coefficients, polynomial, layout
        self.by_shape = Recent[Any]()

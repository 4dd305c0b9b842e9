"""The polynomials of all windows.

out[n, g, o, p] = sum_c sum_k coefficients[g, o, c, k] phi_k(window p of channel c of group g of image n)
"""

from __future__ import annotations

from torch import Tensor

from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.ops._operator import Operator
from quanvolve.compile.reference._polynomial import evaluate
from quanvolve.compile.tables._polynomial import PolynomialTables


def _shape(tables: PolynomialTables, images: Tensor, coefficients: Tensor) -> tuple[int, ...]:
    return images.shape[0], *coefficients.shape[:2], *tables.grid.places(tuple(images.shape[2:]))


def _reference(tables: PolynomialTables, images: Tensor, coefficients: Tensor) -> Tensor:
    windows = Windows.on(images, tables.grid, tables.layout.groups, tables.scale)
    return evaluate(tables.recipe, coefficients, windows)


polynomial = Operator("polynomial", PolynomialTables, ("images", "coefficients"), _shape, _reference)
"""Images (N, channels, *size), coefficients (groups, outputs, channels, features) to (N, groups, outputs, *places)."""

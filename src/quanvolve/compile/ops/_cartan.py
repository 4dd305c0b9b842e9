"""Weights of two-qubit blocks in Cartan's form to their numbers; the formula stands in `tables._cartan`."""

from __future__ import annotations

from torch import Tensor

from quanvolve.compile.ops._operator import Operator
from quanvolve.compile.reference._cartan import cartan_numbers
from quanvolve.compile.tables._cartan import CartanTables


def _shape(tables: CartanTables, weights: Tensor) -> tuple[int, ...]:
    return weights.shape[0], 3, len(tables.words)


cartan = Operator("cartan", CartanTables, ("weights",), _shape, cartan_numbers)
"""Weights (rows, 9) to numbers (rows, 3, words)."""

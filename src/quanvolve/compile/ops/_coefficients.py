"""Weights to coefficients, all filters at once; the formula stands in `reference._coefficients`."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.compile.ops._operator import Operator
from quanvolve.compile.reference._coefficients import evolved
from quanvolve.compile.tables._coefficients import CoefficientTables
from quanvolve.compile.tables._layout import some_rows


def _shape(tables: CoefficientTables, weights: Tensor) -> tuple[int, int, int]:
    return tables.shape(weights.shape[0])


def _reference(tables: CoefficientTables, weights: Tensor) -> Tensor:
    if len(tables.recipes) == 1:
        return evolved(tables.recipes[0], weights)
    rows = [evolved(recipe, some_rows(weights, slice(k, k + 1))) for k, recipe in enumerate(tables.recipes)]
    return torch.cat(rows)


coefficients = Operator("coefficients", CoefficientTables, ("weights",), _shape, _reference)
"""Flat weights (rows, numbers) to (rows, outputs, features), or to (rows, outputs, 4^n words); see the tables."""

"""Least squares: what measured values say about the coefficients of a filter, and how well they say it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quanvolve.backends._design import Columns, Design
from quanvolve.backends._settings import Floats, Measured


@dataclass(frozen=True)
class Fit:
    """Fitted coefficients.

    Args:
        coefficients, errors: shape (outputs, columns), and their standard errors.
        residuals: root mean square over the settings of what the fit leaves of each output.
        predicted, predicted_errors: of further settings, shape (settings, outputs).
    """

    coefficients: Floats
    errors: Floats
    residuals: Floats
    predicted: Floats
    predicted_errors: Floats


def fit_grid(design: Design, measured: Measured, others: Floats) -> Fit:
    """The fit to the full design, all combinations of the levels of each coordinate.

    There are as many settings as products of functions, and the matrix that takes coefficients to values is a tensor
    product of one small matrix for each coordinate: its inverse is applied axis by axis, in n levels^(n + 1) steps and
    with the memory of the values.

    Args:
        design: of the circuit.
        measured: in ``design.settings()``.
        others: settings to predict.
    """
    inverse = design.values_to_coefficients
    variances = measured.errors**2
    coefficients = along_axes(inverse, measured.values)
    left = along_axes(design.functions_at_levels, coefficients) - measured.values
    # What each setting of the design adds to a prediction, coordinate by coordinate: (others, level).
    factors = [functions @ inverse for functions in design.functions(others)]
    return Fit(
        coefficients.T,
        np.sqrt(along_axes(inverse**2, variances)).T,
        np.sqrt((left**2).mean(0)),
        _contract(factors, measured.values, len(others)),
        np.sqrt(_contract([factor**2 for factor in factors], variances, len(others))),
    )


def fit_columns(design: Design, columns: Columns, settings: Floats, measured: Measured, others: Floats) -> Fit:
    """The fit of some products of functions to any settings."""
    matrix = design.matrix(settings, columns)
    inverse = np.linalg.pinv(matrix)
    variances = measured.errors**2
    coefficients = inverse @ measured.values
    there = design.matrix(others, columns)
    predictor = there @ inverse
    return Fit(
        coefficients.T,
        np.sqrt(inverse**2 @ variances).T,
        np.sqrt(((matrix @ coefficients - measured.values) ** 2).mean(0)),
        there @ coefficients,
        np.sqrt(predictor**2 @ variances),
    )


def along_axes(matrix: Floats, values: Floats) -> Floats:
    """A tensor power of a small matrix times values of shape (levels^n, outputs).

    Examples:
        >>> along_axes(np.array([[1.0, 1.0], [1.0, -1.0]]), np.eye(4))[3]
        array([ 1., -1., -1.,  1.])
    """
    levels, outputs = len(matrix), values.shape[1]
    size = len(values)
    while size > 1:
        size //= levels
        # The first axis is multiplied and goes to the end: after one round all are in their old order.
        values = np.tensordot(values.reshape(levels, -1), matrix, (0, 1))
    return values.reshape(outputs, -1).T


def _contract(factors: list[Floats], values: Floats, count: int) -> Floats:
    """Values (levels^n, outputs) times a factor for the level of each coordinate: shape (count, outputs)."""
    outputs = values.shape[1]
    if not factors:
        return np.broadcast_to(values, (count, outputs)).copy()
    first, *rest = factors
    sums = first @ values.reshape(first.shape[1], -1)
    for factor in rest:
        sums = np.einsum("cl,clr->cr", factor, sums.reshape(count, factor.shape[1], -1))
    return sums

"""The polynomial plan over all windows of all images in plain torch, in bounded memory."""

from __future__ import annotations

from torch import Tensor

from quanvolve.compile.batch._chunks import in_chunks
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.reference._contract import contract, left_sites, values_per_window
from quanvolve.compile.reference._features import features
from quanvolve.compile.tables._recipe import Recipe


def evaluate(recipe: Recipe, coefficients: Tensor, windows: Windows) -> Tensor:
    """Measured values of all filters on all windows.

    Args:
        recipe: the circuit that all filters share up to their coefficients.
        coefficients: shape (groups, outputs, channels, features).
        windows: of the images.

    Returns:
        Tensor of shape (images, groups, outputs, *places).
    """
    groups, outputs, channels, _ = coefficients.shape
    split = left_sites(recipe.sizes, outputs)
    values = values_per_window(recipe.sizes, outputs, split) + windows.inputs + 3 * sum(recipe.sizes)

    def on_chunk(inputs: Tensor, coefficients: Tensor) -> Tensor:
        return contract(features(recipe, inputs, coefficients.dtype), coefficients)

    per_window = groups * channels * values * windows.images.element_size()
    return in_chunks(on_chunk, windows, (coefficients,), outputs, per_window)

"""The polynomial plan over all windows of all images, in bounded memory."""

from __future__ import annotations

from torch import Tensor

from quanvolve.compile._chunks import in_chunks
from quanvolve.compile._features import features
from quanvolve.compile._recipe import Recipe
from quanvolve.compile.kernels import contract, left_sites, values_per_window


def evaluate(recipe: Recipe, coefficients: Tensor, windows: Tensor, dims: int, scale: Tensor | float = 1.0) -> Tensor:
    """Measured values of all filters on all windows.

    This is the whole interface between a layer and the kernels: `windows` is a view into the (padded) images, which
    a kernel may read in place.

    Args:
        recipe: the circuit that all filters share up to their coefficients.
        coefficients: shape (groups, outputs, channels, features).
        windows: shape (images, groups, channels, *places, *window), usually strided and overlapping; the window
            axes, in order, are the circuit's inputs.
        dims: how many axes `places` has.
        scale: what windows are multiplied with before the circuit reads them: a number, or a tensor of shape
            (groups, channels, inputs).

    Returns:
        Tensor of shape (images, groups, outputs, *places).
    """
    groups, outputs, channels, _ = coefficients.shape
    inputs = windows.shape[3 + dims :].numel()
    split = left_sites(recipe.sizes, outputs)
    per_window = groups * channels * (values_per_window(recipe.sizes, outputs, split) + inputs + 3 * sum(recipe.sizes))

    def on_chunk(inputs: Tensor, coefficients: Tensor) -> Tensor:
        return contract(features(recipe, inputs), coefficients)

    return in_chunks(on_chunk, windows, dims, scale, (coefficients,), outputs, per_window * windows.element_size())

"""The polynomial plan over all windows of all images, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from quanvolve.compile._features import features
from quanvolve.compile._recipe import Recipe
from quanvolve.compile.kernels import contract, left_sites, values_per_window

CHUNK_BYTES = 32 * 2**20
"""Memory that the temporaries of one chunk of windows may take."""


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
    images, groups = windows.shape[:2]
    places = windows.shape[3 : 3 + dims]
    outputs = coefficients.shape[1]
    if images == 0:
        factor = scale.sum() if isinstance(scale, Tensor) else 0
        nothing = 0 * (coefficients.sum() + windows.sum() + factor)  # keeps the graph: the gradients are empty or zero
        return windows.new_zeros((images, groups, outputs, *places)) + nothing
    step = _rows_per_chunk(recipe, coefficients, windows, dims)
    by_image = step >= places[0]
    pieces = list(_pieces(windows, step))
    leaves = (windows, coefficients, *([scale] if isinstance(scale, Tensor) else []))
    differentiable = torch.is_grad_enabled() and any(leaf.requires_grad for leaf in leaves)
    values: list[Tensor] = []
    for piece in pieces:
        if differentiable and len(pieces) > 1:
            # Recomputing a chunk in the backward pass keeps memory bounded there too.
            values.append(checkpoint(_evaluate_chunk, recipe, coefficients, piece, dims, scale, use_reentrant=False))
        else:
            values.append(_evaluate_chunk(recipe, coefficients, piece, dims, scale))
    if len(values) == 1:
        return values[0]
    if by_image:
        return torch.cat(values)
    per_image = len(values) // images
    rows = [torch.cat(values[i : i + per_image], dim=3) for i in range(0, len(values), per_image)]
    return torch.cat(rows)


def _evaluate_chunk(recipe: Recipe, coefficients: Tensor, windows: Tensor, dims: int, scale: Tensor | float) -> Tensor:
    places = windows.shape[3 : 3 + dims]
    order = (0, 1, 2, *range(3 + dims, windows.dim()), *range(3, 3 + dims))
    inputs = windows.permute(order).reshape(*windows.shape[:3], -1, places.numel())
    inputs = inputs * (scale.unsqueeze(-1) if isinstance(scale, Tensor) else scale)
    return torch.unflatten(contract(features(recipe, inputs), coefficients), -1, places)


def _rows_per_chunk(recipe: Recipe, coefficients: Tensor, windows: Tensor, dims: int) -> int:
    """How many rows of places (of one image, or whole images) fit into a chunk."""
    groups, channels, *places = windows.shape[1 : 3 + dims]
    inputs = windows.shape[3 + dims :].numel()
    outputs = coefficients.shape[1]
    split = left_sites(recipe.sizes, outputs)
    per_window = groups * channels * (values_per_window(recipe.sizes, outputs, split) + inputs + 3 * sum(recipe.sizes))
    per_row = per_window * windows.element_size() * torch.Size(places[1:]).numel()
    rows = max(1, CHUNK_BYTES // per_row)
    return rows if rows < places[0] else rows // places[0] * places[0]


def _pieces(windows: Tensor, rows: int) -> Iterator[Tensor]:
    per_image = windows.shape[3]
    if rows >= per_image:
        yield from windows.split(rows // per_image)
        return
    for image in windows.split(1):
        yield from image.split(rows, dim=3)

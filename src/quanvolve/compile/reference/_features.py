"""Windows to features: the functions phi of each site, shared by all filters."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._precision import turned
from quanvolve.compile.batch._values import bits, extended
from quanvolve.compile.tables._recipe import Encoded
from quanvolve.compile.tables._sites import Site


def features(recipe: Encoded, windows: Tensor, dtype: torch.dtype) -> list[Tensor]:
    """Evaluate every site's functions on a batch of windows.

    Args:
        recipe: from :func:`compile_circuit`.
        windows: the circuit's inputs, shape (..., inputs, positions), already scaled to what the circuit reads.
        dtype: of the features.

    Returns:
        One tensor of shape (..., functions, positions) for each site.
    """
    windows = extended(recipe, bits(recipe, windows))
    return [_site_features(site, windows, dtype) for site in recipe.sites]


def _site_features(site: Site, windows: Tensor, dtype: torch.dtype) -> Tensor:
    functions = windows.new_ones((*windows.shape[:-2], 1, windows.shape[-1]), dtype=dtype)
    for angle in site.angles:
        value = torch.stack([windows[..., index, :] * c for index, c in angle], dim=-2).sum(-2, keepdim=True)
        cosine, sine = turned(value, dtype)
        functions = torch.cat([functions, functions * cosine, functions * sine], dim=-2)
    if site.columns == tuple(range(functions.shape[-2])):
        return functions
    return functions[..., constant(site.chosen, functions.device), :]

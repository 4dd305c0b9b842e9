"""Windows to features: the functions phi of each site, shared by all filters."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.compile._recipe import Encoded
from quanvolve.compile._sites import Site
from quanvolve.compile._values import bits, extended


def features(recipe: Encoded, windows: Tensor) -> list[Tensor]:
    """Evaluate every site's functions on a batch of windows.

    Args:
        recipe: from :func:`compile_circuit`.
        windows: the circuit's inputs, shape (..., inputs, positions), already scaled to what the circuit reads.

    Returns:
        One tensor of shape (..., functions, positions) for each site.
    """
    windows = extended(recipe.circuit, bits(recipe.circuit, windows))
    return [_site_features(site, windows) for site in recipe.sites]


def _site_features(site: Site, windows: Tensor) -> Tensor:
    functions = windows.new_ones((*windows.shape[:-2], 1, windows.shape[-1]))
    for angle in site.angles:
        value = torch.stack([windows[..., index, :] * c for index, c in angle], dim=-2).sum(-2, keepdim=True)
        functions = torch.cat([functions, functions * value.cos(), functions * value.sin()], dim=-2)
    if site.columns == tuple(range(functions.shape[-2])):
        return functions
    return functions[..., list(site.columns), :]

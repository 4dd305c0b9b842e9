"""Leaves of trees in plain torch; the formula stands in `tables._leaves`."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._precision import turned, wide
from quanvolve.compile.tables._leaves import LeafTables


def read_leaves(tables: LeafTables, images: Tensor) -> Tensor:
    """Images (N, channels, *size) to leaves (rows, N)."""
    pixels = torch.cat([images.flatten(1), images.new_zeros(images.shape[0], 1)], dim=1)
    which = constant(tables.pixels, images.device) % (tables.count + 1)
    angles = wide(pixels.index_select(1, which).T) * tables.factor
    cosines, sines = turned(angles, images.dtype)
    return torch.where(constant(tables.sines, images.device).unsqueeze(1), sines, cosines)

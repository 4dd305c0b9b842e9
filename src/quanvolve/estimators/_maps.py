"""Feature maps of many images, computed a block at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from quanvolve.estimators._inputs import ImageSpec

BLOCK = 512


def feature_maps(
    backbone: nn.Module,
    rows: npt.NDArray[Any],
    spec: ImageSpec,
    shape: tuple[int, ...],
    *,
    dtype: Any = np.float32,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> npt.NDArray[Any]:
    """Run a backbone over all images without gradients.

    Args:
        backbone: images (N, C, *size) to maps (N, *shape).
        rows: pixels as (n, features), any number type; scaled a block at a time.
        spec: shape and range of the images.
        shape: of one image's maps.
        dtype: of the result and of the computation.
        device: where the backbone is.
        progress: called with (images done, images in all).

    Returns:
        Array (n, *shape).
    """
    maps = np.empty((len(rows), *shape), dtype)
    into = torch.from_numpy(maps)
    with torch.no_grad():
        for start in range(0, len(rows), BLOCK):
            images = torch.from_numpy(spec.images(rows[start : start + BLOCK], dtype)).to(device)
            into[start : start + BLOCK].copy_(backbone(images))  # by several threads, where new memory costs most
            if progress is not None:
                progress(min(start + BLOCK, len(rows)), len(rows))
    return maps

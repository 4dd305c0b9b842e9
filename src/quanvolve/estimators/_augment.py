"""Training images moved about at random, so that a model learns shapes rather than places."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


def random_shift(images: Tensor, pixels: int) -> Tensor:
    """Move each image by whole pixels along both axes; zeros come in at the edges.

    Args:
        images: shape (N, C, H, W).
        pixels: how far at most; every distance from -pixels to pixels is equally likely. Drawn from torch's global
            generator.

    Returns:
        New images of the same shape.

    Examples:
        >>> import torch
        >>> moved = random_shift(torch.ones(5, 1, 8, 8), 2)
        >>> moved.shape
        torch.Size([5, 1, 8, 8])
        >>> bool((moved.sum(dim=(1, 2, 3)) >= 6 * 6).all())
        True
    """
    n, channels, height, width = images.shape
    top, left = torch.randint(0, 2 * pixels + 1, (2, n, 1))
    rows = (top + torch.arange(height))[:, None, :, None].to(images.device)
    columns = (left + torch.arange(width))[:, None, None, :].to(images.device)
    some = torch.arange(n, device=images.device)[:, None, None, None]
    which = torch.arange(channels, device=images.device)[None, :, None, None]
    return pad(images, (pixels,) * 4)[some, which, rows, columns]

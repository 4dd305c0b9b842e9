"""Results that depend on nothing, and still have a gradient: that of zeros."""

from __future__ import annotations

from torch import Tensor


def keep_graph(values: Tensor, *leaves: Tensor) -> Tensor:
    """The values, from which autograd reaches the leaves: their gradients are zero and not missing.

    Args:
        values: of any shape.
        leaves: those that want no gradient are left out.

    Examples:
        >>> import torch
        >>> leaf = torch.ones(2, requires_grad=True)
        >>> keep_graph(torch.zeros(3), leaf).sum().backward()
        >>> leaf.grad
        tensor([0., 0.])
    """
    for leaf in leaves:
        if leaf.requires_grad:
            values = values + (0 * leaf).sum().to(values.dtype)
    return values

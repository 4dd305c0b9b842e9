"""What was made of tensors, until one of them changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

Made = TypeVar("Made")


class Kept(NamedTuple, Generic[Made]):
    """Something, and what it was made of.

    Args:
        tensors: copies of them.
        made: from these.
    """

    tensors: list[Tensor]
    made: Made


def kept_or_made(
    before: Kept[Made] | None, tensors: Sequence[Tensor], make: Callable[[list[Tensor]], Made]
) -> Kept[Made]:
    """What is kept where it was made of equal tensors (compared by value), or something new.

    Args:
        before: what is kept, if anything is.
        tensors: whose values count.
        make: makes it of copies of the tensors, without gradients.

    Examples:
        >>> kept = kept_or_made(None, [torch.ones(2)], lambda tensors: float(tensors[0].sum()))
        >>> kept.made, kept_or_made(kept, [torch.ones(2)], lambda tensors: 0.0).made
        (2.0, 2.0)
        >>> kept_or_made(kept, [torch.zeros(2)], lambda tensors: float(tensors[0].sum())).made
        0.0
    """
    if before is not None and all(
        a.device == b.device and a.dtype == b.dtype and torch.equal(a, b)
        for a, b in zip(before.tensors, tensors, strict=True)
    ):
        return before
    with torch.inference_mode(False), torch.no_grad():  # what is kept must also serve training later
        copies = [tensor.detach().clone() for tensor in tensors]
        return Kept(copies, make(copies))

"""What plain torch computes of some tensors, where a program that a compiler makes has it as one operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from quanvolve.compile.tables._handle import Tables


class PlainCall(Tables):
    """A differentiable function of tensors.

    Args:
        run: the function.
        shape: of its result, from the same tensors, of which only shapes are known.
        dtype: of its result; None for that of the last of the tensors.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Tensor]], Tensor],
        shape: Callable[[Sequence[Tensor]], tuple[int, ...]],
        dtype: torch.dtype | None = None,
    ) -> None:
        self.run, self.shape, self.dtype = run, shape, dtype

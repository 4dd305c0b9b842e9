"""How values lie in memory: contiguous, or channels last, as those of torch's own convolutions do."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve.nn._apply import DTYPES
from quanvolve.nn._geometry import CHANNELS_LAST


class WithFormat(nn.Module):
    """The part of a layer that is converted: to a device, a number type, an order in memory."""

    dims: int
    _memory_format: torch.memory_format | None = None
    """That of the values, where `to(memory_format=...)` asked for channels last."""

    def _apply(self, fn: Any, recurse: bool = True) -> Self:
        """What `to`, `double`, `cuda` and the like call, on this layer and on those that hold it.

        Raises:
            QuanvolveError: if the numbers became complex, or of a type that layers do not compute in.
        """
        floating = [tensor for tensor in (*self.parameters(), *self.buffers()) if tensor.is_floating_point()]
        like = floating[0].detach() if floating else torch.empty(0)
        to = fn(torch.empty(0, dtype=like.dtype, device=like.device)).dtype if floating else torch.float32
        if to not in DTYPES:
            raise QuanvolveError(
                f"the layer cannot be converted to {to}: its weights are angles, real numbers of one of "
                f"{', '.join(map(str, DTYPES))}"
            )
        asked = self._asked_format(fn, like)
        if asked is not torch.contiguous_format:
            fn = _in_a_row(fn)
        if asked is not None and self.dims in CHANNELS_LAST:
            self._memory_format = None if asked is torch.contiguous_format else asked
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def _asked_format(self, fn: Any, like: Tensor) -> torch.memory_format | None:
        """The order in memory that a conversion gives the weights of a convolution; None if it takes no such weights.

        torch converts whatever has four axes, or five for three-dimensional images.
        """
        order = CHANNELS_LAST.get(self.dims, torch.channels_last)
        rank = 5 if order is torch.channels_last_3d else 4
        weight = torch.empty((2,) * rank, dtype=like.dtype, device=like.device)
        try:
            converted = fn(weight.contiguous(memory_format=self._memory_format or torch.contiguous_format))
        except RuntimeError:  # an order for another number of axes
            return None
        return order if converted.is_contiguous(memory_format=order) else torch.contiguous_format


def own_tensor(values: Tensor) -> Tensor:
    """The values as no view of another tensor, without a copy: what is changed in place is followed by FSDP's hooks."""
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active() or not values._is_view():
        return values
    tensor: Tensor = torch.ops.aten._unsafe_view.default(values, values.shape)
    return tensor


def _in_a_row(fn: Any) -> Any:
    """A conversion that leaves the order in memory alone: axes of circuits' weights are none of images."""
    return lambda tensor: fn(tensor.flatten()).view(tensor.shape) if tensor.dim() in (4, 5) else fn(tensor)

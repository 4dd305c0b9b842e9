"""The windows of a batch of images: where they are, without a copy of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import EllipsisType

import torch
from torch import Tensor

from quanvolve.compile.tables._grid import Grid


@dataclass(frozen=True)
class Windows:
    """Windows that slide over images.

    Args:
        images: padded, shape (images, channels, *size).
        kernel_size, stride, dilation: one number for each spatial axis.
        groups: of channels, as in `nn.Conv2d`.
        joint: whether a circuit reads all channels of its group, or one of them.
        scale: what pixels are multiplied with: a number, or a tensor of shape (groups, channels, inputs), `channels`
            being 1 where `joint`.
    """

    images: Tensor
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1
    joint: bool = False
    scale: Tensor | float = 1.0

    @classmethod
    def on(cls, images: Tensor, grid: Grid, groups: int, scale: Tensor | float) -> Windows:
        """Windows that slide over images as a grid says."""
        return cls(images, grid.kernel_size, grid.stride, grid.dilation, groups, grid.joint, scale)

    @property
    def dims(self) -> int:
        """Number of spatial axes."""
        return len(self.kernel_size)

    @property
    def channels(self) -> int:
        """How many circuits of a filter are summed: channels of a group, or 1 where a circuit reads them jointly."""
        return 1 if self.joint else self.images.shape[1] // self.groups

    @property
    def inputs(self) -> int:
        """Values that a circuit reads."""
        return math.prod(self.kernel_size) * (self.images.shape[1] // self.groups if self.joint else 1)

    @property
    def grid(self) -> Grid:
        """How they slide."""
        return Grid(self.kernel_size, self.stride, self.dilation, self.joint)

    @property
    def places(self) -> tuple[int, ...]:
        """Places along each axis."""
        return self.grid.places(tuple(self.images.shape[2:]))

    def view(self) -> Tensor:
        """All windows, shape (images, groups, channels, *places, *window), strided and overlapping.

        The window axes, in order, are the circuit's inputs; no pixel is copied but under `torch.func` transforms.
        """
        view = self.images
        spans = self.grid.spans
        if torch._C._are_functorch_transforms_active():
            view = self._stacked(spans)  # the derivative of unfold has no batching rule
        else:
            for axis, (span, stride) in enumerate(zip(spans, self.stride, strict=True)):
                view = view.unfold(2 + axis, span, stride)
            every: tuple[slice | EllipsisType, ...] = (..., *(slice(None, None, d) for d in self.dilation))
            view = view[every]
        grouped: Tensor = view.unflatten(1, (self.groups, view.shape[1] // self.groups))
        return grouped.movedim(2, 2 + self.dims).unsqueeze(2) if self.joint else grouped

    def _stacked(self, spans: tuple[int, ...]) -> Tensor:
        """The windows as a copy: for each pixel of a window the slice of the image that it visits."""
        view = self.images
        for axis, (span, stride, gap) in enumerate(zip(spans, self.stride, self.dilation, strict=True)):
            reach = view.shape[2 + axis] - span + 1
            slices = [view.narrow(2 + axis, start, reach) for start in range(0, span, gap)]
            every = (*(slice(None),) * (2 + axis), slice(None, None, stride))
            view = torch.stack([part[every] for part in slices], dim=-1)
        return view

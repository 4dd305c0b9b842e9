"""Where the windows are: the shape rule and the arguments of `torch.nn.Conv1d/2d/3d`, in any number of dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.compile import Windows
from quanvolve.nn._limits import MOST, MOST_PIXELS, shown, whole

MODES = ("zeros", "reflect", "replicate", "circular")

CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}
"""The order in memory of images with that many spatial axes in which a pixel's channels are neighbours."""

IntOrTuple = int | tuple[int, ...]


@dataclass(frozen=True)
class Geometry:
    """Kernel size, stride, padding and dilation along each spatial axis, as in `torch.nn.ConvNd`.

    Args:
        kernel_size, stride, dilation: one number for each spatial axis.
        padding: one number for each spatial axis, or 'same' or 'valid'.
        padding_mode: 'zeros', 'reflect', 'replicate' or 'circular'.
    """

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...] | str
    dilation: tuple[int, ...]
    padding_mode: str = "zeros"

    @classmethod
    def parse(
        cls,
        dims: int,
        kernel_size: IntOrTuple,
        stride: IntOrTuple = 1,
        padding: IntOrTuple | str = 0,
        dilation: IntOrTuple = 1,
        padding_mode: str = "zeros",
    ) -> Geometry:
        """Read the arguments as `torch.nn.ConvNd` does.

        Raises:
            QuanvolveError: naming the argument, what was given and what is valid.
        """
        if padding_mode not in MODES:
            raise QuanvolveError(f"`padding_mode` (={padding_mode!r}) must be one of {', '.join(MODES)}")
        strides = _tuple("stride", stride, dims, 1)
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise QuanvolveError(f"`padding` (={padding!r}) must be 'same', 'valid' or a number for each side")
            if padding == "same" and any(s != 1 for s in strides):
                raise QuanvolveError(
                    f"`padding='same'` needs `stride=1`, got `stride` (={strides}); give the padding as a number"
                )
            pads: tuple[int, ...] | str = padding
        else:
            pads = _tuple("padding", padding, dims, 0)
        geometry = cls(
            _tuple("kernel_size", kernel_size, dims, 1),
            strides,
            pads,
            _tuple("dilation", dilation, dims, 1),
            padding_mode,
        )
        if math.prod(1 + sum(side) for side in geometry.sides()) > MOST_PIXELS:
            raise QuanvolveError(
                f"`padding` (={padding!r}) alone makes images of more than {MOST_PIXELS} pixels: use a smaller one"
                + (", or a smaller `kernel_size` or `dilation`" if isinstance(padding, str) else "")
            )
        return geometry

    @property
    def window_size(self) -> int:
        """How many values of one channel a window has."""
        return math.prod(self.kernel_size)

    @property
    def span(self) -> tuple[int, ...]:
        """How far a window reaches along each axis, dilation included."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation, strict=True))

    def sides(self) -> tuple[tuple[int, int], ...]:
        """The padding before and after each axis; 'same' puts the odd one after, as torch does."""
        if self.padding == "valid":
            return tuple((0, 0) for _ in self.kernel_size)
        if isinstance(self.padding, str):
            return tuple(((s - 1) // 2, s - 1 - (s - 1) // 2) for s in self.span)
        return tuple((p, p) for p in self.padding)

    @cached_property
    def _steps(self) -> tuple[tuple[int, int, int], ...]:
        """For each axis the padding of both sides together, the span and the stride."""
        return tuple(zip(map(sum, self.sides()), self.span, self.stride, strict=True))

    def output_size(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Places along each axis for an image of this size.

        Raises:
            QuanvolveError: if a window is larger than the padded image.

        Examples:
            >>> Geometry.parse(2, kernel_size=3, stride=2, padding=1).output_size((28, 20))
            (14, 10)
        """
        places = tuple((n + pad - span) // step + 1 for n, (pad, span, step) in zip(size, self._steps, strict=True))
        if any(count < 1 for count in places):
            padded = tuple(n + pad for n, (pad, _, _) in zip(size, self._steps, strict=True))
            raise QuanvolveError(
                f"a window of {_by(self.span)} is larger than the padded image of {_by(padded)}: use a `kernel_size` "
                f"(={_by(self.kernel_size)}) or `dilation` (={_by(self.dilation)}) that fits, or more `padding`"
            )
        return places

    def windows(self, images: Tensor, groups: int = 1, joint: bool = False, scale: Tensor | float = 1.0) -> Windows:
        """All windows of the padded images.

        Args:
            images: shape (N, C, *size).
            groups, joint, scale: as in :class:`quanvolve.compile.Windows`.

        Raises:
            QuanvolveError: if a window is larger than the padded image, or the padding does not fit its mode.
        """
        size = tuple(images.shape[2:])
        self.output_size(size)
        return Windows(self._pad(images, size), self.kernel_size, self.stride, self.dilation, groups, joint, scale)

    def _pad(self, images: Tensor, size: tuple[int, ...]) -> Tensor:
        if not any(pad for pad, _, _ in self._steps):
            return images
        sides = self.sides()
        amounts = [amount for side in reversed(sides) for amount in side]
        if self.padding_mode == "zeros":
            return F.pad(images, amounts)
        limit = 1 if self.padding_mode == "reflect" else 0
        if self.padding_mode != "replicate" and any(max(side) > n - limit for side, n in zip(sides, size, strict=True)):
            raise QuanvolveError(
                f"`padding` (={self.padding!r}) is too large for `padding_mode={self.padding_mode!r}` on an image of "
                f"{_by(size)}: at most {_by(tuple(n - limit for n in size))}"
            )
        return F.pad(images, amounts, mode=self.padding_mode)


def in_format_of(images: Tensor, values: Tensor) -> Tensor:
    """Values in memory as torch's convolutions return them: contiguous, or channels last where the images are.

    Args:
        images: shape (N, C, *size).
        values: shape (N, channels, *places); copied only if they lie otherwise.

    Examples:
        >>> images = torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last)
        >>> in_format_of(images, torch.rand(2, 8, 3, 3)).stride()
        (72, 1, 24, 8)
    """
    order = CHANNELS_LAST.get(images.dim() - 2)
    if order is None or torch._C._are_functorch_transforms_active() or not _channels_last(images):
        order = torch.contiguous_format
    return values.contiguous(memory_format=order)


def _channels_last(images: Tensor) -> bool:
    """Whether strides say so, as `suggest_memory_format` in torch's own kernels reads them."""
    sizes, strides, least = images.shape, images.stride(), 0
    for axis in (1, *range(images.dim() - 1, 1, -1), 0):
        if sizes[axis] == 0 or strides[axis] < least or (axis == 0 and least == strides[1]):
            return False
        least = strides[axis] * max(1, sizes[axis])
    return True


def _by(numbers: tuple[int, ...]) -> str:
    return "x".join(map(str, numbers))


def _tuple(argument: str, value: Any, dims: int, least: int) -> tuple[int, ...]:
    numbers = tuple(value) if isinstance(value, tuple | list) else (value,) * dims
    if len(numbers) != dims or not all(whole(n, least) for n in numbers):
        large = [n for n in numbers if isinstance(n, Integral) and abs(int(n)) > MOST]
        text = shown(large[0]) if large else repr(value)
        limit = f" and at most {MOST}" if large else ""
        raise QuanvolveError(
            f"`{argument}` (={text}) must be a whole number of at least {least}{limit}, or {dims} such numbers"
        )
    return tuple(int(n) for n in numbers)

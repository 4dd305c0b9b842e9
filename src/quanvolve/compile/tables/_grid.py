"""Where windows are in an image."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Offsets = npt.NDArray[np.int64]


class Grid(NamedTuple):
    """How windows slide over images.

    Args:
        kernel_size, stride, dilation: one number for each spatial axis.
        joint: whether a circuit reads all channels of its group, or one of them.
    """

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    joint: bool = False

    @property
    def spans(self) -> tuple[int, ...]:
        """Pixels from the first to the last of a window along each axis."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation, strict=True))

    def places(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Places along each axis of images of this size.

        Examples:
            >>> Grid((2, 3), (2, 1), (1, 2)).places((28, 28))
            (14, 24)
        """
        return tuple((n - span) // step + 1 for n, span, step in zip(size, self.spans, self.stride, strict=True))

    def offsets(self, size: tuple[int, ...], joined: int) -> tuple[Offsets, Offsets]:
        """Where windows are in a flat channel.

        Args:
            size: of the padded image.
            joined: how many channels, one after the other, a circuit reads.

        Returns:
            The offset of each place's first pixel, and from there of each pixel of the window.
        """
        steps = [math.prod(size[axis + 1 :]) for axis in range(len(size))]
        places = _combined(self.places(size), [s * step for s, step in zip(self.stride, steps, strict=True)])
        pixels = [d * step for d, step in zip(self.dilation, steps, strict=True)]
        return places, _combined((joined, *self.kernel_size), [math.prod(size), *pixels])


def _combined(counts: tuple[int, ...], strides: list[int]) -> Offsets:
    """Sums of one multiple of each stride, the last stride fastest."""
    total = np.zeros(1, np.int64)
    for count, stride in zip(counts, strides, strict=True):
        total = (total[:, None] + stride * np.arange(count)[None, :]).reshape(-1)
    return np.ascontiguousarray(total)

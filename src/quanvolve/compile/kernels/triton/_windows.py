"""Where windows are in a batch of images of any strides, by number: on the host as numbers, in kernels as pointers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import triton
import triton.language as tl
from torch import Tensor

from quanvolve.compile.tables._grid import Grid

MOST = 2**30
"""Windows of one launch, and numbers in an image or its results: they are counted in 32 bits."""


class Divisor(NamedTuple):
    """A number as :func:`quotient` takes it.

    Args:
        number: the divisor d, at least 1.
        magic: ceil(2^(31 + shift) / d) - 2^32.
        shift: the least with d <= 2^shift.
    """

    number: int
    magic: int
    shift: int

    @classmethod
    def of(cls, number: int) -> Divisor:
        """The divisor.

        Examples:
            >>> Divisor.of(3)
            Divisor(number=3, magic=-1431655765, shift=2)
        """
        shift = (number - 1).bit_length()
        return cls(number, -(-(2 ** (31 + shift)) // number) - 2**32, shift)


class Geometry(NamedTuple):
    """The places of images.

    Args:
        places, plane, row: how many are in an image, in its last two axes, and in its last axis.
        image, channel, z, y, x: numbers in memory from one image, channel and pixel along each axis to the next.
    """

    places: Divisor
    plane: Divisor
    row: Divisor
    image: int
    channel: int
    z: int
    y: int
    x: int

    @classmethod
    def of(cls, images: Tensor, grid: Grid) -> Geometry:
        """Of images (N, channels, *size)."""
        places = grid.places(tuple(images.shape[2:]))
        image, channel, *pixels = images.stride()
        z, y, x = [0] * (3 - len(pixels)) + pixels
        return cls(
            Divisor.of(math.prod(places)), Divisor.of(math.prod(places[-2:])), Divisor.of(places[-1]), image, channel,
            z, y, x,
        )  # fmt: skip


Element = tuple[int, int, int, int]
"""Of a window: its channel among those that are joined, and z, y, x."""


class Shape(NamedTuple):
    """What a kernel is compiled for.

    Args:
        dims: axes of an image.
        strides: from window to window along z, y, x.
        joined: channels that a circuit reads.
    """

    dims: int
    strides: tuple[int, int, int]
    joined: int

    @classmethod
    def of(cls, grid: Grid, joined: int) -> Shape:
        """Of windows that slide as the grid says."""
        return cls(len(grid.kernel_size), _last_three(grid.stride), joined)


def elements_of(grid: Grid, joined: int) -> tuple[Element, ...]:
    """The inputs of a circuit, in order.

    Examples:
        >>> elements_of(Grid((2,), (1,), (3,)), 2)
        ((0, 0, 0, 0), (0, 0, 0, 3), (1, 0, 0, 0), (1, 0, 0, 3))
    """
    counts, dilation = _last_three(grid.kernel_size), _last_three(grid.dilation)
    return tuple(
        (j, z * dilation[0], y * dilation[1], x * dilation[2])
        for j in range(joined)
        for z in range(counts[0])
        for y in range(counts[1])
        for x in range(counts[2])
    )


def _last_three(numbers: Sequence[int]) -> tuple[int, int, int]:
    z, y, x = (1,) * (3 - len(numbers)) + tuple(numbers)
    return z, y, x


def fits(tensor: Tensor) -> bool:
    """Whether the numbers of one image are so near to each other in memory that 32 bits tell them apart."""
    return sum((n - 1) * step for n, step in zip(tensor.shape[1:], tensor.stride()[1:], strict=True)) < 2**31


@triton.jit
def quotient(number, divisor):
    """number // divisor for numbers from 0 to 2^31 - 1, by a multiplication (Granlund and Montgomery, PLDI 1994)."""
    doubled = (number * 2).to(tl.uint32, bitcast=True)
    magic = (tl.zeros_like(number) + divisor.magic).to(tl.uint32, bitcast=True)
    return (tl.umulhi(doubled, magic) >> divisor.shift).to(tl.int32, bitcast=True)


@triton.jit
def image_and_place(window, geometry):
    """The image of each window, and its place there."""
    image = quotient(window, geometry.places)
    return image, window - image * geometry.places.number


@triton.jit
def first_pixel(image, place, geometry, SHAPE: tl.constexpr):
    """Of each window, from the first channel of the first image on."""
    at = image.to(tl.int64) * geometry.image
    x = place
    if SHAPE.dims > 2:
        z = quotient(x, geometry.plane)
        x -= z * geometry.plane.number
        at += z * (SHAPE.strides[0] * geometry.z)
    if SHAPE.dims > 1:
        y = quotient(x, geometry.row)
        x -= y * geometry.row.number
        at += y * (SHAPE.strides[1] * geometry.y)
    return at + x * (SHAPE.strides[2] * geometry.x)


@triton.jit
def element(geometry, ELEMENT: tl.constexpr):
    """Where an element is, from the first pixel of the window on."""
    return ELEMENT[0] * geometry.channel + ELEMENT[1] * geometry.z + ELEMENT[2] * geometry.y + ELEMENT[3] * geometry.x

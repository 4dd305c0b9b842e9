"""Dense polynomials straight from images: each program holds the functions of a block of windows.

    out[o] = sum_c sum_a left_a sum_b coefficients[o, c, a, b] right_b,

with left and right the products of the functions of the leading and of the trailing sites. The sums over b, of few
products, are unrolled; those over a are loops.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from quanvolve.compile.kernels.triton._features import (
    Encoding,
    angles_back,
    functions_of,
    put_back,
    read,
    zeros_like_all,
)
from quanvolve.compile.kernels.triton._launch import OPTIONS, block_of, on_device_of
from quanvolve.compile.kernels.triton._products import (
    Sites,
    one_product,
    one_product_back,
    products,
    summed,
    summed_back,
)
from quanvolve.compile.kernels.triton._windows import Element, Geometry, Shape, first_pixel, image_and_place
from quanvolve.compile.tables._features import FeatureTable

RIGHT = 27
"""Products of the trailing sites, at most: their sums are unrolled."""
_TOGETHER = 4
"""Outputs that are summed together."""
_SUMS = 56
"""Sums of gradients that a program holds, at most."""
_PROGRAMS = 2048
"""That gradients of coefficients are shared among; the same on every device, so that sums have one order."""


class Dense(NamedTuple):
    """What the kernels are compiled for.

    Args:
        shape, encoding: of windows and of their functions.
        left, right: the leading and the trailing sites.
        channels: circuits that are summed.
    """

    shape: Shape
    encoding: Encoding
    left: Sites
    right: Sites
    channels: int

    @classmethod
    def of(cls, table: FeatureTable, elements: tuple[Element, ...], shape: Shape, channels: int) -> Dense:
        """Of an encoding."""
        sizes = [int(size) for size in table.sites.sizes if size > 1]
        split = len(sizes) - 1
        while split and Sites.of(sizes[split - 1 :], 0).number <= RIGHT:
            split -= 1
        left = Sites.of(sizes[:split], 0)
        return cls(
            shape, Encoding.of(table, elements), left, Sites.of(sizes[split:], sum(sizes[:split]) - split), channels
        )  # fmt: skip


def forward(
    dense: Dense, geometry: Geometry, factors: Tensor, images: Tensor, coefficients: Tensor, out: Tensor
) -> None:
    """Values.

    Args:
        dense, geometry: of the layer and of the images.
        factors: what pixels are multiplied with.
        images: shape (images, channels, *size).
        coefficients: shape (groups, outputs, channels, features), contiguous.
        out: shape (images, groups, outputs, places), to be written.
    """
    count, groups, outputs = len(images) * geometry.places.number, *coefficients.shape[:2]
    block, warps = block_of(count)
    with on_device_of(images):
        _forward[(triton.cdiv(count, block), groups)](
            images, factors, coefficients, out, geometry, count, outputs, dense, min(outputs, _TOGETHER), block,
            num_warps=warps, **OPTIONS,
        )  # fmt: skip


def by_images(
    dense: Dense, geometry: Geometry, factors: Tensor, images: Tensor, coefficients: Tensor, grad: Tensor,
    d_pixels: Tensor, to: Geometry | None,
) -> None:  # fmt: skip
    """The gradient by the images; arguments as of :func:`forward`.

    Args:
        grad: shape (images, groups, outputs, places), contiguous.
        d_pixels: zeros like the images with the geometry `to`; or, where that is None, to be written: for each circuit
            and each of its inputs the gradients of all windows, shape (groups x channels, inputs, images, places).
        to: of `d_pixels` where these are images, in which case no two windows read one pixel.
    """
    count, groups, outputs = len(images) * geometry.places.number, *coefficients.shape[:2]
    block, warps = block_of(count)
    with on_device_of(images):
        _by_images[(triton.cdiv(count, block), groups)](
            images, factors, coefficients, grad, d_pixels, geometry, to or geometry, count, outputs, dense,
            min(outputs, _TOGETHER), 0 if to is not None else len(d_pixels[0]), to is not None, block,
            num_warps=warps, **OPTIONS,
        )  # fmt: skip


def by_coefficients(
    dense: Dense, geometry: Geometry, factors: Tensor, images: Tensor, grad: Tensor, like: Tensor
) -> Tensor:
    """The gradient by coefficients, which have the shape and type of `like`; arguments as of :func:`by_images`."""
    count, (groups, outputs, channels, _) = len(images) * geometry.places.number, like.shape
    block, warps = block_of(0)
    together = max(1, min(outputs, _SUMS // dense.right.number))
    others = dense.left.number * groups * channels * triton.cdiv(outputs, together)
    blocks = triton.cdiv(count, block)
    parts = max(1, min(blocks, _PROGRAMS // others))
    sums = torch.empty((parts, *like.shape), dtype=like.dtype, device=like.device)
    with on_device_of(images):
        _by_coefficients[(parts, dense.left.number * channels, groups * triton.cdiv(outputs, together))](
            images, factors, grad, sums, geometry, count, outputs, triton.cdiv(blocks, parts), dense, together, block,
            num_warps=warps, **OPTIONS,
        )  # fmt: skip
    return sums.sum(0) if parts > 1 else sums[0]


@triton.jit
def _functions(images, first, channel, there, factors, geometry, DENSE: tl.constexpr, DTYPE: tl.constexpr):
    """Cosines and sines of the readers of a channel, and the functions of the sites."""
    pixels = images + first + channel * (DENSE.shape.joined * geometry.channel)
    cosines, sines = read(pixels, there, factors, geometry, DENSE.encoding, DTYPE)
    return cosines, sines, functions_of(cosines, sines, DENSE.encoding)


@triton.jit(do_not_specialize=["count", "outputs"])
def _forward(
    images, factors, coefficients, out, geometry, count, outputs, DENSE: tl.constexpr, TOGETHER: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    group = tl.program_id(1)
    window = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = window < count
    image, place = image_and_place(window, geometry)
    first = first_pixel(image, place, geometry, DENSE.shape)
    features: tl.constexpr = DENSE.left.number * DENSE.right.number
    coefficients += group.to(tl.int64) * outputs * (DENSE.channels * features)
    places = geometry.places.number
    out += (image.to(tl.int64) * tl.num_programs(1) + group) * outputs * places + place
    DTYPE: tl.constexpr = out.dtype.element_ty
    if DENSE.channels == 1:
        _, _, functions = _functions(images, first, group, there, factors, geometry, DENSE, DTYPE)
    for start in range(0, outputs, TOGETHER):
        sums = ()
        for o in tl.static_range(TOGETHER):
            sums = sums + (tl.zeros([BLOCK], DTYPE),)
        for c in range(DENSE.channels):
            if DENSE.channels > 1:
                _, _, functions = _functions(
                    images, first, group * DENSE.channels + c, there, factors, geometry, DENSE, DTYPE
                )
            for a in range(DENSE.left.number):
                left = one_product(functions, a, tl.zeros([BLOCK], DTYPE) + 1.0, DENSE.left, -1)
                new = ()
                for o in tl.static_range(TOGETHER):
                    # The last outputs are computed twice rather than beyond the end.
                    output = tl.minimum(start + o, outputs - 1)
                    at = coefficients + output * (DENSE.channels * features) + c * features + a * DENSE.right.number
                    new = new + (sums[o] + left * summed(at, functions, DENSE.right, 0),)
                sums = new
        for o in tl.static_range(TOGETHER):
            tl.store(out + (start + o) * places, sums[o], mask=there & (tl.zeros_like(window) + start + o < outputs))


@triton.jit(do_not_specialize=["count", "outputs"])
def _by_images(
    images, factors, coefficients, grad, d_pixels, geometry, to, count, outputs, DENSE: tl.constexpr,
    TOGETHER: tl.constexpr, INPUTS: tl.constexpr, DIRECT: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    group = tl.program_id(1)
    window = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = window < count
    image, place = image_and_place(window, geometry)
    first = first_pixel(image, place, geometry, DENSE.shape)
    features: tl.constexpr = DENSE.left.number * DENSE.right.number
    coefficients += group.to(tl.int64) * outputs * (DENSE.channels * features)
    places = geometry.places.number
    grad += (image.to(tl.int64) * tl.num_programs(1) + group) * outputs * places + place
    DTYPE: tl.constexpr = grad.dtype.element_ty
    ones = tl.zeros([BLOCK], DTYPE) + 1.0
    for c in range(DENSE.channels):
        channel = group * DENSE.channels + c
        cosines, sines, functions = _functions(images, first, channel, there, factors, geometry, DENSE, DTYPE)
        d_functions = zeros_like_all(functions)
        for start in range(0, outputs, TOGETHER):
            # The last outputs together with earlier ones, which count nothing, rather than beyond the end.
            begin = tl.minimum(start, outputs - TOGETHER)
            d_outs = ()
            for o in tl.static_range(TOGETHER):
                known = there & (tl.zeros_like(window) + begin + o >= start)
                d_outs = d_outs + (tl.load(grad + (begin + o) * places, mask=known, other=0.0),)
            for a in range(DENSE.left.number):
                left = one_product(functions, a, ones, DENSE.left, -1)
                at = coefficients + begin * (DENSE.channels * features) + c * features + a * DENSE.right.number
                total, d_functions = summed_back(
                    at, DENSE.channels * features, d_outs, functions, d_functions, left, DENSE.right, 0
                )
                d_functions = one_product_back(functions, d_functions, a, ones, total, DENSE.left)
        d_angles = angles_back(cosines, sines, d_functions, DENSE.encoding)
        if DIRECT:
            at_pixel = d_pixels + first_pixel(image, place, to, DENSE.shape)
            at_pixel += channel * (DENSE.shape.joined * to.channel)
        else:
            at_pixel = d_pixels + channel.to(tl.int64) * INPUTS * count + window
        put_back(at_pixel, count.to(tl.int64), there, factors, to, d_angles, DENSE.encoding, DIRECT)


@triton.jit(do_not_specialize=["count", "outputs", "blocks"])
def _by_coefficients(
    images, factors, grad, sums, geometry, count, outputs, blocks, DENSE: tl.constexpr, TOGETHER: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    part, c, a = tl.program_id(0), tl.program_id(1) // DENSE.left.number, tl.program_id(1) % DENSE.left.number
    chunks = tl.cdiv(outputs, TOGETHER)
    group, start = tl.program_id(2) // chunks, tl.program_id(2) % chunks * TOGETHER
    groups = tl.num_programs(2) // chunks
    places = geometry.places.number
    DTYPE: tl.constexpr = grad.dtype.element_ty
    ones = tl.zeros([BLOCK], DTYPE) + 1.0
    totals = ()
    for k in tl.static_range(TOGETHER * DENSE.right.number):
        totals = totals + (tl.zeros([BLOCK], DTYPE),)
    for block in range(part * blocks, (part + 1) * blocks):
        window = block * BLOCK + tl.arange(0, BLOCK)
        there = window < count
        image, place = image_and_place(window, geometry)
        first = first_pixel(image, place, geometry, DENSE.shape)
        channel = group * DENSE.channels + c
        _, _, functions = _functions(images, first, channel, there, factors, geometry, DENSE, DTYPE)
        rights = products(functions, one_product(functions, a, ones, DENSE.left, -1), DENSE.right, 0)
        of = grad + (image.to(tl.int64) * groups + group) * outputs * places + place
        new = ()
        for o in tl.static_range(TOGETHER):
            d_out = tl.load(
                of + (start + o) * places, mask=there & (tl.zeros_like(window) + start + o < outputs), other=0.0
            )
            for b in tl.static_range(DENSE.right.number):
                new = new + (totals[o * DENSE.right.number + b] + d_out * rights[b],)
        totals = new
    features: tl.constexpr = DENSE.left.number * DENSE.right.number
    sums += (part.to(tl.int64) * groups + group) * outputs * (DENSE.channels * features)
    for o in tl.static_range(TOGETHER):
        to = sums + (start + o) * (DENSE.channels * features) + c * features + a * DENSE.right.number
        for b in tl.static_range(DENSE.right.number):
            tl.store(to + b, tl.sum(totals[o * DENSE.right.number + b], axis=0), mask=start + o < outputs)

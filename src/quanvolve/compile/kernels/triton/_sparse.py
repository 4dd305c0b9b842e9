"""Sparse polynomials straight from images: the products that a coefficient needs, written out in the kernel.

The rows of a circuit are the constant 1, the functions of the sites, and products of two earlier rows, as
`tables._products` has them; of the functions only those that a product needs, of the readers only those that a function
needs, so that a program reads no pixel in vain.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from quanvolve.compile.kernels.triton._features import (
    Encoding,
    added,
    angles_back,
    functions_of,
    put_back,
    read,
    zeros_like_all,
)
from quanvolve.compile.kernels.triton._launch import OPTIONS, block_of, on_device_of
from quanvolve.compile.kernels.triton._windows import Element, Geometry, Shape, first_pixel, image_and_place
from quanvolve.compile.tables._features import FeatureTable
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._products import Products

_MOST = 256
"""Products and terms of all circuits that are written out in a kernel, at most: it compiles in seconds."""
_SUMS = 56
"""Sums of gradients that a program holds, at most."""
_PROGRAMS = 2048
"""That gradients of coefficients are shared among; the same on every device, so that sums have one order."""


class Circuit(NamedTuple):
    """The products of a channel of a group.

    Args:
        group, channel: which; channels are counted through all groups.
        encoding: its functions, which are the rows 1, 2, ...
        nodes: pairs of rows whose products are the rows behind those.
        terms: (output, row, place): the coefficient at that place times the row is added to the output.
    """

    group: int
    channel: int
    encoding: Encoding
    nodes: tuple[tuple[int, int], ...]
    terms: tuple[tuple[int, int, int], ...]


class Sparse(NamedTuple):
    """What the kernels are compiled for.

    Args:
        shape: of the windows.
        inputs: of a circuit.
        outputs: of a group.
        groups: for each group its circuits.
        sums: for gradients by coefficients, the circuits with some of their terms each.
        starts: how many terms are before those of each of these, and how many there are.
    """

    shape: Shape
    inputs: int
    outputs: int
    groups: tuple[tuple[Circuit, ...], ...]
    sums: tuple[Circuit, ...]
    starts: tuple[int, ...]

    @classmethod
    def of(
        cls, few: Products, table: FeatureTable, elements: tuple[Element, ...], shape: Shape, layout: Layout
    ) -> Sparse | None:
        """Of the products of all circuits; None where they are too many to be written out."""
        if len(few.nodes) + len(few.terms) > _MOST:
            return None
        features = math.prod(table.sites.sizes.tolist())

        def circuit(number: int, start: int = 0, count: int | None = None) -> Circuit:
            nodes = few.nodes[few.node_runs[number] : few.node_runs[number + 1]].tolist()
            terms = few.terms[few.term_runs[number] : few.term_runs[number + 1]].tolist()
            group, channel = divmod(number, layout.channels)
            places = [
                (output, row, ((group * layout.outputs + output) * layout.channels + channel) * features + feature)
                for output, row, feature in terms
            ]
            return _needed(group, number, table, elements, nodes, places[start:][:count])

        every = [circuit(number) for number in range(layout.groups * layout.channels)]
        sums = [
            circuit(number, start, _SUMS)
            for number, whole in enumerate(every)
            for start in range(0, len(whole.terms), _SUMS)
        ]
        starts = tuple(sum(len(one.terms) for one in sums[:k]) for k in range(len(sums) + 1))
        groups = tuple(
            tuple(every[group * layout.channels : (group + 1) * layout.channels]) for group in range(layout.groups)
        )
        return cls(shape, len(elements), layout.outputs, groups, tuple(sums), starts)


def _needed(
    group: int, channel: int, table: FeatureTable, elements: tuple[Element, ...], nodes: list[list[int]],
    terms: list[tuple[int, int, int]],
) -> Circuit:  # fmt: skip
    """The circuit of some terms, with the rows and readers that they need."""
    first = 1 + len(table.sites.factors)
    needed = {row for _, row, _ in terms}
    for number in reversed(range(len(nodes))):
        if first + number in needed:
            needed |= set(nodes[number])
    functions = [f for f in range(first - 1) if 1 + f in needed]
    some = [number for number in range(len(nodes)) if first + number in needed]
    rows = {row: k for k, row in enumerate([0, *(1 + f for f in functions), *(first + number for number in some)])}
    return Circuit(
        group, channel, Encoding.of(table, elements, functions),
        tuple((rows[nodes[number][0]], rows[nodes[number][1]]) for number in some),
        tuple((output, rows[row], place) for output, row, place in terms),
    )  # fmt: skip


def forward(
    sparse: Sparse, geometry: Geometry, factors: Tensor, images: Tensor, coefficients: Tensor, out: Tensor
) -> None:
    """Values; arguments as of `_dense.forward`."""
    count = len(images) * geometry.places.number
    block, warps = block_of(count)
    with on_device_of(images):
        _forward[(triton.cdiv(count, block),)](
            images, factors, coefficients, out, geometry, count, sparse.groups, sparse.shape, sparse.outputs, block,
            num_warps=warps, **OPTIONS,
        )  # fmt: skip


def by_images(
    sparse: Sparse, geometry: Geometry, factors: Tensor, images: Tensor, coefficients: Tensor, grad: Tensor,
    d_pixels: Tensor, to: Geometry | None,
) -> None:  # fmt: skip
    """The gradient by the images; arguments as of `_dense.by_images`, but `d_pixels` is zero in either case."""
    count = len(images) * geometry.places.number
    block, warps = block_of(count)
    with on_device_of(images):
        _by_images[(triton.cdiv(count, block),)](
            images, factors, coefficients, grad, d_pixels, geometry, to or geometry, count, sparse.groups,
            sparse.shape, sparse.outputs, sparse.inputs, to is not None, block, num_warps=warps, **OPTIONS,
        )  # fmt: skip


def by_coefficients(
    sparse: Sparse, geometry: Geometry, factors: Tensor, images: Tensor, grad: Tensor, like: Tensor, places: Tensor
) -> Tensor:
    """The gradient by coefficients, zero where a circuit never has one; arguments as of `_dense.by_coefficients`, and

    Args:
        places: of the terms of all sums among the coefficients.
    """
    count = len(images) * geometry.places.number
    gradient = torch.zeros(like.shape, dtype=like.dtype, device=like.device)
    if not sparse.sums:
        return gradient
    block, warps = block_of(0)
    blocks = triton.cdiv(count, block)
    parts = max(1, min(blocks, _PROGRAMS // len(sparse.sums)))
    sums = torch.empty((parts, sparse.starts[-1]), dtype=like.dtype, device=like.device)
    with on_device_of(images):
        _by_coefficients[(parts, len(sparse.sums))](
            images, factors, grad, sums, geometry, count, triton.cdiv(blocks, parts), sparse.sums, sparse.starts,
            sparse.shape, len(sparse.groups), sparse.outputs, block, num_warps=warps, **OPTIONS,
        )  # fmt: skip
    gradient.view(-1).index_copy_(0, places, sums.sum(0))
    return gradient


@triton.jit
def _rows(images, there, factors, geometry, ones, CIRCUIT: tl.constexpr):
    """Cosines and sines of the readers, and all rows.

    Args:
        images: pointers to the first pixel of each window in the first channel.
    """
    if len(CIRCUIT.encoding.elements) == 0:
        return (), (), (ones,)
    else:
        cosines, sines = read(images, there, factors, geometry, CIRCUIT.encoding, ones.dtype)
        rows = (ones,) + functions_of(cosines, sines, CIRCUIT.encoding)
        for k in tl.static_range(len(CIRCUIT.nodes)):
            rows = rows + (rows[CIRCUIT.nodes[k][0]] * rows[CIRCUIT.nodes[k][1]],)
        return cosines, sines, rows


@triton.jit(do_not_specialize=["count"])
def _forward(
    images, factors, coefficients, out, geometry, count, GROUPS: tl.constexpr, SHAPE: tl.constexpr,
    OUTPUTS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    window = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = window < count
    image, place = image_and_place(window, geometry)
    images += first_pixel(image, place, geometry, SHAPE)
    places = geometry.places.number
    out += image.to(tl.int64) * (len(GROUPS) * OUTPUTS * places) + place
    ones = tl.zeros([BLOCK], out.dtype.element_ty) + 1.0
    for group in tl.static_range(len(GROUPS)):
        sums = ()
        for o in tl.static_range(OUTPUTS):
            sums = sums + (tl.zeros_like(ones),)
        for c in tl.static_range(len(GROUPS[group])):
            pixels = images + GROUPS[group][c].channel * SHAPE.joined * geometry.channel
            sums = _summed(sums, pixels, there, factors, coefficients, geometry, ones, GROUPS[group][c])
        for o in tl.static_range(OUTPUTS):
            tl.store(out + (group * OUTPUTS + o) * places, sums[o], mask=there)


@triton.jit
def _summed(sums, pixels, there, factors, coefficients, geometry, ones, CIRCUIT: tl.constexpr):
    """Sums of all outputs, with the terms of a circuit added."""
    _, _, rows = _rows(pixels, there, factors, geometry, ones, CIRCUIT)
    for t in tl.static_range(len(CIRCUIT.terms)):
        coefficient = tl.load(coefficients + CIRCUIT.terms[t][2])
        sums = added(sums, CIRCUIT.terms[t][0], coefficient * rows[CIRCUIT.terms[t][1]])
    return sums


@triton.jit(do_not_specialize=["count"])
def _by_images(
    images, factors, coefficients, grad, d_pixels, geometry, to, count, GROUPS: tl.constexpr, SHAPE: tl.constexpr,
    OUTPUTS: tl.constexpr, INPUTS: tl.constexpr, DIRECT: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    window = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = window < count
    image, place = image_and_place(window, geometry)
    images += first_pixel(image, place, geometry, SHAPE)
    places = geometry.places.number
    grad += image.to(tl.int64) * (len(GROUPS) * OUTPUTS * places) + place
    ones = tl.zeros([BLOCK], grad.dtype.element_ty) + 1.0
    if DIRECT:
        d_pixels += first_pixel(image, place, to, SHAPE)
    else:
        d_pixels += window
    step = count.to(tl.int64)
    for group in tl.static_range(len(GROUPS)):
        d_outs = ()
        for o in tl.static_range(OUTPUTS):
            d_outs = d_outs + (tl.load(grad + (group * OUTPUTS + o) * places, mask=there, other=0.0),)
        for c in tl.static_range(len(GROUPS[group])):
            pixels = images + GROUPS[group][c].channel * SHAPE.joined * geometry.channel
            if DIRECT:
                d_first = d_pixels + GROUPS[group][c].channel * SHAPE.joined * to.channel
            else:
                d_first = d_pixels + GROUPS[group][c].channel * INPUTS * step
            _one_by_images(
                d_outs, pixels, there, factors, coefficients, geometry, ones, d_first, to, step, GROUPS[group][c],
                DIRECT,
            )  # fmt: skip


@triton.jit
def _one_by_images(
    d_outs, pixels, there, factors, coefficients, geometry, ones, d_pixels, to, step, CIRCUIT: tl.constexpr,
    DIRECT: tl.constexpr,
):  # fmt: skip
    """Gradients by what a circuit reads."""
    if len(CIRCUIT.encoding.elements) > 0:
        cosines, sines, rows = _rows(pixels, there, factors, geometry, ones, CIRCUIT)
        d_rows = zeros_like_all(rows)
        for t in tl.static_range(len(CIRCUIT.terms)):
            coefficient = tl.load(coefficients + CIRCUIT.terms[t][2])
            d_rows = added(d_rows, CIRCUIT.terms[t][1], coefficient * d_outs[CIRCUIT.terms[t][0]])
        for k in tl.static_range(len(CIRCUIT.nodes) - 1, -1, -1):
            d_row = d_rows[1 + len(CIRCUIT.encoding.factors) + k]
            d_rows = added(d_rows, CIRCUIT.nodes[k][0], d_row * rows[CIRCUIT.nodes[k][1]])
            d_rows = added(d_rows, CIRCUIT.nodes[k][1], d_row * rows[CIRCUIT.nodes[k][0]])
        d_angles = angles_back(cosines, sines, d_rows[1:], CIRCUIT.encoding)
        put_back(d_pixels, step, there, factors, to, d_angles, CIRCUIT.encoding, DIRECT)


@triton.jit(do_not_specialize=["count", "blocks"])
def _by_coefficients(
    images, factors, grad, sums, geometry, count, blocks, SUMS: tl.constexpr, STARTS: tl.constexpr,
    SHAPE: tl.constexpr, GROUPS: tl.constexpr, OUTPUTS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """sums[part, t] = sum over the part's windows of the gradient of term t's output times its row."""
    sums += tl.program_id(0).to(tl.int64) * STARTS[len(SUMS)]
    for number in tl.static_range(len(SUMS)):
        if tl.program_id(1) == number:
            _some_by_coefficients(
                images + SUMS[number].channel * SHAPE.joined * geometry.channel, factors, grad, sums + STARTS[number],
                geometry, count, blocks, SUMS[number], SHAPE, GROUPS, OUTPUTS, BLOCK,
            )  # fmt: skip


@triton.jit
def _some_by_coefficients(
    images, factors, grad, sums, geometry, count, blocks, CIRCUIT: tl.constexpr, SHAPE: tl.constexpr,
    GROUPS: tl.constexpr, OUTPUTS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    part = tl.program_id(0)
    ones = tl.zeros([BLOCK], grad.dtype.element_ty) + 1.0
    totals = ()
    for t in tl.static_range(len(CIRCUIT.terms)):
        totals = totals + (tl.zeros_like(ones),)
    for block in range(part * blocks, (part + 1) * blocks):
        window = block * BLOCK + tl.arange(0, BLOCK)
        there = window < count
        image, place = image_and_place(window, geometry)
        pixels = images + first_pixel(image, place, geometry, SHAPE)
        _, _, rows = _rows(pixels, there, factors, geometry, ones, CIRCUIT)
        places = geometry.places.number
        of = grad + (image.to(tl.int64) * GROUPS + CIRCUIT.group) * (OUTPUTS * places) + place
        new = ()
        for t in tl.static_range(len(CIRCUIT.terms)):
            d_out = tl.load(of + CIRCUIT.terms[t][0] * places, mask=there, other=0.0)
            new = new + (totals[t] + d_out * rows[CIRCUIT.terms[t][1]],)
        totals = new
    for t in tl.static_range(len(CIRCUIT.terms)):
        tl.store(sums + t, tl.sum(totals[t], axis=0))

"""Trees of blocks on some images at a time: up all levels in cache, and back down for gradients.

A buffer has a row of numbers for each leaf and for each word that a block keeps, one number an image. Levels are not
stored between calls: gradients compute them again.

    out[m] = sum_a left[a] * (sum_b T[m, a, b] right[b]),

where left and right are the products of the numbers of a block's leading and of its other inputs.
"""

from __future__ import annotations

import numba

from quanvolve.compile.kernels.numba._arrays import Floats
from quanvolve.compile.kernels.numba._bilinear import encoded, whole
from quanvolve.compile.kernels.numba._rows import add_products, dot_rows, products_back, products_of, times
from quanvolve.compile.kernels.numba._tile import VECTOR_BYTES
from quanvolve.compile.tables._tree import Climb

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
_inlined = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"}, forceinline=True)
"""For functions that take tables, whose arrays would all be copied for a function that is not inlined."""

encoded_forward, encoded_inputs, encoded_maps = encoded
whole_forward, whole_inputs, whole_maps = whole


@_inlined  # type: ignore[untyped-decorator]
def _widths(climb: Climb, level: int) -> tuple[int, int]:
    """How many products the leading inputs of a level's blocks have, and the others."""
    left, right = 1, 1
    for n in range(climb.inputs[level]):
        if n < climb.splits[level]:
            left *= climb.sizes[climb.size_starts[level] + n]
        else:
            right *= climb.sizes[climb.size_starts[level] + n]
    return left, right


@_jit  # type: ignore[untyped-decorator]
def read(leaves: Floats, first: int, count: int, width: int, states: Floats) -> None:
    """The leaves of some images, the last one's again in what is left of a row."""
    for row in range(len(leaves)):
        source, into = leaves[row], states[row * width : (row + 1) * width]
        for k in range(count):
            into[k] = source[first + k]
        for k in range(count, width):
            into[k] = source[first + count - 1]


@_inlined  # type: ignore[untyped-decorator]
def _up(
    climb: Climb, numbers: Floats, begin: int, states: Floats, ld: int, vectors: int, lefts: Floats, rights: Floats,
    sums: Floats,
) -> None:  # fmt: skip
    """All levels of one tree, whose numbers begin at `begin`."""
    for level in range(len(climb.blocks)):
        kind, inputs, outputs = climb.alike[level], climb.inputs[level], climb.outputs[level]
        left, right = _widths(climb, level)
        split, size, row = climb.splits[level], climb.size_starts[level], climb.row_starts[level]
        step = outputs * left * right if climb.maps[level] > 1 else 0
        at, to = begin + climb.numbers[level], climb.states[level + 1] * ld
        for _ in range(climb.blocks[level]):
            if kind == 3:
                encoded_forward(
                    states, to, numbers, at, states, climb.rows[row] * ld, climb.rows[row + 1] * ld, ld, vectors
                )
            elif kind == 4:
                whole_forward(
                    states, to, numbers, at, states, climb.rows[row] * ld, climb.rows[row + 1] * ld, ld, vectors
                )
            else:
                products_of(climb.sizes, climb.rows, size, row, split, states, ld, vectors, lefts)
                products_of(
                    climb.sizes, climb.rows, size + split, row + split, inputs - split, states, ld, vectors, rights
                )
                times(sums, 0, numbers, at, right, 1, outputs * left, right, rights, 0, ld, vectors)
                add_products(lefts, left, sums, outputs, states, to, ld, vectors)
            row += inputs
            at += step
            to += outputs * ld


@_jit  # type: ignore[untyped-decorator]
def forward(
    part: int, parts: int, leaves: Floats, maps: Floats, climb: Climb, tile: int, room: Floats, out: Floats
) -> None:
    """One part of the trees and images.

    Args:
        part, parts: which of how many.
        leaves: shape (rows, images).
        maps: the numbers of all blocks, shape (trees, numbers).
        climb: the levels.
        tile: images that climb together, a multiple of those in a vector.
        room: for each part a row of numbers to work with, for states, products and sums.
        out: shape (trees, rows of the last level, images), to be written.
    """
    trees, images = len(maps), leaves.shape[1]
    lanes = VECTOR_BYTES // out.itemsize
    flat = maps.reshape(-1)
    n_states, n_lefts, n_rights = climb.states[-1] * tile, climb.room[0] * tile, climb.room[1] * tile
    own = room[part]
    states, own = own[:n_states], own[n_states:]
    lefts, rights, sums = own[:n_lefts], own[n_lefts : n_lefts + n_rights], own[n_lefts + n_rights :]
    tasks = trees * ((images + tile - 1) // tile)
    before = -1
    for task in range(tasks * part // parts, tasks * (part + 1) // parts):
        first, tree = task // trees * tile, task % trees
        count = min(tile, images - first)
        vectors = (count + lanes - 1) // lanes
        ld = vectors * lanes
        if first != before:
            read(leaves, first, count, ld, states)
            before = first
        _up(climb, flat, tree * maps.shape[1], states, ld, vectors, lefts, rights, sums)
        last = climb.states[-2]
        for row in range(climb.states[-1] - last):
            source, into = states[(last + row) * ld : (last + row + 1) * ld], out[tree, row]
            for k in range(count):
                into[first + k] = source[k]


@_jit  # type: ignore[untyped-decorator]
def backward(
    part: int, parts: int, leaves: Floats, maps: Floats, climb: Climb, tile: int, room: Floats, groups: int,
    pieces: int, d_out: Floats, d_maps: Floats, d_leaves: Floats,
) -> None:  # fmt: skip
    """Gradients of one part of all groups and pieces; the other arguments as in :func:`forward`.

    Args:
        groups, pieces: into how many runs trees and images are cut, whose gradients are added up one after the other.
        d_out: shape (trees, rows of the last level, images).
        d_maps: shape (pieces, trees, numbers), to be added to.
        d_leaves: shape (groups, rows, images), to be added to, or of length 0 where it is not wanted.
    """
    lanes = VECTOR_BYTES // d_out.itemsize
    trees, images = len(maps), leaves.shape[1]
    flat = maps.reshape(-1)
    n_states, n_lefts, n_rights, n_sums = (
        climb.states[-1] * tile, climb.room[0] * tile, climb.room[1] * tile, climb.room[2] * tile,
    )  # fmt: skip
    own = room[part]
    states, d_states, own = own[:n_states], own[n_states : 2 * n_states], own[2 * n_states :]
    lefts, d_lefts, own = own[:n_lefts], own[n_lefts : 2 * n_lefts], own[2 * n_lefts :]
    rights, d_rights, own = own[:n_rights], own[n_rights : 2 * n_rights], own[2 * n_rights :]
    sums, d_sums = own[:n_sums], own[n_sums : 2 * n_sums]
    tiles = (images + tile - 1) // tile
    top, last = climb.states[-1], climb.states[-2]
    whole = groups * pieces
    for task in range(whole * part // parts, whole * (part + 1) // parts):
        group, piece = task // pieces, task % pieces
        into = d_maps[piece].reshape(-1)
        for number in range(tiles * piece // pieces, tiles * (piece + 1) // pieces):
            first = number * tile
            count = min(tile, images - first)
            vectors = (count + lanes - 1) // lanes
            ld = vectors * lanes
            read(leaves, first, count, ld, states)
            for tree in range(trees * group // groups, trees * (group + 1) // groups):
                begin = tree * maps.shape[1]
                _up(climb, flat, begin, states, ld, vectors, lefts, rights, sums)
                for row in range(top - last):
                    source, to = d_out[tree, row], d_states[(last + row) * ld : (last + row + 1) * ld]
                    for k in range(count):
                        to[k] = source[first + k]
                    for k in range(count, ld):
                        to[k] = 0
                _down(
                    climb, flat, begin, states, d_states, ld, vectors, lefts, rights, sums, d_lefts, d_rights, d_sums,
                    into, len(d_leaves) > 0,
                )  # fmt: skip
                if len(d_leaves):
                    for row in range(len(leaves)):
                        gradient, to = d_states[row * ld : (row + 1) * ld], d_leaves[group, row]
                        for k in range(count):
                            to[first + k] += gradient[k]


@_inlined  # type: ignore[untyped-decorator]
def _down(
    climb: Climb, numbers: Floats, begin: int, states: Floats, d_states: Floats, ld: int, vectors: int, lefts: Floats,
    rights: Floats, sums: Floats, d_lefts: Floats, d_rights: Floats, d_sums: Floats, d_numbers: Floats,
    all_levels: bool,
) -> None:  # fmt: skip
    """Gradients of one tree's levels, the last one first."""
    for level in range(len(climb.blocks) - 1, -1, -1):
        kind, inputs, outputs = climb.alike[level], climb.inputs[level], climb.outputs[level]
        left, right = _widths(climb, level)
        split, size, row = climb.splits[level], climb.size_starts[level], climb.row_starts[level]
        step = outputs * left * right if climb.maps[level] > 1 else 0
        at, grad = begin + climb.numbers[level], climb.states[level + 1] * ld
        further = level > 0 or all_levels
        for _ in range(climb.blocks[level]):
            j, k = climb.rows[row] * ld, climb.rows[row + (1 if inputs > 1 else 0)] * ld
            if kind == 3:
                encoded_maps(d_numbers, at, states, j, k, d_states, grad, ld, vectors)
                if further:
                    encoded_inputs(d_states, j, k, numbers, at, states, j, k, d_states, grad, ld, vectors)
            elif kind == 4:
                whole_maps(d_numbers, at, states, j, k, d_states, grad, ld, vectors)
                if further:
                    whole_inputs(d_states, j, k, numbers, at, states, j, k, d_states, grad, ld, vectors)
            else:
                others = inputs - split
                products_of(climb.sizes, climb.rows, size, row, split, states, ld, vectors, lefts)
                products_of(climb.sizes, climb.rows, size + split, row + split, others, states, ld, vectors, rights)
                # d sums[m, a] = grad[m] left[a]
                for m in range(outputs):
                    g = d_states[grad + m * ld : grad + (m + 1) * ld]
                    for a in range(left):
                        weight, to = lefts[a * ld : (a + 1) * ld], d_sums[(m * left + a) * ld : (m * left + a + 1) * ld]
                        for p in range(ld):
                            to[p] = g[p] * weight[p]
                dot_rows(d_numbers, at, d_sums, outputs * left, rights, right, ld)
                if further:
                    times(sums, 0, numbers, at, right, 1, outputs * left, right, rights, 0, ld, vectors)
                    d_lefts[: left * ld] = 0
                    for m in range(outputs):
                        g = d_states[grad + m * ld : grad + (m + 1) * ld]
                        for a in range(left):
                            source, to = (
                                sums[(m * left + a) * ld : (m * left + a + 1) * ld],
                                d_lefts[a * ld : (a + 1) * ld],
                            )
                            for p in range(ld):
                                to[p] += g[p] * source[p]
                    times(d_rights, 0, numbers, at, 1, right, right, outputs * left, d_sums, 0, ld, vectors)
                    products_back(
                        climb.sizes, climb.rows, size, row, split, states, lefts, d_lefts, ld, vectors, d_states
                    )
                    products_back(
                        climb.sizes, climb.rows, size + split, row + split, others, states, rights, d_rights, ld,
                        vectors, d_states,
                    )  # fmt: skip
            row += inputs
            at += step
            grad += outputs * ld

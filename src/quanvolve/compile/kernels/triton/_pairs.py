"""Levels of trees whose blocks have two inputs: all products of a block in registers, for a run of images.

    out[m] = sum_a x[a] (sum_b T[m, a, b] y[b]),      x[0] = y[0] = 1

A program has one block of one tree and `BLOCK` images, but where it adds something up. Numbers of its program are
counted with the trees innermost, as all trees read the same leaves.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def place(images, trees, blocks, BLOCK: tl.constexpr):
    """Which tree, block and further number a program has, and which images."""
    number = tl.program_id(0)
    tree, number = number % trees, number // trees
    block, number = number % blocks, number // blocks
    runs = (images + BLOCK - 1) // BLOCK
    image = number % runs * BLOCK + tl.arange(0, BLOCK)
    return tree, block, number // runs, image, image < images


@triton.jit
def _inputs(states, step, row, there, SIZE: tl.constexpr):
    """The numbers that an input is known by, without the constant 1."""
    found = ()
    for a in tl.static_range(SIZE - 1):
        found = found + (tl.load(states + (row + a) * step, mask=there, other=0.0),)
    return found


@triton.jit
def _sum(maps, at, ys, like, SECOND: tl.constexpr):
    """sum_b T[at + b] y[b]"""
    total = tl.load(maps + at) + tl.zeros_like(like)
    for b in tl.static_range(SECOND - 1):
        total += tl.load(maps + at + b + 1) * ys[b]
    return total


@triton.jit
def forward(
    states, tree_step, step, maps, maps_step, block_step, rows, out, out_tree, out_step, images, trees, blocks,
    FIRST: tl.constexpr, SECOND: tl.constexpr, OUTPUTS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """One level.

    Args:
        states: of the level before, `tree_step` numbers between trees and `step` between rows; leaves have no trees.
        maps: the level's numbers, `maps_step` between trees and `block_step` between blocks.
        rows: that the two inputs of each block begin with.
        out: rows to write, with the steps between trees and rows.
        images, trees, blocks: how many.
    """
    tree, block, _, image, there = place(images, trees, blocks, BLOCK)
    states += tree.to(tl.int64) * tree_step + image
    maps += tree.to(tl.int64) * maps_step + block * block_step
    out += tree.to(tl.int64) * out_tree + image
    xs = _inputs(states, step, tl.load(rows + 2 * block).to(tl.int64), there, FIRST)
    ys = _inputs(states, step, tl.load(rows + 2 * block + 1).to(tl.int64), there, SECOND)
    like = tl.zeros([BLOCK], states.dtype.element_ty)
    for m in tl.static_range(OUTPUTS):
        total = _sum(maps, m * FIRST * SECOND, ys, like, SECOND)
        for a in tl.static_range(FIRST - 1):
            total += xs[a] * _sum(maps, (m * FIRST + a + 1) * SECOND, ys, like, SECOND)
        tl.store(out + (block.to(tl.int64) * OUTPUTS + m) * out_step, total, mask=there)


@triton.jit
def inputs_back(
    states, tree_step, step, maps, maps_step, block_step, rows, grad, grad_tree, grad_step, d_states, d_tree, d_step,
    images, trees, blocks, summed, FIRST: tl.constexpr, SECOND: tl.constexpr, OUTPUTS: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradients by the inputs; the other arguments as in :func:`forward`.

    Args:
        grad: by the level's rows.
        d_states: to be written, of one tree for every `summed` trees.
    """
    tree, block, _, image, there = place(images, trees, blocks, BLOCK)
    first, second = tl.load(rows + 2 * block).to(tl.int64), tl.load(rows + 2 * block + 1).to(tl.int64)
    like = tl.zeros([BLOCK], states.dtype.element_ty)
    d_xs, d_ys = (), ()
    for _a in tl.static_range(FIRST - 1):
        d_xs = d_xs + (like,)
    for _b in tl.static_range(SECOND - 1):
        d_ys = d_ys + (like,)
    for t in range(summed):
        own = (tree * summed + t).to(tl.int64)
        numbers = maps + own * maps_step + block * block_step
        of = states + own * tree_step + image
        xs, ys = _inputs(of, step, first, there, FIRST), _inputs(of, step, second, there, SECOND)
        for m in tl.static_range(OUTPUTS):
            g = tl.load(
                grad + own * grad_tree + (block.to(tl.int64) * OUTPUTS + m) * grad_step + image, mask=there, other=0.0
            )
            new = ()
            for a in tl.static_range(FIRST - 1):
                new = new + (d_xs[a] + g * _sum(numbers, (m * FIRST + a + 1) * SECOND, ys, like, SECOND),)
            d_xs = new
            new = ()
            for b in tl.static_range(SECOND - 1):
                total = tl.load(numbers + m * FIRST * SECOND + b + 1) + like
                for a in tl.static_range(FIRST - 1):
                    total += tl.load(numbers + (m * FIRST + a + 1) * SECOND + b + 1) * xs[a]
                new = new + (d_ys[b] + g * total,)
            d_ys = new
    d_states += tree.to(tl.int64) * d_tree + image
    for a in tl.static_range(FIRST - 1):
        tl.store(d_states + (first + a) * d_step, d_xs[a], mask=there)
    for b in tl.static_range(SECOND - 1):
        tl.store(d_states + (second + b) * d_step, d_ys[b], mask=there)


@triton.jit
def maps_back(
    states, tree_step, step, rows, grad, grad_tree, grad_step, d_maps, images, trees, blocks, pieces,
    FIRST: tl.constexpr, SECOND: tl.constexpr, OUTPUTS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradients by the numbers of each block from a piece of the images; the other arguments as above.

    Args:
        d_maps: shape (pieces, trees, blocks, OUTPUTS, FIRST, SECOND), to be written.
    """
    number = tl.program_id(0)
    m, number = number % OUTPUTS, number // OUTPUTS
    tree, number = number % trees, number // trees
    block, piece = number % blocks, number // blocks
    first, second = tl.load(rows + 2 * block).to(tl.int64), tl.load(rows + 2 * block + 1).to(tl.int64)
    states += tree.to(tl.int64) * tree_step
    grad += tree.to(tl.int64) * grad_tree + (block.to(tl.int64) * OUTPUTS + m) * grad_step
    nothing = tl.zeros([BLOCK], grad.dtype.element_ty)
    sums = ()
    for _k in tl.static_range(FIRST * SECOND):
        sums = sums + (nothing,)
    runs = (images + BLOCK - 1) // BLOCK
    for run in range(piece, runs, pieces):
        image = run * BLOCK + tl.arange(0, BLOCK)
        there = image < images
        g = tl.load(grad + image, mask=there, other=0.0)
        xs = _inputs(states + image, step, first, there, FIRST)
        ys = _inputs(states + image, step, second, there, SECOND)
        new = ()
        for a in tl.static_range(FIRST):
            weight = g
            if a > 0:
                weight = g * xs[a - 1]
            new = new + (sums[a * SECOND] + weight,)
            for b in tl.static_range(SECOND - 1):
                new = new + (sums[a * SECOND + b + 1] + weight * ys[b],)
        sums = new
    into = d_maps + (((piece.to(tl.int64) * trees + tree) * blocks + block) * OUTPUTS + m) * FIRST * SECOND
    for k in tl.static_range(FIRST * SECOND):
        tl.store(into + k, tl.sum(sums[k], 0))

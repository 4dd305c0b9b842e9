"""Levels of trees whose blocks have any inputs: products of the leading ones weight sums over those of the others.

    out[m] = sum_a left[a] (sum_b T[m, a, b] right[b])

Which number of each input a product has stands in a table of digits: 0 for its first row, -1 for the constant 1.
"""

from __future__ import annotations

import triton
import triton.language as tl

from quanvolve.compile.kernels.triton._pairs import place


@triton.jit
def _product(states, step, rows, digits, index, skipped, there, like, INPUTS: tl.constexpr):
    """One product of a side for all images, but for one of its inputs."""
    product = like + 1
    for n in tl.static_range(INPUTS):
        digit = tl.load(digits + index * INPUTS + n)
        row = (tl.load(rows + n) + digit).to(tl.int64)
        wanted = there & (digit + tl.zeros_like(skipped) >= 0) & (skipped != n)
        product *= tl.load(states + row * step, mask=wanted, other=1.0)
    return product


@triton.jit
def _products(
    states, step, rows, digits, index, count, there, INPUTS: tl.constexpr, CHUNK: tl.constexpr, BLOCK: tl.constexpr
):
    """Some products of a side, shape (CHUNK, images)."""
    product = tl.zeros([CHUNK, BLOCK], states.dtype.element_ty) + 1
    for n in tl.static_range(INPUTS):
        digit = tl.load(digits + index * INPUTS + n, mask=index < count, other=-1)
        row = (tl.load(rows + n) + digit).to(tl.int64)
        wanted = there[None, :] & (digit >= 0)[:, None]
        product *= tl.load(states[None, :] + row[:, None] * step, mask=wanted, other=1.0)
    return product


@triton.jit
def forward(
    states, tree_step, step, maps, maps_step, block_step, rows, lefts, rights, out, out_tree, out_step, images, trees,
    blocks, outputs, LEFT: tl.constexpr, LEFT_INPUTS: tl.constexpr, RIGHT: tl.constexpr, RIGHT_INPUTS: tl.constexpr,
    CHUNK: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """One row of each block; the arguments are those of `_pairs.forward` but

    Args:
        rows: that the inputs of each block begin with, the leading ones first.
        lefts, rights: digits of the LEFT and RIGHT products of so many inputs.
        outputs: rows of a block.
        CHUNK: products that are summed over at once.
    """
    tree, number, _, image, there = place(images, trees, blocks * outputs, BLOCK)
    block, m = number // outputs, number % outputs
    states += tree.to(tl.int64) * tree_step + image
    maps += tree.to(tl.int64) * maps_step + block * block_step + m * LEFT * RIGHT
    rows += block * (LEFT_INPUTS + RIGHT_INPUTS)
    like = tl.zeros([BLOCK], states.dtype.element_ty)
    none = image * 0 - 1
    total = like
    for start in range(0, RIGHT, CHUNK):
        index = start + tl.arange(0, CHUNK)
        right = _products(states, step, rows + LEFT_INPUTS, rights, index, RIGHT, there, RIGHT_INPUTS, CHUNK, BLOCK)
        for a in range(LEFT):
            left = _product(states, step, rows, lefts, a, none, there, like, LEFT_INPUTS)
            some = tl.load(maps + a * RIGHT + index, mask=index < RIGHT, other=0.0)
            total += left * tl.sum(some[:, None] * right, 0)
    tl.store(out + tree.to(tl.int64) * out_tree + number.to(tl.int64) * out_step + image, total, mask=there)


@triton.jit
def inputs_back(
    states, tree_step, step, maps, maps_step, block_step, rows, row_step, members, starts, inputs, targets, owns,
    own_step, others, other_step, grad, grad_tree, grad_step, d_states, d_tree, d_step, images, trees, blocks, outputs,
    features, summed, OWN_FIRST: tl.constexpr, OWN_INPUTS: tl.constexpr, OTHER_FIRST: tl.constexpr, OTHER: tl.constexpr,
    OTHER_INPUTS: tl.constexpr, CHUNK: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradients by the inputs of one side, row by row; arguments as above and in `_pairs.inputs_back`.

    Args:
        row_step: inputs of a block.
        members, starts: the products of this side that have a row as a factor, where those of each row begin.
        inputs: (input, digit) of each of these rows, of which a block has `targets`.
        owns, others: digits of the products of this side and of the other one.
        own_step, other_step: numbers of a map between them.
        features: numbers of a map for each of its rows.
        OWN_FIRST, OTHER_FIRST: the sides' first inputs.
    """
    tree, number, _, image, there = place(images, trees, blocks * targets, BLOCK)
    block, target = number // targets, number % targets
    n = tl.load(inputs + 2 * target)
    rows += block * row_step
    skipped = n + image * 0
    like = tl.zeros([BLOCK], states.dtype.element_ty)
    total = like
    first, last = tl.load(starts + target), tl.load(starts + target + 1)
    for t in range(summed):
        own = (tree * summed + t).to(tl.int64)
        numbers = maps + own * maps_step + block * block_step
        of = states + own * tree_step + image
        by = grad + own * grad_tree + block.to(tl.int64) * outputs * grad_step + image
        for start in range(0, OTHER, CHUNK):
            index = start + tl.arange(0, CHUNK)
            other = _products(of, step, rows + OTHER_FIRST, others, index, OTHER, there, OTHER_INPUTS, CHUNK, BLOCK)
            for member in range(first, last):
                a = tl.load(members + member)
                weight = like
                for m in range(outputs):
                    at = numbers + m * features + a * own_step
                    some = tl.load(at + index * other_step, mask=index < OTHER, other=0.0)
                    weight += tl.load(by + m * grad_step, mask=there, other=0.0) * tl.sum(some[:, None] * other, 0)
                total += weight * _product(of, step, rows + OWN_FIRST, owns, a, skipped, there, like, OWN_INPUTS)
    row = (tl.load(rows + OWN_FIRST + n) + tl.load(inputs + 2 * target + 1)).to(tl.int64)
    tl.store(d_states + tree.to(tl.int64) * d_tree + row * d_step + image, total, mask=there)


@triton.jit
def maps_back(
    states, tree_step, step, rows, lefts, rights, grad, grad_tree, grad_step, d_maps, images, trees, blocks, outputs,
    pieces, LEFT: tl.constexpr, LEFT_INPUTS: tl.constexpr, RIGHT: tl.constexpr, RIGHT_INPUTS: tl.constexpr,
    CHUNK: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradients by the numbers of each row of a block and product of its leading inputs, from a piece of the images.

    Args:
        d_maps: shape (pieces, trees, blocks, outputs, LEFT, RIGHT), to be written.
    """
    number = tl.program_id(0)
    a, number = number % LEFT, number // LEFT
    m, number = number % outputs, number // outputs
    tree, number = number % trees, number // trees
    block, piece = number % blocks, number // blocks
    states += tree.to(tl.int64) * tree_step
    grad += tree.to(tl.int64) * grad_tree + (block.to(tl.int64) * outputs + m) * grad_step
    rows += block * (LEFT_INPUTS + RIGHT_INPUTS)
    into = d_maps + ((((piece.to(tl.int64) * trees + tree) * blocks + block) * outputs + m) * LEFT + a) * RIGHT
    runs = (images + BLOCK - 1) // BLOCK
    for start in range(0, RIGHT, CHUNK):
        index = start + tl.arange(0, CHUNK)
        total = tl.zeros([CHUNK], grad.dtype.element_ty)
        for run in range(piece, runs, pieces):
            image = run * BLOCK + tl.arange(0, BLOCK)
            there = image < images
            g = tl.load(grad + image, mask=there, other=0.0)
            like = tl.zeros([BLOCK], states.dtype.element_ty)
            left = _product(states + image, step, rows, lefts, a, image * 0 - 1, there, like, LEFT_INPUTS)
            right = _products(
                states + image, step, rows + LEFT_INPUTS, rights, index, RIGHT, there, RIGHT_INPUTS, CHUNK, BLOCK
            )
            total += tl.sum((g * left)[None, :] * right, 1)
        tl.store(into + index, total, mask=index < RIGHT)

"""Coefficients of all filters, with channels and without."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from quanvolve.compile.kernels.triton._launch import OPTIONS, kept, on_device_of
from quanvolve.compile.kernels.triton._steps import Steps, can_be_made
from quanvolve.compile.tables._coefficients import CoefficientTables

_ROOM = 256 * 2**20
"""Bytes that the coefficients which are evolved together may take."""
_TOGETHER = 4
"""Outputs that a program evolves, at most: a power of two."""
_BLOCK = 1024
"""Coefficients that a program changes at once, at most."""


class Coefficients:
    """The kernel of `ops.coefficients`.

    A program evolves some outputs of one row, step by step, in memory of its own. Gradients need the coefficients
    before every step: they are kept rather than undone, since channels cannot be undone.
    """

    def supports(self, tables: CoefficientTables, weights: Tensor) -> bool:
        """Circuits whose permutations fit, and rows."""
        return len(weights) > 0 and kept(tables, "can be made", weights.device, lambda: can_be_made(tables))

    def forward(self, tables: CoefficientTables, weights: Tensor) -> Tensor:
        """Shape (rows, outputs, features)."""
        steps, matrices, out = _prepared(tables, weights)
        rows, chunks, size = _work(steps, tables.shape(len(weights))[0])
        together = max(1, _ROOM // (2 * size * out.element_size()))
        with on_device_of(weights):
            for first in range(0, rows * chunks, together):
                count = min(together, rows * chunks - first)
                state = torch.empty((count, 2, size), dtype=out.dtype, device=out.device)
                _evolve[(count,)](
                    state, out, matrices, *_tables(steps), first, steps.outputs, steps.features, 2,
                    *_constants(steps, tables), num_warps=8, **OPTIONS,
                )  # fmt: skip
        return out

    def backward(
        self, tables: CoefficientTables, grad: Tensor, weights: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """The gradient by the weights."""
        steps, matrices, out = _prepared(tables, weights)
        grad = grad.contiguous()
        rows, chunks, size = _work(steps, len(out))
        slots = steps.longest + 3
        d_matrices = torch.zeros((rows, chunks, *matrices.shape[1:]), dtype=grad.dtype, device=grad.device)
        together = max(1, _ROOM // (slots * size * out.element_size()))
        with on_device_of(weights):
            for first in range(0, rows * chunks, together):
                count = min(together, rows * chunks - first)
                state = torch.empty((count, slots, size), dtype=out.dtype, device=out.device)
                common = matrices, *_tables(steps), first, steps.outputs, steps.features, slots
                _evolve[(count,)](state, out, *common, *_constants(steps, tables), num_warps=8, **OPTIONS)
                _evolve_back[(count,)](
                    state, grad, d_matrices, *common, steps.back, steps.places, steps.places.shape[1],
                    *_constants(steps, tables), num_warps=8, **OPTIONS,
                )  # fmt: skip
        d_angles = _by_angles(steps, tables, weights, d_matrices.sum(1))
        gradient = torch.matmul(d_angles.unsqueeze(1), steps.mixing.transpose(1, 2).to(d_angles)).squeeze(1)
        if len(weights) < len(gradient):  # one row stands for all
            gradient = gradient.sum(0, keepdim=True)
        return (gradient.to(weights.dtype).reshape(weights.shape),)


def _prepared(tables: CoefficientTables, weights: Tensor) -> tuple[Steps, Tensor, Tensor]:
    """The steps, the matrices of all turning steps, and room for the result."""
    steps = kept(tables, "steps", weights.device, lambda: Steps.of(tables, weights.device))
    out = torch.empty(tables.shape(len(weights)), dtype=weights.dtype, device=weights.device)
    angles = _angles(steps, weights, len(out))
    matrices = torch.empty((len(out), steps.runs.shape[1], 16), dtype=weights.dtype, device=weights.device)
    count = len(out) * steps.runs.shape[1]
    with on_device_of(weights):
        _matrices[(triton.cdiv(count, 128),)](
            angles, steps.runs, steps.parts, matrices, count, len(tables.recipes) > 1, steps.runs.shape[1],
            steps.runs.shape[2], angles.shape[1], 128, num_warps=4, **OPTIONS,
        )  # fmt: skip
    return steps, matrices, out


def _angles(steps: Steps, weights: Tensor, rows: int) -> Tensor:
    """Of all turns, in double precision: shape (rows, turns)."""
    wide = weights.detach().to(torch.float64)
    turned = torch.matmul(wide.unsqueeze(1), steps.mixing).squeeze(1) if weights.shape[1] else 0.0
    return (steps.offset + turned).expand(rows, -1).contiguous()


def _by_angles(steps: Steps, tables: CoefficientTables, weights: Tensor, d_matrices: Tensor) -> Tensor:
    """Gradients by the angles of all turns, in double precision, from those by the matrices of steps."""
    angles = _angles(steps, weights, len(d_matrices))
    d_angles = torch.zeros_like(angles)
    count = len(d_matrices) * steps.runs.shape[1] * steps.runs.shape[2]
    with on_device_of(weights):
        _matrices_back[(triton.cdiv(count, 128),)](
            angles, steps.runs, steps.parts, d_matrices, d_angles, count, len(tables.recipes) > 1,
            steps.runs.shape[1], steps.runs.shape[2], angles.shape[1], 128, num_warps=4, **OPTIONS,
        )  # fmt: skip
    return d_angles


def _together(steps: Steps) -> int:
    return min(_TOGETHER, 1 << (steps.outputs - 1).bit_length())


def _work(steps: Steps, rows: int) -> tuple[int, int, int]:
    """Rows, the parts that their outputs are evolved in, and coefficients of each."""
    return rows, triton.cdiv(steps.outputs, _together(steps)), 4**steps.wires * _together(steps)


def _tables(steps: Steps) -> tuple[Tensor, ...]:
    return (
        steps.ends, steps.steps, steps.sources, steps.signs, steps.mixes, steps.starts, steps.starting, steps.values,
        steps.words, steps.word_signs,
    )  # fmt: skip


def _constants(steps: Steps, tables: CoefficientTables) -> tuple[bool, int, int, int, int]:
    together = _together(steps)
    block = min(_BLOCK, 4**steps.wires * together)
    return len(tables.recipes) > 1, steps.runs.shape[1], steps.wires, together, block


@triton.jit
def _one_matrix(angle, part, known, SLOPE: tl.constexpr, DTYPE: tl.constexpr):
    """The matrix of a turn, or its derivative by the angle: 16 blocks; the identity where none is known."""
    cosine, sine = tl.cos(angle).to(DTYPE), tl.sin(angle).to(DTYPE)
    matrix = ()
    for e in tl.static_range(16):
        first = tl.load(part + 16 + e, mask=known, other=0.0).to(DTYPE)
        second = tl.load(part + 32 + e, mask=known, other=0.0).to(DTYPE)
        if SLOPE:
            matrix = matrix + (second * cosine - first * sine,)
        else:
            fixed = tl.load(part + e, mask=known, other=1.0 if e % 5 == 0 else 0.0).to(DTYPE)
            matrix = matrix + (fixed + first * cosine + second * sine,)
    return matrix


@triton.jit
def _times(left, right):
    """The product of two matrices (4, 4)."""
    product = ()
    for e in tl.static_range(16):
        total = left[e // 4 * 4] * right[e % 4]
        for k in tl.static_range(1, 4):
            total += left[e // 4 * 4 + k] * right[4 * k + e % 4]
        product = product + (total,)
    return product


@triton.jit
def _identity(like):
    matrix = ()
    for e in tl.static_range(16):
        matrix = matrix + (tl.zeros_like(like) + (1.0 if e % 5 == 0 else 0.0),)
    return matrix


@triton.jit
def _turn_of(lane, r, there, runs, parts, angles, row, MANY: tl.constexpr, MOST: tl.constexpr, TURNS: tl.constexpr):
    """The r-th turn of each lane's run: whether there is one, its number, its angle, and where its parts are."""
    number = tl.load(runs + lane * MOST + r, mask=there, other=-1)
    known = number >= 0
    circuit = row if MANY else tl.zeros_like(row)
    angle = tl.load(angles + row * TURNS + number, mask=known, other=0.0)
    return known, number, angle, parts + (circuit * TURNS + number) * 48


@triton.jit(do_not_specialize=["count"])
def _matrices(
    angles, runs, parts, matrices, count, MANY: tl.constexpr, STEPS: tl.constexpr, MOST: tl.constexpr,
    TURNS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """matrices[row, step] = the product of the step's turns, the first of them innermost."""
    number = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = number < count
    row, step = number // STEPS, number % STEPS
    lane = number if MANY else step
    DTYPE: tl.constexpr = matrices.dtype.element_ty
    product = _identity(tl.zeros([BLOCK], DTYPE))
    for r in range(MOST):
        known, _, angle, part = _turn_of(lane, r, there, runs, parts, angles, row, MANY, MOST, TURNS)
        product = _times(_one_matrix(angle, part, known, False, DTYPE), product)
    for e in tl.static_range(16):
        tl.store(matrices + number * 16 + e, product[e], mask=there)


@triton.jit(do_not_specialize=["count"])
def _matrices_back(
    angles, runs, parts, d_matrices, d_angles, count, MANY: tl.constexpr, STEPS: tl.constexpr, MOST: tl.constexpr,
    TURNS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """d angle of the k-th turn = sum of d_matrices[row, step] times the product with that turn's derivative."""
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = index < count
    number, k = index // MOST, index % MOST
    row, step = number // STEPS, number % STEPS
    lane = number if MANY else step
    DTYPE: tl.constexpr = d_matrices.dtype.element_ty
    product = _identity(tl.zeros([BLOCK], DTYPE))
    for r in range(MOST):
        known, _, angle, part = _turn_of(lane, r, there, runs, parts, angles, row, MANY, MOST, TURNS)
        whole = _one_matrix(angle, part, known, False, DTYPE)
        slope = _one_matrix(angle, part, known, True, DTYPE)
        matrix = ()
        for e in tl.static_range(16):
            matrix = matrix + (tl.where(k == r, slope[e], whole[e]),)
        product = _times(matrix, product)
    total = tl.zeros([BLOCK], tl.float64)
    for e in tl.static_range(16):
        total += tl.load(d_matrices + number * 16 + e, mask=there, other=0.0).to(tl.float64) * product[e]
    turn = tl.load(runs + lane * MOST + k, mask=there, other=-1)
    tl.store(d_angles + row * TURNS + turn, total, mask=turn >= 0)


@triton.jit
def _shift(wire, WIRES: tl.constexpr, TOGETHER: tl.constexpr):
    """Bits behind the letter of a wire in the number of a coefficient: word * TOGETHER + output."""
    behind = 2 * (WIRES - 1 - wire)
    if TOGETHER == 4:
        behind += 2
    elif TOGETHER == 2:
        behind += 1
    return behind


@triton.jit
def _advance(
    old, new, kind, table, wire, other, matrices, sources, signs, mixes, BACK: tl.constexpr, WIRES: tl.constexpr,
    TOGETHER: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """One step: new[p] = sum over old words; or, for gradients, the transpose of that.

    Args:
        sources: of permutations; for their transpose the inverse ones.
    """
    DTYPE: tl.constexpr = old.dtype.element_ty
    WORDS: tl.constexpr = 4**WIRES
    shift, second = _shift(wire, WIRES, TOGETHER), _shift(other, WIRES, TOGETHER)
    for begin in range(0, WORDS * TOGETHER, BLOCK):
        p = begin + tl.arange(0, BLOCK)
        value = tl.zeros([BLOCK], DTYPE)
        if kind == 0:
            source = tl.load(sources + table * WORDS + p // TOGETHER)
            sign = tl.load(signs + table * WORDS + (source if BACK else p // TOGETHER)).to(DTYPE)
            value = sign * tl.load(old + source * TOGETHER + p % TOGETHER)
        elif kind == 1:
            letter = (p >> shift) & 3
            base = p - (letter << shift)
            for j in tl.static_range(4):
                entry = tl.load(matrices + table * 16 + (4 * j + letter if BACK else 4 * letter + j))
                value += entry * tl.load(old + base + (j << shift))
        else:
            pair = ((p >> shift) & 3) * 4 + ((p >> second) & 3)
            base = p - ((pair // 4) << shift) - ((pair % 4) << second)
            for q in range(16):
                entry = tl.load(mixes + table * 256 + (16 * q + pair if BACK else 16 * pair + q)).to(DTYPE)
                value += entry * tl.load(old + base + ((q // 4) << shift) + ((q % 4) << second))
        tl.store(new + p, value)
    tl.debug_barrier()


@triton.jit(do_not_specialize=["first", "outputs", "features", "slots"])
def _evolve(
    state, out, matrices, ends, steps, sources, signs, mixes, starts, starting, values, words, word_signs, first,
    outputs, features, slots, MANY: tl.constexpr, STEPS: tl.constexpr, WIRES: tl.constexpr, TOGETHER: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """The coefficients of some outputs of a row after each step, in turn in the slots of its state; the last to `out`.

    Args:
        state: shape (programs, slots, 4^n x TOGETHER).
    """
    SIZE: tl.constexpr = 4**WIRES * TOGETHER
    DTYPE: tl.constexpr = out.dtype.element_ty
    state += tl.program_id(0).to(tl.int64) * slots * SIZE
    chunks = tl.cdiv(outputs, TOGETHER)
    row, begin = (first + tl.program_id(0)) // chunks, (first + tl.program_id(0)) % chunks * TOGETHER
    circuit = row if MANY else row * 0
    for at in range(0, SIZE, BLOCK):
        tl.store(state + at + tl.arange(0, BLOCK), tl.zeros([BLOCK], DTYPE))
    tl.debug_barrier()
    last = tl.load(starts + circuit + 1)
    for at in range(tl.load(starts + circuit), last, 64):
        term = at + tl.arange(0, 64)
        output = tl.load(starting + 2 * term, mask=term < last, other=-1) - begin
        ours = (output >= 0) & (output < TOGETHER)
        word = tl.load(starting + 2 * term + 1, mask=ours, other=0)
        value = tl.load(values + term, mask=ours, other=0.0)
        tl.store(state + word * TOGETHER + output, value.to(DTYPE), mask=ours)
    tl.debug_barrier()
    start, end = tl.load(ends + circuit), tl.load(ends + circuit + 1)
    matrices += row * STEPS * 16
    for k in range(start, end):
        step = steps + 4 * k
        _advance(
            state + (k - start) % slots * SIZE, state + (k - start + 1) % slots * SIZE, tl.load(step),
            tl.load(step + 1), tl.load(step + 2), tl.load(step + 3), matrices, sources, signs, mixes, False, WIRES,
            TOGETHER, BLOCK,
        )  # fmt: skip
    state += (end - start) % slots * SIZE
    out += row.to(tl.int64) * outputs * features
    for at in range(0, features, 128):
        feature = at + tl.arange(0, 128)
        word = tl.load(words + feature, mask=feature < features, other=0)
        sign = tl.load(word_signs + feature, mask=feature < features, other=0.0).to(DTYPE)
        for o in tl.static_range(TOGETHER):
            known = (feature < features) & (tl.zeros_like(feature) + begin + o < outputs)
            value = sign * tl.load(state + word * TOGETHER + o, mask=known, other=0.0)
            tl.store(out + (begin + o) * features + feature, value, mask=known)


@triton.jit(do_not_specialize=["first", "outputs", "features", "slots"])
def _evolve_back(
    state, grad, d_matrices, matrices, ends, steps, sources, signs, mixes, starts, starting, values, words,
    word_signs, first, outputs, features, slots, back, places, MOST: tl.constexpr, MANY: tl.constexpr,
    STEPS: tl.constexpr, WIRES: tl.constexpr, TOGETHER: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradients of the matrices of turning steps; the gradient of the coefficients is in the last two slots in turn.

    Args:
        state: that :func:`_evolve` has left.
        d_matrices: shape (rows x parts, STEPS, 16).
    """
    SIZE: tl.constexpr = 4**WIRES * TOGETHER
    DTYPE: tl.constexpr = grad.dtype.element_ty
    state += tl.program_id(0).to(tl.int64) * slots * SIZE
    chunks = tl.cdiv(outputs, TOGETHER)
    row, begin = (first + tl.program_id(0)) // chunks, (first + tl.program_id(0)) % chunks * TOGETHER
    circuit = row if MANY else row * 0
    grads = state + (slots - 2) * SIZE
    grad += row.to(tl.int64) * outputs * features
    start, end = tl.load(ends + circuit), tl.load(ends + circuit + 1)
    for at in range(0, SIZE, BLOCK):
        p = at + tl.arange(0, BLOCK)
        output = begin + p % TOGETHER
        value = tl.zeros([BLOCK], DTYPE)
        for m in range(MOST):
            place = tl.load(places + p // TOGETHER * MOST + m)
            known = (place >= 0) & (output < outputs)
            sign = tl.load(word_signs + place, mask=known, other=0.0).to(DTYPE)
            value += sign * tl.load(grad + output * features + place, mask=known, other=0.0)
        tl.store(grads + (end - start) % 2 * SIZE + p, value)
    tl.debug_barrier()
    matrices += row * STEPS * 16
    d_matrices += (first + tl.program_id(0)) * STEPS * 16
    for number in range(end - start):
        k = end - start - 1 - number
        step = steps + 4 * (start + k)
        kind, table, wire = tl.load(step), tl.load(step + 1), tl.load(step + 2)
        d_new = grads + (k + 1) % 2 * SIZE
        if kind == 1:
            _outer(d_new, state + k * SIZE, d_matrices + table * 16, wire, WIRES, TOGETHER, BLOCK)
        _advance(
            d_new, grads + k % 2 * SIZE, kind, table, wire, tl.load(step + 3), matrices, back, signs, mixes, True,
            WIRES, TOGETHER, BLOCK,
        )  # fmt: skip


@triton.jit
def _outer(d_new, old, d_matrix, wire, WIRES: tl.constexpr, TOGETHER: tl.constexpr, BLOCK: tl.constexpr):
    """d_matrix[i, j] = sum over all words with letter i on the wire of d_new times the old word with j instead."""
    shift = _shift(wire, WIRES, TOGETHER)
    DTYPE: tl.constexpr = old.dtype.element_ty
    totals = ()
    for e in tl.static_range(16):
        totals = totals + (tl.zeros([BLOCK], DTYPE),)
    for begin in range(0, 4**WIRES * TOGETHER, BLOCK):
        p = begin + tl.arange(0, BLOCK)
        letter = (p >> shift) & 3
        base = p - (letter << shift)
        d_word = tl.load(d_new + p)
        olds = ()
        for j in tl.static_range(4):
            olds = olds + (tl.load(old + base + (j << shift)),)
        new = ()
        for i in tl.static_range(4):
            d_letter = tl.where(letter == i, d_word, 0.0)
            for j in tl.static_range(4):
                new = new + (totals[4 * i + j] + d_letter * olds[j],)
        totals = new
    for e in tl.static_range(16):
        tl.store(d_matrix + e, tl.sum(totals[e], axis=0))


kernel = Coefficients()

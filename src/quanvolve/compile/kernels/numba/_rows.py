"""Blocks with any number of inputs: products of what these are known by, and sums of products.

Buffers are flat arrays of rows of `ld` numbers, one an image; ``row[p]`` stands for ``buffer[row * ld + p]``.
"""

from __future__ import annotations

from collections.abc import Callable

import numba
from llvmlite import ir
from numba import types
from numba.core.base import BaseContext
from numba.core.typing import Context
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

from quanvolve.compile.kernels.numba._arrays import Floats, Integers
from quanvolve.compile.kernels.numba._tile import VECTOR_BYTES, Emit, Intrinsic, Kind, Values, data_of

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})


def _tile_of(rows: int) -> Callable[..., None]:
    @intrinsic  # type: ignore[untyped-decorator]
    def tile(
        typing: Context, out: Kind, o: Kind, a: Kind, i: Kind, row: Kind, col: Kind, count: Kind, b: Kind, j: Kind,
        ld: Kind,
    ) -> Intrinsic:  # fmt: skip
        signature = types.void(out, o, a, i, row, col, count, b, j, ld)

        def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
            emit = Emit(context, builder, signature.args[0].dtype)
            out, a, b = (data_of(context, builder, signature.args[n], arguments[n]) for n in (0, 2, 7))
            o, i, row, col, count, j, ld = (arguments[n] for n in (1, 3, 4, 5, 6, 8, 9))
            add, mul = builder.add, builder.mul

            def body(k: ir.Value, sums: Values) -> Values:
                column = emit.load(b, add(j, mul(k, ld)))
                place = add(i, mul(k, col))
                return [
                    emit.fma(emit.splat(builder.load(emit.at(a, add(place, mul(row, emit.number(m)))))), column, total)
                    for m, total in enumerate(sums)
                ]

            for m, total in enumerate(emit.loop(count, rows, body)):
                emit.store(total, out, add(o, mul(ld, emit.number(m))))
            return context.get_dummy_value()

        return signature, generate

    return tile  # type: ignore[no-any-return]


tall_tile, low_tile, flat_tile = _tile_of(15), _tile_of(3), _tile_of(1)
"""``out[o + m ld + p] = sum_k a[i + m row + k col] * b[j + k ld + p]``, for 15, 3 or 1 rows m and one vector of p.

As many sums as there are words of two kept qubits, and of one.
"""


@_jit  # type: ignore[untyped-decorator]
def times(
    out: Floats, o: int, a: Floats, i: int, row: int, col: int, rows: int, count: int, b: Floats, j: int, ld: int,
    vectors: int,
) -> None:  # fmt: skip
    """``out[m] = sum_k a[i + m row + k col] b[k]``, m < rows and k < count, rows of out from `o` and of b from `j`."""
    lanes = VECTOR_BYTES // out.itemsize
    m = 0
    while m < rows:
        some = 15 if m + 15 <= rows else 3 if m + 3 <= rows else 1
        for v in range(vectors):
            to, start, of = o + m * ld + v * lanes, i + m * row, j + v * lanes
            if some == 15:
                tall_tile(out, to, a, start, row, col, count, b, of, ld)
            elif some == 3:
                low_tile(out, to, a, start, row, col, count, b, of, ld)
            else:
                flat_tile(out, to, a, start, row, col, count, b, of, ld)
        m += some


@_jit  # type: ignore[untyped-decorator]
def dot_rows(out: Floats, o: int, a: Floats, rows: int, b: Floats, columns: int, ld: int) -> None:
    """``out[o + m columns + n] += sum_p a[m][p] * b[n][p]`` for m < rows, a multiple of three, and n < columns."""
    zero = out.dtype.type(0)
    for m in range(0, rows, 3):
        x, y, z = a[m * ld : (m + 1) * ld], a[(m + 1) * ld : (m + 2) * ld], a[(m + 2) * ld : (m + 3) * ld]
        to = o + m * columns
        for n in range(columns):
            c = b[n * ld : (n + 1) * ld]
            s, t, u = zero, zero, zero
            for p in range(ld):
                s += x[p] * c[p]
                t += y[p] * c[p]
                u += z[p] * c[p]
            out[to + n] += s
            out[to + columns + n] += t
            out[to + 2 * columns + n] += u


@_jit  # type: ignore[untyped-decorator]
def add_products(
    lefts: Floats, left: int, sums: Floats, outputs: int, out: Floats, o: int, ld: int, vectors: int
) -> None:
    """``out[m] = sum_a lefts[a] sums[m left + a]``, the rows of out from `o`."""
    for m in range(outputs):
        into = out[o + m * ld : o + (m + 1) * ld]
        source = sums[m * left * ld : (m * left + 1) * ld]
        for p in range(ld):
            into[p] = source[p]
        for a in range(1, left):
            weight, source = lefts[a * ld : (a + 1) * ld], sums[(m * left + a) * ld : (m * left + a + 1) * ld]
            for p in range(ld):
                into[p] += weight[p] * source[p]


@_jit  # type: ignore[untyped-decorator]
def products_of(
    sizes: Integers, rows: Integers, size: int, row: int, inputs: int, states: Floats, ld: int, vectors: int,
    table: Floats,
) -> None:  # fmt: skip
    """All products of one number of each of some inputs, the last input fastest.

    Args:
        sizes, rows: how many numbers each input is known by, from `size` on, and where these are, from `row` on.
        states: rows of numbers, without the constants.
        table: rows to fill.
    """
    table[:ld] = 1
    have = 1
    for n in range(inputs - 1, -1, -1):
        for j in range(1, sizes[size + n]):
            start = (rows[row + n] + j - 1) * ld
            known = states[start : start + ld]
            for i in range(have):
                product, new = table[i * ld : (i + 1) * ld], table[(j * have + i) * ld : (j * have + i + 1) * ld]
                for p in range(ld):
                    new[p] = known[p] * product[p]
        have *= sizes[size + n]


@_jit  # type: ignore[untyped-decorator]
def products_back(
    sizes: Integers, rows: Integers, size: int, row: int, inputs: int, states: Floats, table: Floats, d_table: Floats,
    ld: int, vectors: int, d_states: Floats,
) -> None:  # fmt: skip
    """Gradients of what the inputs are known by, from those of their products, which are used up."""
    have = 1
    for n in range(inputs):
        have *= sizes[size + n]
    for n in range(inputs):
        have //= sizes[size + n]
        for j in range(1, sizes[size + n]):
            start = (rows[row + n] + j - 1) * ld
            known, d_known = states[start : start + ld], d_states[start : start + ld]
            for p in range(ld):
                d_known[p] = 0
            for i in range(have):
                d = d_table[(j * have + i) * ld : (j * have + i + 1) * ld]
                product, d_product = table[i * ld : (i + 1) * ld], d_table[i * ld : (i + 1) * ld]
                for p in range(ld):
                    d_known[p] += d[p] * product[p]
                for p in range(ld):
                    d_product[p] += d[p] * known[p]

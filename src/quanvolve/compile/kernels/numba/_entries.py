"""Register tiles that run through lists of entries, and coefficients in the order of these; see `tables._tiles`."""

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
from quanvolve.compile.kernels.numba._bilinear import add_up
from quanvolve.compile.kernels.numba._tile import (
    ROWS,
    VECTOR_BYTES,
    VECTORS,
    Emit,
    Intrinsic,
    Kind,
    Values,
    data_of,
)
from quanvolve.compile.tables._tiles import Tiles

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract"})
_inlined = numba.njit(cache=True, nogil=True, fastmath={"contract"}, forceinline=True)
_TERMS = 4 if VECTOR_BYTES == 64 else 2
"""Entries whose gradients are added up together: as many sums as there are registers for."""


def _tile_of(vectors: int) -> Callable[..., None]:
    @intrinsic  # type: ignore[untyped-decorator]
    def tile(
        typing: Context, out: Kind, o: Kind, ld: Kind, a: Kind, i: Kind, which: Kind, first: Kind, count: Kind,
        b: Kind, w: Kind, v: Kind, p: Kind,
    ) -> Intrinsic:  # fmt: skip
        n = types.int64
        signature = types.void(out, n, n, a, n, which, n, n, b, w, n, n)

        def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
            kinds = signature.args
            emit = Emit(context, builder, kinds[0].dtype)
            out, a, which, b, w = (data_of(context, builder, kinds[k], arguments[k]) for k in (0, 3, 5, 8, 9))
            o, ld, i, first, count, v, p = (arguments[k] for k in (1, 2, 4, 6, 7, 10, 11))
            add, mul = builder.add, builder.mul
            whole = [emit.number(n * emit.lanes) for n in range(vectors)]

            def body(k: ir.Value, sums: Values) -> Values:
                row = builder.load(emit.at(which, add(first, k)))
                start, place = add(mul(row, ld), p), add(i, mul(k, emit.number(ROWS)))
                columns = [emit.load(b, add(start, step)) for step in whole]
                new = []
                for m in range(ROWS):
                    factor = emit.splat(builder.load(emit.at(a, add(place, emit.number(m)))))
                    new += [emit.fma(factor, columns[n], sums[m * vectors + n]) for n in range(vectors)]
                return new

            sums = emit.loop(count, ROWS * vectors, body)
            weights = [emit.load(w, add(add(v, p), step)) for step in whole]
            for m in range(ROWS):
                for n in range(vectors):
                    place = add(add(add(o, mul(ld, emit.number(m))), p), whole[n])
                    emit.store(emit.fma(sums[m * vectors + n], weights[n], emit.load(out, place)), out, place)
            return context.get_dummy_value()

        return signature, generate

    return tile  # type: ignore[no-any-return]


_wide, _thin = _tile_of(VECTORS), _tile_of(1)


@_jit  # type: ignore[untyped-decorator]
def multiply_entries(
    out: Floats, o: int, ld: int, a: Floats, i: int, which: Integers, first: int, count: int, b: Floats, w: Floats,
    v: int, width: int,
) -> None:  # fmt: skip
    """``out[o + m ld + p] += w[v + p] * sum_k a[i + 4 k + m] * b[which[first + k] ld + p]``, m < 4, k < count, p < width.

    All arrays are flat, and `width` is of whole vectors.
    """
    lanes = VECTOR_BYTES // out.itemsize
    p = 0
    while p + VECTORS * lanes <= width:
        _wide(out, o, ld, a, i, which, first, count, b, w, v, p)
        p += VECTORS * lanes
    while p < width:
        _thin(out, o, ld, a, i, which, first, count, b, w, v, p)
        p += lanes


@intrinsic  # type: ignore[untyped-decorator]
def _dots(
    typing: Context, d: Kind, i: Kind, a: Kind, o: Kind, ld: Kind, which: Kind, first: Kind, b: Kind, vectors: Kind
) -> Intrinsic:
    n = types.int64
    signature = types.void(d, n, a, n, n, which, n, b, n)

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
        kinds = signature.args
        emit = Emit(context, builder, kinds[0].dtype)
        d, a, which, b = (data_of(context, builder, kinds[k], arguments[k]) for k in (0, 2, 5, 7))
        i, o, ld, first, vectors = (arguments[k] for k in (1, 3, 4, 6, 8))
        add, mul = builder.add, builder.mul
        rows = [add(o, mul(ld, emit.number(m))) for m in range(ROWS)]
        columns = [mul(builder.load(emit.at(which, add(first, emit.number(k)))), ld) for k in range(_TERMS)]

        def body(v: ir.Value, sums: Values) -> Values:
            at = mul(v, emit.number(emit.lanes))
            seen = [emit.load(a, add(row, at)) for row in rows]
            new = []
            for k, column in enumerate(columns):
                product = emit.load(b, add(column, at))
                new += [emit.fma(seen[m], product, sums[k * ROWS + m]) for m in range(ROWS)]
            return new

        add_up(emit, emit.loop(vectors, _TERMS * ROWS, body), d, i)
        return context.get_dummy_value()

    return signature, generate


@_jit  # type: ignore[untyped-decorator]
def dot_entries(
    d: Floats, i: int, a: Floats, o: int, ld: int, which: Integers, first: int, count: int, b: Floats, width: int
) -> None:
    """``d[i + 4 k + m] += sum_p a[o + m ld + p] * b[which[first + k] ld + p]``, m < 4, k < count, p < width.

    A multiple of four entries is written.
    """
    vectors = width // (VECTOR_BYTES // d.itemsize)
    for k in range(0, (count + ROWS - 1) // ROWS * ROWS, _TERMS):
        _dots(d, i + k * ROWS, a, o, ld, which, first + k, b, vectors)


@_jit  # type: ignore[untyped-decorator]
def pack(coefficients: Floats, tiles: Tiles, right: int, packed: Floats) -> None:
    """Coefficients in the order of the tiles' entries.

    Args:
        coefficients: shape (groups, outputs, channels, features).
        right: how many trailing products there are.
        packed: shape (groups, channels, entries, 4), zero.
    """
    for g in range(packed.shape[0]):
        for c in range(packed.shape[1]):
            for t in range(len(tiles.outputs)):
                for a in range(tiles.starts.shape[1]):
                    first = tiles.starts[t, a]
                    for k in range(first, first + tiles.counts[t, a]):
                        for m in range(ROWS):
                            output = tiles.outputs[t, m]
                            if output >= 0:
                                packed[g, c, k, m] = coefficients[g, output, c, a * right + tiles.right[k]]


@_jit  # type: ignore[untyped-decorator]
def unpack(packed: Floats, tiles: Tiles, right: int, coefficients: Floats) -> None:
    """The opposite of :func:`pack`; coefficients that no tile has stay as they are."""
    for g in range(packed.shape[0]):
        for c in range(packed.shape[1]):
            for t in range(len(tiles.outputs)):
                for a in range(tiles.starts.shape[1]):
                    first = tiles.starts[t, a]
                    for k in range(first, first + tiles.counts[t, a]):
                        for m in range(ROWS):
                            output = tiles.outputs[t, m]
                            if output >= 0:
                                coefficients[g, output, c, a * right + tiles.right[k]] = packed[g, c, k, m]


@_jit  # type: ignore[untyped-decorator]
def pack_all(coefficients: Floats, tiles: Tiles, right: int, packed: Floats) -> None:
    """Coefficients of all outputs, in the order in which tiles have these, for each entry that one of them needs.

    Args:
        coefficients, right: as in :func:`pack`.
        packed: shape (groups, channels, all entries, 4 tiles), zero.
    """
    for g in range(packed.shape[0]):
        for c in range(packed.shape[1]):
            for a in range(tiles.all_starts.shape[1]):
                first = tiles.all_starts[0, a]
                for k in range(first, first + tiles.all_counts[0, a]):
                    for t in range(len(tiles.outputs)):
                        for m in range(ROWS):
                            output = tiles.outputs[t, m]
                            if output >= 0:
                                packed[g, c, k, t * ROWS + m] = coefficients[
                                    g, output, c, a * right + tiles.all_right[k]
                                ]

"""Register tiles: the innermost loops of the kernels, as LLVM vector code that Numba inlines.

A tile keeps a few rows of a few vectors in registers while it runs through the summed axis: Numba's own loops write
them to memory for every few terms. LLVM splits the vectors into what the processor has, so the same code serves
AVX-512, AVX2 and NEON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.base import BaseContext
from numba.core.typing import Context
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

ROWS = 4
"""Rows of a tile."""

_WIDE = bool(llvm.get_host_cpu_features().get("avx512f", False))
VECTOR_BYTES = 64 if _WIDE else 32
VECTORS = 4 if _WIDE else 2
"""Vectors in each row of a wide tile."""

Kind: TypeAlias = types.Type
"""What Numba takes an argument to be: an array of float32 with two axes, say."""
Values = list[ir.Value]
Body = Callable[[ir.Value, Values], Values]
"""What a loop does: from the number of the turn and the sums so far to the sums after it."""
Intrinsic = tuple[Signature, Callable[[BaseContext, ir.IRBuilder, Signature, Values], ir.Value]]
"""What Numba asks of an intrinsic: the types that it takes and gives, and what writes its code."""


class Emit:
    """The few vector instructions that a tile needs, in one element type."""

    def __init__(self, context: BaseContext, builder: ir.IRBuilder, element: Kind) -> None:
        self.context, self.builder = context, builder
        self.element = context.get_value_type(element)
        self.size = 8 if isinstance(self.element, ir.DoubleType) else 4
        self.lanes = VECTOR_BYTES // self.size
        self.vector = ir.VectorType(self.element, self.lanes)
        kind = f"v{self.lanes}f{8 * self.size}"
        whole = ir.FunctionType(self.vector, [self.vector] * 3)
        self._fma = cgutils.get_or_insert_function(builder.module, whole, f"llvm.fma.{kind}")

    def number(self, value: int) -> ir.Value:
        return ir.Constant(ir.IntType(64), value)

    def zero(self) -> ir.Value:
        return ir.Constant(self.vector, [0.0] * self.lanes)

    def at(self, array: ir.Value, offset: ir.Value) -> ir.Value:
        return self.builder.gep(array, [offset])

    def load(self, array: ir.Value, offset: ir.Value) -> ir.Value:
        pointer = self.builder.bitcast(self.at(array, offset), self.vector.as_pointer())
        return self.builder.load(pointer, align=self.size)

    def store(self, value: ir.Value, array: ir.Value, offset: ir.Value) -> None:
        pointer = self.builder.bitcast(self.at(array, offset), self.vector.as_pointer())
        self.builder.store(value, pointer, align=self.size)

    def every(self, array: ir.Value, start: ir.Value, step: int) -> ir.Value:
        """A vector of numbers that are one or two places apart."""
        values = self.load(array, start)
        if step == 1:
            return values
        more = self.load(array, self.builder.add(start, self.number(self.lanes)))
        even = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), list(range(0, 2 * self.lanes, 2)))
        return self.builder.shuffle_vector(values, more, even)

    def splat(self, scalar: ir.Value) -> ir.Value:
        nothing = ir.Constant(self.vector, ir.Undefined)
        index = ir.IntType(32)
        first_lane = self.builder.insert_element(nothing, scalar, ir.Constant(index, 0))
        return self.builder.shuffle_vector(
            first_lane, nothing, ir.Constant(ir.VectorType(index, self.lanes), [0] * self.lanes)
        )

    def splat_number(self, value: ir.Value, kind: ir.VectorType) -> ir.Value:
        """A vector of the same number."""
        nothing, index = ir.Constant(kind, ir.Undefined), ir.IntType(32)
        first_lane = self.builder.insert_element(nothing, value, ir.Constant(index, 0))
        return self.builder.shuffle_vector(
            first_lane, nothing, ir.Constant(ir.VectorType(index, self.lanes), [0] * self.lanes)
        )

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        return self.builder.call(self._fma, [a, b, c])

    def loop(self, count: ir.Value, n_sums: int, body: Body, first: Values | None = None) -> Values:
        """Run `body(k, sums) -> sums` for k = 0 .. count - 1 (at least once), from zeros or these."""
        builder = self.builder
        before = builder.block
        inside, after = builder.append_basic_block("tile"), builder.append_basic_block("done")
        builder.branch(inside)
        builder.position_at_end(inside)
        k = builder.phi(ir.IntType(64))
        k.add_incoming(self.number(0), before)
        sums = [builder.phi(self.vector) for _ in range(n_sums)]
        for total, start in zip(sums, first or [self.zero()] * n_sums, strict=True):
            total.add_incoming(start, before)
        new = body(k, sums)
        following, last = builder.add(k, self.number(1)), builder.block  # another one where the body has a loop
        k.add_incoming(following, last)
        for total, value in zip(sums, new, strict=True):
            total.add_incoming(value, last)
        builder.cbranch(builder.icmp_signed("<", following, count), inside, after)
        builder.position_at_end(after)
        return new


def data_of(context: BaseContext, builder: ir.IRBuilder, kind: types.Array, array: ir.Value) -> ir.Value:
    return context.make_array(kind)(context, builder, array).data


def _outer_tile(vectors: int) -> Callable[..., None]:
    @intrinsic  # type: ignore[untyped-decorator]
    def tile(
        typing: Context, out: Kind, o: Kind, ldo: Kind, a: Kind, i: Kind, row: Kind, col: Kind, count: Kind, b: Kind,
        j: Kind, ldb: Kind, w: Kind, v: Kind,
    ) -> Intrinsic:  # fmt: skip
        signature = types.void(out, o, ldo, a, i, row, col, count, b, j, ldb, w, v)

        def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
            kinds = signature.args
            emit = Emit(context, builder, kinds[0].dtype)
            out, a, b, w = (data_of(context, builder, kinds[k], arguments[k]) for k in (0, 3, 8, 11))
            o, ldo, i, row, col, count, j, ldb, v = (arguments[k] for k in (1, 2, 4, 5, 6, 7, 9, 10, 12))
            add, mul = builder.add, builder.mul

            def body(k: ir.Value, sums: Values) -> Values:
                start = add(j, mul(k, ldb))
                columns = [emit.load(b, add(start, emit.number(n * emit.lanes))) for n in range(vectors)]
                new = []
                for m in range(ROWS):
                    place = add(add(i, mul(row, emit.number(m))), mul(k, col))
                    factor = emit.splat(builder.load(emit.at(a, place)))
                    new += [emit.fma(factor, columns[n], sums[m * vectors + n]) for n in range(vectors)]
                return new

            sums = emit.loop(count, ROWS * vectors, body)
            weights = [emit.load(w, add(v, emit.number(n * emit.lanes))) for n in range(vectors)]
            for m in range(ROWS):
                for n in range(vectors):
                    place = add(add(o, mul(ldo, emit.number(m))), emit.number(n * emit.lanes))
                    emit.store(emit.fma(sums[m * vectors + n], weights[n], emit.load(out, place)), out, place)
            return context.get_dummy_value()

        return signature, generate

    return tile  # type: ignore[no-any-return]


wide_tile = _outer_tile(VECTORS)
"""``out[o + m ldo + p] += w[v + p] * sum_k a[i + m row + k col] * b[j + k ldb + p]``, m < ROWS, p < VECTORS vectors.

What it gains over the same loop by Numba is in benchmarks/intrinsics.csv ("tiles"), which benchmarks/intrinsics.py
measures.
"""

thin_tile = _outer_tile(1)
"""The same for one vector of p."""

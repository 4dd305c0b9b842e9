"""Neighbouring windows read neighbouring pixels, or every second one: a vector at a time in place of one by one."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core.base import BaseContext
from numba.core.typing import Context
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

from quanvolve.compile.kernels.numba._arrays import Floats, Integers
from quanvolve.compile.kernels.numba._tile import VECTOR_BYTES, Emit, Intrinsic, Kind, Values, data_of

SLACK = 3 * VECTOR_BYTES // 4
"""Numbers that whole vectors may read, or write, beyond the last one."""


def _copies_of(step: int) -> Callable[..., None]:
    @intrinsic  # type: ignore[untyped-decorator]
    def copies(
        typing: Context, cosines: Kind, sines: Kind, start: Kind, places: Kind, p: Kind, run: Kind, count: Kind,
        to_c: Kind, to_s: Kind, to: Kind,
    ) -> Intrinsic:  # fmt: skip
        n = types.int64
        signature = types.void(cosines, sines, n, places, n, n, n, to_c, to_s, n)

        def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
            kinds = signature.args
            emit = Emit(context, builder, kinds[0].dtype)
            cosines, sines, places, to_c, to_s = (
                data_of(context, builder, kinds[k], arguments[k]) for k in (0, 1, 3, 7, 8)
            )
            start, p, run, count, to = (arguments[k] for k in (2, 4, 5, 6, 9))
            add, mul = builder.add, builder.mul
            vectors = builder.sdiv(add(run, emit.number(emit.lanes - 1)), emit.number(emit.lanes))

            def turn(n: ir.Value, sums: Values) -> Values:
                done = mul(n, run)
                first, into = add(start, builder.load(emit.at(places, add(p, done)))), add(to, done)

                def body(v: ir.Value, sums: Values) -> Values:
                    at = mul(v, emit.number(emit.lanes))
                    source, place = add(first, mul(at, emit.number(step))), add(into, at)
                    emit.store(emit.every(cosines, source, step), to_c, place)
                    emit.store(emit.every(sines, source, step), to_s, place)
                    return []

                return emit.loop(vectors, 0, body)

            emit.loop(count, 0, turn)
            return context.get_dummy_value()

        return signature, generate

    return copies  # type: ignore[no-any-return]


_every, _second = _copies_of(1), _copies_of(2)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _one_by_one(
    cosines: Floats, sines: Floats, start: int, places: Integers, p: int, count: int, to_c: Floats, to_s: Floats,
    to: int,
) -> None:  # fmt: skip
    for k in range(count):
        place = np.uint64(start + places[p + k])
        to_c[to + k] = cosines[place]
        to_s[to + k] = sines[place]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def copy_runs(
    cosines: Floats, sines: Floats, start: int, places: Integers, p: int, run: int, step: int, count: int,
    to_c: Floats, to_s: Floats, to: int,
) -> None:  # fmt: skip
    """``to_c[to + k] = cosines[start + places[p + k]]``, k < count, and so with the sines.

    Args:
        cosines, sines: with room for SLACK more numbers.
        run, step: so many places, from each multiple of `run` on, are so many numbers apart.
        to_c, to_s: flat, with room for a vector more, which may be written to.
    """
    if step > 2:
        _one_by_one(cosines, sines, start, places, p, count, to_c, to_s, to)
        return
    k = min(count, (run - p % run) % run)
    _one_by_one(cosines, sines, start, places, p, k, to_c, to_s, to)
    runs = (count - k) // run
    if runs > 0:
        if step == 1:
            _every(cosines, sines, start, places, p + k, run, runs, to_c, to_s, to + k)
        else:
            _second(cosines, sines, start, places, p + k, run, runs, to_c, to_s, to + k)
        k += runs * run
    _one_by_one(cosines, sines, start, places, p + k, count - k, to_c, to_s, to + k)

"""Sines and cosines of pixels of any size, a vector at a time; tables for pixels that are bytes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.base import BaseContext
from numba.core.typing import Context
from numba.core.typing.templates import Signature
from numba.extending import intrinsic, overload

from quanvolve.compile.kernels.numba._arrays import Floats, Integers, Numbers
from quanvolve.compile.kernels.numba._tile import VECTOR_BYTES, Emit, Intrinsic, Kind, Values, data_of

_FAR = 65536.0
"""Quarter turns up to which single precision, with the factor in two parts, is exact to its last digits."""
_FAR_WIDE = 2.0**26
"""The same for double precision whose result is wanted in single."""

_for_types = partial(overload, inline="never", strict=False)
"""Strictly, Numba wants the annotations of the types and those of what they are the types of to be the same."""


@intrinsic  # type: ignore[untyped-decorator]
def _fused(typing: Context, a: Kind, b: Kind, c: Kind) -> Intrinsic:
    """a * b + c, rounded once."""

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
        return builder.fma(*arguments)

    return a(a, a, a), generate


def fill(source: Numbers, first: int, count: int, factor: float, cosines: Floats, sines: Floats, to: int) -> None:
    """Cosines and sines of factor * source[first : first + count], written from `to` on; flat arrays.

    They are those of the product in double precision, whatever its size.
    """
    raise TypeError("compiled code only")


@_for_types(fill)  # type: ignore[untyped-decorator]
def _fill(
    source: Kind, first: Kind, count: Kind, factor: Kind, cosines: Kind, sines: Kind, to: Kind
) -> Callable[..., None]:  # fmt: skip
    if isinstance(source.dtype, types.Integer):

        def of_bytes(
            source: Numbers, first: int, count: int, factor: float, cosines: Floats, sines: Floats, to: int
        ) -> None:  # each value of a byte once
            table_c = np.empty(256, cosines.dtype)
            table_s = np.empty(256, cosines.dtype)
            for k in range(256):
                table_c[k] = math.cos(k * factor)
                table_s[k] = math.sin(k * factor)
            for k in range(count):
                cosines[to + k] = table_c[source[first + k]]
                sines[to + k] = table_s[source[first + k]]

        return of_bytes
    if cosines.dtype is types.float64:

        def of_doubles(
            source: Numbers, first: int, count: int, factor: float, cosines: Floats, sines: Floats, to: int
        ) -> None:  # fmt: skip
            for k in range(count):
                angle = source[first + k] * factor
                cosines[to + k] = math.cos(angle)
                sines[to + k] = math.sin(angle)

        return of_doubles
    if source.dtype is types.float64:

        def of_products(
            source: Numbers, first: int, count: int, factor: float, cosines: Floats, sines: Floats, to: int
        ) -> None:  # fmt: skip
            # The pixels are products themselves: they are reduced in double precision.
            quarter = factor * 0.6366197723675814
            far = np.int32(0)
            for k in range(count):
                turned = source[first + k] * quarter
                far |= np.int32(abs(turned) > _FAR_WIDE)
                whole = np.rint(turned)
                _of_rest(np.float32((turned - whole) * 1.5707963267948966), np.int32(whole), cosines, sines, to + k)
            if far != 0:
                for k in range(count):
                    angle = source[first + k] * factor
                    if not abs(angle * 0.6366197723675814) <= _FAR_WIDE:
                        cosines[to + k] = math.cos(angle)
                        sines[to + k] = math.sin(angle)

        return of_products

    def of_floats(
        source: Numbers, first: int, count: int, factor: float, cosines: Floats, sines: Floats, to: int
    ) -> None:  # fmt: skip
        # In quarter turns, where the nearest whole number comes off exactly.
        quarter = factor * 0.6366197723675814
        high = np.float32(quarter)
        low = np.float32(quarter - np.float64(high))
        lanes = VECTOR_BYTES // 4
        if count >= lanes:  # whole vectors, the last of which begins where the last pixel is its end
            whole_vectors = count // lanes * lanes
            beyond = _line(source, first, whole_vectors // lanes, high, low, cosines, sines, to)
            if whole_vectors < count:
                last = count - lanes
                beyond |= _line(source, first + last, 1, high, low, cosines, sines, to + last)
            if beyond:
                _fill_far(source, first, count, factor, high, cosines, sines, to)
            return
        far = np.int32(0)
        for k in range(count):
            x = source[first + k]
            turned = x * high
            far |= np.int32(abs(turned) > np.float32(_FAR))
            whole = np.rint(turned)
            rest = _fused(x, low, _fused(x, high, -whole))
            _of_rest(rest * np.float32(1.5707963267948966), np.int32(whole), cosines, sines, to + k)
        if far != 0:
            _fill_far(source, first, count, factor, high, cosines, sines, to)

    return of_floats


@numba.njit(cache=True, nogil=True, fastmath={"contract"}, inline="always")  # type: ignore[untyped-decorator]
def _of_rest(r: np.float32, whole: np.int32, cosines: Floats, sines: Floats, place: int) -> None:
    """Cosine and sine of r + whole * pi / 2; on [-pi/4, pi/4] short polynomials (Cephes, sinf.c) are exact to float32.

    A little beyond, where rounding has taken the wrong whole number, they still are to 1e-7.
    """
    quadrant = whole & np.int32(3)
    z = r * r
    s = np.float32(-1.9515295891e-4)
    s = s * z + np.float32(8.3321608736e-3)
    s = s * z + np.float32(-1.6666654611e-1)
    s = s * z * r + r
    c = np.float32(2.443315711809948e-5)
    c = c * z + np.float32(-1.388731625493765e-3)
    c = c * z + np.float32(4.166664568298827e-2)
    c = c * z * z + (np.float32(1.0) - np.float32(0.5) * z)
    odd = (quadrant & np.int32(1)) != 0
    sine = c if odd else s
    cosine = s if odd else c
    sines[place] = -sine if (quadrant & np.int32(2)) != 0 else sine
    cosines[place] = -cosine if ((quadrant + np.int32(1)) & np.int32(2)) != 0 else cosine


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill_far(
    source: Numbers, first: int, count: int, factor: float, high: np.float32, cosines: Floats, sines: Floats, to: int
) -> None:  # fmt: skip
    """Once more, in double precision, those angles that are too large for single precision."""
    for k in range(count):
        x = source[first + k]
        if not abs(x * high) <= np.float32(_FAR):
            angle = np.float64(x) * factor
            cosines[to + k] = math.cos(angle)
            sines[to + k] = math.sin(angle)


class _Turn(Emit):
    """Sine and cosine of a vector of float32, as in :func:`fill`."""

    def largest(self, value: ir.Value, before: ir.Value) -> ir.Value:
        """The larger of |value| and `before`, by bits: those of numbers that are not negative are in their order."""
        builder = self.builder
        kind = ir.VectorType(ir.IntType(32), self.lanes)
        size = builder.and_(builder.bitcast(value, kind), self.integers(0x7FFFFFFF))
        old = builder.bitcast(before, kind)
        return builder.bitcast(builder.select(builder.icmp_signed(">", size, old), size, old), self.vector)

    def any_beyond(self, vector: ir.Value, limit: float) -> ir.Value:
        """Whether one of the numbers, which are not negative, is larger."""
        builder = self.builder
        beyond = builder.fcmp_unordered(">", vector, self.numbers(limit))
        whole = builder.bitcast(beyond, ir.IntType(self.lanes))
        return builder.icmp_unsigned("!=", whole, ir.Constant(whole.type, 0))

    def integers(self, value: int) -> ir.Value:
        return ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [value] * self.lanes)

    def numbers(self, value: float) -> ir.Value:
        return self.splat(ir.Constant(self.element, value))

    def gather(self, array: ir.Value, indices: ir.Value) -> ir.Value:
        """The numbers at these places."""
        lanes, builder = self.lanes, self.builder
        wide = ir.VectorType(ir.IntType(64), lanes)
        steps = builder.mul(builder.sext(indices, wide), ir.Constant(wide, [self.size] * lanes))
        addresses = builder.add(self.splat_number(builder.ptrtoint(array, ir.IntType(64)), wide), steps)
        pointers = builder.inttoptr(addresses, ir.VectorType(array.type, lanes))
        bits = ir.VectorType(ir.IntType(1), lanes)
        kind = ir.FunctionType(self.vector, [pointers.type, ir.IntType(32), bits, self.vector])
        name = f"llvm.masked.gather.v{lanes}f32.v{lanes}p0"
        call = cgutils.get_or_insert_function(builder.module, kind, name)
        every = ir.Constant(bits, [1] * lanes)
        return builder.call(
            call, [pointers, ir.Constant(ir.IntType(32), 4), every, ir.Constant(self.vector, ir.Undefined)]
        )

    def pair(self, x: ir.Value, high: ir.Value, low: ir.Value) -> tuple[ir.Value, ir.Value, ir.Value]:
        """Cosine and sine of x * (high + low) quarter turns, and these."""
        builder = self.builder
        kind = ir.FunctionType(self.vector, [self.vector])
        rint = cgutils.get_or_insert_function(builder.module, kind, f"llvm.rint.v{self.lanes}f32")
        turned = builder.fmul(x, high)
        whole = builder.call(rint, [turned])
        rest = self.fma(x, low, self.fma(x, high, builder.fneg(whole)))
        r = builder.fmul(rest, self.numbers(1.5707963267948966))
        quadrant = builder.fptosi(whole, ir.VectorType(ir.IntType(32), self.lanes))
        z = builder.fmul(r, r)
        s = self.numbers(-1.9515295891e-4)
        for term in (8.3321608736e-3, -1.6666654611e-1):
            s = self.fma(s, z, self.numbers(term))
        s = self.fma(builder.fmul(s, z), r, r)
        c = self.numbers(2.443315711809948e-5)
        for term in (-1.388731625493765e-3, 4.166664568298827e-2, -0.5, 1.0):
            c = self.fma(c, z, self.numbers(term))
        odd = builder.icmp_signed("!=", builder.and_(quadrant, self.integers(1)), self.integers(0))
        sine, cosine = builder.select(odd, c, s), builder.select(odd, s, c)
        return (
            self._signed(cosine, builder.add(quadrant, self.integers(1))),
            self._signed(sine, quadrant),
            turned,
        )

    def _signed(self, value: ir.Value, quadrant: ir.Value) -> ir.Value:
        builder = self.builder
        bits = builder.bitcast(value, quadrant.type)
        sign = builder.shl(builder.and_(quadrant, self.integers(2)), self.integers(30))
        return builder.bitcast(builder.xor(bits, sign), self.vector)


@intrinsic  # type: ignore[untyped-decorator]
def _turn(
    typing: Context, image: Kind, base: Kind, places: Kind, p: Kind, count: Kind, high: Kind, low: Kind, cosines: Kind,
    sines: Kind, to: Kind,
) -> Intrinsic:  # fmt: skip
    number = types.int64
    signature = types.boolean(
        image, number, places, number, number, types.float32, types.float32, cosines, sines, number
    )

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
        kinds = signature.args
        emit = _Turn(context, builder, kinds[0].dtype)
        image, places, cosines, sines = (data_of(context, builder, kinds[k], arguments[k]) for k in (0, 2, 7, 8))
        base, p, count, high, low, to = (arguments[k] for k in (1, 3, 4, 5, 6, 9))
        start, first = emit.at(image, base), emit.at(places, p)
        high, low = emit.splat(high), emit.splat(low)
        indices = ir.VectorType(ir.IntType(32), emit.lanes)

        def body(k: ir.Value, sums: Values) -> Values:
            step = builder.mul(k, emit.number(emit.lanes))
            pixels = builder.load(builder.bitcast(emit.at(first, step), indices.as_pointer()), align=4)
            cosine, sine, turned = emit.pair(emit.gather(start, pixels), high, low)
            emit.store(cosine, cosines, builder.add(to, step))
            emit.store(sine, sines, builder.add(to, step))
            return [emit.largest(turned, sums[0])]

        (largest,) = emit.loop(count, 1, body)
        return emit.any_beyond(largest, _FAR)

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def _line(
    typing: Context, image: Kind, first: Kind, vectors: Kind, high: Kind, low: Kind, cosines: Kind, sines: Kind,
    to: Kind,
) -> Intrinsic:  # fmt: skip
    number = types.int64
    signature = types.boolean(image, number, number, types.float32, types.float32, cosines, sines, number)

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
        kinds = signature.args
        emit = _Turn(context, builder, kinds[0].dtype)
        image, cosines, sines = (data_of(context, builder, kinds[k], arguments[k]) for k in (0, 5, 6))
        first, vectors, high, low, to = (arguments[k] for k in (1, 2, 3, 4, 7))
        high, low = emit.splat(high), emit.splat(low)

        def body(k: ir.Value, sums: Values) -> Values:
            at = builder.mul(k, emit.number(emit.lanes))
            cosine, sine, turned = emit.pair(emit.load(image, builder.add(first, at)), high, low)
            emit.store(cosine, cosines, builder.add(to, at))
            emit.store(sine, sines, builder.add(to, at))
            return [emit.largest(turned, sums[0])]

        (largest,) = emit.loop(vectors, 1, body)
        return emit.any_beyond(largest, _FAR)

    return signature, generate


def _runs_of(step: int) -> Callable[..., bool]:
    @intrinsic  # type: ignore[untyped-decorator]
    def runs(
        typing: Context, image: Kind, base: Kind, places: Kind, p: Kind, run: Kind, count: Kind, vectors: Kind,
        high: Kind, low: Kind, cosines: Kind, sines: Kind, to: Kind,
    ) -> Intrinsic:  # fmt: skip
        number, real = types.int64, types.float32
        signature = types.boolean(
            image, number, places, number, number, number, number, real, real, cosines, sines, number
        )

        def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
            kinds = signature.args
            if kinds[0].dtype is not types.float32 or kinds[9].dtype is not types.float32:
                return ir.Constant(ir.IntType(1), 0)  # which is never run
            emit = _Turn(context, builder, kinds[0].dtype)
            image, places, cosines, sines = (data_of(context, builder, kinds[k], arguments[k]) for k in (0, 2, 9, 10))
            base, p, run, count, vectors, high, low, to = (arguments[k] for k in (1, 3, 4, 5, 6, 7, 8, 11))
            high, low = emit.splat(high), emit.splat(low)
            add, mul = builder.add, builder.mul

            def turn(n: ir.Value, sums: Values) -> Values:
                done = mul(n, run)
                place = builder.sext(builder.load(emit.at(places, add(p, done))), ir.IntType(64))
                start, into = add(base, place), add(to, done)

                def body(k: ir.Value, sums: Values) -> Values:
                    at = mul(k, emit.number(emit.lanes))
                    pixels = emit.every(image, add(start, mul(at, emit.number(step))), step)
                    cosine, sine, turned = emit.pair(pixels, high, low)
                    emit.store(cosine, cosines, add(into, at))
                    emit.store(sine, sines, add(into, at))
                    return [emit.largest(turned, sums[0])]

                return emit.loop(vectors, 1, body, sums)

            (largest,) = emit.loop(count, 1, turn)
            return emit.any_beyond(largest, _FAR)

        return signature, generate

    return runs  # type: ignore[no-any-return]


_every_pixel, _second_pixel = _runs_of(1), _runs_of(2)


@numba.njit(cache=True, nogil=True, forceinline=True)  # type: ignore[untyped-decorator]
def turn_runs(
    images: Floats, base: int, places: Integers, p: int, run: int, step: int, count: int, factor: float,
    cosines: Floats, sines: Floats, to: int,
) -> int:  # fmt: skip
    """Cosines and sines of factor * images[base + places[p + n run] + k step], k < run, of flat images in float32.

    Run n is written from the place `to + n run` of the flat buffers on, up to a whole vector.

    Args:
        step: of 1 or 2; with others nothing is done.
        count: of the runs, whose places ascend.

    Returns:
        How many of the runs are done: without those whose last vector would reach beyond the images.
    """
    lanes = VECTOR_BYTES // 4
    vectors = (run + lanes - 1) // lanes
    reach = base + vectors * lanes * step
    while count > 0 and reach + places[p + (count - 1) * run] > len(images):
        count -= 1
    if step > 2 or count <= 0:
        return 0
    quarter = factor * 0.6366197723675814
    high = np.float32(quarter)
    low = np.float32(quarter - np.float64(high))
    if step == 1:
        far = _every_pixel(images, base, places, p, run, count, vectors, high, low, cosines, sines, to)
    else:
        far = _second_pixel(images, base, places, p, run, count, vectors, high, low, cosines, sines, to)
    if far:
        _turn_far(images, base, places, p, count * run, factor, high, cosines, sines, to)
    return count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _turn_far(
    images: Floats, base: int, places: Integers, p: int, count: int, factor: float, high: np.float32, cosines: Floats,
    sines: Floats, to: int,
) -> None:  # fmt: skip
    for k in range(count):
        x = images[base + places[p + k]]
        if not abs(x * high) <= np.float32(_FAR):
            angle = np.float64(x) * factor
            cosines[to + k] = math.cos(angle)
            sines[to + k] = math.sin(angle)


def turn(
    image: Numbers, base: int, places: Integers, p: int, count: int, factor: float, cosines: Floats, sines: Floats,
    to: int,
) -> None:  # fmt: skip
    """Cosines and sines of factor * image[base + places[p + k]], k < `count` vectors, for images of float32.

    They are written from the place `to` of the flattened buffers on.
    """
    raise TypeError("compiled code only")


@_for_types(turn)  # type: ignore[untyped-decorator]
def _turn_overload(
    image: Kind, base: Kind, places: Kind, p: Kind, count: Kind, factor: Kind, cosines: Kind, sines: Kind, to: Kind
) -> Callable[..., None]:
    if image.dtype is not types.float32 or cosines.dtype is not types.float32:

        def never(
            image: Numbers, base: int, places: Integers, p: int, count: int, factor: float, cosines: Floats,
            sines: Floats, to: int,
        ) -> None:  # fmt: skip
            pass

        return never

    def of_floats(
        image: Numbers, base: int, places: Integers, p: int, count: int, factor: float, cosines: Floats, sines: Floats,
        to: int,
    ) -> None:  # fmt: skip
        quarter = factor * 0.6366197723675814
        high = np.float32(quarter)
        low = np.float32(quarter - np.float64(high))
        if _turn(image, base, places, p, count, high, low, cosines, sines, to):
            all_c, all_s = cosines.reshape(-1), sines.reshape(-1)
            for k in range(count * (VECTOR_BYTES // 4)):
                x = image[base + places[p + k]]
                if not abs(x * high) <= np.float32(_FAR):
                    angle = np.float64(x) * factor
                    all_c[to + k] = math.cos(angle)
                    all_s[to + k] = math.sin(angle)

    return of_floats

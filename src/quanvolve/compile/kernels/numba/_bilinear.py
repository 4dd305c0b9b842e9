"""Blocks of two inputs of one qubit each, as LLVM vector code: all of their numbers from registers.

    out[m] = sum_{a, b} T[m, a, b] x[a] y[b],      x[0] = y[0] = 1,

for some vectors of images. Rows of x, y and out are `ld` numbers apart, and constants have no row. Numba's own loops
would compare all these rows for overlaps, which takes as long as the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from llvmlite import ir
from numba import types
from numba.core.base import BaseContext
from numba.core.typing import Context
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

from quanvolve.compile.kernels.numba._tile import Emit, Intrinsic, Kind, Values, data_of

OUTPUTS = 3
"""Words of one qubit that is kept."""


class _Rows:
    """Rows of a flat array.

    Args:
        emit: writes instructions.
        array: the array's data.
        start: of the first row.
        ld: numbers between rows.
        at: added to all of them.
    """

    def __init__(self, emit: Emit, array: ir.Value, start: ir.Value, ld: ir.Value, at: ir.Value) -> None:
        self.emit, self.array, self.start, self.ld, self.at = emit, array, start, ld, at

    def _place(self, row: int) -> ir.Value:
        builder = self.emit.builder
        return builder.add(builder.add(self.start, self.at), builder.mul(self.ld, self.emit.number(row)))

    def load(self, row: int) -> ir.Value:
        return self.emit.load(self.array, self._place(row))

    def store(self, value: ir.Value, row: int) -> None:
        self.emit.store(value, self.array, self._place(row))


class _Map:
    """The numbers T of a block with inputs of some sizes, from `start` on."""

    def __init__(self, emit: Emit, array: ir.Value, start: ir.Value, sizes: tuple[int, int]) -> None:
        self.emit, self.array, self.start, self.sizes = emit, array, start, sizes

    def place(self, m: int, a: int = 0, b: int = 0) -> ir.Value:
        offset = (m * self.sizes[0] + a) * self.sizes[1] + b
        return self.emit.builder.add(self.start, self.emit.number(offset))

    def splat(self, m: int, a: int, b: int) -> ir.Value:
        builder = self.emit.builder
        return self.emit.splat(builder.load(self.emit.at(self.array, self.place(m, a, b))))

    def row(self, m: int, a: int, ys: Values) -> ir.Value:
        """``sum_b T[m, a, b] y[b]``."""
        total = self.splat(m, a, 0)
        for b, y in enumerate(ys, 1):
            total = self.emit.fma(self.splat(m, a, b), y, total)
        return total


class Bilinear(NamedTuple):
    """The three loops of blocks whose inputs are known by so many numbers.

    Args:
        forward: `(out, o, maps, i, states, j, k, ld, vectors)` writes the rows of `out` from `o` on, of the inputs
            whose rows in `states` begin at `j` and `k`.
        inputs_back: `(d, jd, kd, maps, i, states, j, k, grad, o, ld, vectors)` writes the gradients of the inputs.
        maps_back: `(d, i, states, j, k, grad, o, ld, vectors)` adds to the gradients of the numbers from `i` on.
    """

    forward: Callable[..., None]
    inputs_back: Callable[..., None]
    maps_back: Callable[..., None]


def _on_vectors(builder: ir.IRBuilder, emit: Emit, vectors: ir.Value, body: Callable[[ir.Value], None]) -> None:
    def turn(v: ir.Value, sums: Values) -> Values:
        body(builder.mul(v, emit.number(emit.lanes)))
        return []

    emit.loop(vectors, 0, turn)


def bilinear(first: int, second: int) -> Bilinear:
    """The loops for inputs known by `first` and `second` numbers, the constants among them."""
    sizes = (first, second)

    @intrinsic  # type: ignore[untyped-decorator]
    def forward(
        typing: Context, out: Kind, o: Kind, maps: Kind, i: Kind, states: Kind, j: Kind, k: Kind, ld: Kind,
        vectors: Kind,
    ) -> Intrinsic:  # fmt: skip
        signature = types.void(out, o, maps, i, states, j, k, ld, vectors)

        def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
            emit = Emit(context, builder, signature.args[0].dtype)
            out, maps, states = _data(context, builder, signature, arguments, (0, 2, 4))
            o, i, j, k, ld, vectors = (arguments[n] for n in (1, 3, 5, 6, 7, 8))

            def body(at: ir.Value) -> None:
                x, y, into = (_Rows(emit, a, n, ld, at) for a, n in ((states, j), (states, k), (out, o)))
                xs, ys = [x.load(a) for a in range(first - 1)], [y.load(b) for b in range(second - 1)]
                numbers = _Map(emit, maps, i, sizes)
                for m in range(OUTPUTS):
                    total = numbers.row(m, 0, ys)
                    for a, x_a in enumerate(xs, 1):
                        total = emit.fma(x_a, numbers.row(m, a, ys), total)
                    into.store(total, m)

            _on_vectors(builder, emit, vectors, body)
            return context.get_dummy_value()

        return signature, generate

    @intrinsic  # type: ignore[untyped-decorator]
    def inputs_back(
        typing: Context, d: Kind, jd: Kind, kd: Kind, maps: Kind, i: Kind, states: Kind, j: Kind, k: Kind, grad: Kind,
        o: Kind, ld: Kind, vectors: Kind,
    ) -> Intrinsic:  # fmt: skip
        signature = types.void(d, jd, kd, maps, i, states, j, k, grad, o, ld, vectors)

        def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
            emit = Emit(context, builder, signature.args[0].dtype)
            d, maps, states, grad = _data(context, builder, signature, arguments, (0, 3, 5, 8))
            jd, kd, i, j, k, o, ld, vectors = (arguments[n] for n in (1, 2, 4, 6, 7, 9, 10, 11))

            def body(at: ir.Value) -> None:
                x, y, g = (_Rows(emit, a, n, ld, at) for a, n in ((states, j), (states, k), (grad, o)))
                xs, ys = [x.load(a) for a in range(first - 1)], [y.load(b) for b in range(second - 1)]
                gs = [g.load(m) for m in range(OUTPUTS)]
                numbers = _Map(emit, maps, i, sizes)
                to_x, to_y = _Rows(emit, d, jd, ld, at), _Rows(emit, d, kd, ld, at)
                for a in range(1, first):
                    total = emit.zero()
                    for m in range(OUTPUTS):
                        total = emit.fma(gs[m], numbers.row(m, a, ys), total)
                    to_x.store(total, a - 1)
                weights = [[gs[m], *(builder.fmul(gs[m], x_a) for x_a in xs)] for m in range(OUTPUTS)]
                for b in range(1, second):
                    total = emit.zero()
                    for m in range(OUTPUTS):
                        for a in range(first):
                            total = emit.fma(numbers.splat(m, a, b), weights[m][a], total)
                    to_y.store(total, b - 1)

            _on_vectors(builder, emit, vectors, body)
            return context.get_dummy_value()

        return signature, generate

    @intrinsic  # type: ignore[untyped-decorator]
    def maps_back(
        typing: Context, d: Kind, i: Kind, states: Kind, j: Kind, k: Kind, grad: Kind, o: Kind, ld: Kind, vectors: Kind
    ) -> Intrinsic:
        signature = types.void(d, i, states, j, k, grad, o, ld, vectors)

        def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
            emit = Emit(context, builder, signature.args[0].dtype)
            d, states, grad = _data(context, builder, signature, arguments, (0, 2, 5))
            i, j, k, o, ld, vectors = (arguments[n] for n in (1, 3, 4, 6, 7, 8))
            numbers = _Map(emit, d, i, sizes)
            for m in range(OUTPUTS):

                def turn(v: ir.Value, sums: Values, m: int = m) -> Values:
                    at = builder.mul(v, emit.number(emit.lanes))
                    x, y, g = (_Rows(emit, a, n, ld, at) for a, n in ((states, j), (states, k), (grad, o)))
                    ys, g_m = [y.load(b) for b in range(second - 1)], g.load(m)
                    new = []
                    for a in range(first):
                        weight = g_m if a == 0 else builder.fmul(g_m, x.load(a - 1))
                        new.append(builder.fadd(weight, sums[a * second]))
                        new += [emit.fma(weight, y_b, sums[a * second + b]) for b, y_b in enumerate(ys, 1)]
                    return new

                sums = emit.loop(vectors, first * second, turn)
                add_up(emit, sums, d, numbers.place(m))
            return context.get_dummy_value()

        return signature, generate

    return Bilinear(forward, inputs_back, maps_back)


def _data(
    context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values, which: Sequence[int]
) -> Values:
    return [data_of(context, builder, signature.args[n], arguments[n]) for n in which]


def add_up(emit: Emit, sums: Values, into: ir.Value, start: ir.Value) -> None:
    """``into[start + n] += sum of the lanes of sums[n]``."""
    builder = emit.builder
    for first in range(0, len(sums), emit.lanes):
        some = sums[first : first + emit.lanes]
        totals = _across(emit, some + [emit.zero()] * (emit.lanes - len(some)))
        place = builder.add(start, emit.number(first))
        if len(some) == emit.lanes:
            emit.store(builder.fadd(emit.load(into, place), totals), into, place)
            continue
        for n in range(len(some)):
            pointer = emit.at(into, builder.add(place, emit.number(n)))
            total = builder.extract_element(totals, ir.Constant(ir.IntType(32), n))
            builder.store(builder.fadd(builder.load(pointer), total), pointer)


def _across(emit: Emit, vectors: Values) -> ir.Value:
    """One vector whose lane n is the sum of the lanes of vector n.

    Two vectors at a time are added up to one, which has half as many parts of each sum, until each has one part.
    """
    lanes, builder = emit.lanes, emit.builder
    parts = lanes  # of a sum in each vector; sums stand one after the other
    while len(vectors) > 1:
        half = parts // 2
        count = lanes // parts  # sums in a vector
        low = [v * lanes + s * parts + p for v in range(2) for s in range(count) for p in range(half)]
        high = [n + half for n in low]
        new = []
        for x, y in zip(vectors[::2], vectors[1::2], strict=True):
            new.append(builder.fadd(_shuffled(emit, x, y, low), _shuffled(emit, x, y, high)))
        vectors, parts = new, half
    return vectors[0]


def _shuffled(emit: Emit, x: ir.Value, y: ir.Value, lanes: list[int]) -> ir.Value:
    return emit.builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes))


encoded = bilinear(3, 3)
"""Of two qubits that one rotation has encoded: each is known by 1, a cosine and a sine."""
whole = bilinear(4, 4)
"""Of two qubits in any state."""

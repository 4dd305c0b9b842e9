"""Gates on a block of state vectors, as LLVM vector code that Numba inlines.

A state of D amplitudes for as many windows as a vector has lanes is a flat array: for each basis state the vector of
real parts, then that of imaginary parts. A 2 x 2 matrix is eight numbers: real and imaginary part of its entries 00,
01, 10, 11; or eight vectors, where it differs from window to window.

Written by hand as a block is one vector wide, so that states stay in cache: Numba makes vectors only of loops over
64 windows or more. What the gates gain over loops by Numba is in benchmarks/intrinsics.csv ("gates"), measured by
benchmarks/intrinsics.py; their undoing, expand and contract have no twin there.
"""

from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir
from numba import types
from numba.core.base import BaseContext
from numba.core.typing import Context
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

from quanvolve.compile.kernels.numba._tile import Emit, Intrinsic, Kind, Values, data_of

Complex = tuple[ir.Value, ir.Value]
"""A vector of real parts and one of imaginary parts."""
Matrix = list[Complex]
"""Entries 00, 01, 10, 11."""


class _Gates(Emit):
    """Complex arithmetic on pairs of vectors."""

    def matrix(self, array: ir.Value, first: ir.Value, lanes: bool) -> Matrix:
        """The entries of a matrix, as (real, imaginary)."""
        parts = []
        for k in range(8):
            if lanes:
                parts.append(self.load(array, self.builder.add(first, self.number(k * self.lanes))))
            else:
                parts.append(self.splat(self.builder.load(self.at(array, self.builder.add(first, self.number(k))))))
        return [(parts[2 * k], parts[2 * k + 1]) for k in range(4)]

    def dagger(self, matrix: Matrix) -> Matrix:
        """The conjugate transpose."""
        turned = [matrix[0], matrix[2], matrix[1], matrix[3]]
        return [(real, self.builder.fneg(imaginary)) for real, imaginary in turned]

    def sum_of(self, pairs: list[tuple[ir.Value, ir.Value, ir.Value, ir.Value]]) -> Complex:
        """Sum of products (a + ib)(x + iy)."""
        real = imaginary = None
        for a, b, x, y in pairs:
            real = self.builder.fmul(a, x) if real is None else self.fma(a, x, real)
            imaginary = self.builder.fmul(a, y) if imaginary is None else self.fma(a, y, imaginary)
            real = self.fma(self.builder.fneg(b), y, real)
            imaginary = self.fma(b, x, imaginary)
        return real, imaginary

    def times(self, matrix: Matrix, low: Complex, high: Complex) -> Matrix:
        """The matrix times a pair of amplitudes: (m00 low + m01 high, m10 low + m11 high)."""
        return [self.sum_of([(*matrix[2 * row], *low), (*matrix[2 * row + 1], *high)]) for row in range(2)]

    def amplitude(self, state: ir.Value, basis: ir.Value) -> Complex:
        place = self.builder.mul(basis, self.number(2 * self.lanes))
        return self.load(state, place), self.load(state, self.builder.add(place, self.number(self.lanes)))

    def put(self, value: Complex, state: ir.Value, basis: ir.Value) -> None:
        place = self.builder.mul(basis, self.number(2 * self.lanes))
        self.store(value[0], state, place)
        self.store(value[1], state, self.builder.add(place, self.number(self.lanes)))

    def spread(self, number: ir.Value, bit: ir.Value) -> ir.Value:
        """The number with a zero inserted at a bit."""
        builder = self.builder
        low = builder.and_(number, builder.sub(builder.shl(self.number(1), bit), self.number(1)))
        return builder.or_(builder.shl(builder.lshr(number, bit), builder.add(bit, self.number(1))), low)


def _one_gate(lanes: bool) -> Callable[..., None]:
    @intrinsic  # type: ignore[untyped-decorator]
    def gate(typing: Context, state: Kind, pairs: Kind, bit: Kind, matrices: Kind, m: Kind) -> Intrinsic:
        signature = types.void(state, types.int64, types.int64, matrices, types.int64)

        def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
            kinds = signature.args
            emit = _Gates(context, builder, kinds[0].dtype)
            state, matrices = (data_of(context, builder, kinds[k], arguments[k]) for k in (0, 3))
            _, pairs, bit, _, m = arguments
            matrix = emit.matrix(matrices, m, lanes)

            def body(k: ir.Value, sums: Values) -> Values:
                low = emit.spread(k, bit)
                high = builder.or_(low, builder.shl(emit.number(1), bit))
                new = emit.times(matrix, emit.amplitude(state, low), emit.amplitude(state, high))
                emit.put(new[0], state, low)
                emit.put(new[1], state, high)
                return []

            emit.loop(pairs, 0, body)
            return context.get_dummy_value()

        return signature, generate

    return gate  # type: ignore[no-any-return]


one_gate = _one_gate(False)
"""(state, pairs, bit, matrices, m): the 2 x 2 matrix u at matrices[m] on the qubit of a bit of the basis states.

    (psi[d], psi[d + 2^bit]) = u (psi[d], psi[d + 2^bit]) for every d without this bit, of which there are `pairs`.
"""

one_gate_lanes = _one_gate(True)
"""The same with a matrix for each window."""


@intrinsic  # type: ignore[untyped-decorator]
def two_gates(
    typing: Context, state: Kind, quads: Kind, bit: Kind, upper: Kind, matrices: Kind, m: Kind, m_upper: Kind
) -> Intrinsic:  # fmt: skip
    """Two matrices on two qubits in one pass; `upper` is the larger of the two bits.

        psi'[d + i 2^bit + j 2^upper] = sum_kl u[i, k] v[j, l] psi[d + k 2^bit + l 2^upper]

    for every d without both bits, where u is the matrix at matrices[m] and v that at matrices[m_upper].
    """
    number = types.int64
    signature = types.void(state, number, number, number, matrices, number, number)

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
        kinds = signature.args
        emit = _Gates(context, builder, kinds[0].dtype)
        state, matrices = (data_of(context, builder, kinds[k], arguments[k]) for k in (0, 4))
        _, quads, bit, upper, _, m, m_upper = arguments
        first, second = emit.matrix(matrices, m, False), emit.matrix(matrices, m_upper, False)

        def body(k: ir.Value, sums: Values) -> Values:
            base = emit.spread(emit.spread(k, bit), upper)
            lower_mask, upper_mask = builder.shl(emit.number(1), bit), builder.shl(emit.number(1), upper)
            places = [
                base,
                builder.or_(base, lower_mask),
                builder.or_(base, upper_mask),
                builder.or_(builder.or_(base, lower_mask), upper_mask),
            ]
            a = [emit.amplitude(state, place) for place in places]
            a[0], a[1] = emit.times(first, a[0], a[1])
            a[2], a[3] = emit.times(first, a[2], a[3])
            a[0], a[2] = emit.times(second, a[0], a[2])
            a[1], a[3] = emit.times(second, a[1], a[3])
            for value, place in zip(a, places, strict=True):
                emit.put(value, state, place)
            return []

        emit.loop(quads, 0, body)
        return context.get_dummy_value()

    return signature, generate


def _undo(lanes: bool) -> Callable[..., None]:
    @intrinsic  # type: ignore[untyped-decorator]
    def undo(
        typing: Context, state: Kind, dual: Kind, pairs: Kind, bit: Kind, matrices: Kind, m: Kind, slopes: Kind,
        s: Kind,
    ) -> Intrinsic:  # fmt: skip
        number = types.int64
        signature = types.void(state, dual, number, number, matrices, number, slopes, number)

        def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
            kinds = signature.args
            emit = _Gates(context, builder, kinds[0].dtype)
            state, dual, matrices, slopes = (data_of(context, builder, kinds[k], arguments[k]) for k in (0, 1, 4, 6))
            pairs, bit, m, s = (arguments[k] for k in (2, 3, 5, 7))
            inverse = emit.dagger(emit.matrix(matrices, m, lanes))

            def body(k: ir.Value, sums: Values) -> Values:
                low = emit.spread(k, bit)
                high = builder.or_(low, builder.shl(emit.number(1), bit))
                before = emit.times(inverse, emit.amplitude(state, low), emit.amplitude(state, high))
                gradients = [emit.amplitude(dual, low), emit.amplitude(dual, high)]
                new = []
                for row in range(2):
                    for column in range(2):
                        (x, y), (a, b) = gradients[row], before[column]
                        place = 2 * (2 * row + column)
                        new.append(emit.fma(y, b, emit.fma(x, a, sums[place])))
                        new.append(emit.fma(builder.fneg(x), b, emit.fma(y, a, sums[place + 1])))
                back = emit.times(inverse, *gradients)
                for value, array, place in zip(
                    (*before, *back), (state, state, dual, dual), (low, high, low, high), strict=True
                ):
                    emit.put(value, array, place)
                return new

            for k, value in enumerate(emit.loop(pairs, 8, body)):
                emit.store(value, slopes, builder.add(s, emit.number(k * emit.lanes)))
            return context.get_dummy_value()

        return signature, generate

    return undo  # type: ignore[no-any-return]


undo_gate = _undo(False)
"""(state, dual, pairs, bit, matrices, m, slopes, s): undo a matrix on a state and on the gradient by its amplitudes.

With psi = u^dagger psi' for every pair of amplitudes, and as much for their gradients g:

    slope[i, j] = sum over pairs of g'[i] conj(psi[j]),  g = u^dagger g'

The slopes by the eight numbers of the matrix, a vector each, go to slopes[s].
"""

undo_gate_lanes = _undo(True)
"""The same with a matrix for each window."""


@intrinsic  # type: ignore[untyped-decorator]
def expand(typing: Context, state: Kind, size: Kind, columns: Kind) -> Intrinsic:
    """Another qubit, after the others: `size` amplitudes become twice as many; columns: its two, a vector each part.

    psi'[2 d + j] = columns[j] psi[d]
    """
    signature = types.void(state, types.int64, columns)

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
        emit = _Gates(context, builder, signature.args[0].dtype)
        state, columns = (data_of(context, builder, signature.args[k], arguments[k]) for k in (0, 2))
        size = arguments[1]
        low, high = emit.amplitude(columns, emit.number(0)), emit.amplitude(columns, emit.number(1))

        def body(k: ir.Value, sums: Values) -> Values:
            place = builder.sub(builder.sub(size, k), emit.number(1))  # from the last one, which makes room
            old, new = emit.amplitude(state, place), builder.shl(place, emit.number(1))
            emit.put(emit.sum_of([(*low, *old)]), state, new)
            emit.put(emit.sum_of([(*high, *old)]), state, builder.or_(new, emit.number(1)))
            return []

        emit.loop(size, 0, body)
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def contract(
    typing: Context, state: Kind, dual: Kind, size: Kind, columns: Kind, slopes: Kind, s: Kind
) -> Intrinsic:  # fmt: skip
    """Undo :func:`expand` on a state and on the gradient by it; the gradient by the columns goes to slopes[s].

        psi[d] = sum_j conj(columns[j]) psi'[2 d + j],  slope[j] = sum_d g'[2 d + j] conj(psi[d]),  and g[d] as psi[d]

    The slopes are as those of the eight numbers of a matrix; its second column has none.
    """
    signature = types.void(state, dual, types.int64, columns, slopes, types.int64)

    def generate(context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: Values) -> ir.Value:
        kinds = signature.args
        emit = _Gates(context, builder, kinds[0].dtype)
        state, dual, columns, slopes = (data_of(context, builder, kinds[k], arguments[k]) for k in (0, 1, 3, 4))
        size, s = arguments[2], arguments[5]
        both = [emit.amplitude(columns, emit.number(k)) for k in range(2)]
        inverse = [(real, builder.fneg(imaginary)) for real, imaginary in both]

        def body(k: ir.Value, sums: Values) -> Values:
            place = builder.shl(k, emit.number(1))
            places = [place, builder.or_(place, emit.number(1))]
            old = [emit.amplitude(state, p) for p in places]
            gradients = [emit.amplitude(dual, p) for p in places]
            # The qubit's own state has length one.
            x, y = emit.sum_of([(*inverse[j], *old[j]) for j in range(2)])
            new = []
            for j in range(2):
                p, q = gradients[j]
                new.append(emit.fma(q, y, emit.fma(p, x, sums[2 * j])))
                new.append(emit.fma(builder.fneg(p), y, emit.fma(q, x, sums[2 * j + 1])))
            emit.put((x, y), state, k)
            emit.put(emit.sum_of([(*inverse[j], *gradients[j]) for j in range(2)]), dual, k)
            return new

        totals = emit.loop(size, 4, body)
        values = [totals[0], totals[1], emit.zero(), emit.zero(), totals[2], totals[3], emit.zero(), emit.zero()]
        for k, value in enumerate(values):
            emit.store(value, slopes, builder.add(s, emit.number(k * emit.lanes)))
        return context.get_dummy_value()

    return signature, generate

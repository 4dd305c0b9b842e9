"""Steps of a network's sweep on a block of windows, as LLVM vector code that Numba inlines.

Buffers are flat arrays of rows with as many numbers each: functions, entries (sums of numbers times functions), states.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from quanvolve.compile.kernels.numba._tile import VECTOR_BYTES, VECTORS, Emit, data_of

BLOCK_BYTES = VECTOR_BYTES * VECTORS
"""Size of a row."""


class _Rows(Emit):
    """Rows of VECTORS vectors."""

    def index(self, array: Any, place: Any) -> Any:
        """An index from an array of int32."""
        return self.builder.sext(self.builder.load(self.at(array, place)), ir.IntType(64))

    def place(self, row: Any, n: int) -> Any:
        """Where vector n of a row is."""
        length = self.number(VECTORS * self.lanes)
        return self.builder.add(self.builder.mul(row, length), self.number(n * self.lanes))

    def row(self, array: Any, row: Any) -> list[Any]:
        return [self.load(array, self.place(row, n)) for n in range(VECTORS)]

    def put(self, values: list[Any], array: Any, row: Any) -> None:
        for n, value in enumerate(values):
            self.store(value, array, self.place(row, n))

    def scalar(self, array: Any, place: Any) -> Any:
        return self.splat(self.builder.load(self.at(array, place)))


@intrinsic  # type: ignore[untyped-decorator]
def sum_terms(
    typing: Any, numbers: Any, base: Any, rows: Any, first: Any, count: Any, functions: Any, entries: Any, to: Any
) -> Any:
    """``entries[to] = sum_k numbers[base + first + k] * functions[rows[first + k]]``, k < count, at least one."""
    number = types.int64
    signature = types.void(numbers, number, rows, number, number, functions, entries, number)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        emit = _Rows(context, builder, kinds[0].dtype)
        numbers, rows, functions, entries = (data_of(context, builder, kinds[k], arguments[k]) for k in (0, 2, 5, 6))
        base, first, count, to = (arguments[k] for k in (1, 3, 4, 7))

        def body(k: Any, sums: list[Any]) -> list[Any]:
            place = builder.add(first, k)
            factor = emit.scalar(numbers, builder.add(base, place))
            function = emit.row(functions, emit.index(rows, place))
            return [emit.fma(factor, f, s) for f, s in zip(function, sums, strict=True)]

        emit.put(emit.loop(count, VECTORS, body), entries, to)
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def sum_moves(
    typing: Any, states: Any, before: Any, entries: Any, shift: Any, sources: Any, through: Any, first: Any, count: Any,
    to: Any,
) -> Any:  # fmt: skip
    """``states[to] = sum_k states[before + sources[first + k]] * entries[shift + through[first + k]]``, k < count."""
    number = types.int64
    signature = types.void(states, number, entries, number, sources, through, number, number, number)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        emit = _Rows(context, builder, kinds[0].dtype)
        states, entries, sources, through = (data_of(context, builder, kinds[k], arguments[k]) for k in (0, 2, 4, 5))
        before, shift, first, count, to = (arguments[k] for k in (1, 3, 6, 7, 8))

        def body(k: Any, sums: list[Any]) -> list[Any]:
            place = builder.add(first, k)
            state = emit.row(states, builder.add(before, emit.index(sources, place)))
            entry = emit.row(entries, builder.add(shift, emit.index(through, place)))
            return [emit.fma(a, b, c) for a, b, c in zip(state, entry, sums, strict=True)]

        emit.put(emit.loop(count, VECTORS, body), states, to)
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def moves_back(
    typing: Any, states: Any, d_states: Any, before: Any, entries: Any, d_entries: Any, shift: Any, sources: Any,
    through: Any, first: Any, count: Any, to: Any,
) -> Any:  # fmt: skip
    """Adds to `d_states` and `d_entries` what row `to` of `d_states` gives through :func:`sum_moves`."""
    number = types.int64
    signature = types.void(
        states, d_states, number, entries, d_entries, number, sources, through, number, number, number
    )

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        emit = _Rows(context, builder, kinds[0].dtype)
        states, d_states, entries, d_entries, sources, through = (
            data_of(context, builder, kinds[k], arguments[k]) for k in (0, 1, 3, 4, 6, 7)
        )
        before, shift, first, count, to = (arguments[k] for k in (2, 5, 8, 9, 10))
        given = emit.row(d_states, to)

        def body(k: Any, sums: list[Any]) -> list[Any]:
            place = builder.add(first, k)
            source = builder.add(before, emit.index(sources, place))
            entry = builder.add(shift, emit.index(through, place))
            d_state = zip(given, emit.row(entries, entry), emit.row(d_states, source), strict=True)
            emit.put([emit.fma(a, b, c) for a, b, c in d_state], d_states, source)
            d_entry = zip(given, emit.row(states, source), emit.row(d_entries, entry), strict=True)
            emit.put([emit.fma(a, b, c) for a, b, c in d_entry], d_entries, entry)
            return []

        emit.loop(count, 0, body)
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def terms_back(
    typing: Any, numbers: Any, d_numbers: Any, base: Any, rows: Any, first: Any, count: Any, functions: Any,
    d_functions: Any, d_entries: Any, entry: Any,
) -> Any:  # fmt: skip
    """Adds to `d_numbers` and `d_functions` what row `entry` of `d_entries` gives through :func:`sum_terms`."""
    number = types.int64
    signature = types.void(numbers, d_numbers, number, rows, number, number, functions, d_functions, d_entries, number)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        emit = _Rows(context, builder, kinds[0].dtype)
        numbers, d_numbers, rows, functions, d_functions, d_entries = (
            data_of(context, builder, kinds[k], arguments[k]) for k in (0, 1, 3, 6, 7, 8)
        )
        base, first, count, entry = (arguments[k] for k in (2, 4, 5, 9))
        given = emit.row(d_entries, entry)

        def body(k: Any, sums: list[Any]) -> list[Any]:
            place = builder.add(first, k)
            row, own = emit.index(rows, place), builder.add(base, place)
            factor = emit.scalar(numbers, own)
            d_function = zip(given, emit.row(d_functions, row), strict=True)
            emit.put([emit.fma(factor, a, b) for a, b in d_function], d_functions, row)
            total = emit.zero()
            for a, b in zip(given, emit.row(functions, row), strict=True):
                total = emit.fma(a, b, total)
            pointer = emit.at(d_numbers, own)
            builder.store(builder.fadd(builder.load(pointer), emit.sum(total)), pointer)
            return []

        emit.loop(count, 0, body)
        return context.get_dummy_value()

    return signature, generate

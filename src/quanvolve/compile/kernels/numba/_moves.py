"""Steps of a network's sweep on a block of windows.

Buffers are flat arrays of rows of BLOCK numbers, one for each window: functions, entries (sums of numbers times
functions), states. ``row[p]`` below stands for ``buffer[row * BLOCK + p]``, and holds for all p < BLOCK.
"""

from __future__ import annotations

import numba
import numpy as np

from quanvolve.compile.kernels.numba._arrays import Floats, Integers

BLOCK = 128
"""Windows of a row. LLVM unrolls loops of up to 64 before it makes vectors of them, and then makes none."""

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})


@_jit  # type: ignore[untyped-decorator]
def _row(buffer: Floats, row: int) -> Floats:
    start = np.int64(row) * BLOCK
    return buffer[start : start + BLOCK]


@_jit  # type: ignore[untyped-decorator]
def sum_terms(
    numbers: Floats, base: int, rows: Integers, first: int, count: int, functions: Floats, entries: Floats, to: int
) -> None:
    """``entries[to] = sum_k numbers[base + first + k] * functions[rows[first + k]]``, k < count, at least one."""
    into, factor, function = _row(entries, to), numbers[base + first], _row(functions, rows[first])
    for p in range(BLOCK):
        into[p] = factor * function[p]
    for k in range(first + 1, first + count):
        factor, function = numbers[base + k], _row(functions, rows[k])
        for p in range(BLOCK):
            into[p] += factor * function[p]


@_jit  # type: ignore[untyped-decorator]
def sum_moves(
    states: Floats, before: int, entries: Floats, shift: int, sources: Integers, through: Integers, first: int,
    count: int, to: int,
) -> None:  # fmt: skip
    """``states[to] = sum_k states[before + sources[first + k]] * entries[shift + through[first + k]]``, k < count."""
    into, state, entry = (
        _row(states, to),
        _row(states, before + sources[first]),
        _row(entries, shift + through[first]),
    )
    for p in range(BLOCK):
        into[p] = state[p] * entry[p]
    for k in range(first + 1, first + count):
        state, entry = _row(states, before + sources[k]), _row(entries, shift + through[k])
        for p in range(BLOCK):
            into[p] += state[p] * entry[p]


@_jit  # type: ignore[untyped-decorator]
def moves_back(
    states: Floats, d_states: Floats, before: int, entries: Floats, d_entries: Floats, shift: int, sources: Integers,
    through: Integers, first: int, count: int, to: int,
) -> None:  # fmt: skip
    """Adds to `d_states` and `d_entries` what row `to` of `d_states` gives through :func:`sum_moves`.

    d_states[before + sources[k]] += d_states[to] * entries[shift + through[k]]
    d_entries[shift + through[k]] += d_states[to] * states[before + sources[k]]
    """
    gradient = _row(d_states, to)
    for k in range(first, first + count):
        source, move = before + sources[k], shift + through[k]
        state, d_state, entry, d_entry = (
            _row(states, source),
            _row(d_states, source),
            _row(entries, move),
            _row(d_entries, move),
        )
        for p in range(
            BLOCK
        ):  # two loops: what one would have to compare of so many arrays leaves LLVM without vectors
            d_state[p] += gradient[p] * entry[p]
        for p in range(BLOCK):
            d_entry[p] += gradient[p] * state[p]


@_jit  # type: ignore[untyped-decorator]
def terms_back(
    numbers: Floats, d_numbers: Floats, base: int, rows: Integers, first: int, count: int, functions: Floats,
    d_functions: Floats, d_entries: Floats, entry: int,
) -> None:  # fmt: skip
    """Adds to `d_numbers` and `d_functions` what row `entry` of `d_entries` gives through :func:`sum_terms`.

    d_functions[rows[k]] += numbers[base + k] * d_entries[entry]
    d_numbers[base + k] += sum_p d_entries[entry][p] * functions[rows[k]][p]
    """
    gradient = _row(d_entries, entry)
    for k in range(first, first + count):
        factor, function, d_function = numbers[base + k], _row(functions, rows[k]), _row(d_functions, rows[k])
        for p in range(BLOCK):
            d_function[p] += factor * gradient[p]
        total = gradient[0] * function[0]
        for p in range(1, BLOCK):
            total += gradient[p] * function[p]
        d_numbers[base + k] += total

"""Gates on state vectors, and their undoing on a state and on the gradient by it (the adjoint method).

States lie in a buffer of shape (rows, 2 halves, 2, basis states, windows): moves go from one half to the other, gates
stay where they are; real parts come before imaginary ones, and the windows are innermost. A program has a block of
windows of one row, and all of their amplitudes or, where there are few windows, every `parts`-th run of them; then
there is a launch for each step, as no program may begin a step before all have ended the one before.
"""

from __future__ import annotations

import triton
import triton.language as tl

from quanvolve.compile.kernels.triton._matrices import dagger, matrix_of, place, times


@triton.jit
def _pair(number, bit):  # type: ignore[no-untyped-def]
    """The two basis states of a pair, which differ in a bit."""
    low = ((number >> bit) << (bit + 1)) | (number & ((1 << bit) - 1))
    return low, low | (1 << bit)


@triton.jit
def amplitudes(states, basis, size, windows, window, there):  # type: ignore[no-untyped-def]
    """Real and imaginary parts of some basis states, shape (basis states, windows)."""
    at = basis[:, None] * windows + window[None, :]
    wanted = (basis < size)[:, None] & there[None, :]
    return tl.load(states + at, mask=wanted, other=0.0), tl.load(states + size * windows + at, mask=wanted, other=0.0)


@triton.jit
def put(states, basis, size, windows, window, there, real, imaginary):  # type: ignore[no-untyped-def]
    """Write them."""
    at = basis[:, None] * windows + window[None, :]
    wanted = (basis < size)[:, None] & there[None, :]
    tl.store(states + at, real, mask=wanted)
    tl.store(states + size * windows + at, imaginary, mask=wanted)


@triton.jit
def _wide(matrix):  # type: ignore[no-untyped-def]
    """The numbers of matrices for all pairs of a window."""
    wide = ()
    for k in tl.static_range(8):
        wide = wide + (matrix[k][None, :],)
    return wide


@triton.jit
def forward(  # type: ignore[no-untyped-def]
    states, matrices, row_step, windows, varying, steps, starts, sources, phases, begin, end, MANY: tl.constexpr,
    SIZE: tl.constexpr, PAIRS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Steps of all circuits: programs (windows and rows, parts of the amplitudes).

    Args:
        states: the buffer.
        matrices, row_step, varying: as in `_matrices.forward`.
        steps, starts, sources, phases: as in `_circuits.Circuits`.
        begin, end: which steps after the product state, as far as a circuit has them.
        SIZE: basis states.
        PAIRS: pairs of amplitudes at once.
    """
    row, _, window, there = place(windows, BLOCK)
    part, parts = tl.program_id(1), tl.num_programs(1)
    circuit = row if MANY else 0
    states += row.to(tl.int64) * 4 * SIZE * windows
    matrices += row.to(tl.int64) * row_step
    first, last = tl.load(starts + 4 * circuit + 1), tl.load(starts + 4 * circuit + 2)
    for step in range(first + begin, tl.minimum(first + end, last)):
        bit, number = tl.load(steps + 4 * step), tl.load(steps + 4 * step + 1)
        varies, half = tl.load(steps + 4 * step + 2), tl.load(steps + 4 * step + 3)
        state = states + half * 2 * SIZE * windows
        if bit < 0:
            to = states + (1 - half) * 2 * SIZE * windows
            for chunk in range(part, (SIZE + PAIRS - 1) // PAIRS, parts):
                basis = chunk * PAIRS + tl.arange(0, PAIRS)
                real, imaginary = amplitudes(
                    state, tl.load(sources + number * SIZE + basis), SIZE, windows, window, there
                )
                at = (number * SIZE + basis) * 2
                c, s = tl.load(phases + at)[:, None], tl.load(phases + at + 1)[:, None]
                put(
                    to, basis, SIZE, windows, window, there, c * real - s * imaginary, c * imaginary + s * real
                )
        else:
            matrix = _wide(matrix_of(matrices, number, varies, windows, varying, window, there))
            for chunk in range(part, SIZE // 2 // PAIRS, parts):
                low, high = _pair(chunk * PAIRS + tl.arange(0, PAIRS), bit)
                a, b = amplitudes(state, low, SIZE, windows, window, there)
                x, y = amplitudes(state, high, SIZE, windows, window, there)
                a, b, x, y = times(matrix, a, b, x, y)
                put(state, low, SIZE, windows, window, there, a, b)
                put(state, high, SIZE, windows, window, there, x, y)
        tl.debug_barrier()


@triton.jit
def _moved_back(state, to, number, part, parts, sources, phases, windows, window, there, SIZE: tl.constexpr, PAIRS: tl.constexpr):  # type: ignore[no-untyped-def]  # fmt: skip
    """Undo a move, whose phases have length one."""
    for chunk in range(part, (SIZE + PAIRS - 1) // PAIRS, parts):
        basis = chunk * PAIRS + tl.arange(0, PAIRS)
        real, imaginary = amplitudes(state, basis, SIZE, windows, window, there)
        at = (number * SIZE + basis) * 2
        c, s = tl.load(phases + at)[:, None], tl.load(phases + at + 1)[:, None]
        put(
            to, tl.load(sources + number * SIZE + basis), SIZE, windows, window, there,
            c * real + s * imaginary, c * imaginary - s * real,
        )  # fmt: skip


@triton.jit
def backward(  # type: ignore[no-untyped-def]
    states, duals, matrices, row_step, windows, varying, whole, steps, starts, sources, phases, slopes, sums, begin,
    end, MANY: tl.constexpr, SIZE: tl.constexpr, PAIRS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Undo steps, the last one first; the other arguments as in :func:`forward`.

    With psi = u^dagger psi' for every pair of amplitudes, and as much for their gradients g:

        slope[i, j] = sum over pairs of g'[i] conj(psi[j]),  g = u^dagger g'

    Args:
        duals: gradients by the states, in a buffer like theirs.
        whole: runs that do not vary.
        slopes: by the matrices of the runs that vary, shape (rows, runs, 8, parts, windows).
        sums: those of the others, added up over each block of windows, shape (rows, runs, 8, parts, blocks).
        begin, end: which steps, counted from the last one.
    """
    row, block, window, there = place(windows, BLOCK)
    part, parts = tl.program_id(1), tl.num_programs(1)
    circuit = row if MANY else 0
    states += row.to(tl.int64) * 4 * SIZE * windows
    duals += row.to(tl.int64) * 4 * SIZE * windows
    matrices += row.to(tl.int64) * row_step
    blocks = (windows + BLOCK - 1) // BLOCK
    first, last = tl.load(starts + 4 * circuit), tl.load(starts + 4 * circuit + 2)
    for back in range(begin, tl.minimum(end, last - first)):
        step = last - 1 - back
        bit, number = tl.load(steps + 4 * step), tl.load(steps + 4 * step + 1)
        varies, half = tl.load(steps + 4 * step + 2), tl.load(steps + 4 * step + 3)
        state, dual = states + half * 2 * SIZE * windows, duals + half * 2 * SIZE * windows
        if bit < 0:
            after, d_after = states + (1 - half) * 2 * SIZE * windows, duals + (1 - half) * 2 * SIZE * windows
            _moved_back(after, state, number, part, parts, sources, phases, windows, window, there, SIZE, PAIRS)
            _moved_back(d_after, dual, number, part, parts, sources, phases, windows, window, there, SIZE, PAIRS)
        else:
            matrix = matrix_of(matrices, number, varies, windows, varying, window, there)
            inverse = _wide(dagger(matrix))
            nothing = matrix[0] * 0
            s0, s1, s2, s3 = nothing, nothing, nothing, nothing
            s4, s5, s6, s7 = nothing, nothing, nothing, nothing
            for chunk in range(part, SIZE // 2 // PAIRS, parts):
                low, high = _pair(chunk * PAIRS + tl.arange(0, PAIRS), bit)
                a, b = amplitudes(state, low, SIZE, windows, window, there)
                x, y = amplitudes(state, high, SIZE, windows, window, there)
                a, b, x, y = times(inverse, a, b, x, y)
                put(state, low, SIZE, windows, window, there, a, b)
                put(state, high, SIZE, windows, window, there, x, y)
                p, q = amplitudes(dual, low, SIZE, windows, window, there)
                s, t = amplitudes(dual, high, SIZE, windows, window, there)
                s0 += tl.sum(p * a + q * b, 0)
                s1 += tl.sum(q * a - p * b, 0)
                s2 += tl.sum(p * x + q * y, 0)
                s3 += tl.sum(q * x - p * y, 0)
                s4 += tl.sum(s * a + t * b, 0)
                s5 += tl.sum(t * a - s * b, 0)
                s6 += tl.sum(s * x + t * y, 0)
                s7 += tl.sum(t * x - s * y, 0)
                p, q, s, t = times(inverse, p, q, s, t)
                put(dual, low, SIZE, windows, window, there, p, q)
                put(dual, high, SIZE, windows, window, there, s, t)
            found = (s0, s1, s2, s3, s4, s5, s6, s7)
            if varies > 0:
                to = slopes + (((row.to(tl.int64) * varying + number) * 8) * parts + part) * windows + window
                for k in tl.static_range(8):
                    tl.store(to + k * parts * windows, found[k], mask=there)
            else:
                into = sums + (((row.to(tl.int64) * whole + number) * 8) * parts + part) * blocks + block
                for k in tl.static_range(8):
                    tl.store(into + k * parts * blocks, tl.sum(found[k], 0))
        tl.debug_barrier()

"""Gates on state vectors, and their undoing on a state and on the gradient by it (the adjoint method).

States lie in a buffer of shape (rows, 2 halves, 2, basis states, windows): moves go from one half to the other, gates
stay where they are; real parts come before imaginary ones, and the windows are innermost. A program has some
windows, and all of their amplitudes or, where there are few windows, every `parts`-th run of them; then there is a
launch for each step, as no program may begin a step before all have ended the one before.
"""

from __future__ import annotations

import triton
import triton.language as tl

from quanvolve.compile.kernels.triton._matrices import dagger, matrix_of, place, times


@triton.jit
def _pair(number, bit):
    """The two basis states of a pair, which differ in a bit."""
    low = ((number >> bit) << (bit + 1)) | (number & ((1 << bit) - 1))
    return low, low | (1 << bit)


@triton.jit
def amplitudes(states, basis, size, windows, lane, there):
    """Real and imaginary parts of some basis states, shape (basis states, lanes); lane: where each one's states are."""
    at = states + (basis[:, None] * windows + lane[None, :])
    return tl.load(at, mask=there[None, :], other=0.0), tl.load(at + size * windows, mask=there[None, :], other=0.0)


@triton.jit
def put(states, basis, size, windows, lane, there, real, imaginary):
    """Write them."""
    at = states + (basis[:, None] * windows + lane[None, :])
    tl.store(at, real, mask=there[None, :])
    tl.store(at + size * windows, imaginary, mask=there[None, :])


@triton.jit
def _wide(matrix):
    """The numbers of matrices for all pairs of a window."""
    wide = ()
    for k in tl.static_range(8):
        wide = wide + (matrix[k][None, :],)
    return wide


@triton.jit
def forward(
    states, matrices, row_step, windows, varying, rows, steps, starts, sources, phases, begin, end, MANY: tl.constexpr,
    SIZE: tl.constexpr, PAIRS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Steps of all circuits: programs (rows and windows, parts of the amplitudes).

    Args:
        states: the buffer.
        matrices, row_step, windows, varying, rows: as in `_matrices.forward`.
        steps, starts, sources, phases: as in `_circuits.Circuits`.
        begin, end: which steps after the product state, as far as a circuit has them.
        SIZE: basis states.
        PAIRS: pairs of amplitudes at once.
    """
    circuit, row, window, there = place(windows, rows, MANY, BLOCK)
    part, parts = tl.program_id(1), tl.num_programs(1)
    lane = row * 4 * SIZE * windows + window
    matrices += row * row_step
    first, last = tl.load(starts + 4 * circuit + 1), tl.load(starts + 4 * circuit + 2)
    for step in range(first + begin, tl.minimum(first + end, last)):
        bit, number = tl.load(steps + 4 * step), tl.load(steps + 4 * step + 1)
        varies, half = tl.load(steps + 4 * step + 2), tl.load(steps + 4 * step + 3)
        state = states + half * 2 * SIZE * windows
        if bit < 0:
            to = states + (1 - half) * 2 * SIZE * windows
            for chunk in range(part, SIZE // PAIRS, parts):
                basis = chunk * PAIRS + tl.arange(0, PAIRS)
                at = number * SIZE + basis
                a, b = amplitudes(state, tl.load(sources + at), SIZE, windows, lane, there)
                c, s = tl.load(phases + 2 * at)[:, None], tl.load(phases + 2 * at + 1)[:, None]
                put(to, basis, SIZE, windows, lane, there, c * a - s * b, c * b + s * a)
        else:
            matrix = _wide(matrix_of(matrices, number, varies, windows, varying, window, there))
            for chunk in range(part, SIZE // 2 // PAIRS, parts):
                low, high = _pair(chunk * PAIRS + tl.arange(0, PAIRS), bit)
                a, b = amplitudes(state, low, SIZE, windows, lane, there)
                x, y = amplitudes(state, high, SIZE, windows, lane, there)
                a, b, x, y = times(matrix, a, b, x, y)
                put(state, low, SIZE, windows, lane, there, a, b)
                put(state, high, SIZE, windows, lane, there, x, y)
        tl.debug_barrier()


@triton.jit
def _moved_back(state, to, basis, at, sources, phases, windows, lane, there, SIZE: tl.constexpr):
    """Undo a move of some basis states, whose phases have length one."""
    a, b = amplitudes(state, basis, SIZE, windows, lane, there)
    c, s = tl.load(phases + 2 * at)[:, None], tl.load(phases + 2 * at + 1)[:, None]
    put(to, tl.load(sources + at), SIZE, windows, lane, there, c * a + s * b, c * b - s * a)


@triton.jit
def backward(
    states, duals, matrices, row_step, windows, varying, rows, whole, steps, starts, sources, phases, slopes, begin,
    end, MANY: tl.constexpr, SIZE: tl.constexpr, PAIRS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Undo steps, the last one first; the other arguments as in :func:`forward`.

    With psi = u^dagger psi' for every pair of amplitudes, and as much for their gradients g:

        slope[i, j] = sum over pairs of g'[i] conj(psi[j]),  g = u^dagger g'

    Args:
        duals: gradients by the states, in a buffer like theirs.
        whole: runs that do not vary.
        slopes: by the matrices, shape (rows, runs that vary and then the others, 8, parts, windows).
        begin, end: which steps, counted from the last one.
    """
    circuit, row, window, there = place(windows, rows, MANY, BLOCK)
    part, parts = tl.program_id(1), tl.num_programs(1)
    lane = row * 4 * SIZE * windows + window
    matrices += row * row_step
    slopes += (row * (varying + whole) * 8 * parts + part) * windows + window
    first, last = tl.load(starts + 4 * circuit), tl.load(starts + 4 * circuit + 2)
    for back in range(begin, tl.minimum(end, last - first)):
        step = last - 1 - back
        bit, number = tl.load(steps + 4 * step), tl.load(steps + 4 * step + 1)
        varies, half = tl.load(steps + 4 * step + 2), tl.load(steps + 4 * step + 3)
        state, dual = states + half * 2 * SIZE * windows, duals + half * 2 * SIZE * windows
        if bit < 0:
            after, d_after = states + (1 - half) * 2 * SIZE * windows, duals + (1 - half) * 2 * SIZE * windows
            for chunk in range(part, SIZE // PAIRS, parts):
                basis = chunk * PAIRS + tl.arange(0, PAIRS)
                at = number * SIZE + basis
                _moved_back(after, state, basis, at, sources, phases, windows, lane, there, SIZE)
                _moved_back(d_after, dual, basis, at, sources, phases, windows, lane, there, SIZE)
        else:
            matrix = matrix_of(matrices, number, varies, windows, varying, window, there)
            inverse = _wide(dagger(matrix))
            zero = tl.zeros([BLOCK], states.dtype.element_ty)
            sums = (zero, zero, zero, zero, zero, zero, zero, zero)
            for chunk in range(part, SIZE // 2 // PAIRS, parts):
                low, high = _pair(chunk * PAIRS + tl.arange(0, PAIRS), bit)
                a, b = amplitudes(state, low, SIZE, windows, lane, there)
                x, y = amplitudes(state, high, SIZE, windows, lane, there)
                a, b, x, y = times(inverse, a, b, x, y)
                put(state, low, SIZE, windows, lane, there, a, b)
                put(state, high, SIZE, windows, lane, there, x, y)
                p, q = amplitudes(dual, low, SIZE, windows, lane, there)
                s, t = amplitudes(dual, high, SIZE, windows, lane, there)
                sums = (
                    sums[0] + tl.sum(p * a + q * b, 0), sums[1] + tl.sum(q * a - p * b, 0),
                    sums[2] + tl.sum(p * x + q * y, 0), sums[3] + tl.sum(q * x - p * y, 0),
                    sums[4] + tl.sum(s * a + t * b, 0), sums[5] + tl.sum(t * a - s * b, 0),
                    sums[6] + tl.sum(s * x + t * y, 0), sums[7] + tl.sum(t * x - s * y, 0),
                )  # fmt: skip
                p, q, s, t = times(inverse, p, q, s, t)
                put(dual, low, SIZE, windows, lane, there, p, q)
                put(dual, high, SIZE, windows, lane, there, s, t)
            to = slopes + (number + (1 - varies) * varying) * 8 * parts * windows
            for k in tl.static_range(8):
                tl.store(to + k * parts * windows, sums[k], mask=there)
        tl.debug_barrier()

"""Product states before the first gate on several qubits, and expectation values of the last state, with gradients.

    value[o] = sum over words and basis states d of phase[o, d] Re(conj(psi[d]) psi[d ^ mask])

where words with imaginary phases have minus the imaginary part.
"""

from __future__ import annotations

import triton
import triton.language as tl

from quanvolve.compile.kernels.triton._gates import amplitudes, put
from quanvolve.compile.kernels.triton._matrices import matrix_at, place


@triton.jit
def product(
    states, matrices, row_step, windows, varying, rows, steps, starts, WIRES: tl.constexpr, MANY: tl.constexpr,
    SIZE: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """The states after the runs with which the wires begin: products of the first columns of their matrices.

    Programs (rows and windows, parts of the amplitudes); arguments as in `_gates.forward`, with ROWS basis states at
    once.
    """
    circuit, row, window, there = place(windows, rows, MANY, BLOCK)
    step = tl.load(starts + 4 * circuit)
    basis = tl.program_id(1) * ROWS + tl.arange(0, ROWS)
    real = tl.zeros([ROWS, BLOCK], states.dtype.element_ty) + 1
    imaginary = tl.zeros([ROWS, BLOCK], states.dtype.element_ty)
    for wire in range(WIRES):
        number, varies = tl.load(steps + 4 * (step + wire) + 1), tl.load(steps + 4 * (step + wire) + 2)
        at, entry = matrix_at(matrices + row * row_step, number, varies, windows, varying, window)
        one = at[None, :] + ((basis >> (WIRES - 1 - wire)) & 1)[:, None] * 4 * entry
        a = tl.load(one, mask=there[None, :], other=0.0)
        b = tl.load(one + entry, mask=there[None, :], other=0.0)
        real, imaginary = a * real - b * imaginary, a * imaginary + b * real
    put(states, basis, SIZE, windows, row * 4 * SIZE * windows + window, there, real, imaginary)


@triton.jit
def measure(
    states, windows, filters, starts, words, masks, observed, values, measured, channels, MANY: tl.constexpr,
    SIZE: tl.constexpr, ROWS: tl.constexpr, OUTPUTS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Values of all filters, summed over channels: programs (filters and windows, parts of the amplitudes, outputs).

    Args:
        states, windows: the buffer.
        filters: of all groups.
        starts, words, masks, observed: as in `_circuits.Circuits`.
        values: to be written, shape (parts, filters, measured, windows).
        measured, channels: how many outputs, and rows of a filter.
        ROWS, OUTPUTS: basis states and outputs at once.
    """
    number, filter_, window, there = place(windows, filters, MANY, BLOCK)
    part, parts = tl.program_id(1), tl.num_programs(1)
    output = tl.program_id(2) * OUTPUTS + tl.arange(0, OUTPUTS)
    total = tl.zeros([OUTPUTS, BLOCK], states.dtype.element_ty)
    for channel in range(channels):
        circuit = number * channels + channel if MANY else 0
        half = tl.load(starts + 4 * circuit + 3)
        lane = ((filter_ * channels + channel) * 2 + half) * 2 * SIZE * windows + window
        for word in range(tl.load(words + circuit), tl.load(words + circuit + 1)):
            mask, odd = tl.load(masks + 2 * word), tl.load(masks + 2 * word + 1)
            for chunk in range(part, SIZE // ROWS, parts):
                basis = chunk * ROWS + tl.arange(0, ROWS)
                a, b = amplitudes(states, basis, SIZE, windows, lane, there)
                x, y = amplitudes(states, basis ^ mask, SIZE, windows, lane, there)
                overlap = (a * x + b * y) * (1 - odd) + (b * x - a * y) * odd
                at = (word * measured + output)[:, None] * SIZE + basis[None, :]
                phase = tl.load(observed + at, mask=(output < measured)[:, None], other=0.0)
                total += tl.sum(phase[:, :, None] * overlap[None, :, :], 1)
    at = ((part * filters + filter_)[None, :] * measured + output[:, None]) * windows + window[None, :]
    tl.store(values + at, total, mask=(output < measured)[:, None] & there[None, :])


@triton.jit
def measure_back(
    states, windows, rows, starts, words, masks, observed, grad, duals, measured, channels, MANY: tl.constexpr,
    SIZE: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradients by the states, 2 O psi, where O is the sum of the observables weighted with the gradients by values.

    Programs (rows and windows, parts of the amplitudes); the other arguments as in :func:`measure`.

    Args:
        grad: shape (filters, measured, windows).
        duals: a buffer like that of the states, to be written.
    """
    circuit, row, window, there = place(windows, rows, MANY, BLOCK)
    grad += row // channels * measured * windows + window
    lane = (row * 2 + tl.load(starts + 4 * circuit + 3)) * 2 * SIZE * windows + window
    basis = tl.program_id(1) * ROWS + tl.arange(0, ROWS)
    real = tl.zeros([ROWS, BLOCK], states.dtype.element_ty)
    imaginary = tl.zeros([ROWS, BLOCK], states.dtype.element_ty)
    for word in range(tl.load(words + circuit), tl.load(words + circuit + 1)):
        mask, odd = tl.load(masks + 2 * word), tl.load(masks + 2 * word + 1)
        weight = tl.zeros([ROWS, BLOCK], states.dtype.element_ty)
        for output in range(measured):
            phase = tl.load(observed + (word * measured + output) * SIZE + basis)
            weight += phase[:, None] * tl.load(grad + output * windows, mask=there, other=0.0)[None, :]
        x, y = amplitudes(states, basis ^ mask, SIZE, windows, lane, there)
        real += 2 * weight * (x * (1 - odd) - y * odd)
        imaginary += 2 * weight * (y * (1 - odd) + x * odd)
    put(duals, basis, SIZE, windows, lane, there, real, imaginary)

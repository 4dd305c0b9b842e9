"""Shots of all windows: counts of measured bit strings from expectation values, exactly multinomial."""

from __future__ import annotations

import math

import numpy as np
import torch
import triton
import triton.language as tl
from torch import Tensor

from quanvolve.compile.kernels.triton._binomial import binomial
from quanvolve.compile.kernels.triton._launch import OPTIONS, kept, moved, on_device_of
from quanvolve.compile.tables._sampling import ShotTables

_BLOCK = 32
"""Windows of a program, which is one warp: draws need different numbers of attempts."""
_ROOM = 64 * 2**20
"""Bytes that the probabilities and counts of all programs may take."""


class Sample:
    """The kernel of `ops.sample`."""

    def supports(self, tables: ShotTables, seed: Tensor, words: Tensor) -> bool:
        """What is counted in 32 bits."""
        known = math.prod(n for n in words.shape if isinstance(n, int))
        return known < 2**30 and tables.shots < 2**30

    def forward(self, tables: ShotTables, seed: Tensor, words: Tensor) -> Tensor:
        """Shape (rows, outputs, places)."""
        rows, _, places = words.shape
        outputs = tables.values.shape[1]
        out = torch.empty((rows, outputs, places), dtype=words.dtype, device=words.device)
        if not out.numel():
            return out
        bits, values = kept(tables, "shots", words.device, lambda: _tables(tables, words.device))
        longest = 2 ** (max(tables.bits) + 1)
        blocks = triton.cdiv(rows * places, _BLOCK)
        programs = min(blocks, max(1, _ROOM // (longest * _BLOCK * 12)))
        trees = torch.empty((programs, longest, _BLOCK), dtype=torch.float64, device=words.device)
        counts = torch.empty((programs, longest, _BLOCK), dtype=torch.int32, device=words.device)
        with on_device_of(words):
            _sample[(programs,)](
                words, out, seed.to(words.device), bits, values, trees, counts, *words.stride(), rows * places,
                places, blocks, outputs, tables.shots, len(tables.bits), longest, _BLOCK, num_warps=1, **OPTIONS,
            )  # fmt: skip
        return out

    def backward(
        self, tables: ShotTables, grad: Tensor, seed: Tensor, words: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Draws have no gradient."""
        return None, None


def _tables(tables: ShotTables, device: torch.device) -> tuple[Tensor, Tensor]:
    """How many qubits each basis measures, and the values of its bit strings."""
    return moved(np.array(tables.bits), device), moved(tables.values, device, torch.float64)


@triton.jit(do_not_specialize=["count", "places", "blocks", "shots"])
def _sample(
    words, out, seed, bits, values, trees, counts, row_step, word_step, place_step, count, places, blocks, outputs,
    shots, BASES: tl.constexpr, LONGEST: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Means over shots of blocks of windows, one block after the other.

    Args:
        trees, counts: memory of each program, shape (programs, LONGEST, BLOCK): for each beginning of a bit string its
            probability, up to a factor, and how often it was drawn; node 1 is the empty one, and 2 k and 2 k + 1 are
            the continuations of node k.
    """
    lane = tl.arange(0, BLOCK)
    tree = trees + tl.program_id(0).to(tl.int64) * (LONGEST * BLOCK) + lane
    drawn = counts + tl.program_id(0).to(tl.int64) * (LONGEST * BLOCK) + lane
    seeds = tl.load(seed) + tl.zeros([BLOCK], tl.int64)
    for block in range(tl.program_id(0), blocks, tl.num_programs(0)):
        window = block * BLOCK + lane
        there = window < count
        row, place = window // places, window % places
        known = words + row.to(tl.int64) * row_step + place.to(tl.int64) * place_step
        to = out + row.to(tl.int64) * outputs * places + place
        string = shots * 0
        for basis in range(BASES):
            n = tl.load(bits + basis)
            size = shots * 0 + 1 << n
            _probabilities(tree, known, there, word_step, size, BLOCK)
            _draw(tree, drawn, seeds, window, there, string, size, shots, BLOCK)
            for j in range(outputs):
                total = tl.zeros([BLOCK], tl.float64)
                for b in range(size):
                    number = tl.load(drawn + (size + b) * BLOCK).to(tl.float64)
                    total += number * tl.load(values + (string + b) * outputs + j)
                mean = total / (shots + tl.zeros([BLOCK], tl.float64))
                if basis > 0:
                    mean += tl.load(to + j * places, mask=there, other=0.0).to(tl.float64)
                tl.store(to + j * places, mean.to(out.dtype.element_ty), mask=there)
            known += (size - 1) * word_step
            string += size


@triton.jit
def _probabilities(tree, known, there, word_step, size, BLOCK: tl.constexpr):
    """From expectation values to the probabilities of all bit strings and of their beginnings, without a factor.

    A Walsh-Hadamard transform: P(b) = 2^-n sum_w (-1)^(w . b) <Z^w>.
    """
    ones = tl.zeros([BLOCK], tl.float64) + 1.0
    tl.store(tree + size * BLOCK, ones)
    for w in range(1, size):
        value = tl.load(known + (w - 1) * word_step, mask=there, other=0.0)
        tl.store(tree + (size + w) * BLOCK, value.to(tl.float64))
    tl.debug_barrier()
    half = size // 2
    while half > 0:
        for pair in range(size // 2):
            k = size + pair // half * (2 * half) + pair % half
            low, high = tl.load(tree + k * BLOCK), tl.load(tree + (k + half) * BLOCK)
            tl.store(tree + k * BLOCK, low + high)
            tl.store(tree + (k + half) * BLOCK, low - high)
        tl.debug_barrier()
        half = half // 2
    for k in range(size, 2 * size):
        # Values in single precision leave some of 1e-7 below zero.
        tl.store(tree + k * BLOCK, tl.maximum(tl.load(tree + k * BLOCK), 0.0))
    tl.debug_barrier()
    for back in range(1, size):
        k = size - back
        tl.store(tree + k * BLOCK, tl.load(tree + 2 * k * BLOCK) + tl.load(tree + (2 * k + 1) * BLOCK))
        tl.debug_barrier()


@triton.jit
def _draw(tree, drawn, seeds, window, there, string, size, shots, BLOCK: tl.constexpr):
    """Counts of the bit strings: the shots of each beginning are parted between its two continuations."""
    tl.store(drawn + BLOCK, tl.where(there, shots, 0))
    tl.debug_barrier()
    for k in range(1, size):
        count, mass = tl.load(drawn + k * BLOCK), tl.load(tree + k * BLOCK)
        share = tl.load(tree + (2 * k + 1) * BLOCK) / tl.where(mass > 0.0, mass, 1.0)
        ones = binomial(count, tl.where(mass > 0.0, share, 0.0), seeds, window, tl.zeros_like(window) + string + k)
        tl.store(drawn + 2 * k * BLOCK, count - ones)
        tl.store(drawn + (2 * k + 1) * BLOCK, ones)
        tl.debug_barrier()


kernel = Sample()

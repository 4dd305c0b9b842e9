"""Shots of all windows as an operator of torch: by the compiled kernel, and in plain torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile import kernels
from quanvolve.compile.ops._switch import usable

_library = torch.library.Library("quanvolve", "FRAGMENT")
_library.define("sample(Tensor words, Tensor seed, Tensor values, int[] bits, int shots) -> Tensor")
_LIGHT = 64
"""Windows that are worth another thread."""


def sample(words: Tensor, values: Tensor, bits: tuple[int, ...], shots: int) -> Tensor:
    """Means over shots, drawn from the joint distributions that expectation values belong to.

    Random numbers come from torch's global generator; there is no gradient.

    Args:
        words: shape (rows, words, places): for each basis the expectation values of its 2^n - 1 words.
        values: what each bit string adds to each output, float64, shape (bit strings of all bases, outputs).
        bits: n for each basis.
        shots: of each basis.

    Returns:
        Tensor of shape (rows, outputs, places).
    """
    words = words.detach()
    if usable(words):
        seed = torch.randint(-(2**62), 2**62, (1,), device="cpu")
        found: Tensor = torch.ops.quanvolve.sample.default(words, seed, values, list(bits), shots)
        return found
    return _sample_torch(words, values, bits, shots)


def _sample_torch(words: Tensor, values: Tensor, bits: tuple[int, ...], shots: int) -> Tensor:
    """What the kernel does, with torch's own binomial numbers; of the same distribution, but not the same numbers."""
    total = None
    table = values.to(words)
    first = string = 0
    for n in bits:
        size = 2**n
        known = words[:, first : first + size - 1]
        weights = torch.cat([torch.ones_like(known[:, :1]), known], dim=1)
        for bit in range(n):
            pairs = weights.unflatten(1, (size >> (bit + 1), 2, 1 << bit))
            weights = torch.stack([pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]], 2).flatten(1, 3)
        levels = [weights.clamp(min=0.0)]
        for _ in range(n):
            levels.append(levels[-1].unflatten(1, (-1, 2)).sum(2))
        counts = torch.full_like(levels[-1], shots)
        for mass, parts in zip(reversed(levels[1:]), reversed(levels[:-1]), strict=True):
            share = parts.unflatten(1, (-1, 2))[:, :, 1] / mass
            ones = torch.binomial(counts, share.nan_to_num(0.0).clamp(0.0, 1.0))
            counts = torch.stack([counts - ones, ones], dim=2).flatten(1, 2)
        part = torch.einsum("rbp,bj->rjp", counts, table[string : string + size]) / shots
        total = part if total is None else total + part
        first += size - 1
        string += size
    assert total is not None
    return total


def _kernel(words: Tensor, seed: Tensor, values: Tensor, bits: list[int], shots: int) -> Tensor:
    from quanvolve.compile.kernels.numba._launch import launch, threads

    rows, _, places = words.shape
    out = torch.empty((rows, values.shape[1], places), dtype=words.dtype)
    module = kernels.sampling()
    parts = 1 if rows * places < _LIGHT else 4 * threads()
    given = words.contiguous().numpy(), values.numpy(), np.array(bits, np.int64), shots, seed.numpy().view(np.uint64)
    launch(module.sample, module.sample_parallel, parts, *given, out.numpy())
    return out


_library.impl("sample", _kernel, "CPU")


@torch.library.register_fake("quanvolve::sample")  # type: ignore[untyped-decorator]
def _shape(words: Tensor, seed: Tensor, values: Tensor, bits: Any, shots: int) -> Tensor:
    return words.new_empty((words.shape[0], values.shape[1], words.shape[2]))

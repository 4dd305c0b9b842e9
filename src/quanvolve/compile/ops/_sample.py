"""Shots of all windows: by the kernel, and in plain torch."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.compile import kernels
from quanvolve.compile.ops._operator import Operator
from quanvolve.compile.reference._sample import drawn
from quanvolve.compile.tables._sampling import ShotTables


def _shape(tables: ShotTables, seed: Tensor, words: Tensor) -> tuple[int, ...]:
    return words.shape[0], tables.values.shape[1], words.shape[2]


def _reference(tables: ShotTables, seed: Tensor, words: Tensor) -> Tensor:
    return drawn(tables, words)


_draw = Operator("sample", ShotTables, ("seed", "words"), _shape, _reference, differentiable=False)


def sample(tables: ShotTables, words: Tensor) -> Tensor:
    """Means over shots, drawn from the joint distributions that expectation values belong to.

    Random numbers come from torch's global generator; there is no gradient.

    Args:
        tables: what bit strings are worth.
        words: shape (rows, words, places): for each basis the expectation values of its 2^n - 1 words.

    Returns:
        Tensor of shape (rows, outputs, places).
    """
    words = words.detach()
    if not _draw.on(words):
        return drawn(tables, words)
    # On the device of the words: what a CUDA graph records draws anew each time.
    seed = torch.randint(-(2**62), 2**62, (1,), device=words.device)
    if not kernels.kernel("sample", words.device.type).supports(tables, seed, words):
        return drawn(tables, words)
    return _draw.call(tables, seed, words)

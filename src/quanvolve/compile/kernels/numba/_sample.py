"""Shots of all windows."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile.kernels.numba import _draws
from quanvolve.compile.kernels.numba._launch import launch, threads
from quanvolve.compile.kernels.numba._memory import array
from quanvolve.compile.tables._sampling import ShotTables

_LIGHT = 64
"""Windows that are worth another thread."""


class Sample:
    """The kernel of `ops.sample`."""

    def supports(self, tables: ShotTables, seed: Tensor, words: Tensor) -> bool:
        """Any words."""
        return True

    def forward(self, tables: ShotTables, seed: Tensor, words: Tensor) -> Tensor:
        """Shape (rows, outputs, places)."""
        rows, _, places = words.shape
        out = torch.empty((rows, tables.values.shape[1], places), dtype=words.dtype)
        parts = 1 if rows * places < _LIGHT else 4 * threads()
        launch(
            _draws.sample, parts, array(words), tables.values,
            np.array(tables.bits, np.int64), tables.shots, array(seed).view(np.uint64), array(out),
        )  # fmt: skip
        return out

    def backward(
        self, tables: ShotTables, grad: Tensor, seed: Tensor, words: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Draws have no gradient."""
        return None, None


kernel = Sample()

"""Shots: a plan's expectation values of all words of the measured qubits, and outputs drawn from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve.circuits import Circuit
from quanvolve.compile.batch._chunks import chunk_bytes
from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._tracing import followed
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.ops._sample import sample
from quanvolve.compile.plans._plan import Plan
from quanvolve.compile.plans._work import Work
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._sampling import ShotTables, rows_alone, sampling_of, words_alone


class SampledPlan:
    """Outputs as means over shots.

    The values are those of a device without drift: the bit strings of a window come from the joint distribution of all
    qubits that one basis measures, so that outputs are correlated as they are there. The gradient is that of the exact
    expectation values.

    Args:
        inner: a plan for :func:`word_circuits`.
        circuits: whose outputs they are.
        layout: of the layer.
        shots: for each basis and window.
    """

    def __init__(self, inner: Plan, circuits: Sequence[Circuit], layout: Layout, shots: int) -> None:
        self.inner, self.name, self.shots = inner, inner.name, shots
        self.sampling = sampling_of(circuits[0])
        self._shots = ShotTables.of_sampling(self.sampling, shots)
        self._alone = words_alone(self.sampling, layout)
        self._rows = np.array(rows_alone(layout), np.int64)

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[Any, ...]:
        """What the inner plan makes of the weights (rows, *shape), row by row."""
        order = constant(self._rows, like.device)
        reordered = {name: w.index_select(0, order) if len(w) > 1 else w for name, w in weights.items()}
        return self.inner.compile(reordered, like, self._alone, n_windows)

    def evaluate(self, compiled: tuple[Any, ...], windows: Windows, layout: Layout) -> Tensor:
        """Means over the shots, shape (images, groups, outputs, *places)."""
        images = windows.images
        if isinstance(images.shape[0], int):
            words = self._alone.groups * self._alone.outputs * int(np.prod(windows.places)) * images.element_size()
            pieces = images.split(max(1, chunk_bytes(images.device) // max(1, words)))
        else:
            pieces = (images,)  # a size that is unknown while tracing cannot be cut into pieces
        values = [self._evaluate(compiled, replace(windows, images=piece), layout) for piece in pieces]
        return values[0] if len(values) == 1 else torch.cat(values)

    def _evaluate(self, compiled: tuple[Any, ...], windows: Windows, layout: Layout) -> Tensor:
        words = self.words(compiled, windows)
        drawn = self.draw(words)
        if followed(words):
            exact = self.expect(words)
            drawn = drawn + (exact - exact.detach())  # the value of the one, the gradient of the other
        return combine(drawn, windows.images.shape[0], windows.places, layout)

    def words(self, compiled: tuple[Any, ...], windows: Windows) -> Tensor:
        """Expectation values of all words, shape (images x groups x channels x filters, words, places)."""
        expectations = self.inner.evaluate(compiled, each_alone(windows), self._alone)
        return expectations.reshape(-1, len(self.sampling.observables), expectations.shape[3:].numel())

    def draw(self, words: Tensor) -> Tensor:
        """Outputs as means over shots: shape (rows, outputs, places), without gradient."""
        with torch.no_grad():
            return sample(self._shots, words)

    def expect(self, words: Tensor) -> Tensor:
        """The exact outputs, shape (rows, outputs, places)."""
        matrix = constant(self.sampling.expected, words.device, words.dtype)
        offset = constant(self.sampling.constant, words.device, words.dtype)
        return torch.matmul(matrix, words) + offset[:, None]

    def work(self, layout: Layout) -> tuple[Work, Work]:
        """To compile, and per window, for all rows."""
        setup, window = self.inner.work(self._alone)
        drawn = sum(min(2**n, n * self.shots) for n in self.sampling.bits)
        return setup, window + Work.of("shots", draw=layout.rows * drawn)

    def __str__(self) -> str:
        n = max(self.sampling.bits, default=0)
        bases = len(self.sampling.bits)
        several = f", in each of {bases} bases" if bases > 1 else ""
        return (
            f"{self.shots:,} shots a window{several}, drawn from the joint distribution of {n} qubit{'s' * (n != 1)}, "
            f"a value's standard error at most {self._bound():.2g}; expectation values by {self.inner}"
        )

    def _bound(self) -> float:
        """The largest standard error that a mean of values between two numbers can have (Popoviciu's inequality)."""
        spans, string = np.zeros(self.sampling.values.shape[1]), 0
        for n in self.sampling.bits:
            basis_values = self.sampling.values[string : string + 2**n]
            spans += (basis_values.max(0) - basis_values.min(0)) ** 2 / 4
            string += 2**n
        return float(np.sqrt(spans.max() / self.shots))


def each_alone(windows: Windows) -> Windows:
    """The same windows with each circuit that a filter sums over as a group of its own."""
    scale = windows.scale
    if isinstance(scale, Tensor):
        scale = scale.flatten(0, 1).unsqueeze(1)
    return replace(windows, groups=windows.groups * windows.channels, scale=scale)


def combine(rows: Tensor, images: int, places: tuple[int, ...], layout: Layout) -> Tensor:
    """Outputs of rows (images x groups x channels x filters, outputs, places) as (images, groups, outputs, *places)."""
    shape = (images, layout.groups, layout.channels, layout.filters, rows.shape[1], *places)
    return rows.reshape(shape).sum(2).flatten(2, 3)[:, :, : layout.outputs]

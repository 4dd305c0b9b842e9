"""Measured values in several parts, each with the light cone that it needs and a plan of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.plans._plan import Plan
from quanvolve.compile.plans._work import NOTHING, Work
from quanvolve.compile.tables._layout import Layout


class PartsPlan:
    """Plans for groups of the measured values.

    Args:
        groups: the values that each plan gives, by number.
        plans: for each group, all of one kind, made of circuits that were cut to it.
        n_wires: of the whole circuit.
    """

    def __init__(self, groups: Sequence[tuple[int, ...]], plans: Sequence[Plan], n_wires: int) -> None:
        self.groups, self.plans, self.n_wires = tuple(groups), tuple(plans), n_wires
        self.name = plans[0].name
        order = [output for group in self.groups for output in group]
        self._places = np.array([order.index(output) for output in range(len(order))], np.int64)

    def _layouts(self, layout: Layout) -> list[Layout]:
        return [layout._replace(outputs=layout.filters * len(group)) for group in self.groups]

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[Any, ...]:
        """What each part's plan makes of the weights."""
        layouts = self._layouts(layout)
        return tuple(
            p.compile(weights, like, part_layout, n_windows) for p, part_layout in zip(self.plans, layouts, strict=True)
        )

    def evaluate(self, compiled: tuple[Any, ...], windows: Windows, layout: Layout) -> Tensor:
        """Measured values, shape (images, groups, outputs, *places)."""
        parts = []
        for plan, numbers, part_layout in zip(self.plans, compiled, self._layouts(layout), strict=True):
            part = plan.evaluate(numbers, windows, part_layout)
            parts.append(part.unflatten(2, (layout.filters, part_layout.outputs // layout.filters)))
        places = constant(self._places, windows.images.device)
        whole = torch.cat(parts, dim=3).index_select(3, places)
        return whole.flatten(2, 3)[:, :, : layout.outputs]

    def work(self, layout: Layout) -> tuple[Work, Work]:
        """To compile, and per window, for all rows."""
        works = [plan.work(part_layout) for plan, part_layout in zip(self.plans, self._layouts(layout), strict=True)]
        moved = Work.of("parts", part=len(self.plans), output=layout.groups * layout.outputs)
        return sum((setup for setup, _ in works), NOTHING), sum((window for _, window in works), moved)

    def __str__(self) -> str:
        largest = max(self.plans, key=lambda plan: plan.work(Layout(1, 1, 1, 1))[1].cost("cpu"))
        cones = f"{self.n_wires} qubits in {len(self.plans)} light cones"
        return f"{self.name}: {cones}, the largest as {largest}"

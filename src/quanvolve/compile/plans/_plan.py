"""What every plan offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.plans._work import Work
from quanvolve.compile.tables._layout import Layout


class Plan(Protocol):
    """A way to evaluate the filters of a layer."""

    name: str

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[Any, ...]:
        """What the weights become, once for all windows."""

    def evaluate(self, compiled: tuple[Any, ...], windows: Windows, layout: Layout) -> Tensor:
        """Measured values of all windows."""

    def work(self, layout: Layout) -> tuple[Work, Work]:
        """To compile, and per window."""

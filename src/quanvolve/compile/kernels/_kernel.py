"""What every kernel offers."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from quanvolve.compile.tables._handle import Tables


class Kernel(Protocol):
    """A family of computations on a device.

    Its tables are of the class in `compile.tables` that the family's operator names; its tensors those of the operator.
    A family without gradients, such as shots, has no `backward`.
    """

    def supports(self, tables: Tables, *tensors: Tensor) -> bool:
        """Whether it takes these; else the reference in plain torch is run."""

    def forward(self, tables: Tables, *tensors: Tensor) -> Tensor:
        """The result."""

    def backward(
        self, tables: Tables, grad: Tensor, *tensors: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Gradients by those tensors for which they are wanted."""

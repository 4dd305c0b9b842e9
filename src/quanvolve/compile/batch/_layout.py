"""How the circuits of a layer make up its output channels."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """The rows of a layer's weights, and the outputs that are kept.

    Args:
        groups: as in `nn.Conv2d`.
        filters: filters of each group.
        channels: circuits that each filter sums over.
        outputs: output channels of each group; the last filter may measure more than these.
    """

    groups: int
    filters: int
    channels: int
    outputs: int

    @property
    def rows(self) -> int:
        """How many circuits run on each window, all groups together."""
        return self.groups * self.filters * self.channels

    def arrange(self, rows: Tensor) -> Tensor:
        """(rows, measured, numbers) to (groups, outputs, channels, numbers), without the surplus."""
        _, measured, numbers = rows.shape
        split = rows.reshape(self.groups, self.filters, self.channels, measured, numbers)
        merged = split.permute(0, 1, 3, 2, 4).reshape(self.groups, self.filters * measured, self.channels, numbers)
        return merged[:, : self.outputs]

"""Which circuit, weights, scale and window belong to a row of a layer, and which rows to an output channel.

A layer runs one circuit for each row: rows are counted by group, then filter of the group, then circuit that the filter
sums over. Measurement j of filter f is output channel f m + j of its group, m being the values that a circuit measures.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.analysis import Channel, Row
from quanvolve.circuits import Circuit
from quanvolve.compile import Layout
from quanvolve.nn._geometry import Geometry
from quanvolve.nn._limits import whole


class WithRows:
    """The part of a layer that tells of its rows and channels."""

    in_channels: int
    out_channels: int
    groups: int
    channel_mixing: str
    geometry: Geometry
    scale: float | Tensor
    circuits: tuple[Circuit, ...]
    _layout: Layout

    def circuit_weights(self) -> dict[str, Tensor]:
        """The weights by name, each of shape (filters, channels a filter reads, *shape)."""
        return {name: getattr(self, name) for name, _ in self.circuits[0].weight_shapes}

    def rows(self) -> tuple[Row, ...]:
        """What the layer runs on each window: a circuit with its weights for each filter and part of its sum.

        Returns:
            The rows in the order of the weights: by filter, then by the circuits that a filter sums over.

        Examples:
            >>> from quanvolve import Quanv2d
            >>> layer = Quanv2d(2, 6, (1, 4), seed=0)  # four values a circuit: two filters, on two channels each
            >>> [(row.filter, row.in_channels, row.out_channels) for row in layer.rows()]
            [(0, (0,), (0, 1, 2, 3)), (0, (1,), (0, 1, 2, 3)), (1, (0,), (4, 5, None, None)),
             (1, (1,), (4, 5, None, None))]
            >>> last = layer.rows()[-1]
            >>> last.pixels, last.offsets, last.weights["weights"].shape
            (range(4, 8), ((0, 0), (0, 1), (0, 2), (0, 3)), torch.Size([2, 4, 3]))
        """
        return self._rows_of(range(self._layout.rows))

    def channel(self, channel: int) -> Channel:
        """What an output channel consists of.

        Args:
            channel: the number of the output channel, from 0.

        Returns:
            The filter and the measured value that it is, and the rows that are summed; the layer's bias is added to
            this sum.

        Raises:
            QuanvolveError: if the layer has no such channel.

        Examples:
            >>> from quanvolve import Quanv2d
            >>> layer = Quanv2d(2, 6, (1, 4), seed=0)
            >>> last = layer.channel(5)
            >>> last.filter, last.measured, [row.in_channels for row in last.rows]
            (1, 1, [(0,), (1,)])

            Its value on one window, with each circuit run by itself:

            >>> from quanvolve.circuits import simulate
            >>> window = torch.rand(8)  # channel, then row, then column
            >>> total = 0.0
            >>> for row in last.rows:
            ...     angles = (window[list(row.pixels)] * row.scale).tolist()
            ...     weights = {name: weight.detach() for name, weight in row.weights.items()}
            ...     total += simulate(row.circuit, angles, weights)[last.measured]
            >>> bool(abs(total - layer(window.reshape(2, 1, 4))[5].item()) < 1e-5)
            True
        """
        if not whole(channel, 0, self.out_channels - 1):
            raise QuanvolveError(f"`channel` (={channel!r}) must be in 0 to {self.out_channels - 1}")
        layout = self._layout
        group, inside = divmod(int(channel), layout.outputs)
        place, measured = divmod(inside, self.circuits[0].n_outputs)
        filter_ = group * layout.filters + place
        rows = self._rows_of(range(filter_ * layout.channels, (filter_ + 1) * layout.channels))
        return Channel(int(channel), group, filter_, measured, rows)

    def _rows_of(self, numbers: range) -> tuple[Row, ...]:
        layout, geometry = self._layout, self.geometry
        a_group, size, measured = self.in_channels // self.groups, geometry.window_size, self.circuits[0].n_outputs
        reads = a_group if self.channel_mixing == "joint" else 1
        steps = (range(0, n * gap, gap) for n, gap in zip(geometry.kernel_size, geometry.dilation, strict=True))
        offsets = tuple(itertools.product(*steps))
        weights, scale = self.circuit_weights(), self._scale_of_pixels()
        rows = []
        for number in numbers:
            filter_, part = divmod(number, layout.channels)
            group, place = divmod(filter_, layout.filters)
            first = group * a_group + part
            pixels = range(first * size, (first + reads) * size)
            outputs = range(place * measured, (place + 1) * measured)
            rows.append(
                Row(
                    number,
                    group,
                    filter_,
                    part,
                    self.circuits[number if len(self.circuits) > 1 else 0],
                    {name: weight[filter_, part] for name, weight in weights.items()},
                    scale[pixels.start : pixels.stop],
                    tuple(range(first, first + reads)),
                    offsets,
                    pixels,
                    tuple(group * layout.outputs + j if j < layout.outputs else None for j in outputs),
                )
            )
        return tuple(rows)

    def _scale_of_pixels(self) -> Tensor:
        """The factor of every pixel of the window, numbered channel, row, column."""
        shape = (self.in_channels, *self.geometry.kernel_size)
        if isinstance(self.scale, Tensor):
            return self.scale.expand(shape).flatten()
        device = next((weight.device for weight in self.circuit_weights().values()), None)
        return torch.full((math.prod(shape),), self.scale, dtype=torch.float64, device=device)

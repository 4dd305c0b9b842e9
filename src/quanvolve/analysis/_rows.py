"""A row of a layer, and an output channel: what a layer answers when it is asked what it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from quanvolve.circuits import Circuit


@dataclass(frozen=True, eq=False)
class Row:
    """One circuit of a layer, with what it reads and what its values become.

    Attributes:
        number: of the row.
        group: of the input and output channels, as in `nn.Conv2d`.
        filter: its number, counted through all groups: the first index of the layer's weights.
        part: its number among the circuits that the filter sums over: the second index of the layer's weights.
        circuit: what runs.
        weights: by name, in the circuit's own shapes: views of the layer's, which gradients reach.
        scale: what each input is multiplied with to become an angle, shape (inputs,); a view of the layer's scale where
            that is a tensor, else in double precision.
        in_channels: the input channels that it reads.
        offsets: of the pixels that it reads of each of these, from the first pixel of the window, dilation included.
            Its inputs are those of the first channel, then those of the next.
        pixels: the numbers of its inputs among the pixels of the whole window, counted as `unfold` does: channel, then
            row, then column.
        out_channels: the output channel that each of its measured values is added to; None for surplus values, which
            the layer leaves out.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> row = Quanv2d(1, 3, 2, dilation=2, seed=0).rows()[0]
        >>> row.offsets, row.out_channels
        (((0, 0), (0, 2), (2, 0), (2, 2)), (0, 1, 2, None))
    """

    number: int
    group: int
    filter: int
    part: int
    circuit: Circuit = field(repr=False)
    weights: dict[str, Tensor] = field(repr=False)
    scale: Tensor = field(repr=False)
    in_channels: tuple[int, ...]
    offsets: tuple[tuple[int, ...], ...]
    pixels: range
    out_channels: tuple[int | None, ...]


@dataclass(frozen=True, eq=False)
class Channel:
    """One output channel of a layer: the sum of a value over rows, and the bias where the layer has one.

    Attributes:
        number: of the output channel.
        group: it belongs to.
        filter: whose value it is, counted through all groups.
        measured: which of the values that the filter's circuits measure.
        rows: that are summed.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> channel = Quanv2d(1, 6, 2, seed=0).channel(5)  # four values a circuit
        >>> channel.filter, channel.measured, [row.number for row in channel.rows]
        (1, 1, [1])
    """

    number: int
    group: int
    filter: int
    measured: int
    rows: tuple[Row, ...]

"""What may be read of a layer: all that this package's analyses, pictures and citations know of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from torch import Tensor

if TYPE_CHECKING:
    from quanvolve.analysis._formula import Formula
    from quanvolve.analysis._rows import Channel, Row
    from quanvolve.circuits import Circuit
    from quanvolve.compile import Layout, Recipe, Windows


class WindowsView(Protocol):
    """Where the windows of a layer are. Tuples have one number for each spatial axis."""

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """Pixels of a window along each axis."""

    @property
    def window_size(self) -> int:
        """Pixels of a window in one input channel."""

    @property
    def stride(self) -> tuple[int, ...]:
        """Pixels from one window to the next."""

    @property
    def span(self) -> tuple[int, ...]:
        """How far a window reaches, dilation included."""

    def sides(self) -> tuple[tuple[int, int], ...]:
        """Padding before and after each axis."""

    def output_size(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Windows along each axis of an image of this size."""

    def windows(self, images: Tensor, groups: int = 1, joint: bool = False) -> Windows:
        """All windows of images (N, C, *size), padded."""


class LayerView(Protocol):
    """A quantum layer, as far as analyses and pictures look into it.

    :class:`quanvolve.Quanv1d`, `Quanv2d`, `Quanv3d` and `QuantumLinear` have all of it; so may a layer of your own.
    Output channels are numbered by group, in it by filter, and in that by measured value; what the last filter of a
    group measures beyond its channels is left out. A row is a filter on one of the input channels that it sums over.
    """

    # -- what it computes

    @property
    def circuits(self) -> tuple[Circuit, ...]:
        """One circuit that all rows run, each with its own weights; or one for each row."""

    def circuit_weights(self) -> dict[str, Tensor]:
        """The weights by name: shape (filters, input channels that a filter sums over, *the circuit's own)."""

    @property
    def scale(self) -> float | Tensor:
        """What pixels are multiplied with: a tensor broadcasts to (in_channels, *kernel_size)."""

    @property
    def bias(self) -> Tensor | None:
        """What is added to each output channel."""

    @property
    def geometry(self) -> WindowsView:
        """Where its windows are."""

    @property
    def dims(self) -> int:
        """Spatial axes."""

    @property
    def dense(self) -> bool:
        """Whether it takes features and not images."""

    @property
    def in_channels(self) -> int:
        """Of the images."""

    @property
    def out_channels(self) -> int:
        """Of the result."""

    @property
    def groups(self) -> int:
        """Into which input and output channels are divided, as in `nn.Conv2d`."""

    @property
    def channel_mixing(self) -> str:
        """Whether a circuit reads one input channel ("sum") or all of its group ("joint")."""

    @property
    def layout(self) -> Layout:
        """How rows make up output channels."""

    @property
    def filter_shape(self) -> tuple[int, int]:
        """Filters of all groups, and how many circuits each sums over."""

    def rows(self) -> tuple[Row, ...]:
        """The circuits that it runs on each window, with their weights, scales and pixels."""

    def channel(self, channel: int) -> Channel:
        """The rows that an output channel is the sum of.

        Raises:
            QuanvolveError: if there is no such channel.
        """

    # -- what it was made with

    @property
    def circuit_name(self) -> str:
        """Of the ansatz, or of the function."""

    @property
    def encoding_name(self) -> str | None:
        """Of a named circuit's encoding."""

    @property
    def readout_name(self) -> str | None:
        """Of a named circuit's readout."""

    @property
    def trainable(self) -> bool:
        """Whether its weights are trained."""

    @property
    def init(self) -> Any:
        """How its first weights were drawn."""

    @property
    def diff_method(self) -> str:
        """How its gradients are found."""

    @property
    def plan(self) -> str:
        """How it is evaluated, the plan's name and then why."""

    @property
    def recipe(self) -> Recipe:
        """Its encoding.

        Raises:
            PlanError: if that is no product encoding.
        """

    def formula(self, channel: int) -> Formula:
        """The closed form of a channel."""

    # -- as a module

    def __call__(self, images: Tensor) -> Any:
        """The output channels for images (N, in_channels, *size), or without N."""

    def parameters(self) -> Iterator[Tensor]:
        """What is trained: with the buffers it says in which precision, and where, the layer computes."""

    def buffers(self) -> Iterator[Tensor]:
        """Its other tensors."""

    def with_circuits(self, circuits: Sequence[Circuit]) -> Any:
        """A fixed copy, a module of the same kind, whose rows run these circuits with exact values."""

"""The functional twins of the layers, with the arguments of `torch.nn.functional.conv1d/2d/3d`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from quanvolve.circuits import Circuit
from quanvolve.nn._functional import quanv_nd
from quanvolve.nn._geometry import IntOrTuple


def quanv1d(
    input: Tensor,
    weights: Tensor | Mapping[str, Tensor],
    circuit: Circuit | Sequence[Circuit],
    kernel_size: IntOrTuple,
    bias: Tensor | None = None,
    stride: IntOrTuple = 1,
    padding: IntOrTuple | str = 0,
    dilation: IntOrTuple = 1,
    groups: int = 1,
    *,
    scale: float | Tensor = math.pi,
    channel_mixing: str = "sum",
    padding_mode: str = "zeros",
    out_channels: int | None = None,
    engine: str = "auto",
    shots: int | None = None,
) -> Tensor:
    """A quantum convolution over sequences, as a function of sequences and weights.

    Args:
        input: sequences (N, C_in, L) or (C_in, L).
        weights, circuit, kernel_size, bias, stride, padding, dilation, groups: as in :func:`quanv2d`, in one dimension.
        scale, channel_mixing, padding_mode, out_channels, engine, shots: as in :func:`quanv2d`.

    Returns:
        Measured values (N, C_out, L').

    Raises:
        QuanvolveError: if sequences, weights and circuit do not fit each other.

    Examples:
        >>> import torch
        >>> from quanvolve import quanv1d
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = named_circuit("strongly_entangling", n_inputs=3)
        >>> quanv1d(torch.rand(8, 1, 100), torch.rand(2, 1, 2, 3, 3), circuit, kernel_size=3).shape
        torch.Size([8, 6, 98])
    """
    return quanv_nd(
        1, input, weights, circuit, kernel_size, bias, stride, padding, dilation, groups, scale=scale,
        channel_mixing=channel_mixing, padding_mode=padding_mode, out_channels=out_channels, engine=engine, shots=shots,
    )  # fmt: skip


def quanv2d(
    input: Tensor,
    weights: Tensor | Mapping[str, Tensor],
    circuit: Circuit | Sequence[Circuit],
    kernel_size: IntOrTuple,
    bias: Tensor | None = None,
    stride: IntOrTuple = 1,
    padding: IntOrTuple | str = 0,
    dilation: IntOrTuple = 1,
    groups: int = 1,
    *,
    scale: float | Tensor = math.pi,
    channel_mixing: str = "sum",
    padding_mode: str = "zeros",
    out_channels: int | None = None,
    engine: str = "auto",
    shots: int | None = None,
) -> Tensor:
    """A quantum convolution over images, as a function of images and weights.

    Args:
        input: images (N, C_in, H, W) or (C_in, H, W).
        weights: shape (filters, C_in / groups or 1, *shape); by name where the circuit has several.
        circuit: what every filter runs, or one circuit for each row of the weights (filter-major).
        kernel_size: of the window, whose values the circuit reads.
        bias: shape (C_out,).
        stride, padding, dilation, groups: as in `torch.nn.functional.conv2d`.
        scale: what pixels are multiplied with to become the circuit's inputs.
        channel_mixing, padding_mode: as in :class:`quanvolve.Quanv2d`.
        out_channels: keep only so many channels; by default all that are measured.
        engine, shots: as in :class:`quanvolve.Quanv2d`.

    Returns:
        Measured values (N, C_out, H', W').

    Raises:
        QuanvolveError: if images, weights and circuit do not fit each other.

    Examples:
        >>> import torch
        >>> from quanvolve import quanv2d
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = named_circuit("strongly_entangling", n_inputs=4)
        >>> weights = torch.rand(2, 1, 2, 4, 3)
        >>> quanv2d(torch.rand(8, 1, 28, 28), weights, circuit, kernel_size=2, stride=2).shape
        torch.Size([8, 8, 14, 14])
    """
    return quanv_nd(
        2, input, weights, circuit, kernel_size, bias, stride, padding, dilation, groups, scale=scale,
        channel_mixing=channel_mixing, padding_mode=padding_mode, out_channels=out_channels, engine=engine, shots=shots,
    )  # fmt: skip


def quanv3d(
    input: Tensor,
    weights: Tensor | Mapping[str, Tensor],
    circuit: Circuit | Sequence[Circuit],
    kernel_size: IntOrTuple,
    bias: Tensor | None = None,
    stride: IntOrTuple = 1,
    padding: IntOrTuple | str = 0,
    dilation: IntOrTuple = 1,
    groups: int = 1,
    *,
    scale: float | Tensor = math.pi,
    channel_mixing: str = "sum",
    padding_mode: str = "zeros",
    out_channels: int | None = None,
    engine: str = "auto",
    shots: int | None = None,
) -> Tensor:
    """A quantum convolution over volumes, as a function of volumes and weights.

    Args:
        input: volumes (N, C_in, D, H, W) or (C_in, D, H, W).
        weights, circuit, kernel_size, bias, stride, padding, dilation, groups: as in :func:`quanv2d`, in three
            dimensions.
        scale, channel_mixing, padding_mode, out_channels, engine, shots: as in :func:`quanv2d`.

    Returns:
        Measured values (N, C_out, D', H', W').

    Raises:
        QuanvolveError: if volumes, weights and circuit do not fit each other.

    Examples:
        >>> import torch
        >>> from quanvolve import quanv3d
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = named_circuit("basic_entangler", n_inputs=8)
        >>> quanv3d(torch.rand(2, 1, 6, 6, 6), torch.rand(1, 1, 2, 8), circuit, kernel_size=2, stride=2).shape
        torch.Size([2, 8, 3, 3, 3])
    """
    return quanv_nd(
        3, input, weights, circuit, kernel_size, bias, stride, padding, dilation, groups, scale=scale,
        channel_mixing=channel_mixing, padding_mode=padding_mode, out_channels=out_channels, engine=engine, shots=shots,
    )  # fmt: skip

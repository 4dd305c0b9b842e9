"""All windows of all images through a function that takes a block of windows, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from quanvolve.compile.batch._graph import keep_graph
from quanvolve.compile.batch._precision import wide
from quanvolve.compile.batch._windows import Windows

CHUNK_BYTES = 32 * 2**20
"""Memory that the temporaries of one chunk of windows may take on a CPU, whose caches hold little more."""
_SHARE, _MOST, _UNKNOWN = 32, 2**30, 256 * 2**20
"""On a GPU: one part of so many of its memory, at most so many bytes; and where its memory is not known."""

Scale = Tensor | float


def chunk_bytes(device: torch.device) -> int:
    """Memory that the temporaries of one chunk of windows may take on a device.

    A GPU wants many windows at once. What it has in all counts, and not what is free just now, so that the same layer
    always runs in the same chunks.

    Examples:
        >>> chunk_bytes(torch.device("cpu"))
        33554432
    """
    if device.type in ("cpu", "meta"):
        return CHUNK_BYTES
    if device.type != "cuda" or not torch.cuda.is_available():
        return _UNKNOWN
    whole = torch.cuda.get_device_properties(device).total_memory
    return max(CHUNK_BYTES, min(_MOST, whole // _SHARE))


def in_chunks(
    function: Callable[..., Tensor],
    windows: Windows,
    tensors: Sequence[Tensor],
    outputs: int,
    bytes_per_window: int,
    again: bool = True,
) -> Tensor:
    """Apply a function to blocks of windows.

    Args:
        function: called with inputs (images, groups, channels, n_inputs, positions) in double precision and the
            tensors; returns (images, groups, outputs, positions).
        windows: of the images.
        tensors: what else the function differentiates with respect to.
        outputs: of each group.
        bytes_per_window: temporaries of the function for one window.
        again: compute chunks again in the backward pass, where there are several; otherwise their graphs are kept.

    Returns:
        Tensor of shape (images, groups, outputs, *places).
    """
    dims, scale, view = windows.dims, windows.scale, windows.view()
    images, groups = view.shape[:2]
    places = view.shape[3 : 3 + dims]
    leaves = (view, *tensors, *([scale] if isinstance(scale, Tensor) else []))
    if isinstance(images, int) and images == 0:
        return keep_graph(view.new_zeros((images, groups, outputs, *places)), *leaves)

    def on_chunk(piece: Tensor, scale: Scale, *tensors: Tensor) -> Tensor:
        spots = piece.shape[3 : 3 + dims]
        order = (0, 1, 2, *range(3 + dims, piece.dim()), *range(3, 3 + dims))
        inputs = piece.permute(order).reshape(*piece.shape[:3], -1, spots.numel())
        inputs = wide(inputs) * (wide(scale).unsqueeze(-1) if isinstance(scale, Tensor) else scale)
        return torch.unflatten(function(inputs, *tensors), -1, spots)

    if not isinstance(images * places.numel(), int):
        return on_chunk(view, scale, *tensors)  # a size that is unknown while tracing cannot be cut into pieces
    limit = max(1, chunk_bytes(view.device) // max(1, bytes_per_window))
    again = (
        again
        and images * places.numel() > limit
        and torch.is_grad_enabled()
        and any(leaf.requires_grad for leaf in leaves)
        and not torch._C._are_functorch_transforms_active()
    )

    def call(piece: Tensor) -> Tensor:
        if again:
            # Recomputing a chunk in the backward pass keeps memory bounded there too.
            values: Any = checkpoint(on_chunk, piece, scale, *tensors, use_reentrant=False)
            return values  # type: ignore[no-any-return]
        return on_chunk(piece, scale, *tensors)

    return _walk(call, view, (0, *range(3, 3 + dims)), limit)


def _walk(call: Callable[[Tensor], Tensor], windows: Tensor, axes: tuple[int, ...], limit: int) -> Tensor:
    """Split along the first axis, and where one slice is still too large, along the next ones."""
    axis, *rest = axes
    unit = 1
    for other in rest:
        unit *= windows.shape[other]
    if unit <= limit or not rest:
        pieces = windows.split(max(1, limit // unit), dim=axis)
        values = [call(piece) for piece in pieces]
    else:
        values = [_walk(call, piece, tuple(rest), limit) for piece in windows.split(1, dim=axis)]
    return values[0] if len(values) == 1 else torch.cat(values, dim=axis)

"""Density matrices of all windows as one call of a program that `torch.compile` makes.

A circuit with noise is hundreds of small steps. A compiler that sees each of them takes minutes and gains little, so it
sees one operator, which runs them in plain torch, in bounded memory; its gradient computes them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from quanvolve.compile.batch._rows import RowWeights, tensors_of
from quanvolve.compile.batch._tracing import traced, transforming
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.reference._density import density
from quanvolve.compile.tables._density_windows import DensityWindows

_LEFT_OUT = (
    "ADInplaceOrView",
    "AutogradFunctionality",
    "AutogradOther",
    "FuncTorchBatched",
    "FuncTorchBatchedDecomposition",
    "FuncTorchDynamicLayerBackMode",
    "FuncTorchDynamicLayerFrontMode",
    "FuncTorchGradWrapper",
    "FuncTorchVmapMode",
)
"""Keys of the dispatcher, without autocast's: angles are computed in full precision."""

_library = torch.library.Library("quanvolve", "FRAGMENT")
_library.define("density(Tensor images, Tensor[] tensors, int tables) -> Tensor")
_library.define("density_backward(Tensor grad, Tensor images, Tensor[] tensors, int tables) -> Tensor[]")


def as_one_call(*tensors: Tensor) -> bool:
    """Whether a program that contains the operator is being made: not an exported one, which is torch's own alone."""
    return traced(*tensors) and not transforming() and not torch.compiler.is_exporting()


def density_call(tables: DensityWindows, compiled: Sequence[RowWeights], windows: Windows) -> Tensor:
    """As :func:`quanvolve.compile.reference._density.density`, by the operator."""
    scales = [windows.scale] if isinstance(windows.scale, Tensor) else []
    called: Tensor = torch.ops.quanvolve.density(windows.images, [*tensors_of(compiled), *scales], tables.handle)
    return called


def _values(tables: DensityWindows, images: Tensor, tensors: Sequence[Tensor]) -> Tensor:
    scale: Tensor | float = tensors[-1] if tables.scale is None else tables.scale
    size = 1 + len(tables.circuits[0].circuit.weight_shapes)
    starts = range(0, size * len(tables.circuits), size)
    rows = [RowWeights(tensors[start], tuple(tensors[start + 1 : start + size])) for start in starts]
    return density(tables.circuits, rows, Windows.on(images, tables.grid, tables.layout.groups, scale), tables.layout)


def _as_outside() -> AbstractContextManager[None]:
    """Let autograd and `torch.func` in, which torch's dispatcher leaves out while an operator runs."""
    keys = torch._C.DispatchKey
    excluded = torch._C._dispatch_tls_local_exclude_set()
    for key in _LEFT_OUT:
        excluded = excluded.remove(getattr(keys, key))
    guard: AbstractContextManager[None] = torch._C._ForceDispatchKeyGuard(
        torch._C._dispatch_tls_local_include_set(), excluded
    )
    return guard


def _forward(images: Tensor, tensors: list[Tensor], handle: int) -> Tensor:
    with _as_outside(), torch.no_grad():
        return _values(DensityWindows.of(handle), images, tensors).contiguous()


def _backward(grad: Tensor, images: Tensor, tensors: list[Tensor], handle: int) -> list[Tensor]:
    with _as_outside(), torch.enable_grad():
        leaves = [tensor.detach().requires_grad_() for tensor in (images, *tensors)]
        out = _values(DensityWindows.of(handle), leaves[0], leaves[1:])
        gradients = torch.autograd.grad(out, leaves, grad, allow_unused=True)
    return [
        torch.zeros_like(leaf, memory_format=torch.contiguous_format) if gradient is None else gradient.contiguous()
        for gradient, leaf in zip(gradients, leaves, strict=True)
    ]


def _fake(images: Tensor, tensors: list[Tensor], handle: int) -> Tensor:
    tables = DensityWindows.of(handle)
    places = tables.grid.places(tuple(images.shape[2:]))
    return tensors[0].new_empty((images.shape[0], tables.layout.groups, tables.layout.outputs, *places))


def _fake_backward(grad: Tensor, images: Tensor, tensors: list[Tensor], handle: int) -> list[Tensor]:
    return [tensor.new_empty(tensor.shape) for tensor in (images, *tensors)]


def _remember(ctx: Any, inputs: tuple[Tensor, list[Tensor], int], output: Tensor) -> None:
    images, tensors, handle = inputs
    ctx.save_for_backward(images, *tensors)
    ctx.tables = DensityWindows.of(handle)  # the layer may be gone when the gradient is taken


def _gradients(ctx: Any, grad: Tensor) -> tuple[Tensor, list[Tensor], None]:
    images, *tensors = ctx.saved_tensors
    gradients = torch.ops.quanvolve.density_backward(grad, images, tensors, ctx.tables.handle)
    return gradients[0], gradients[1:], None


_library.impl("density", _forward, "CompositeExplicitAutograd")
_library.impl("density_backward", _backward, "CompositeExplicitAutograd")
torch.library.register_fake("quanvolve::density", _fake)
torch.library.register_fake("quanvolve::density_backward", _fake_backward)
torch.library.register_autograd("quanvolve::density", _gradients, setup_context=_remember)

"""The networks of all windows as an operator of torch, run by the compiled kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile import kernels
from quanvolve.compile.batch._layout import Layout
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.ops._registry import circuit_of, key_of
from quanvolve.compile.ops._switch import usable
from quanvolve.compile.reference._network import sweep_windows
from quanvolve.compile.tables._chains import Chains, chains_of
from quanvolve.compile.tables._features import feature_table, kernel_tables
from quanvolve.compile.tables._network_tables import network_tables, work

_STATIC = "float scale, str[] circuits, int[] layout, int[] kernel, int[] stride, int[] dilation, bool joint"
_library = torch.library.Library("quanvolve", "FRAGMENT")
_library.define(f"network(Tensor images, Tensor numbers, {_STATIC}) -> Tensor")
_library.define(
    f"network_backward(Tensor grad, Tensor images, Tensor numbers, {_STATIC}, bool to_images) -> (Tensor, Tensor)"
)
_LIGHT = 20_000
"""Products that are worth another thread."""


def fused_network(chains: Sequence[Chains], numbers: Tensor, windows: Windows, layout: Layout) -> Tensor | None:
    """Measured values of all windows, or None where plain torch must compute them.

    Args:
        chains, numbers, windows, layout: as in :func:`sweep_windows`.

    Returns:
        Tensor of shape (images, groups, outputs, *places).
    """
    if isinstance(windows.scale, Tensor) or not usable(windows.images, numbers):
        return None
    if feature_table(chains[0]) is None:
        return None
    if isinstance(windows.images.shape[0], int) and not windows.images.shape[0]:
        return None
    found: Tensor = torch.ops.quanvolve.network.default(
        windows.images,
        numbers,
        windows.scale,
        [key_of(one.circuit) for one in chains],
        [layout.groups, layout.filters, layout.channels, layout.outputs],
        windows.kernel_size,
        windows.stride,
        windows.dilation,
        windows.joint,
    )
    return found


def _parse(images: Tensor, static: tuple[Any, ...]) -> tuple[tuple[Chains, ...], Layout, Windows]:
    scale, circuits, layout, kernel, stride, dilation, joint = static
    windows = Windows(images, tuple(kernel), tuple(stride), tuple(dilation), layout[0], joint, scale)
    return tuple(chains_of(circuit_of(key)) for key in circuits), Layout(*layout), windows


def _prepare(images: Tensor, numbers: Tensor, static: tuple[Any, ...]) -> tuple[tuple[Any, ...], int, Windows]:
    """The arguments of the kernels, and how much work an image is."""
    chains, layout, windows = _parse(images, static)
    joined = images.shape[1] // layout.groups if windows.joint else 1
    size = tuple(images.shape[2:])
    tables = kernel_tables(
        chains[0], size, windows.kernel_size, windows.stride, windows.dilation, joined, float(static[0])
    )[1]
    flat = images.detach().contiguous().reshape(len(images), -1).numpy()
    step = flat.shape[1] // images.shape[1] * joined
    shape = np.array([layout.groups, layout.filters, layout.channels, chains[0].circuit.n_outputs], np.int64)
    given = numbers.detach().contiguous().numpy()
    products = sum(work(one) for one in chains) * (layout.rows if len(chains) == 1 else 1) * len(tables[-1])
    return (flat, step, shape, given, *network_tables(chains, layout), *tables[3:]), products, windows


def _forward(images: Tensor, numbers: Tensor, *static: Any) -> Tensor:
    from quanvolve.compile.kernels.numba._launch import launch, threads

    kernel = kernels.network()
    given, products, windows = _prepare(images, numbers, static)
    groups, _, _, outputs = static[2]
    places = given[-1]
    out = torch.empty((len(images), groups, outputs, *windows.places), dtype=numbers.dtype)
    tasks = len(images) * groups
    pieces = max(1, min(4 * threads() // tasks, len(places) // 256))
    parts = 1 if products * len(images) < _LIGHT else min(4 * threads(), tasks * pieces)
    flat = out.numpy().reshape(len(images), groups, outputs, -1)
    launch(kernel.forward, kernel.forward_parallel, parts, *given, pieces, flat)
    return out


def _backward(grad: Tensor, images: Tensor, numbers: Tensor, *static: Any) -> tuple[Tensor, Tensor]:
    from quanvolve.compile.kernels.numba._launch import launch, shares

    *static_, to_images = static
    kernel = kernels.network()
    given, products, _ = _prepare(images, numbers, tuple(static_))
    groups, _, _, outputs = static[2]
    places, kept = given[-1], given[3]
    tasks = len(images) * groups
    total = products * len(images)
    parts = 1 if total < _LIGHT else shares(total, tasks * max(1, len(places) // 256), kept.nbytes)
    pieces = 1 if tasks >= parts else min(parts, max(1, len(places) // 256))
    parts = min(parts, tasks * pieces)
    d_out = grad.detach().contiguous().reshape(len(images), groups, outputs, -1).numpy()
    d_numbers = np.zeros((parts, len(kept)), kept.dtype)
    d_images = np.zeros((pieces if to_images else 0, len(images), given[0].shape[1]), kept.dtype)
    launch(kernel.backward, kernel.backward_parallel, parts, *given, pieces, d_out, d_numbers, d_images)
    found = images.new_empty(0)
    if to_images:
        found = torch.from_numpy(d_images[0] if pieces == 1 else d_images.sum(0)).reshape(images.shape).to(images.dtype)
    return found, torch.from_numpy(d_numbers[0] if parts == 1 else d_numbers.sum(0))


_library.impl("network", _forward, "CPU")
_library.impl("network_backward", _backward, "CPU")


@torch.library.register_fake("quanvolve::network")  # type: ignore[untyped-decorator]
def _shape(images: Tensor, numbers: Tensor, *static: Any) -> Tensor:
    _, layout, windows = _parse(images, static)
    return numbers.new_empty((images.shape[0], layout.groups, layout.outputs, *windows.places))


@torch.library.register_fake("quanvolve::network_backward")  # type: ignore[untyped-decorator]
def _shapes(grad: Tensor, images: Tensor, numbers: Tensor, *static: Any) -> tuple[Tensor, Tensor]:
    return images.new_empty(images.shape if static[-1] else (0,)), torch.empty_like(numbers)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:2])
    ctx.static = inputs[2:]


def _gradients(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    images, numbers = ctx.saved_tensors
    wanted = ctx.needs_input_grad[:2]
    found = torch.ops.quanvolve.network_backward.default(grad, images, numbers, *ctx.static, wanted[0])
    return (*(f if want else None for f, want in zip(found, wanted, strict=True)), *(None,) * len(ctx.static))


def _remember_backward(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    ctx.save_for_backward(*inputs[:3])
    ctx.static, ctx.to_images = inputs[3:-1], inputs[-1]


def _second(ctx: Any, d_images: Tensor | None, d_numbers: Tensor | None) -> tuple[Any, ...]:
    """Derivatives of the gradients: through the reference in plain torch, which torch differentiates twice."""
    with torch.enable_grad():
        leaves = [tensor.detach().requires_grad_() for tensor in ctx.saved_tensors]
        grad, images, numbers = leaves
        chains, layout, windows = _parse(images, ctx.static)
        out = sweep_windows(chains, numbers, windows, layout)
        targets = [images, numbers] if ctx.to_images else [numbers]
        given = [d_images, d_numbers] if ctx.to_images else [d_numbers]
        first = torch.autograd.grad(out, targets, grad, create_graph=True)
        pairs = [(f, d) for f, d in zip(first, given, strict=True) if d is not None and f.requires_grad]
        found: Sequence[Tensor | None] = (None,) * 3
        if pairs:
            found = torch.autograd.grad([f for f, _ in pairs], leaves, [d for _, d in pairs], allow_unused=True)
    return (*found, *(None,) * (len(ctx.static) + 1))


torch.library.register_autograd("quanvolve::network", _gradients, setup_context=_remember)
torch.library.register_autograd("quanvolve::network_backward", _second, setup_context=_remember_backward)

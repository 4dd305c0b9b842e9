"""The polynomial of all windows as an operator of torch, run by the compiled kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile import kernels
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.ops._registry import circuit_of, key_of
from quanvolve.compile.ops._switch import usable
from quanvolve.compile.reference._evaluate import evaluate
from quanvolve.compile.tables._features import FeatureTable, feature_table, kernel_tables, padded
from quanvolve.compile.tables._products import products
from quanvolve.compile.tables._recipe import Recipe, compile_circuit

_GEOMETRY = "float scale, str[] circuits, int[] kernel, int[] stride, int[] dilation, bool joint"
_library = torch.library.Library("quanvolve", "FRAGMENT")
_library.define(f"polynomial(Tensor images, Tensor coefficients, {_GEOMETRY}) -> Tensor")
_library.define(
    f"polynomial_backward(Tensor grad, Tensor images, Tensor coefficients, {_GEOMETRY}, bool to_images, "
    "bool to_coefficients) -> (Tensor, Tensor)"
)
_SMALL = 16_384
"""Places that are worth a task of their own."""
_LIGHT = 20_000
"""Products of a number and a coefficient that are worth another thread."""


def fused(recipes: tuple[Recipe, ...], coefficients: Tensor, windows: Windows) -> Tensor | None:
    """Measured values of all windows, or None where plain torch must do it.

    Args:
        recipes: one for all rows of the weights, or one for each; they share their encoding.
        coefficients: shape (groups, outputs, channels, features).
        windows: which must have a number for `scale`.
    """
    if isinstance(windows.scale, Tensor) or not usable(windows.images, coefficients):
        return None
    if feature_table(recipes[0]) is None:
        return None
    if isinstance(windows.images.shape[0], int) and not windows.images.shape[0]:
        return None
    flat: Tensor = torch.ops.quanvolve.polynomial.default(
        windows.images,
        coefficients,
        windows.scale,
        [key_of(recipe.circuit) for recipe in recipes],
        windows.kernel_size,
        windows.stride,
        windows.dilation,
        windows.joint,
    )
    return flat


def _windows(images: Tensor, coefficients: Tensor, geometry: tuple[Any, ...]) -> tuple[Recipe, Windows]:
    scale, circuits, kernel, stride, dilation, joint = geometry
    found = Windows(images, tuple(kernel), tuple(stride), tuple(dilation), coefficients.shape[0], joint, scale)
    return compile_circuit(circuit_of(circuits[0])), found


def _prepare(images: Tensor, coefficients: Tensor, geometry: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...], int]:
    """The module of kernels to use, their arguments, and how much work an image is."""
    scale, circuits, kernel, stride, dilation, joint = geometry
    groups, outputs, channels, _ = coefficients.shape
    joined = images.shape[1] // groups if joint else 1
    size = tuple(images.shape[2:])
    recipes = tuple(compile_circuit(circuit_of(circuit)) for circuit in circuits)
    table, (split, sizes, starts, *given) = kernel_tables(
        recipes[0], size, tuple(kernel), tuple(stride), tuple(dilation), joined, scale
    )
    flat = images.detach().contiguous().reshape(len(images), -1).numpy()
    step = flat.shape[1] // images.shape[1] * joined
    n_places = len(given[-1])
    few = products(recipes, groups, outputs, channels)
    if few is None:
        kept = _padded(table, coefficients)
        return kernels.dense(), (flat, step, kept, split, sizes, starts, *given), kept.size * n_places
    kept = coefficients.detach().contiguous().numpy()
    lists = (few.nodes, few.node_runs, few.terms, few.term_runs)
    return kernels.sparse(), (flat, step, kept, *lists, *given), 4 * (len(few.nodes) + len(few.terms)) * n_places


def _padded(table: FeatureTable, coefficients: Tensor) -> Any:
    """Coefficients with room for whole tiles: (groups, outputs, channels, left products, right products)."""
    from quanvolve.compile.kernels.numba._tile import ROWS

    groups, outputs, channels, _ = coefficients.shape
    given = coefficients.detach().reshape(groups, outputs, channels, table.left, table.right).numpy()
    shape = (groups, padded(outputs, ROWS), channels, table.left, padded(table.right, ROWS))
    if shape == given.shape:
        return np.ascontiguousarray(given)
    room = np.zeros(shape, given.dtype)
    room[:, :outputs, :, :, : table.right] = given
    return room


def _forward(images: Tensor, coefficients: Tensor, *geometry: Any) -> Tensor:
    from quanvolve.compile.kernels.numba._launch import launch, threads

    kernel, given, work = _prepare(images, coefficients, geometry)
    places = given[-1]
    groups, outputs = coefficients.shape[:2]
    grid = _windows(images, coefficients, geometry)[1].places
    out = torch.empty((len(images), groups, outputs, *grid), dtype=coefficients.dtype)
    tasks = len(images) * groups
    pieces = max(1, min(len(places) // _SMALL, 64), min(4 * threads() // tasks, len(places) // 256))
    parts = 1 if work * len(images) < _LIGHT else min(4 * threads(), tasks * pieces)
    flat = out.numpy().reshape(len(images), groups, outputs, -1)
    launch(kernel.forward, kernel.forward_parallel, parts, *given, pieces, flat)
    return out


def _backward(grad: Tensor, images: Tensor, coefficients: Tensor, *geometry: Any) -> tuple[Tensor, Tensor]:
    from quanvolve.compile.kernels.numba._launch import launch, shares

    *geometry_, to_images, to_coefficients = geometry
    kernel, given, work = _prepare(images, coefficients, tuple(geometry_))
    kept, places = given[2], given[-1]
    groups, outputs = coefficients.shape[:2]
    tasks = len(images) * groups
    total = work * len(images)
    parts = 1 if total < _LIGHT else shares(total, tasks * max(1, len(places) // 256), kept.nbytes)
    pieces = 1 if tasks >= parts else min(parts, max(1, len(places) // 256))
    parts = min(parts, tasks * pieces)
    d_out = grad.detach().contiguous().reshape(len(images), groups, outputs, -1).numpy()
    d_kept = np.zeros((parts if to_coefficients else 0, *kept.shape), kept.dtype)
    d_images = np.zeros((pieces if to_images else 0, len(images), given[0].shape[1]), kept.dtype)
    launch(kernel.backward, kernel.backward_parallel, parts, *given, pieces, d_out, d_kept, d_images)
    found_c = coefficients.new_empty(0)
    if to_coefficients:
        whole = d_kept[0] if parts == 1 else d_kept.sum(0)
        if whole.ndim == 5:
            whole = whole[:, :outputs, :, :, : coefficients.shape[3] // whole.shape[3]]
        found_c = torch.from_numpy(np.ascontiguousarray(whole).reshape(coefficients.shape))
    found_i = images.new_empty(0)
    if to_images:
        found_i = (
            torch.from_numpy(d_images[0] if pieces == 1 else d_images.sum(0)).reshape(images.shape).to(images.dtype)
        )
    return found_i, found_c


_library.impl("polynomial", _forward, "CPU")
_library.impl("polynomial_backward", _backward, "CPU")


@torch.library.register_fake("quanvolve::polynomial")  # type: ignore[untyped-decorator]
def _shape(images: Tensor, coefficients: Tensor, *geometry: Any) -> Tensor:
    _, windows = _windows(images, coefficients, geometry)
    return coefficients.new_empty((images.shape[0], *coefficients.shape[:2], *windows.places))


@torch.library.register_fake("quanvolve::polynomial_backward")  # type: ignore[untyped-decorator]
def _shapes(grad: Tensor, images: Tensor, coefficients: Tensor, *geometry: Any) -> tuple[Tensor, Tensor]:
    to_images, to_coefficients = geometry[-2:]
    return (
        images.new_empty(images.shape if to_images else (0,)),
        coefficients.new_empty(coefficients.shape if to_coefficients else (0,)),
    )


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:2])
    ctx.geometry = inputs[2:]


def _gradients(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    images, coefficients = ctx.saved_tensors
    wanted = ctx.needs_input_grad[:2]
    found = torch.ops.quanvolve.polynomial_backward.default(grad, images, coefficients, *ctx.geometry, *wanted)
    return (*(f if want else None for f, want in zip(found, wanted, strict=True)), *(None,) * len(ctx.geometry))


def _remember_backward(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    ctx.save_for_backward(*inputs[:3])
    ctx.geometry, ctx.wanted = inputs[3:-2], inputs[-2:]


def _second(ctx: Any, d_images: Tensor | None, d_coefficients: Tensor | None) -> tuple[Any, ...]:
    """Derivatives of the gradients: through the reference in plain torch, which torch differentiates twice."""
    with torch.enable_grad():
        leaves = [tensor.detach().requires_grad_() for tensor in ctx.saved_tensors]
        grad, images, coefficients = leaves
        recipe, windows = _windows(images, coefficients, ctx.geometry)
        out = evaluate(recipe, coefficients, windows)
        targets = [t for t, want in zip((images, coefficients), ctx.wanted, strict=True) if want]
        given = [d for d, want in zip((d_images, d_coefficients), ctx.wanted, strict=True) if want]
        first = torch.autograd.grad(out, targets, grad, create_graph=True)
        pairs = [(f, d) for f, d in zip(first, given, strict=True) if d is not None and f.requires_grad]
        found: Sequence[Tensor | None] = (None,) * 3
        if pairs:
            found = torch.autograd.grad([f for f, _ in pairs], leaves, [d for _, d in pairs], allow_unused=True)
    return (*found, *(None,) * (len(ctx.geometry) + 2))


torch.library.register_autograd("quanvolve::polynomial", _gradients, setup_context=_remember)
torch.library.register_autograd("quanvolve::polynomial_backward", _second, setup_context=_remember_backward)

"""Weights and images to values in one step of autograd: the coefficients of all filters, then their polynomials.

A small training step spends more time in the nodes of autograd between the two than in either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from quanvolve.compile import kernels
from quanvolve.compile.ops._switch import kernels_on, unwatched
from quanvolve.compile.tables._filters import FilterTables


class Steps(NamedTuple):
    """What is computed.

    Args:
        tables: by the kernel.
        composed: the same from images and weights, one operator after the other.
    """

    tables: FilterTables
    composed: Callable[[Tensor, Sequence[Tensor]], Tensor]


def filters(steps: Steps, images: Tensor, weights: Sequence[Tensor]) -> Tensor | None:
    """Values (images, groups * outputs, *places), or None where no kernel computes them in one go.

    Args:
        steps: what is computed.
        images: padded, shape (N, channels, *size).
        weights: in the circuit's order, each of shape (filters, channels, *shape).
    """
    tensors = (images, *weights)
    if not (unwatched(tensors) and kernels_on(tensors) and kernels.exists("filters", images.device.type)):
        return None
    if not _kernel(images).supports(steps.tables, images, weights[0]):
        return None
    values: Tensor = _Filters.apply(steps, images, *weights)  # type: ignore[no-untyped-call]
    return values


def _kernel(images: Tensor) -> Any:
    return kernels.kernel("filters", images.device.type)


class _Filters(torch.autograd.Function):
    """Values by the kernel, with their gradients."""

    @staticmethod
    def forward(ctx: Any, steps: Steps, images: Tensor, *weights: Tensor) -> Tensor:
        """Values."""
        values: Tensor
        values, ctx.numbers = _kernel(images).forward(steps.tables, images, _flat(weights))
        ctx.steps = steps
        ctx.save_for_backward(images, *weights)
        return values

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients; those that are differentiated again are of operators that can be."""
        steps, (images, *weights) = ctx.steps, ctx.saved_tensors
        wanted = ctx.needs_input_grad[1:]
        if torch.is_grad_enabled() or not unwatched((grad, images, *weights)):
            return (None, *_again(steps, grad, images, weights, wanted))
        to_images, to_flat = _kernel(images).backward(
            steps.tables, grad, images, _flat(weights), ctx.numbers, wanted[0]
        )
        return (None, to_images, *_parted(to_flat, weights, wanted[1:]))


def _flat(weights: Sequence[Tensor]) -> Tensor:
    """All weights of each row, shape (rows, numbers)."""
    parts = [weight.detach().reshape(weight.shape[0] * weight.shape[1], -1) for weight in weights]
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def _parted(flat: Tensor, weights: Sequence[Tensor], wanted: Sequence[bool]) -> list[Tensor | None]:
    """Each weight's part of gradients (rows, numbers)."""
    if len(weights) == 1:
        return [flat.view(weights[0].shape)]
    parts = flat.split([weight[0, 0].numel() for weight in weights], 1)
    return [part.reshape(w.shape) if want else None for part, w, want in zip(parts, weights, wanted, strict=True)]


def _again(
    steps: Steps, grad: Tensor, images: Tensor, weights: Sequence[Tensor], wanted: Sequence[bool]
) -> Sequence[Tensor | None]:
    """Gradients of the composed operators, which torch differentiates again."""
    onwards = torch.is_grad_enabled()
    with torch.enable_grad():
        values = steps.composed(images, weights)
        targets = [tensor for tensor, want in zip((images, *weights), wanted, strict=True) if want]
        gradients = iter(torch.autograd.grad(values, targets, grad, create_graph=onwards, allow_unused=True))
    return [next(gradients) if want else None for want in wanted]

"""Weights and images to values in one step of autograd: the coefficients of all filters, then their polynomials.

A small training step spends more time in the nodes of autograd between the two than in either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from quanvolve.compile.batch._rows import arranged, of_rows
from quanvolve.compile.ops._coefficients import coefficients
from quanvolve.compile.ops._polynomial import polynomial
from quanvolve.compile.ops._switch import unwatched
from quanvolve.compile.tables._coefficients import CoefficientTables
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._polynomial import PolynomialTables


class Steps(NamedTuple):
    """What is computed.

    Args:
        coefficients, polynomial: the tables of either operator.
        layout: of the rows.
        measured: values that each of them measures.
        composed: the same from images and weights, one operator after the other.
    """

    coefficients: CoefficientTables
    polynomial: PolynomialTables
    layout: Layout
    measured: int
    composed: Callable[[Tensor, Sequence[Tensor]], Tensor]


def filters(steps: Steps, images: Tensor, weights: Sequence[Tensor]) -> Tensor | None:
    """Values (images, groups * outputs, *places), or None where kernels do not compute them in one go.

    Args:
        steps: what is computed.
        images: padded, shape (N, channels, *size).
        weights: in the circuit's order, each of shape (rows, ...).
    """
    if not unwatched((images, *weights)) or not (coefficients.on(*weights) and polynomial.on(images, *weights)):
        return None
    values: Tensor = _Filters.apply(steps, images, *weights)  # type: ignore[no-untyped-call]
    return values


class _Filters(torch.autograd.Function):
    """Values by two kernels, with their gradients."""

    @staticmethod
    def forward(ctx: Any, steps: Steps, images: Tensor, *weights: Tensor) -> Tensor:
        """Values by the kernels."""
        rows = coefficients.kernel(weights).forward(steps.coefficients, _flat(weights))
        numbers = arranged(rows, steps.layout)
        values = polynomial.kernel(weights).forward(steps.polynomial, images, numbers)
        ctx.steps, ctx.numbers = steps, numbers
        ctx.save_for_backward(images, *weights)
        shape = len(images), -1, *values.shape[3:]
        own: Tensor = torch.ops.aten._unsafe_view.default(values, shape)
        return own

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients by the kernels; those that are differentiated again, by operators that can be."""
        steps, (images, *weights) = ctx.steps, ctx.saved_tensors
        wanted = ctx.needs_input_grad[1:]
        if torch.is_grad_enabled() or not unwatched((grad, images, *weights)):
            return (None, *_again(steps, grad, images, weights, wanted))
        grad = grad.unflatten(1, (steps.layout.groups, steps.layout.outputs))
        to_images, to_numbers = polynomial.kernel(weights).backward(
            steps.polynomial, grad, images, ctx.numbers, wanted=(wanted[0], any(wanted[1:]))
        )
        if to_numbers is None:
            return (None, to_images, *(None for _ in weights))
        flat = _flat(weights)
        to_rows = of_rows(to_numbers, steps.layout, steps.measured)
        (to_flat,) = coefficients.kernel(weights).backward(steps.coefficients, to_rows, flat, wanted=(True,))
        assert to_flat is not None
        return (None, to_images, *_parted(to_flat, weights, wanted[1:]))


def _flat(weights: Sequence[Tensor]) -> Tensor:
    """All weights of each row, shape (rows, numbers)."""
    parts = [weight.detach().flatten(1) for weight in weights]
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def _parted(flat: Tensor, weights: Sequence[Tensor], wanted: Sequence[bool]) -> list[Tensor | None]:
    """Each weight's part of gradients (rows, numbers)."""
    if len(weights) == 1:
        return [flat.reshape(weights[0].shape)]
    parts = flat.split([weight[0].numel() for weight in weights], 1)
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

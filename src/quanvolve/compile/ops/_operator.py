"""Operators of torch: declared once for each family, with shape, gradient and second derivative.

An operator takes tensors, and the number of the tables that say what is computed of them. torch's dispatcher picks the
kernel by the tensors' device; where no kernel takes them, the reference in plain torch runs instead. Second derivatives
are those of the reference, which torch differentiates twice.

The dispatcher runs through Python several times for each call, which costs small batches as much as the kernel does, so
that plain tensors that nobody watches go to the kernel without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from quanvolve.compile import kernels
from quanvolve.compile.ops._switch import kernels_on, unwatched
from quanvolve.compile.tables._handle import Tables

Own = TypeVar("Own", bound=Tables)

_library = torch.library.Library("quanvolve", "FRAGMENT")


class Operator(Generic[Own]):
    """A family of kernels as an operator that torch differentiates twice, compiles and traces.

    Args:
        family: its name, `quanvolve::family`.
        kind: of its tables.
        tensors: names of its tensors, all of which gradients flow to.
        shape: of the result, from the tables and the tensors; the number type is that of the last tensor.
        reference: the same in plain torch, from the tables and the tensors.
        differentiable: whether gradients flow to the tensors.
    """

    def __init__(
        self,
        family: str,
        kind: type[Own],
        tensors: Sequence[str],
        shape: Callable[..., Sequence[int]],
        reference: Callable[..., Tensor],
        differentiable: bool = True,
    ) -> None:
        self.family, self.kind, self.count = family, kind, len(tensors)
        self.shape, self.reference, self.differentiable = shape, reference, differentiable
        self._declare(", ".join(f"Tensor {name}" for name in tensors))
        if differentiable:
            self._declare_gradients(", ".join(f"Tensor {name}" for name in tensors))

    def _declare(self, arguments: str) -> None:
        _library.define(f"{self.family}({arguments}, int tables) -> Tensor")
        for device in kernels.devices(self.family):
            _library.impl(self.family, self._forward_on(device), device.upper())
        torch.library.register_fake(f"quanvolve::{self.family}", self._fake)
        self._call = getattr(torch.ops.quanvolve, self.family).default

    def _declare_gradients(self, arguments: str) -> None:
        back = f"{self.family}_backward"
        _library.define(f"{back}(Tensor grad, {arguments}, int tables, bool[] wanted) -> Tensor[]")
        for device in kernels.devices(self.family):
            _library.impl(back, self._backward_on(device), device.upper())
        torch.library.register_fake(f"quanvolve::{back}", self._fake_backward)
        torch.library.register_autograd(f"quanvolve::{self.family}", self._gradients, setup_context=self._remember)
        torch.library.register_autograd(f"quanvolve::{back}", self._second, setup_context=self._remember_backward)
        self._call_backward = getattr(torch.ops.quanvolve, back).default

    def __call__(self, tables: Own, *tensors: Tensor) -> Tensor:
        """By the kernel of the tensors' device, or in plain torch where there is none for them."""
        return self.call(tables, *tensors) if self.takes(tables, *tensors) else self.reference(tables, *tensors)

    def call(self, tables: Own, *tensors: Tensor) -> Tensor:
        """By the kernel, which must take the tensors."""
        if not unwatched(tensors):
            result: Tensor = self._call(*tensors, tables.handle)
        elif self.differentiable and torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
            result = _Direct.apply(self, tables, *tensors)  # type: ignore[no-untyped-call]
        else:
            result = self.kernel(tensors).forward(tables, *tensors)
        return result

    def gradients(
        self, tables: Own, grad: Tensor, tensors: tuple[Tensor, ...], wanted: tuple[bool, ...]
    ) -> Sequence[Tensor | None]:
        """By the kernel, which must take the tensors; None where a gradient is not wanted."""
        if torch.is_grad_enabled() or not unwatched((grad, *tensors)):  # the gradient may be differentiated itself
            gradients = self._call_backward(grad, *tensors, tables.handle, list(wanted))
            return [gradient if want else None for gradient, want in zip(gradients, wanted, strict=True)]
        return self.kernel(tensors).backward(tables, grad, *tensors, wanted=wanted)

    def on(self, *tensors: Tensor) -> bool:
        """Whether kernels may run now and there is one for these tensors' device."""
        return kernels_on(tensors) and kernels.exists(self.family, tensors[0].device.type)

    def takes(self, tables: Own, *tensors: Tensor) -> bool:
        """Whether a kernel computes this."""
        return self.on(*tensors) and self.kernel(tensors).supports(tables, *tensors)

    def kernel(self, tensors: Sequence[Tensor]) -> kernels.Kernel:
        """That of the tensors' device."""
        return kernels.kernel(self.family, tensors[0].device.type)

    # -- what torch calls --------------------------------------------------------------------------------------------

    def _forward_on(self, device: str) -> Callable[..., Tensor]:
        def forward(*arguments: Any) -> Tensor:
            *tensors, handle = arguments
            return kernels.kernel(self.family, device).forward(self.kind.of(handle), *tensors)

        return forward

    def _backward_on(self, device: str) -> Callable[..., list[Tensor]]:
        def backward(grad: Tensor, *arguments: Any) -> list[Tensor]:
            *tensors, handle, wanted = arguments
            kernel = kernels.kernel(self.family, device)
            gradients = kernel.backward(self.kind.of(handle), grad, *tensors, wanted=tuple(wanted))
            pairs = zip(gradients, tensors, strict=True)
            return [tensor.new_empty(0) if gradient is None else gradient for gradient, tensor in pairs]

        return backward

    def _fake(self, *arguments: Any) -> Tensor:
        *tensors, handle = arguments
        return tensors[-1].new_empty(self.shape(self.kind.of(handle), *tensors))  # type: ignore[no-any-return]

    def _fake_backward(self, grad: Tensor, *arguments: Any) -> list[Tensor]:
        *tensors, _, wanted = arguments
        return [tensor.new_empty(tensor.shape if want else (0,)) for tensor, want in zip(tensors, wanted, strict=True)]

    def _remember(self, ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        *tensors, handle = inputs
        ctx.save_for_backward(*tensors)
        ctx.tables = self.kind.of(handle)  # the layer may be gone when the gradient is taken

    def _gradients(self, ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        wanted = tuple(ctx.needs_input_grad[: self.count])
        return (*self.gradients(ctx.tables, grad, ctx.saved_tensors, wanted), None)

    def _remember_backward(self, ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        *tensors, handle, wanted = inputs
        ctx.save_for_backward(*tensors)
        ctx.tables, ctx.wanted = self.kind.of(handle), tuple(wanted)

    def _second(self, ctx: Any, grads: Sequence[Tensor | None]) -> tuple[Tensor | None, ...]:
        """Derivatives of the gradients by the gradient of the result and by the tensors."""
        none = (None,) * (self.count + 3)
        with torch.enable_grad():
            leaves = [tensor.detach().requires_grad_() for tensor in ctx.saved_tensors]
            grad, *tensors = leaves
            out = self.reference(ctx.tables, *tensors)
            targets = [tensor for tensor, want in zip(tensors, ctx.wanted, strict=True) if want]
            wanted_grads = [outer for outer, want in zip(grads, ctx.wanted, strict=True) if want]
            first = torch.autograd.grad(out, targets, grad, create_graph=True, allow_unused=True)
            pairs = [
                (gradient, weight)
                for gradient, weight in zip(first, wanted_grads, strict=True)
                if gradient is not None and weight is not None and gradient.requires_grad
            ]
            if not pairs:
                return none
            outputs, weights = [gradient for gradient, _ in pairs], [weight for _, weight in pairs]
            derivatives = torch.autograd.grad(outputs, leaves, weights, allow_unused=True)
        return (*derivatives, None, None)


class _Direct(torch.autograd.Function):
    """A kernel's values with its gradients."""

    @staticmethod
    def forward(ctx: Any, operator: Operator[Own], tables: Own, *tensors: Tensor) -> Tensor:
        """Values by the kernel."""
        ctx.operator, ctx.tables = operator, tables
        ctx.save_for_backward(*tensors)
        return operator.kernel(tensors).forward(tables, *tensors)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients by the kernel."""
        wanted = tuple(ctx.needs_input_grad[2:])
        return (None, None, *ctx.operator.gradients(ctx.tables, grad, ctx.saved_tensors, wanted))

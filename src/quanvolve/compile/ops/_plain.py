"""Plain torch as one call of a program that `torch.compile` makes.

A circuit that no kernel runs is hundreds of small steps. A compiler that sees each of them takes minutes, again for
every size of batches, and gains little; so it sees one operator, which runs them in bounded memory; its gradient
computes them again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from quanvolve.compile.batch._tracing import traced, transforming
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.tables._handle import Tables
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._recent import Recent

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
_library.define("plain(Tensor[] tensors, int tables) -> Tensor")
_library.define("plain_backward(Tensor grad, Tensor[] tensors, int tables) -> Tensor[]")


def as_one_call(*tensors: Tensor) -> bool:
    """Whether a program that contains the operator is being made: not an exported one, which is torch's own alone."""
    return traced(*tensors) and not transforming() and not torch.compiler.is_exporting()


def plain(call: PlainCall, tensors: Sequence[Tensor]) -> Tensor:
    """What the call computes, by the operator."""
    called: Tensor = torch.ops.quanvolve.plain(list(tensors), call.handle)
    return called


class PlainCall(Tables):
    """A differentiable function of tensors.

    Args:
        run: the function.
        shape: of its result, from the same tensors, of which only shapes are known.
        dtype: of its result; None for that of the last of the tensors.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Tensor]], Tensor],
        shape: Callable[[Sequence[Tensor]], tuple[int, ...]],
        dtype: torch.dtype | None = None,
    ) -> None:
        self.run, self.shape, self.dtype = run, shape, dtype


class WindowCalls:
    """What a plan computes of windows, as calls that are made once for each size of windows and layout.

    Args:
        what_for: whatever determines the plan, with a `repr` that says all of it.
        evaluate: computes it from tensors of the plan, windows and layout.
        shape: of what is computed, from the layout, the number of images and that of places along each axis; that of
            measured values, (images, groups, outputs, *places), if none is given.
        dtype: likewise; that of the last of the tensors, if none is given.
    """

    def __init__(
        self,
        what_for: object,
        evaluate: Callable[[Sequence[Tensor], Windows, Layout], Tensor],
        shape: Callable[[Layout, int, tuple[int, ...]], tuple[int, ...]] | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        self._what_for, self._evaluate, self._dtype = what_for, evaluate, dtype
        self._shape = shape or _of_values
        self._calls = Recent[PlainCall]()

    def __call__(self, tensors: Sequence[Tensor], windows: Windows, layout: Layout) -> Tensor:
        """The plan's values, by the operator."""
        fixed = None if isinstance(windows.scale, Tensor) else windows.scale
        scales = [windows.scale] if isinstance(windows.scale, Tensor) else []
        grid = windows.grid

        def run(given: Sequence[Tensor]) -> Tensor:
            images, *rest = given
            scale = rest.pop(0) if fixed is None else fixed
            return self._evaluate(rest, Windows.on(images, grid, layout.groups, scale), layout)

        def shape(given: Sequence[Tensor]) -> tuple[int, ...]:
            images = given[0].shape
            return self._shape(layout, images[0], grid.places(tuple(images[2:])))

        key = (layout, grid, fixed, len(tensors))
        call = self._calls.get(
            key, lambda: PlainCall.shared((self._what_for, *key), lambda: PlainCall(run, shape, self._dtype))
        )
        return plain(call, [windows.images, *scales, *tensors])


def _of_values(layout: Layout, images: int, places: tuple[int, ...]) -> tuple[int, ...]:
    return (images, layout.groups, layout.outputs, *places)


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


def _forward(tensors: list[Tensor], handle: int) -> Tensor:
    with _as_outside(), torch.no_grad():
        return PlainCall.of(handle).run(tensors).contiguous()


def _backward(grad: Tensor, tensors: list[Tensor], handle: int) -> list[Tensor]:
    with _as_outside(), torch.enable_grad():
        leaves = [tensor.detach().requires_grad_() for tensor in tensors]
        out = PlainCall.of(handle).run(leaves)
        gradients = torch.autograd.grad(out, leaves, grad, allow_unused=True)
    return [
        torch.zeros_like(leaf, memory_format=torch.contiguous_format) if gradient is None else gradient.contiguous()
        for gradient, leaf in zip(gradients, leaves, strict=True)
    ]


def _fake(tensors: list[Tensor], handle: int) -> Tensor:
    call = PlainCall.of(handle)
    return tensors[-1].new_empty(call.shape(tensors), dtype=call.dtype)


def _fake_backward(grad: Tensor, tensors: list[Tensor], handle: int) -> list[Tensor]:
    return [tensor.new_empty(tensor.shape) for tensor in tensors]


def _remember(ctx: Any, inputs: tuple[list[Tensor], int], output: Tensor) -> None:
    tensors, handle = inputs
    ctx.save_for_backward(*tensors)
    ctx.call = PlainCall.of(handle)  # the layer may be gone when the gradient is taken


def _gradients(ctx: Any, grad: Tensor) -> tuple[list[Tensor], None]:
    return torch.ops.quanvolve.plain_backward(grad, list(ctx.saved_tensors), ctx.call.handle), None


_library.impl("plain", _forward, "CompositeExplicitAutograd")
_library.impl("plain_backward", _backward, "CompositeExplicitAutograd")
torch.library.register_fake("quanvolve::plain", _fake)
torch.library.register_fake("quanvolve::plain_backward", _fake_backward)
torch.library.register_autograd("quanvolve::plain", _gradients, setup_context=_remember)

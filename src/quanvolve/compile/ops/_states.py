"""State vectors of all windows as an operator of torch, run by the compiled kernels, with adjoint gradients."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve.circuits import Circuit
from quanvolve.compile import kernels
from quanvolve.compile.batch._precision import wide
from quanvolve.compile.ops._registry import circuit_of, key_of
from quanvolve.compile.ops._switch import usable
from quanvolve.compile.tables._steps import kernel_arguments, supported

_library = torch.library.Library("quanvolve", "FRAGMENT")
_library.define("states(Tensor values, Tensor weights, str[] circuits, int filters) -> Tensor")
_library.define(
    "states_backward(Tensor grad, Tensor values, Tensor weights, str[] circuits, int filters) -> (Tensor, Tensor)"
)
_SMALL = 2_000
"""Amplitudes times gates that are worth another thread."""


def fused_states(circuits: Sequence[Circuit], values: Tensor, weights: Tensor, filters: int) -> Tensor | None:
    """Measured values of all windows, or None where plain torch must compute them.

    Args:
        circuits: one for all rows of the weights, or one for each.
        values: what angles read, shape (groups, channels, values, windows).
        weights: flat, shape (groups * filters * channels, numbers); one row where there are none.
        filters: of each group.

    Returns:
        Tensor of shape (groups, filters, measured, windows), summed over the channels.
    """
    if not usable(values, weights) or not all(supported(circuit) for circuit in circuits):
        return None
    found: Tensor = torch.ops.quanvolve.states.default(wide(values), weights, [key_of(c) for c in circuits], filters)
    return found


_PHASES, _OBSERVED = 7, 15
"""Where these are among the arguments of the kernels."""


@lru_cache(maxsize=256)
def _arguments(key: str, single: bool) -> tuple[Any, ...]:
    """The kernels' arguments in the precision of the states."""
    given = list(kernel_arguments(circuit_of(key)))
    if single:
        given[_PHASES] = given[_PHASES].astype(np.float32)
        room = given[_OBSERVED].base.astype(np.float32)
        given[_OBSERVED] = room[: given[_OBSERVED].size].reshape(given[_OBSERVED].shape)
    return tuple(given)


def _walk(values: Any, weights: Any, circuits: Sequence[str], filters: int) -> Any:
    """For each circuit: what of the values and weights it reads, where its outputs go, and its arguments."""
    groups, channels = values.shape[:2]
    rows = groups * filters * channels
    single = weights.dtype == np.float32
    if len(circuits) == 1:
        flat = np.broadcast_to(weights, (rows, weights.shape[1])) if len(weights) == 1 else weights
        yield (
            slice(None),
            slice(None),
            slice(0, rows),
            filters,
            _arguments(circuits[0], single),
            np.ascontiguousarray(flat),
        )
        return
    for number, key in enumerate(circuits):
        group, rest = divmod(number, filters * channels)
        own = weights[min(number, len(weights) - 1)][None]
        place = slice(rest // channels, rest // channels + 1)
        yield (
            (slice(group, group + 1), slice(rest % channels, rest % channels + 1)), place, slice(number, number + 1), 1,
            _arguments(key, single), np.ascontiguousarray(own),
        )  # fmt: skip


def _work(values: Any, filters: int, arguments: tuple[Any, ...]) -> tuple[int, int]:
    """Amplitudes times gates, and the tasks that the kernels may be cut into."""
    groups, channels, _, windows = values.shape
    work = groups * channels * filters * windows * 2 ** arguments[0] * (len(arguments[1]) + 2)
    return work, groups * -(-windows // 16)


def _parts(values: Any, filters: int, arguments: tuple[Any, ...], threads: int) -> int:
    work, tasks = _work(values, filters, arguments)
    return 1 if work < _SMALL else min(threads, tasks)


def _forward(values: Tensor, weights: Tensor, circuits: Sequence[str], filters: int) -> Tensor:
    from quanvolve.compile.kernels.numba._launch import launch, threads

    kernel = kernels.states()
    given, flat = values.detach().contiguous().numpy(), weights.detach().contiguous().numpy()
    groups, _, _, windows = given.shape
    measured = circuit_of(circuits[0]).n_outputs
    out = np.zeros((groups, filters, measured, windows), flat.dtype)
    for which, place, _, own_filters, arguments, own in _walk(given, flat, circuits, filters):
        if len(circuits) == 1:
            parts = _parts(given, filters, arguments, 4 * threads())
            launch(kernel.forward, kernel.forward_parallel, parts, given, own, own_filters, *arguments, out)
            continue
        some = np.ascontiguousarray(given[which])
        one = np.empty((1, 1, measured, windows), flat.dtype)
        parts = _parts(some, 1, arguments, 4 * threads())
        launch(kernel.forward, kernel.forward_parallel, parts, some, own, own_filters, *arguments, one)
        out[which[0], place] += one
    return torch.from_numpy(out)


def _backward(
    grad: Tensor, values: Tensor, weights: Tensor, circuits: Sequence[str], filters: int
) -> tuple[Tensor, Tensor]:
    from quanvolve.compile.kernels.numba._launch import launch, shares

    kernel = kernels.states()
    given, flat = values.detach().contiguous().numpy(), weights.detach().contiguous().numpy()
    d_out = grad.detach().contiguous().numpy()
    d_values, d_flat = np.zeros_like(given), np.zeros_like(flat)
    for which, place, _rows, own_filters, arguments, own in _walk(given, flat, circuits, filters):
        whole = len(circuits) == 1
        some = given if whole else np.ascontiguousarray(given[which])
        to = d_values if whole else np.zeros_like(some)
        of = d_out if whole else np.ascontiguousarray(d_out[which[0], place])
        work, tasks = _work(some, own_filters, arguments)
        parts = 1 if work < _SMALL else shares(work, tasks, 8 * own.size)
        found = np.zeros((parts, *own.shape))
        launch(kernel.backward, kernel.backward_parallel, parts, some, own, own_filters, *arguments, of, to, found)
        total = found.sum(0)
        if whole:
            d_flat += total.sum(0, keepdims=True) if len(flat) == 1 else total
        else:
            d_values[which] += to
            d_flat[min(_rows.start, len(flat) - 1)] += total[0]
    return torch.from_numpy(d_values), torch.from_numpy(d_flat)


_library.impl("states", _forward, "CPU")
_library.impl("states_backward", _backward, "CPU")


@torch.library.register_fake("quanvolve::states")  # type: ignore[untyped-decorator]
def _fake(values: Tensor, weights: Tensor, circuits: Sequence[str], filters: int) -> Tensor:
    return weights.new_empty((values.shape[0], filters, circuit_of(circuits[0]).n_outputs, values.shape[3]))


@torch.library.register_fake("quanvolve::states_backward")  # type: ignore[untyped-decorator]
def _fake_backward(
    grad: Tensor, values: Tensor, weights: Tensor, circuits: Sequence[str], filters: int
) -> tuple[Tensor, Tensor]:
    return torch.empty_like(values), torch.empty_like(weights)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:2])
    ctx.others = inputs[2:]


def _gradients(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    found = torch.ops.quanvolve.states_backward.default(grad, *ctx.saved_tensors, *ctx.others)
    return (*found, None, None)


def _remember_backward(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    ctx.save_for_backward(*inputs[:3])
    ctx.others = inputs[3:]


def _second(ctx: Any, d_values: Tensor, d_weights: Tensor) -> tuple[Any, ...]:
    """Derivatives of the gradients: through the reference in plain torch, which torch differentiates twice."""
    from quanvolve.compile.plans._statevector import reference

    with torch.enable_grad():
        leaves = [tensor.detach().requires_grad_() for tensor in ctx.saved_tensors]
        grad, values, weights = leaves
        circuits = [circuit_of(key) for key in ctx.others[0]]
        out = reference(circuits, values, weights, ctx.others[1])
        first = torch.autograd.grad(out, (values, weights), grad, create_graph=True, allow_unused=True)
        pairs = [(f, d) for f, d in zip(first, (d_values, d_weights), strict=True) if f is not None and f.requires_grad]
        found: Sequence[Tensor | None] = (None,) * 3
        if pairs:
            found = torch.autograd.grad([f for f, _ in pairs], leaves, [d for _, d in pairs], allow_unused=True)
    return (*found, None, None)


torch.library.register_autograd("quanvolve::states", _gradients, setup_context=_remember)
torch.library.register_autograd("quanvolve::states_backward", _second, setup_context=_remember_backward)

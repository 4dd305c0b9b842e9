"""Gradients: against finite differences, for inputs and weights."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from quanvolve.testing._report import Result
from quanvolve.testing._subject import Subject

_failed = partial(Result, "gradients", False)

_STEP = 1e-5
_DRAWS = 3


def check_gradients(layer: nn.Module, **where: Any) -> Result:
    """Compare automatic differentiation with central differences along random directions.

    A module may be piecewise constant in its inputs, as with threshold encodings; in trainable weights it may not.

    Args:
        layer: any module that takes (N, C, *size) to (N, channels, *places).
        where: arguments of :class:`Subject`.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> check_gradients(Quanv2d(1, 4, 2, seed=0)).passed
        True
    """
    subject = Subject(layer, **where)
    images = subject.images(2)
    weights = {name: p for name, p in subject.module.named_parameters() if p.requires_grad}
    probe = images.clone().requires_grad_()
    with torch.random.fork_rng(devices=[]):
        out = subject.module(probe)
    if not out.requires_grad:
        return _failed("the output has no gradient graph: something between input and output is detached")
    generator = torch.Generator().manual_seed(1)
    direction = torch.rand(out.shape, generator=generator, dtype=torch.float64).to(out.dtype) - 0.5
    leaves = [probe, *weights.values()]
    gradients = torch.autograd.grad((out * direction).sum(), leaves, allow_unused=True)
    step = _STEP if subject.dtype == torch.float64 else 1e-2
    for name, leaf, gradient in zip(("inputs", *weights), leaves, gradients, strict=True):
        problem = _compare(subject, images, direction, name, leaf, gradient, step)
        if problem:
            return _failed(problem)
    return Result("gradients", True, f"inputs and {len(weights)} weight tensor(s) agree with finite differences")


def _compare(
    subject: Subject, images: Tensor, direction: Tensor, name: str, leaf: Tensor, gradient: Tensor | None, step: float
) -> str | None:
    generator = torch.Generator().manual_seed(2)
    moved = 0.0
    for _ in range(_DRAWS):
        along = (torch.rand(leaf.shape, generator=generator, dtype=torch.float64) - 0.5).to(leaf.dtype)

        def value(t: float, along: Tensor = along) -> float:
            return float((_at(subject, images, name, leaf, along, t) * direction).sum())

        slope, finer = ((value(h) - value(-h)) / (2 * h) for h in (step, step / 2))
        if abs(slope - finer) > 1e-3 * (1 + abs(slope)) and subject.dtype == torch.float64:
            continue  # a jump lies between: the differences say nothing here
        exact = 0.0 if gradient is None else float((gradient * along).sum())
        if abs(exact - slope) > (1e-5 if subject.dtype == torch.float64 else 5e-2) * (1 + abs(slope)):
            what = "is missing (None)" if gradient is None else f"gives {exact:.6g}"
            return f"along a direction of {name} the gradient {what}, finite differences give {slope:.6g}"
        moved = max(moved, abs(value(1.0) - value(0.0)))
    nothing = gradient is None or not bool(gradient.abs().max() > 1e-12)
    if name != "inputs" and nothing and moved > 1e-3:
        return (
            f"the gradient of {name} is zero although larger steps change the output: it is piecewise constant, as "
            "with an arg-max readout, and cannot be trained"
        )
    return None


def _at(subject: Subject, images: Tensor, name: str, leaf: Tensor, along: Tensor, t: float) -> Tensor:
    if name == "inputs":
        return subject.run(images + t * along)
    with torch.no_grad():
        before = leaf.detach().clone()
        leaf.add_(t * along)
        try:
            return subject.run(images)
        finally:
            leaf.copy_(before)

"""One verdict: does the layer that captured a function give its values and gradients, as a QNode of torch does?"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pennylane as qp
import torch
from torch import Tensor

from quanvolve import Quanv2d
from quanvolve._errors import QuanvolveError

EQUAL, DIFFERENT, REFUSED, CRASHED, NOT_RUN = "equal", "different", "refused", "crashed", "not run"
VALUE, GRADIENT, SLOPE = 1e-7, 1e-6, 1e-4
"""Tolerances, of 1 and what is compared; the last where a gradient is found by finite differences."""


@dataclass(frozen=True)
class Verdict:
    """What came out, and for a difference or a refusal what there is to say about it.

    "crashed": something else was raised than one of this package's errors. "not run": `default.qubit` itself has no
    value on any of the windows.
    """

    kind: str
    message: str = ""


@dataclass(frozen=True)
class _Point:
    """A window with weights, and the value and gradients that `default.qubit` has there."""

    window: Tensor
    draw: int
    values: Tensor
    gradients: dict[str, Tensor]
    otherwise: Tensor | None = None
    """What it gives where nothing wants gradients, if that is something else: PennyLane then takes other ways, such as
    a decomposition in place of a matrix. Its values contradict each other, and either is accepted."""


def windows(n_inputs: int, rng: np.random.Generator) -> list[Tensor]:
    """In [0, 1], on both sides of it, negative, bytes, zeros, some zeros, and about one half."""
    pixels = rng.uniform(0.0, 1.0, n_inputs)
    drawn = [
        pixels,
        rng.uniform(-4.0, 4.0, n_inputs),
        -rng.uniform(0.0, 4.0, n_inputs),
        np.floor(rng.uniform(0.0, 256.0, n_inputs)),
        np.zeros(n_inputs),
        np.where(np.arange(n_inputs) % 2 == 0, 0.0, pixels),
        0.5 + rng.uniform(-0.1, 0.1, n_inputs),
        np.full(n_inputs, 255.0),
    ]
    return [torch.tensor(window) for window in drawn]


def judge(
    function: Callable[..., Any],
    n_inputs: int,
    weight_shapes: Mapping[str, Any] | None = None,
    *,
    closed_over: Sequence[Tensor] = (),
    of: Sequence[Tensor] | None = None,
    reference: Callable[..., Any] | None = None,
    seed: int = 0,
) -> Verdict:
    """Compare values, and gradients of inputs and weights, on several windows with two draws of the weights.

    Args:
        function: what is captured, or a QNode.
        n_inputs: the size of its windows.
        weight_shapes: as `TorchLayer` takes them.
        closed_over: tensors that want gradients and that the function uses without taking them.
        of: the windows, if not those of :func:`windows`.
        reference: the function that `default.qubit` runs, if another.
        seed: of the windows, the weights and the direction in which gradients are taken.
    """
    rng = np.random.default_rng(seed)
    shapes = {name: _shape(size) for name, size in (weight_shapes or {}).items()}
    drawn = windows(n_inputs, rng) if of is None else list(of)
    draws = [{name: torch.tensor(rng.uniform(-s, s, shape)) for name, shape in shapes.items()} for s in (3.0, 0.7)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        points, failure = _reference(reference or function, drawn, draws, closed_over)
        if not points:
            return Verdict(NOT_RUN, failure)
        try:
            layer = Quanv2d(
                1,
                points[0].values.numel(),
                (1, n_inputs),
                circuit=function,
                weight_shapes=weight_shapes,
                dtype=torch.float64,
            )
        except QuanvolveError as error:
            return Verdict(REFUSED, str(error))
        except Exception as error:
            return Verdict(CRASHED, f"capture fails with {type(error).__name__}: {_first_line(error)}")
        for draw in range(len(draws)):
            for finite in (True, False):
                group = [p for p in points if p.draw == draw and _finite(p) == finite]
                said = _compare(layer, group, draws[draw], closed_over, finite, reference or function)
                if said:
                    return Verdict(DIFFERENT, said)
    return Verdict(EQUAL)


def _compare(
    layer: Quanv2d,
    points: list[_Point],
    weights: Mapping[str, Tensor],
    closed_over: Sequence[Tensor],
    differentiable: bool,
    function: Callable[..., Any],
) -> str:
    """Where the layer and `default.qubit` differ, or nothing."""
    if not points:
        return ""
    with torch.no_grad():
        for name, weight in weights.items():
            getattr(layer, name).copy_(weight)
    images = torch.stack([point.window for point in points])[:, None, None, :].requires_grad_()
    try:
        values = layer(images)[:, :, 0, 0]
    except Exception as error:
        return f"the layer fails with {type(error).__name__}: {_first_line(error)}"
    for k, ours in enumerate(values):
        said = _apart(points[k].values, ours.detach(), VALUE + _slack(points[k]))
        other = points[k].otherwise
        if said and other is not None and not _apart(other, ours.detach(), VALUE):
            points[k] = _numerical(points[k], weights, function)
        elif said:
            return f"on the window {_shown(points[k].window)} values {said}"
    if not differentiable:
        return ""
    directions = torch.stack([_direction(values.shape[1]) for _ in points])
    parameters = {name: getattr(layer, name) for name in weights}
    parameters |= _additional(layer, weights, closed_over)
    wanted = [images, *parameters.values()]
    ours = torch.autograd.grad((values * directions).sum(), wanted, allow_unused=True, materialize_grads=True)
    for point, gradient in zip(points, ours[0][:, 0, 0, :], strict=True):
        said = _apart(point.gradients["inputs"], gradient, GRADIENT + _slack(point))
        if said and _apart(_slopes(function, [point], weights, "inputs"), gradient, SLOPE):
            return f"on the window {_shown(point.window)} gradients of inputs {said}"
    slack = sum(_slack(point) * (1 + _largest(point.gradients[name])) for point in points for name in parameters)
    for (name, parameter), gradient in zip(parameters.items(), ours[1:], strict=True):
        expected = torch.as_tensor(sum(point.gradients[name] for point in points))
        said = _apart(expected.reshape(-1), gradient.reshape(-1), GRADIENT + slack)
        if said and (
            name not in weights or _apart(_slopes(function, points, weights, name), gradient.reshape(-1), SLOPE)
        ):
            return f"gradients of {name} (of shape {tuple(parameter.shape)}) {said}"
    return ""


def _numerical(point: _Point, weights: Mapping[str, Tensor], function: Callable[..., Any]) -> _Point:
    slopes = {name: _slopes(function, [point], weights, name) for name in ("inputs", *weights)}
    return replace(point, gradients={**point.gradients, **slopes})


def _additional(layer: Quanv2d, weights: Mapping[str, Tensor], closed_over: Sequence[Tensor]) -> dict[str, Any]:
    """The parameters that the layer made of tensors which the function closes over, known by their values."""
    rest = {name: p for name, p in layer.named_parameters() if name not in weights}
    chosen = {}
    for number, tensor in enumerate(closed_over):
        for name, parameter in rest.items():
            same = parameter.numel() == tensor.numel()
            if same and torch.allclose(parameter.detach().reshape(-1), tensor.detach().double().reshape(-1)):
                chosen[f"closed over {number}"] = rest.pop(name)
                break
        else:
            chosen[f"closed over {number}"] = torch.full((tensor.numel(),), torch.nan, requires_grad=True)
    return chosen


def _reference(
    function: Callable[..., Any],
    drawn: list[Tensor],
    draws: list[dict[str, Tensor]],
    closed_over: Sequence[Tensor],
) -> tuple[list[_Point], str]:
    """All windows on which `default.qubit` has a value, with the draws of weights by turns, and why it has none."""
    points, failure, batched = [], "", False
    for number, window in enumerate(drawn):
        draw = number % len(draws)
        x = window.clone().requires_grad_()
        weights = {name: weight.clone().requires_grad_() for name, weight in draws[draw].items()}
        try:
            try:
                values = _run(function, x[None] if batched else x, weights)
            except IndexError:
                if batched:
                    raise
                values = _run(function, x[None], weights)  # written for a batch of windows
                batched = True
            if not bool(values.isfinite().all()):
                continue
            gradients = _gradients(values, {"inputs": x, **weights}, closed_over)
            plain = _plain(function, window, draws[draw])
        except Exception as error:
            failure = failure or f"{type(error).__name__}: {_first_line(error)}"
            continue
        point = _Point(window, draw, values.detach(), gradients)
        if _apart(point.values, plain, VALUE + _slack(point)):
            point = replace(point, otherwise=plain)
        points.append(point)
    return points, failure


def _plain(function: Callable[..., Any], window: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """What `default.qubit` gives where nothing wants gradients."""
    with torch.no_grad():
        try:
            return _run(function, window, weights, None)
        except IndexError:
            return _run(function, window[None], weights, None)


def _slopes(function: Callable[..., Any], points: list[_Point], weights: Mapping[str, Tensor], name: str) -> Tensor:
    """The gradient by one argument, summed over points, by central differences: at kinks it is of no use."""
    step, total = 1e-5, None
    for point in points:
        arguments = {"inputs": point.window, **weights}
        flat = arguments[name].reshape(-1)
        slopes = torch.zeros_like(flat)
        for k in range(len(flat)):
            ends = []
            for side in (step, -step):
                moved = flat.clone()
                moved[k] += side
                given = {**arguments, name: moved.reshape(arguments[name].shape)}
                values = _plain(function, given.pop("inputs"), given)
                ends.append(float((values * _direction(values.numel())).sum()))
            slopes[k] = (ends[0] - ends[1]) / (2 * step)
        total = slopes if total is None else total + slopes
    return torch.zeros(()) if total is None else total


def _gradients(values: Tensor, leaves: Mapping[str, Tensor], closed_over: Sequence[Tensor]) -> dict[str, Tensor]:
    named = {**leaves, **{f"closed over {number}": tensor for number, tensor in enumerate(closed_over)}}
    if not values.requires_grad:
        return {name: torch.zeros_like(leaf) for name, leaf in named.items()}
    total = (values * _direction(values.numel())).sum()
    found = torch.autograd.grad(total, list(named.values()), allow_unused=True, materialize_grads=True)
    return {name: gradient.detach() for name, gradient in zip(named, found, strict=True)}


def _run(
    function: Callable[..., Any], inputs: Tensor, weights: Mapping[str, Tensor], method: str | None = "backprop"
) -> Tensor:
    node = function
    if not isinstance(function, qp.QNode):
        node = qp.QNode(function, qp.device("default.qubit"), interface="torch", diff_method=method)
    values = torch.cat([torch.as_tensor(part).reshape(-1) for part in _flat(node(inputs=inputs, **weights))])
    if values.is_complex():
        raise TypeError("complex values")
    return values.double()


def _flat(values: Any) -> list[Any]:
    if isinstance(values, dict):
        return [leaf for part in values.values() for leaf in _flat(part)]
    return [leaf for part in values for leaf in _flat(part)] if isinstance(values, list | tuple) else [values]


def _slack(point: _Point) -> float:
    """What the last digits of large angles may change: the value's slope, times the error of what the angles read."""
    return (
        1e3
        * torch.finfo(torch.float64).eps
        * float((point.gradients["inputs"] * point.window).nan_to_num().abs().sum())
    )


def _largest(gradient: Tensor) -> float:
    return float(gradient.abs().max()) if gradient.numel() else 0.0


def _apart(theirs: Tensor, ours: Tensor, tolerance: float) -> str:
    if theirs.shape != ours.shape:
        return f"have the shape {tuple(ours.shape)}, default.qubit's {tuple(theirs.shape)}"
    far = ~((theirs - ours).abs() <= tolerance * (1 + theirs.abs()))
    if not bool(far.any()):
        return ""
    place = int(far.reshape(-1).int().argmax())
    return f"are {float(ours.reshape(-1)[place]):.9g}, default.qubit's {float(theirs.reshape(-1)[place]):.9g}"


def _direction(n_values: int) -> Tensor:
    return torch.cos(1.0 + 2.3 * torch.arange(n_values, dtype=torch.float64))


def _finite(point: _Point) -> bool:
    return all(bool(gradient.isfinite().all()) for gradient in point.gradients.values())


def _shape(size: Any) -> tuple[int, ...]:
    if isinstance(size, int | np.integer):
        return () if size == 1 else (int(size),)
    return tuple(int(extent) for extent in size)


def _shown(window: Tensor) -> str:
    return "[" + ", ".join(f"{value:.4g}" for value in window.tolist()) + "]"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["no message"])[0]

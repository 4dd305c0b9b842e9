"""Where each angle of a traced circuit comes from: an affine function of inputs and weights, or else a program."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.description import PROGRAM, Angle, Gate, Preparation, Program, Recorder

PREPARE = "prepare"
_TOLERANCE = 1e-9
_PROGRAM_TOLERANCE = 1e-7


@dataclass(frozen=True)
class Traced:
    """One vocabulary gate of one run, with its angle still a tensor, and the user's operation it came from.

    The name "prepare" stands for a state preparation, whose "angle" is the vector of amplitudes.
    """

    name: str
    wires: tuple[Any, ...]
    angle: Tensor | float | None
    origin: str


def describe(
    base: list[Traced],
    others: list[list[Traced]],
    points: list[dict[str, Tensor]],
    index: Mapping[Any, int],
    recorder: Recorder,
) -> tuple[tuple[Gate, ...], Preparation | None, Program | None]:
    """Gates with their angles, from runs on several points.

    Args:
        base: the run on the first point, which was recorded.
        others: the runs on the other points.
        points: inputs and weights of every run.
        index: the wire index of every wire label.
        recorder: what recorded the first run.

    Raises:
        CaptureError: if an angle depends on inputs or weights in a way that cannot be followed.
    """
    wanted: list[tuple[Tensor, int, str]] = []
    tests: list[tuple[list[Traced], int]] = []
    angles: list[Angle | int | None] = []
    preparation: tuple[tuple[int, ...], list[int]] | None = None
    n_inputs = points[0]["inputs"].numel()
    for position, gate in enumerate(base):
        same = [gate, *(other[position] for other in others)]
        if gate.name == PREPARE:
            values = _plain_amplitudes(same, points)
            if values is None:
                state = gate.angle
                if not isinstance(state, Tensor):
                    raise CaptureError(f"{gate.origin} prepares a constant state: use gates for it")
                values = [n_inputs + len(wanted) + k for k in range(state.numel())]
                for k in range(state.numel()):
                    wanted.append((state, k, f"{gate.origin}, in the amplitude of basis state {k},"))
                    tests.append((same, k))
            preparation = (tuple(index[wire] for wire in gate.wires), values)
            angles.append(None)
            continue
        if gate.angle is None:
            angles.append(None)
            continue
        affine = _affine(points, [traced.angle for traced in same])
        if affine is None:
            if not isinstance(gate.angle, Tensor):
                raise CaptureError(
                    f"{gate.origin} has an angle that changes with inputs or weights although it is a plain number, "
                    f"in its {gate.name} on wire {gate.wires[0]}: use functions of torch, without taking numbers out "
                    "of tensors"
                )
            angles.append(len(wanted))
            wanted.append(
                (gate.angle, 0, f"{gate.origin} has an angle, in its {gate.name} on wire {gate.wires[0]}, that")
            )
            tests.append((same, 0))
        else:
            angles.append(affine)
    program = recorder.program(wanted) if wanted else None
    if program is not None:
        _check(program, tests, points)
        for gate in base:
            if gate.name == PREPARE and preparation is not None:
                _require_no_weights(gate, [k - n_inputs for k in preparation[1] if k >= n_inputs], program)
    gates = []
    for gate, angle in zip(base, angles, strict=True):
        if gate.name == PREPARE:
            continue
        if isinstance(angle, int):
            assert program is not None
            value = program.values[angle]
            reads = value.reads_inputs
            angle = Angle(0.0, ((n_inputs + angle, 1.0),)) if reads else Angle(0.0, (), ((PROGRAM, angle, 1.0),))
        gates.append(Gate(gate.name, tuple(index[wire] for wire in gate.wires), angle))
    prepared = None if preparation is None else Preparation(preparation[0], tuple(preparation[1]))
    return tuple(gates), prepared, program


def _require_no_weights(gate: Traced, amplitudes: list[int], program: Program) -> None:
    if any(program.values[k].reads_weights for k in amplitudes):
        raise CaptureError(
            f"{gate.origin} prepares a state that depends on weights: make it with gates whose angles are the weights, "
            "such as qp.RY and qp.CNOT"
        )


def _plain_amplitudes(same: list[Traced], points: list[dict[str, Tensor]]) -> list[int] | None:
    """The inputs in their order, where the state is the normalised window at every point."""
    n = points[0]["inputs"].numel()
    for traced, point in zip(same, points, strict=True):
        state, window = torch.as_tensor(traced.angle).detach().reshape(-1), point["inputs"].detach().reshape(-1)
        if len(state) < n:
            return None
        if not bool(window.any()):
            continue  # what the function makes of zeros is not a state
        expected = torch.cat([window / window.norm(), window.new_zeros(len(state) - n)])
        if not torch.allclose(state, expected.to(state.dtype), atol=_TOLERANCE, rtol=0):
            return None
    return list(range(n))


def _check(program: Program, tests: list[tuple[list[Traced], int]], points: list[dict[str, Tensor]]) -> None:
    """The recorded program must reproduce every angle at the points where it was not recorded."""
    which = tuple(range(len(program.values)))
    for run, point in enumerate(points):
        with torch.no_grad():
            weights = {name: leaf for name, leaf in point.items() if name != "inputs"}
            values = program.run(point["inputs"].detach(), weights, which)
        for k, (same, entry) in enumerate(tests):
            value = torch.as_tensor(same[run].angle).detach().reshape(-1)[entry]
            actual = complex(value)
            if math.isnan(actual.real) and math.isnan(float(values[k])):
                continue
            if not abs(float(values[k]) - actual) <= _PROGRAM_TOLERANCE * (1 + abs(actual)):
                raise CaptureError(
                    f"{same[0].origin} has an angle that is not one expression in inputs and weights (in its "
                    f"{same[0].name} on wire {same[0].wires[0]}): it takes numbers out of tensors, branches on their "
                    "values, or is complex; use functions of torch such as torch.where"
                )


def _affine(points: list[dict[str, Tensor]], values: list[Tensor | float | None]) -> Angle | None:
    """Coefficients from the derivative at the first point and the offset from zero, tested on all points."""
    gradients = _gradients(values[0], points[0])
    last = sum(float((gradients[name] * points[-1][name].detach()).sum()) for name in gradients)
    offset = _number(values[-1]) - last
    for point, value in zip(points, values, strict=True):
        linear = sum(float((gradients[name] * point[name].detach()).sum()) for name in gradients)
        actual = _number(value)
        if not abs(offset + linear - actual) <= _TOLERANCE * (1 + abs(actual)):
            return None
    inputs = []
    weights = []
    for name, gradient in gradients.items():
        for index, coefficient in enumerate(gradient.flatten().tolist()):
            if coefficient != 0.0 and name == "inputs":
                inputs.append((index, coefficient))
            elif coefficient != 0.0:
                weights.append((name, index, coefficient))
    return Angle(offset, tuple(inputs), tuple(weights))


def _number(value: Tensor | float | None) -> float:
    if value is None:
        return math.nan
    return float(value.detach()) if isinstance(value, Tensor) else value


def _gradients(value: Tensor | float | None, point: dict[str, Tensor]) -> dict[str, Tensor]:
    if not isinstance(value, Tensor) or not value.requires_grad:
        return {name: torch.zeros_like(leaf) for name, leaf in point.items()}
    leaves = [leaf for leaf in point.values() if leaf.numel()]
    names = [name for name, leaf in point.items() if leaf.numel()]
    gradients = torch.autograd.grad(value, leaves, retain_graph=True, allow_unused=True)
    return {
        name: torch.zeros_like(leaf) if gradient is None else gradient
        for name, leaf, gradient in zip(names, leaves, gradients, strict=True)
    }

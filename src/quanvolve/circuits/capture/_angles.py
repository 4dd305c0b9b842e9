"""Where each angle of a traced circuit comes from: an affine function of inputs and weights, or else a program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._amplitudes import plain_amplitudes
from quanvolve.circuits.capture._linear import AFFINE, CONSTANT
from quanvolve.circuits.capture._recorder import Recorder
from quanvolve.circuits.capture._traced import PREPARE, Traced
from quanvolve.circuits.description import PROGRAM, Angle, Gate, Preparation, Program


@dataclass(frozen=True)
class Described:
    """Gates with their angles, and what computes the angles that are not affine.

    Attributes:
        gates: without the preparation.
        preparation: the state before the first gate, if it is not basis state 0.
        program: of angles and amplitudes, if any needs one.
        wanted: what each value of the program is: the gate's number in the run, and the entry of its tensor.
    """

    gates: tuple[Gate, ...]
    preparation: Preparation | None
    program: Program | None
    wanted: tuple[tuple[int, int], ...]


def describe(
    run: list[Traced], leaves: Mapping[str, Tensor], index: Mapping[Any, int], recorder: Recorder
) -> Described:
    """Gates with their angles, from what was recorded.

    Args:
        run: the gates of the recorded run.
        leaves: inputs and weights of that run, those that were closed over among them.
        index: the wire index of every wire label.
        recorder: what recorded it.

    Raises:
        CaptureError: if an angle depends on inputs or weights in a way that cannot be followed.
    """
    _refuse_own_gradients(run)
    n_inputs = leaves["inputs"].numel()
    affine: list[tuple[Tensor, int, str]] = []
    wanted: list[tuple[Tensor, int, str]] = []
    places: list[tuple[int, int]] = []
    angles: list[Angle | tuple[str, int] | None] = []
    amplitudes: list[int] | None = None
    prepared: tuple[int, ...] = ()
    for position, gate in enumerate(run):
        angle = gate.angle
        if gate.name == PREPARE:
            assert isinstance(angle, Tensor)
            amplitudes = plain_amplitudes(angle, leaves["inputs"], recorder)
            if amplitudes is None:
                amplitudes = [n_inputs + len(wanted) + k for k in range(angle.numel())]
                for k in range(angle.numel()):
                    wanted.append((angle, k, f"{gate.origin}, in the amplitude of basis state {k},"))
                    places.append((position, k))
            prepared = tuple(index[wire] for wire in gate.wires)
        elif angle is None:
            angles.append(None)
        elif not isinstance(angle, Tensor) or recorder.depends(angle) == CONSTANT:
            angles.append(Angle(float(angle)))
        else:
            what = f"{gate.origin} has an angle, in its {gate.name} on wire {gate.wires[0]}, that"
            kind = affine if recorder.depends(angle) == AFFINE else wanted
            angles.append(("affine" if kind is affine else "program", len(kind)))
            if kind is wanted:
                places.append((position, 0))
            kind.append((angle, 0, what))
    program = recorder.program(wanted) if wanted else None
    if program is not None:
        check_gradients(program, wanted, leaves, "angles")
    sums = _affine(affine, leaves, recorder)
    gates = []
    rest = [gate for gate in run if gate.name != PREPARE]
    for gate, described in zip(rest, angles, strict=True):
        wires = tuple(index[wire] for wire in gate.wires)
        if isinstance(described, tuple):
            which, number = described
            described = sums[number] if which == "affine" else _from_program(program, number, n_inputs)
        gates.append(Gate(gate.name, wires, described, gate.transfer))
    if amplitudes is not None and program is not None:
        _require_no_weights(run, [k - n_inputs for k in amplitudes if k >= n_inputs], program)
    preparation = None if amplitudes is None else Preparation(prepared, tuple(amplitudes))
    return Described(tuple(gates), preparation, program, tuple(places))


def _from_program(program: Program | None, number: int, n_inputs: int) -> Angle:
    assert program is not None
    if program.values[number].reads_inputs:
        return Angle(0.0, ((n_inputs + number, 1.0),))
    return Angle(0.0, (), ((PROGRAM, number, 1.0),))


def _affine(wanted: list[tuple[Tensor, int, str]], leaves: Mapping[str, Tensor], recorder: Recorder) -> list[Angle]:
    """Coefficients are derivatives, which are the same everywhere; the constant is the value at zero."""
    if not wanted:
        return []
    program = recorder.program(wanted)
    zeros = {name: torch.zeros_like(leaf) for name, leaf in leaves.items()}
    with torch.no_grad():
        offsets = program.run(zeros.pop("inputs"), zeros, tuple(range(len(wanted)))).tolist()
    angles = []
    filled = {name: leaf for name, leaf in leaves.items() if leaf.numel()}
    for (tensor, _, _), offset in zip(wanted, offsets, strict=True):
        inputs: list[tuple[int, float]] = []
        weights: list[tuple[str, int, float]] = []
        gradients = torch.autograd.grad(tensor, list(filled.values()), retain_graph=True, allow_unused=True)
        for name, gradient in zip(filled, gradients, strict=True):
            if gradient is None:
                continue
            flat = gradient.reshape(-1)
            for place in flat.nonzero().reshape(-1).tolist():
                coefficient = float(flat[place])
                if name == "inputs":
                    inputs.append((place, coefficient))
                else:
                    weights.append((name, place, coefficient))
        angles.append(Angle(offset, tuple(inputs), tuple(weights)))
    return angles


def _refuse_own_gradients(run: Iterable[Traced]) -> None:
    """Refuse functions that say themselves what their gradient is: a program would not know it."""
    waiting = [
        (gate.angle.grad_fn, gate.origin)
        for gate in run
        if isinstance(gate.angle, Tensor) and gate.angle.grad_fn is not None
    ]
    seen = set()
    while waiting:
        node, origin = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, torch.autograd.function.BackwardCFunction):
            name = type(node).__name__.removesuffix("Backward")
            raise CaptureError(
                f"{origin} has an angle that is computed by {name}, a torch.autograd.Function: capture cannot keep its "
                "gradient; use functions of torch, such as x + (y - x).detach() for y with the gradient of x"
            )
        waiting += [(before, origin) for before, _ in node.next_functions if before is not None]


def check_gradients(
    program: Program, wanted: list[tuple[Tensor, int, str]], leaves: Mapping[str, Tensor], what: str
) -> None:
    """The program must have the gradient that the function had while it ran: one random sum of all values.

    Args:
        program: whose values are wanted.
        wanted: the recorded tensors, and entries of them.
        leaves: what the program reads, and the weights, by name.
        what: its values are, in an error.

    Raises:
        CaptureError: naming what the gradients differ by.
    """
    generator = torch.Generator("cpu").manual_seed(0)
    factors = torch.rand(len(wanted), generator=generator, dtype=torch.float64) + 0.5
    filled = {name: leaf for name, leaf in leaves.items() if leaf.numel()}
    theirs = torch.stack([_real(tensor.reshape(-1)[k]) for tensor, k, _ in wanted]) @ factors
    weights = {name: leaf for name, leaf in leaves.items() if name != "inputs"}
    ours = program.run(leaves["inputs"], weights, tuple(range(len(wanted)))) @ factors
    for name, gradient, recorded in zip(filled, _gradients(theirs, filled), _gradients(ours, filled), strict=True):
        both = ~(gradient.isnan() | recorded.isnan())
        if not torch.allclose(gradient[both], recorded[both], rtol=1e-6, atol=1e-9):
            raise CaptureError(
                f"the circuit function's {what} have a gradient by {name!r} that capture cannot keep (it is "
                f"{float(gradient[both].norm()):.6g} in norm where what was recorded has "
                f"{float(recorded[both].norm()):.6g}): "
                "use functions of torch, without changing gradients by hooks or .grad"
            )


def _gradients(value: Tensor, leaves: Mapping[str, Tensor]) -> list[Tensor]:
    if not value.requires_grad:
        return [torch.zeros_like(leaf) for leaf in leaves.values()]
    gradients = torch.autograd.grad(value, list(leaves.values()), retain_graph=True, allow_unused=True)
    return [
        torch.zeros_like(leaf) if gradient is None else gradient
        for leaf, gradient in zip(leaves.values(), gradients, strict=True)
    ]


def _real(value: Tensor) -> Tensor:
    return (value.real if value.is_complex() else value).to(torch.float64)


def _require_no_weights(run: Iterable[Traced], amplitudes: list[int], program: Program) -> None:
    if any(program.values[k].reads_weights for k in amplitudes):
        origin = next(gate.origin for gate in run if gate.name == PREPARE)
        raise CaptureError(
            f"{origin} prepares a state that depends on weights: make it with gates whose angles are the weights, "
            "such as qp.RY and qp.CNOT"
        )

"""Gradients from shots alone: the parameter-shift rule, as a device would compute them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Angle, Circuit
from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._precision import wide
from quanvolve.compile.batch._tracing import derivatives, followed, transforming
from quanvolve.compile.batch._values import bits, extended, flat_weights, mixed
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.plans._plan import Plan
from quanvolve.compile.plans._sampled import SampledPlan, combine, each_alone
from quanvolve.compile.tables._angles import AngleMaps, angle_maps
from quanvolve.compile.tables._layout import Layout, of_row, some_rows
from quanvolve.compile.tables._parsed import Parsed, kept
from quanvolve.compile.tables._sampling import rows_alone, word_circuits
from quanvolve.compile.tables._values import mixed_values, places_of_both, values_of_both

SHIFT = "shift of each rotation"
"""The weight by which a circuit with shifts turns each rotation further."""


class ShiftedPlan(SampledPlan):
    """Outputs as means over shots, whose gradients are estimated with as many shots.

    For every rotation by an angle a that a weight or a pixel with a gradient has a part in, the circuit runs twice more
    on each window: dE/da = (E(a + pi/2) - E(a - pi/2)) / 2.

    Args:
        inner, circuits, layout, shots: as in :class:`SampledPlan`.
        find: makes the plan of the shifted circuits from their words.

    References:
        Mitarai et al., Phys. Rev. A 98, 032309 (2018), equation 13; Schuld et al., Phys. Rev. A 99, 032331 (2019),
        equation 14.
    """

    def __init__(
        self,
        inner: Plan,
        circuits: Sequence[Circuit],
        layout: Layout,
        shots: int,
        find: Callable[[Sequence[Circuit]], Plan],
    ) -> None:
        super().__init__(inner, circuits, layout, shots)
        rows = rows_alone(layout)
        parsed = [Parsed(circuit) for circuit in circuits]
        self._circuits = [of_row(parsed, row) for row in rows]
        self._given = tuple(circuits)
        self._layout, self._find = layout, find
        self._made: SampledPlan | None = None

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[Any, ...]:
        """What the inner plan makes of the weights, and these themselves."""
        return super().compile(weights, like, layout, n_windows), dict(weights)

    def words(self, compiled: tuple[Any, ...], windows: Windows) -> Tensor:
        """As in :class:`SampledPlan`."""
        return super().words(compiled[0], windows)

    def _evaluate(self, compiled: tuple[Any, ...], windows: Windows, layout: Layout) -> Tensor:
        weights: dict[str, Tensor] = compiled[1]
        with torch.no_grad():
            drawn = self.draw(self.words(compiled, windows))
        to_inputs = followed(windows.images) or followed(windows.scale)
        to_weights = any(followed(weight) for weight in weights.values())
        which: list[tuple[int, ...]] = []
        if torch.is_grad_enabled() and (to_inputs or to_weights):
            which = [shifted_rotations(parsed.circuit, to_inputs, to_weights) for parsed in self._circuits]
        if any(which):
            angles = self._angles(windows, weights, which)
            fixed = replace(windows, images=windows.images.detach(), scale=_detached(windows.scale))
            detached = {name: weight.detach() for name, weight in weights.items()}
            if transforming():
                outputs = self._linear(angles, drawn, lambda k: self._difference(k, which, detached, fixed, drawn))
                return combine(outputs, windows.images.shape[0], windows.places, layout)
            # Not of the same name as `drawn`: the function would hold what holds it, and nothing would ever free both.
            outputs = Shifts.apply(  # type: ignore[no-untyped-call]
                angles, drawn, lambda k: self._difference(k, which, detached, fixed, drawn)
            )
            return combine(outputs, windows.images.shape[0], windows.places, layout)
        return combine(drawn, windows.images.shape[0], windows.places, layout)

    def _linear(self, angles: Tensor, drawn: Tensor, difference: Callable[[int], Tensor]) -> Tensor:
        """The same as `Shifts`, with the further measurements made at once: transforms follow no function of ours."""
        if derivatives() > 1:
            raise no_second_derivatives()
        for k in range(angles.shape[1]):
            angle = angles[:, k : k + 1]
            drawn = drawn + ((angle - angle.detach()) * difference(k)).to(drawn.dtype)
        return drawn

    def _angles(self, windows: Windows, weights: Mapping[str, Tensor], which: list[tuple[int, ...]]) -> Tensor:
        """The angles that are shifted, shape (images x rows, rotations, places), as functions that torch follows."""
        alone = each_alone(windows)
        view = alone.view().flatten(3 + windows.dims).flatten(3, -2)  # images, groups, 1, places, inputs
        inputs = view.squeeze(2).permute(1, 3, 0, 2)  # groups, inputs, images, places
        scale = wide(alone.scale).mT.unsqueeze(-1) if isinstance(alone.scale, Tensor) else alone.scale
        inputs = wide(inputs) * scale
        images, places = inputs.shape[2:]
        order = rows_alone(self._layout)
        most = max(map(len, which))
        padded = []
        for row, (parsed, angle_numbers) in enumerate(zip(self._circuits, which, strict=True)):
            row_weights = {name: some_rows(w, slice(order[row], order[row] + 1)) for name, w in weights.items()}
            values = inputs[row // self._layout.filters].flatten(1)
            angles = _angle_values(parsed, values, row_weights, angle_numbers)
            padded.append(torch.cat([angles, angles.new_zeros(most - len(angle_numbers), angles.shape[1])]))
        rows = torch.unflatten(torch.stack(padded), 2, (images, places))
        return rows.permute(2, 0, 1, 3).flatten(0, 1)

    def _difference(
        self, k: int, which: list[tuple[int, ...]], weights: dict[str, Tensor], windows: Windows, like: Tensor
    ) -> Tensor:
        """What the k-th of its shifts makes of the outputs of each row, shape (images x rows, outputs, places)."""
        plan = self._shifted_plan
        order = rows_alone(self._layout)
        count = max(len(_rotations(parsed.circuit)) for parsed in self._circuits)
        # Filled by NumPy: graphs of `torch.func.linearize` lose what is written in place.
        turns = np.zeros((len(order), count))
        for row, angle_numbers in enumerate(which):
            if k < len(angle_numbers):
                turns[order[row], angle_numbers[k]] = np.pi / 2
        shift = torch.as_tensor(turns).to(like)
        ends = []
        every = {name: w.expand(len(order), *w.shape[1:]) for name, w in weights.items()}
        for sign in (1.0, -1.0):
            compiled = plan.compile({**every, SHIFT: sign * shift}, shift, self._layout, windows.images.numel())
            ends.append(plan.draw(plan.words(compiled, windows)))
        return (ends[0] - ends[1]) / 2

    @property
    def _shifted_plan(self) -> SampledPlan:
        if self._made is None:
            shifted = [with_shifts(circuit) for circuit in self._given]
            words, _ = word_circuits(shifted, self._layout)
            self._made = SampledPlan(self._find(words), shifted, self._layout, self.shots)
        return self._made


class Shifts(torch.autograd.Function):
    """Outputs that were measured, with gradients with respect to angles from further measurements.

    Of `angles` (images x rows, rotations, places), `drawn` (images x rows, outputs, places), and a function that gives
    what the k-th shift of each row makes of these outputs: half the difference of the two ends.
    """

    @staticmethod
    def forward(ctx: Any, angles: Tensor, drawn: Tensor, difference: Callable[[int], Tensor]) -> Tensor:
        ctx.count, ctx.difference, ctx.dtype = angles.shape[1], difference, angles.dtype
        ctx.save_for_backward(angles)
        return drawn.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        with torch.no_grad():
            slopes = torch.stack([(grad * ctx.difference(k)).sum(1) for k in range(ctx.count)], 1).to(ctx.dtype)
        if torch.is_grad_enabled():  # create_graph=True
            slopes = _Once.apply(slopes, grad, *ctx.saved_tensors)  # type: ignore[no-untyped-call]
        return slopes, None, None


class _Once(torch.autograd.Function):
    """Gradients that were measured, and have none of their own."""

    @staticmethod
    def forward(ctx: Any, drawn: Tensor, *_: Tensor) -> Tensor:
        return drawn.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, ...]:
        raise no_second_derivatives()


def no_second_derivatives() -> QuanvolveError:
    """The error of a gradient's gradient."""
    return QuanvolveError(
        "second derivatives are not measured: diff_method='parameter-shift' gives first ones; diff_method='exact' "
        "has them"
    )


def _detached(scale: Tensor | float) -> Tensor | float:
    return scale.detach() if isinstance(scale, Tensor) else scale


def _rotations(circuit: Circuit) -> tuple[Angle, ...]:
    return tuple(gate.angle for gate in circuit.gates if gate.angle is not None)


def shifted_rotations(circuit: Circuit, to_inputs: bool, to_weights: bool) -> tuple[int, ...]:
    """Numbers of the rotations whose angles depend on what a gradient is wanted for.

    Raises:
        QuanvolveError: if amplitudes depend on it, for which there is no shift.
    """
    both = {circuit.n_inputs + k for k in mixed_values(circuit)}  # values that read inputs and weights
    amplitudes = circuit.preparation.values if circuit.preparation is not None else ()
    if (to_inputs and amplitudes) or (to_weights and not both.isdisjoint(amplitudes)):
        raise QuanvolveError(
            "the circuit prepares amplitudes, which are no angles: the parameter-shift rule gives no gradient with "
            f"respect to what they are made of ({'its inputs' if to_inputs else 'its weights'}); use "
            "diff_method='exact', an encoding with angles, or inputs without requires_grad"
        )

    def moves(angle: Angle) -> bool:
        if to_inputs and angle.inputs:
            return True
        return to_weights and (bool(angle.weights) or any(index in both for index, _ in angle.inputs))

    return tuple(k for k, angle in enumerate(_rotations(circuit)) if moves(angle))


def with_shifts(circuit: Circuit) -> Circuit:
    """The circuit with a further weight that is added to the angle of each rotation."""
    gates, number = [], 0
    for gate in circuit.gates:
        if gate.angle is None:
            gates.append(gate)
            continue
        angle = replace(gate.angle, weights=(*gate.angle.weights, (SHIFT, number, 1.0)))
        gates.append(replace(gate, angle=angle))
        number += 1
    return replace(circuit, gates=tuple(gates), weight_shapes=(*circuit.weight_shapes, (SHIFT, (number,))))


@kept
def _maps(parsed: Parsed) -> AngleMaps:
    """Of all rotations."""
    return angle_maps(parsed, _rotations(parsed.circuit))


def angle_values(circuit: Circuit, inputs: Tensor, weights: Mapping[str, Tensor], which: tuple[int, ...]) -> Tensor:
    """Angles (rotations, windows) from inputs (n_inputs, windows) and the weights of one row."""
    return _angle_values(Parsed(circuit), inputs, weights, which)


def _angle_values(parsed: Parsed, inputs: Tensor, weights: Mapping[str, Tensor], which: tuple[int, ...]) -> Tensor:
    bit_values = bits(parsed, inputs)
    values = extended(parsed, bit_values)
    both = values_of_both(parsed)
    if both:
        places = constant(places_of_both(parsed), inputs.device)
        rows = {name: wide(weight) for name, weight in weights.items()}
        values = values.index_copy(-2, places, mixed(parsed, bit_values.unsqueeze(0), rows)[0])
    offset, mixing, reading = (constant(m, inputs.device, inputs.dtype) for m in _maps(parsed))
    angle_numbers = list(which)
    return (
        offset[angle_numbers, None]
        + torch.matmul(mixing.mT[angle_numbers], wide(flat_weights(parsed, weights, inputs)).mT)
        + torch.matmul(reading[angle_numbers], values)
    )

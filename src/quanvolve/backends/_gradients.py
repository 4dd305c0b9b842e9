"""Gradients through a backend: by the parameter-shift rule where they are asked for, and never zero in silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.backends._rows import Row
from quanvolve.backends._settings import Floats, Weights
from quanvolve.circuits import Circuit
from quanvolve.compile import SHIFT, Shifts, angle_values, shifted_rotations, with_shifts

Measure = Callable[[Circuit, Weights, Floats], Tensor]


def check_diff_method(diff_method: object) -> None:
    """Raise unless it is a way to gradients that a device has, or None."""
    if diff_method not in (None, "parameter-shift"):
        raise QuanvolveError(
            f"`diff_method` (={diff_method!r}) must be 'parameter-shift', or None for values without gradients: a "
            "backend has no others"
        )


def with_shifted_runs(row: Row, values: Tensor, inputs: Tensor, weights: Mapping[str, Tensor], run: Measure) -> Tensor:
    """Measured values of one circuit, whose gradients are measured by the parameter-shift rule.

    For every rotation by an angle a, dE/da = (E(a + pi/2) - E(a - pi/2)) / 2; what inputs and weights do to the angles
    is computed here.

    Args:
        row: the circuit and its weights.
        values: measured, shape (outputs, settings).
        inputs: shape (settings, inputs), which torch follows.
        weights: by name, shape (1, *shape), which torch follows.
        run: measures a circuit.
    """
    sources = [t for t in (inputs, *weights.values()) if t.requires_grad]
    # A threshold is a step: its derivative is zero, and nothing has to run for that.
    to_inputs = inputs.requires_grad and row.circuit.threshold is None
    which = shifted_rotations(row.circuit, to_inputs, any(weight.requires_grad for weight in weights.values()))
    if which:
        angles = angle_values(row.circuit, inputs.mT, weights, which)
        shifted, settings = with_shifts(row.circuit), inputs.detach().numpy()

        def difference(number: int) -> Tensor:
            shift = np.zeros(dict(shifted.weight_shapes)[SHIFT])
            shift[which[number]] = np.pi / 2
            ahead, behind = (run(shifted, {**row.weights, SHIFT: sign * shift}, settings) for sign in (1.0, -1.0))
            return (ahead - behind)[None] / 2

        values = Shifts.apply(angles[None], values[None], difference)[0]  # type: ignore[no-untyped-call]
    return values + sum(0 * source.sum() for source in sources)  # what has no part in the values gets zeros


class NoGradient(torch.autograd.Function):
    """Values that depend on tensors through circuits on a backend: a gradient of these is refused."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, *_: Tensor) -> Tensor:
        """The values as they are."""
        return values.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, ...]:
        """Refuse it."""
        raise QuanvolveError(
            "a gradient was asked for that passes a quantum layer on a backend, where it would have to be measured: "
            "give diff_method='parameter-shift' to on_backend or run_layer, which runs two more circuits for each "
            "angle and distinct window; or, to train other layers only, turn it off with requires_grad_(False) on the "
            "quantum layers and whatever is in front of them"
        )

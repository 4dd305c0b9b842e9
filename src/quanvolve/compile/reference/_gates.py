"""Gates on state vectors in plain torch, in real arithmetic.

A state is a real tensor (..., 2, D, positions): real and imaginary parts, D = 2^n basis states with wire 0 as the most
significant bit, and the windows innermost. The leading axes broadcast.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve.compile.batch._constants import constant
from quanvolve.compile.tables._segments import Jump, Segment, Sparse


def apply_sparse(gate: Sparse, state: Tensor) -> Tensor:
    """A fixed gate on states (..., 2, D, positions)."""
    total: Tensor | None = None
    for source, factor in zip(gate.source, gate.factor, strict=True):
        moved = state
        if (source != np.arange(len(source))).any():
            moved = state.index_select(-2, constant(source, state.device))
        part = _times(factor, moved)
        total = part if total is None else total + part
    assert total is not None
    return total


def _times(factor: npt.NDArray[np.complex128], state: Tensor) -> Tensor:
    """Each basis state's amplitude times a complex constant."""
    real, imaginary = factor.real, factor.imag
    product: Tensor | None = None
    if (real != 0).any():
        product = state if (real == 1).all() else state * _column(real, state)
    if (imaginary != 0).any():
        turned = torch.stack([-state.select(-3, 1), state.select(-3, 0)], dim=-3)
        turned = turned * _column(imaginary, state)
        product = turned if product is None else product + turned
    return torch.zeros_like(state) if product is None else product


def _column(numbers: npt.NDArray[np.float64], like: Tensor) -> Tensor:
    return constant(numbers, like.device, like.dtype).unsqueeze(-1)


def run_steps(segment: Segment, state: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Apply a segment.

    Args:
        state: shape (..., 2, D, positions).
        cosines, sines: of the half angles of its rotations, shape (rotations, ..., positions or 1).
    """
    number = 0
    for step in segment.steps:
        if isinstance(step, Sparse):
            state = apply_sparse(step, state)
            continue
        if isinstance(step, Jump):
            state = _jumped(step, state)
            continue
        c, s = cosines[number][..., None, None, :], sines[number][..., None, None, :]
        state = c * state + s * apply_sparse(step.generator, state)
        number += 1
    return state


def _jumped(step: Jump, state: Tensor) -> Tensor:
    """States of norm 1 after one operator each, again of norm 1.

    The norms are constants for the gradient: an operator that is drawn with probability p contributes the derivative of
    <psi|K^dagger O K|psi> / p, whose mean over draws is the derivative of the sum over all operators.
    """
    after = [apply_sparse(operator, state) for operator in step.operators]
    with torch.no_grad():
        shares = torch.stack([states.square().sum((-3, -2)) for states in after])  # operators, ..., states
        steps = shares.cumsum(0)
        drawn = torch.rand(steps.shape[1:], dtype=state.dtype, device=state.device) * steps[-1]
        chosen = (steps <= drawn).sum(0).clamp(max=len(after) - 1)
        norms = shares.gather(0, chosen.unsqueeze(0))[0].rsqrt()
    total: Tensor | None = None
    for number, states in enumerate(after):
        factor = torch.where(chosen == number, norms, 0.0)[..., None, None, :]
        total = states * factor if total is None else total + states * factor
    assert total is not None
    return total

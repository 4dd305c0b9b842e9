"""States that a circuit function prepares: from the inputs a preparation, from constants and weights gates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve._errors import CaptureError
from quanvolve.circuits.capture._look import values_of
from quanvolve.circuits.capture._multiplexed import PHASE, diagonal, multiplexed_rotation
from quanvolve.circuits.capture._traced import PREPARE, Traced

_NORM = 1e-6
_TINY = 1e-30


def state_gates(state: Any, wires: Sequence[Any], fresh: bool, origin: str, of_inputs: bool = False) -> list[Traced]:
    """Gates that turn basis state 0 of the wires into a state of norm one.

    Args:
        state: amplitudes, a tensor or an array of shape (2^n,).
        wires: the first is the most significant.
        fresh: whether the wires are in basis state 0 for certain; if not, the gates are those that PennyLane uses,
            up to their order, because other states of the wires must go where PennyLane takes them.
        origin: of the operation.
        of_inputs: whether the amplitudes depend on inputs. Where these are zero, as pixels often are, the angles have
            no derivative though the state has one, and gradients of inputs are NaN, as PennyLane's are; weights, which
            are never exactly zero, get the gradient zero there.

    References:
        Moettoenen et al., Quantum Inf. Comput. 5, 467 (2005): rotations about Y make the absolute values, one wire
        after the other, then a diagonal gate the phases.
    """
    real = not (state.is_complex() if isinstance(state, Tensor) else np.iscomplexobj(state) and np.any(state.imag))
    if not isinstance(state, Tensor):
        state = state.real if real else state
    sizes = [_absolute(state, of_inputs)]
    while len(sizes[0]) > 1:
        sizes.insert(0, _norm(sizes[0][::2], sizes[0][1::2], of_inputs))
    signed = fresh and real
    gates: list[Traced] = []
    for count in range(len(wires)):
        level = state if signed and count + 1 == len(wires) else sizes[count + 1]
        angles = 2.0 * _arctan2(level[1::2], level[::2], of_inputs)
        gates += multiplexed_rotation("RY", angles, wires[:count], wires[count], origin)
    if signed:
        return gates
    return gates + diagonal(_phases(state, real, of_inputs), wires, origin)


def basis_gates(bits: Any, wires: Sequence[Any], constant: bool, origin: str) -> list[Traced]:
    """Gates that flip the wires whose bits are 1; bits that depend on inputs are angles of zero or pi."""
    if constant:
        return [Traced("X", (wire,), None, origin) for wire, bit in zip(wires, np.asarray(bits), strict=True) if bit]
    gates = []
    for k, wire in enumerate(wires):
        bit = bits[..., k].to(torch.float64) if isinstance(bits, Tensor) else bits[..., k].astype(float)
        gates += [Traced("RX", (wire,), math.pi * bit, origin), Traced(PHASE, (), math.pi / 2 * bit, origin)]
    return gates


def require_norm_one(state: Any, origin: str) -> None:
    """Refuse amplitudes that are no state: PennyLane runs them as they are, and no gates can.

    Raises:
        CaptureError: with their norm.
    """
    norms = np.linalg.norm(values_of(state), axis=-1)
    if np.isfinite(norms).all() and not np.allclose(norms, 1.0, atol=_NORM, rtol=0):
        raise CaptureError(
            f"{origin} cannot be captured: its amplitudes have the norm {float(np.ravel(norms)[0]):.6g}, expected 1: "
            "use normalize=True"
        )


def one_preparation(gates: list[Traced]) -> list[Traced]:
    """The gates with all preparations as one in front: their wires were not touched before, so that they commute."""
    prepared = [gate for gate in gates if gate.name == PREPARE]
    if len(prepared) < 2:
        return gates
    state = prepared[0].angle
    for gate in prepared[1:]:
        state = _outer(state, gate.angle)
    wires = tuple(wire for gate in prepared for wire in gate.wires)
    first = Traced(PREPARE, wires, state, prepared[0].origin)
    return [first, *(gate for gate in gates if gate.name != PREPARE)]


def _outer(first: Any, second: Any) -> Any:
    """Products of amplitudes, the last axis of each being its basis states."""
    product = first[..., :, None] * second[..., None, :]
    return product.reshape(*product.shape[:-2], -1)


def _absolute(state: Any, of_inputs: bool) -> Any:
    if not isinstance(state, Tensor):
        return np.abs(state)
    if state.is_complex():
        return _norm(state.real, state.imag, of_inputs)
    return torch.sqrt(state**2) if of_inputs else torch.abs(state)


def _norm(first: Any, second: Any, of_inputs: bool) -> Any:
    square = first**2 + second**2
    if not isinstance(square, Tensor):
        return np.sqrt(square)
    if of_inputs:
        return torch.sqrt(square)
    zero = square < _TINY  # where the square root has no derivative
    return torch.where(zero, torch.zeros_like(square), torch.sqrt(torch.where(zero, torch.ones_like(square), square)))


def _arctan2(y: Any, x: Any, of_inputs: bool) -> Any:
    if not isinstance(y, Tensor):
        return np.arctan2(y, x)
    if of_inputs:
        return torch.arctan2(y, x)
    zero = (y == 0) & (x == 0)
    return torch.arctan2(y, torch.where(zero, torch.ones_like(x), x))


def _phases(state: Any, real: bool, of_inputs: bool) -> Any:
    if not isinstance(state, Tensor):
        return np.angle(state)
    if real:
        return torch.where(state < 0, torch.full_like(state, math.pi), torch.zeros_like(state))
    return _arctan2(state.imag, state.real, of_inputs)

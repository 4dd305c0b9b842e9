"""Rotations and phases that depend on basis states of other wires, in rotations about one axis and CNOTs.

A product of Z on several wires is diagonal, so that ``exp(i sum_b f(b) |b><b|)`` is a product of rotations about such
products, whose angles are the Walsh-Hadamard transform of f: linear in f.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg
import torch
from torch import Tensor

from quanvolve.circuits.capture._traced import Traced

PHASE = "phase"
"""The name of a factor ``exp(i angle)`` of the whole state: it has no effect, but is one gate under control."""

Vector = Tensor | npt.NDArray[np.float64]
"""Angles one after the other: of shape (n,), or (n, rows) where several windows run as one."""
_ZERO = 1e-14


def controlled_rotation(
    axis: str, angle: Any, controls: Sequence[Any], values: Sequence[int], target: Any, origin: str
) -> list[Traced]:
    """A rotation of the target where the controls have these values, as 2^k rotations by fractions of the angle.

    References:
        Moettoenen et al., Phys. Rev. Lett. 93, 130502 (2004), figure 2, where all angles but one are zero.
    """
    number = int("".join(map(str, values)) or "0", 2)
    signs = _gray(len(controls))[:, number] / 2 ** len(controls)
    return _ladder(axis, [angle if sign == 1.0 else angle * float(sign) for sign in signs], controls, target, origin)


def multiplexed_rotation(axis: str, angles: Vector, controls: Sequence[Any], target: Any, origin: str) -> list[Traced]:
    """A rotation of the target by angle b where the controls are in basis state b, the first most significant."""
    matrix = _gray(len(controls)) / len(angles)
    if isinstance(angles, Tensor):
        mixed = torch.as_tensor(matrix, dtype=angles.dtype, device=angles.device) @ angles if controls else angles
        return _ladder(axis, [mixed[k] for k in range(len(matrix))], controls, target, origin)
    entries = matrix @ angles
    return _ladder(axis, [float(e) if np.ndim(e) == 0 else e for e in entries], controls, target, origin)


def diagonal(phases: Vector, wires: Sequence[Any], origin: str) -> list[Traced]:
    """The gate that multiplies basis state b of the wires by ``exp(i phases[b])``."""
    gates: list[Traced] = []
    for count in range(len(wires), 0, -1):
        # On the last wire, diag(e^{ia}, e^{ib}) is the phase (a + b) / 2 and a rotation about Z by b - a.
        even, odd = phases[::2], phases[1::2]
        gates += multiplexed_rotation("RZ", odd - even, wires[: count - 1], wires[count - 1], origin)
        phases = (even + odd) / 2
    phase = phases[0]
    return [*gates, Traced(PHASE, (), float(phase) if isinstance(phase, float) else phase, origin)]


def pauli_rotation(word: Sequence[tuple[Any, str]], angle: Any, origin: str) -> list[Traced]:
    """``exp(-i angle / 2 P)`` for a product P of Pauli matrices, given as pairs (wire, "X|Y|Z")."""
    if len(word) == 1:
        return [Traced(f"R{word[0][1]}", (word[0][0],), angle, origin)]
    turns, back = [], []
    for wire, letter in word:
        if letter == "X":
            turns.append(Traced("H", (wire,), None, origin))
            back.append(Traced("H", (wire,), None, origin))
        elif letter == "Y":
            turns.append(Traced("RX", (wire,), math.pi / 2, origin))
            back.append(Traced("RX", (wire,), -math.pi / 2, origin))
    wires = [wire for wire, _ in word]
    down = [Traced("CNOT", pair, None, origin) for pair in itertools.pairwise(wires)]
    return [*turns, *down, Traced("RZ", (wires[-1],), angle, origin), *reversed(down), *back]


def _ladder(axis: str, angles: list[Any], controls: Sequence[Any], target: Any, origin: str) -> list[Traced]:
    """Rotations between controlled gates that turn their sense, each step along the Gray code changing one control."""
    turn = "CZ" if axis == "RX" else "CNOT"
    steps = len(angles)
    rotates = [not isinstance(angle, float) or abs(angle) > _ZERO for angle in angles]
    gates: list[Traced] = []
    if not any(rotates):
        return gates
    for step, angle in enumerate(angles):
        if rotates[step]:
            gates.append(Traced(axis, (target,), angle, origin))
        if controls:
            changed = (step + 1) & -(step + 1) if step + 1 < steps else steps // 2
            gates.append(Traced(turn, (controls[-changed.bit_length()], target), None, origin))
    return gates


def _gray(n: int) -> npt.NDArray[np.float64]:
    """Signs ``(-1)^(g_i . b)`` for step i of the Gray code and basis state b, shape (2^n, 2^n)."""
    steps = np.arange(2**n)
    signs: npt.NDArray[np.float64] = scipy.linalg.hadamard(2**n).astype(float)[steps ^ (steps >> 1)]
    return signs

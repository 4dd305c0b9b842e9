"""One gate of one run of a circuit function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

PREPARE = "prepare"
"""Stands for a state preparation among the gates."""


@dataclass(frozen=True)
class Traced:
    """One vocabulary gate of one run, with its angle still a tensor, and the user's operation it came from.

    Attributes:
        name: of the gate; `PREPARE` for a state preparation, whose "angle" is the vector of amplitudes.
        wires: labels as the user wrote them.
        angle: in radians.
        origin: what an error calls the operation, such as "operation 3 (CRX)".
        transfer: of a noise channel, its Pauli transfer matrix, as in :class:`Gate`.
    """

    name: str
    wires: tuple[Any, ...]
    angle: Tensor | float | None
    origin: str
    transfer: tuple[tuple[float, ...], ...] | None = None

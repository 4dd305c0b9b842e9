"""A circuit as a plan holds it, and what is worked out of it once and kept with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

from quanvolve.circuits import Circuit

Holder = TypeVar("Holder", bound="Parsed")
Kept = TypeVar("Kept")


@dataclass(frozen=True, eq=False)
class Parsed:
    """A circuit that a plan has taken up.

    What functions decorated with :func:`kept` make of it is kept here, and so goes when the plan goes.

    Args:
        circuit: the description.
    """

    circuit: Circuit


def kept(function: Callable[[Holder], Kept]) -> Callable[[Holder], Kept]:
    """Work something out once for each parsed circuit, and keep it there.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> @kept
        ... def gates(parsed):
        ...     print("counting")
        ...     return len(parsed.circuit.gates)
        >>> parsed = Parsed(named_circuit("basic_entangler", 2, n_layers=1))
        >>> gates(parsed) == gates(parsed)
        counting
        True
    """
    name = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def once(holder: Holder) -> Kept:
        memory = vars(holder)
        if name not in memory:
            memory[name] = function(holder)
        found: Kept = memory[name]
        return found

    return once

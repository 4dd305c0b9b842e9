"""A circuit as a plan holds it, and what is worked out of it once and kept with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit

Holder = TypeVar("Holder", bound="Parsed")
Kept = TypeVar("Kept")


@dataclass(frozen=True, eq=False)
class Parsed:
    """A circuit that a plan has taken up.

    What functions decorated with :func:`kept` make of it is kept here, and so goes when the plan goes.

    Args:
        circuit: the description.

    Raises:
        PlanError: if it has a post-processing, which plans leave to the one around them.
    """

    circuit: Circuit

    def __post_init__(self) -> None:
        if self.circuit.postprocessing is not None:
            raise PlanError(
                "the circuit's outputs are functions of its expectation values, such as variances, and what was asked "
                "for holds for expectation values: ask it of circuit.without_postprocessing(), whose outputs these are"
            )


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

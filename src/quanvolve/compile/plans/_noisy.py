"""What the plans for circuits with noise have in common."""

from __future__ import annotations

from collections.abc import Sequence

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit, absorbed
from quanvolve.compile.tables._limits import check_wires
from quanvolve.compile.tables._parsed import Parsed


def with_noise(circuits: Sequence[Circuit], plan: str, without: str) -> tuple[Parsed, ...]:
    """Circuits for a plan that is there for their noise.

    Args:
        circuits: one circuit for all rows of the weights, or one for each.
        plan: its name.
        without: what is so without noise, for the error.

    Raises:
        PlanError: if no circuit has noise, or one is too wide.
    """
    parsed_circuits = tuple(Parsed(absorbed(circuit)) for circuit in circuits)
    if not any(parsed.circuit.noisy for parsed in parsed_circuits):
        raise PlanError(f"the circuit has no noise channels, without which {without}")
    for parsed in parsed_circuits:
        check_wires(parsed.circuit, plan)
    return parsed_circuits

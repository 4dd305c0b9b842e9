"""How many qubits each plan takes."""

from __future__ import annotations

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit

MAX_WIRES = {"polynomial": 10, "tensor_train": 64, "statevector": 16, "density": 8, "trajectories": 16}
_WHO = {
    "polynomial": "the polynomial plan takes",
    "tensor_train": "the tensor-train plan takes",
    "statevector": "the state-vector plan takes",
    "density": "a density matrix is computed for",
    "trajectories": "trajectories are run on",
}


def check_wires(circuit: Circuit, plan: str) -> None:
    """Raise unless the plan takes a circuit of so many qubits.

    Raises:
        PlanError: if it is too wide.
    """
    if circuit.n_wires > MAX_WIRES[plan]:
        raise PlanError(
            f"the circuit has {circuit.n_wires} qubits, {_WHO[plan]} at most {MAX_WIRES[plan]}: use a smaller "
            "`kernel_size`, or fewer channels or features that one circuit reads"
        )

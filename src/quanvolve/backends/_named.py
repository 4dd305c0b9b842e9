"""Backends by name, as they are typed."""

from __future__ import annotations

from quanvolve.backends._backend import Backend
from quanvolve.backends._pennylane import PennyLaneBackend
from quanvolve.backends._qiskit import QiskitBackend


def named_backend(name: str, shots: int | None = 4096, seed: int | None = None) -> Backend:
    """A backend by its name.

    Args:
        name: "aer", a fake backend of Qiskit such as "fake_manila", a device of IBM such as "ibm_fez", or a device of
            PennyLane such as "lightning.qubit".
        shots: samples of each setting; None for exact values, which devices of PennyLane have.
        seed: of the samples.

    Raises:
        QuanvolveError: if there is no such backend, or Qiskit or an account is missing.

    Examples:
        >>> named_backend("default.mixed", shots=None).name
        'default.mixed'
    """
    if name == "aer" or name.startswith(("fake_", "ibm_")):
        return QiskitBackend(name, shots or 4096, seed=seed)
    takes_seed = name in ("default.qubit", "default.mixed", "lightning.qubit")
    return PennyLaneBackend(name, shots, seed=seed if takes_seed else None)

"""Errors of a device's readout, measured, and observables that undo them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.backends._backend import Backend, Progress, measure
from quanvolve.backends._cache import Cache
from quanvolve.backends._qiskit import QiskitBackend
from quanvolve.circuits import Circuit, Gate, Observable, through

REPEATS = 8
"""How often all qubits are read as 0, and as 1, each with the shots of a setting."""


@dataclass(frozen=True)
class ReadoutErrors:
    """How often each measured bit is wrong.

    Args:
        wrong: for each wire that is measured P(1 | 0) and P(0 | 1).
    """

    wrong: Mapping[int, tuple[float, float]]

    def inverted(self, circuit: Circuit) -> Circuit:
        """The circuit with observables whose measured values are those of the circuit's own without readout errors.

        A measured Pauli matrix P is ``(1 - a - b) P + (b - a)`` with a = P(1 | 0) and b = P(0 | 1), wire by wire, so
        that ``(P - b + a) / (1 - a - b)`` is measured in its place; a word becomes a sum of its parts, all of which the
        same shots give.

        References:
            Bravyi et al., Phys. Rev. A 103, 042605 (2021), section II: tensor-product noise.
        """
        maps = []
        for wire, (a, b) in self.wrong.items():
            matrix = np.eye(4) / (1 - a - b)
            matrix[0] = [1.0, *[(a - b) / (1 - a - b)] * 3]
            maps.append(((wire,), matrix))
        return replace(circuit, observables=tuple(through(o, maps) for o in circuit.observables))


def readout_errors(
    circuit: Circuit, backend: Backend, *, cache: Cache | None = None, progress: Progress | None = None
) -> ReadoutErrors:
    """Measure how often a device reads the qubits of a circuit wrongly, from all of them as 0 and all of them as 1.

    Args:
        circuit: whose measured wires are asked about, on the qubits that it is measured on.
        backend: where to run.
        cache: of results on disk.
        progress: called with the number of settings that are done, and of all.

    Raises:
        QuanvolveError: if bits are wrong as often as right, so that nothing can be learned from them.

    Examples:
        >>> from quanvolve.backends import QiskitBackend
        >>> from quanvolve.circuits import named_circuit
        >>> found = readout_errors(named_circuit("none", 2), QiskitBackend("fake_manila", seed=0))
        >>> all(0 < error < 0.1 for pair in found.wrong.values() for error in pair)
        True
    """
    wires = measured_wires(circuit)
    there = _place(circuit, backend)
    means = []
    for prepared in readout_circuits(circuit):
        # The input is not read: it makes repetitions different settings, which run, and are kept, one by one.
        repeats = np.arange(float(REPEATS)).reshape(-1, 1)
        means.append(measure(there, prepared, {}, repeats, cache=cache, progress=progress).values.mean(0))
    wrong = {wire: ((1 - at_zero) / 2, (1 + at_one) / 2) for wire, at_zero, at_one in zip(wires, *means, strict=True)}
    for wire, (a, b) in wrong.items():
        if a + b > 0.9:
            raise QuanvolveError(
                f"{backend.name} reads wire {wire} as 1 in {a:.0%} of cases where it is 0, and as 0 in {b:.0%} where "
                "it is 1: such bits say nothing, and their errors cannot be undone"
            )
    return ReadoutErrors({wire: (float(a), float(b)) for wire, (a, b) in wrong.items()})


def measured_wires(circuit: Circuit) -> list[int]:
    """The wires that the observables of a circuit read."""
    return sorted({wire for o in circuit.observables for _, word in o.pauli_terms() for wire, _ in word})


def readout_circuits(circuit: Circuit) -> tuple[Circuit, Circuit]:
    """Circuits that leave all measured wires 0, and all of them 1, and read them."""
    wires = measured_wires(circuit)
    observables = tuple(Observable(((1.0, ((wire, "Z"),)),)) for wire in wires)
    ones = tuple(Gate("X", (wire,)) for wire in wires)
    return Circuit(circuit.n_wires, 1, (), observables), Circuit(circuit.n_wires, 1, ones, observables)


def readout_key(circuit: Circuit, backend: Backend | None) -> tuple[object, ...]:
    """What the errors of its readout depend on: the wires that are measured, and where they are."""
    where = None if backend is None else _place(circuit, backend).identity
    return circuit.n_wires, tuple(measured_wires(circuit)), where


def assumed(circuit: Circuit) -> ReadoutErrors:
    """Errors of no device: their inverse has the words that any has."""
    return ReadoutErrors(dict.fromkeys(measured_wires(circuit), (0.01, 0.02)))


def _place(circuit: Circuit, backend: Backend) -> Backend:
    """The backend with the wires on the qubits that the circuit is measured on."""
    if isinstance(backend, QiskitBackend):
        return backend.folded(1).pinned(backend.transpiled(circuit).qubits)
    return backend

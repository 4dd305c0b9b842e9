"""Product encodings: which functions of the window each qubit contributes.

A site is one qubit with the gates that encode inputs on it, all before the qubit meets another one. Its Bloch vector
is ``A @ phi(x)``, where phi holds products of (1, cos a, sin a), one factor for each encoding rotation, and A (4 x K)
depends on constants and weights only. So phi is shared by all filters and A disappears into their coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from quanvolve._errors import PlanError
from quanvolve.circuits import GATES, Circuit, Gate
from quanvolve.compile.tables._pauli import AXES, heisenberg_matrix, rotation_tables
from quanvolve.compile.tables._values import mixed_values

MAX_READERS = 8


@dataclass(frozen=True)
class Site:
    """One qubit's encoding.

    Args:
        gates: its gates up to the last one that reads an input, in order.
        angles: the input part of the angle of each encoding rotation (no offset, no weights).
        columns: which of the 3^r products of (1, cos, sin) the qubit's Bloch vector contains; 0 comes first.
    """

    gates: tuple[Gate, ...]
    angles: tuple[tuple[tuple[int, float], ...], ...]
    columns: tuple[int, ...]

    @cached_property
    def chosen(self) -> npt.NDArray[np.int64]:
        """The columns as an array."""
        return np.array(self.columns, np.int64)


Known = dict[tuple[tuple[Gate, ...], int], Site]
"""Sites by their gates, and how many inputs are bits: what circuits of one layer have in common is worked out once."""


def find_sites(circuit: Circuit, known: Known | None = None) -> tuple[tuple[Site, ...], tuple[Gate, ...]]:
    """Split a circuit into one site for each wire and the remaining gates.

    Args:
        circuit: to be split.
        known: sites of other circuits, to which those of this one are added.

    Raises:
        PlanError: if an input is read by a gate on several qubits, or on a qubit that has met another one.
    """
    if circuit.preparation is not None:
        raise PlanError(
            "the circuit prepares a state with amplitudes from the window, so it is not a product encoding, which is "
            "the only kind that the polynomial plan evaluates"
        )
    if circuit.counts is not None:
        raise PlanError(
            "the number of ones in a bit string is not an expectation value, and the polynomial plan gives only those"
        )
    if mixed_values(circuit):
        raise PlanError(
            "an angle is a function of inputs and weights together other than a sum (such as a weight times an "
            "input), so no features of the window alone describe it, which the polynomial plan needs"
        )
    last_reader: dict[int, int] = {}
    entangled: set[int] = set()
    for position, gate in enumerate(circuit.gates):
        if gate.angle is not None and gate.angle.inputs:
            if gate.wires[0] in entangled:
                raise PlanError(
                    f"gate {position} ({gate.name} on wire {gate.wires[0]}) reads an input after its qubit met "
                    "another one, so the circuit is not a product encoding, which is the only kind that the "
                    "polynomial plan evaluates: encode every input before the first two-qubit gate on its wire"
                )
            last_reader[gate.wires[0]] = position
        if len(gate.wires) > 1:
            entangled.update(gate.wires)
    prefixes: list[list[Gate]] = [[] for _ in range(circuit.n_wires)]
    rest = []
    for position, gate in enumerate(circuit.gates):
        if position <= last_reader.get(gate.wires[0], -1):
            prefixes[gate.wires[0]].append(gate)
        else:
            rest.append(gate)
    known = {} if known is None else known
    binary = circuit.n_inputs if circuit.threshold is not None else 0
    sites = []
    for prefix in prefixes:
        key = (tuple(prefix), binary)
        if key not in known:
            known[key] = _site(*key)
        sites.append(known[key])
    return tuple(sites), tuple(rest)


def _site(gates: tuple[Gate, ...], binary: int) -> Site:
    readers = [gate.angle.inputs for gate in gates if gate.angle is not None and gate.angle.inputs]
    if len(readers) > MAX_READERS:
        raise PlanError(
            f"{len(readers)} rotations of one qubit (wire {gates[0].wires[0]}) read inputs, the polynomial plan takes "
            f"at most {MAX_READERS} before its first two-qubit gate: encode fewer inputs on each qubit"
        )
    # A column that is zero for random weights is zero for all of them (it is a polynomial in their cosines).
    rng = np.random.default_rng(7)
    used = np.zeros(3 ** len(readers), dtype=bool)
    for _ in range(2):
        used |= np.abs(bloch_matrix(gates, rng)).max(axis=0) > 1e-9
    if binary:
        used &= ~_vanishing_sines(readers, binary)
    used[0] = True
    return Site(gates, tuple(readers), tuple(int(k) for k in np.flatnonzero(used)))


def bloch_matrix(gates: tuple[Gate, ...], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A for random weights, all 3^r columns: the numerical twin of `reference.site_matrix`."""
    bloch = np.array([[1.0], [0.0], [0.0], [1.0]])
    tables = rotation_tables()
    for gate in gates:
        if gate.transfer is not None:
            bloch = np.array(gate.transfer) @ bloch
            continue
        if gate.angle is None:
            bloch = heisenberg_matrix(GATES[gate.name].unitary()).T @ bloch
            continue
        parts = tables[AXES.index(gate.name[1])].transpose(0, 2, 1)
        if gate.angle.inputs:
            bloch = np.concatenate([part @ bloch for part in parts], axis=1)
        angle = gate.angle.offset + sum(rng.uniform(0, 6) for _ in gate.angle.weights)
        bloch = (parts[0] + np.cos(angle) * parts[1] + np.sin(angle) * parts[2]) @ bloch
    return bloch


def _vanishing_sines(readers: list[tuple[tuple[int, float], ...]], binary: int) -> npt.NDArray[np.bool_]:
    """Columns with the sine of an angle that is a multiple of pi for every combination of the `binary` bits."""
    vanishing = np.zeros(3 ** len(readers), dtype=bool)
    for r, reader in enumerate(readers):
        if all(index < binary and abs(np.sin(coefficient)) < 1e-12 for index, coefficient in reader):
            vanishing |= (np.arange(len(vanishing)) // 3**r) % 3 == 2
    return vanishing

"""The recipe: a circuit description parsed once into the few steps that turn weights into coefficients.

Nothing here depends on weights or pixels. The recipe is frozen, cached by circuit, and interpreted by
`_coefficients` (weights to coefficients) and `_features` (windows to features).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from quanvolve._errors import PlanError
from quanvolve.circuits import Angle, Circuit, Gate
from quanvolve.compile._pauli import AXES, Floats, clifford_on
from quanvolve.compile._sites import Site, find_sites

MAX_WIRES = 10
MAX_FEATURES = 3**MAX_WIRES


@dataclass(frozen=True, eq=False)
class Permute:
    """A run of Clifford gates on the whole register: ``T[p] <- sign[p] * T[source[p]]``."""

    source: npt.NDArray[np.int32]
    sign: npt.NDArray[np.int8]
    wires: frozenset[int]


@dataclass(frozen=True)
class Rotate:
    """A run of rotations on one wire, by number, in the order in which they act on the observable."""

    wire: int
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class SiteGate:
    """A gate of a site's prefix: a Clifford by name, or a rotation about `axis`.

    A rotation reads the window (`reads`), or it is the constant and weighted rotation `number`, or both.
    """

    clifford: str | None
    axis: int = 0
    reads: bool = False
    number: int | None = None


@dataclass(frozen=True, eq=False)
class Encoded:
    """A product encoding, and the rotations of a circuit by number.

    Args:
        circuit: where it came from.
        sites: one for each wire.
        site_gates: the prefix gates of each site, ready to interpret.
        axes: of the constant and weighted rotations that prefixes and later steps refer to by number (X, Y, Z = 0, 1,
            2).
        angles: their angles.
    """

    circuit: Circuit
    sites: tuple[Site, ...]
    site_gates: tuple[tuple[SiteGate, ...], ...]
    axes: tuple[int, ...]
    angles: tuple[Angle, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many feature functions each site has."""
        return tuple(len(site.columns) for site in self.sites)


@dataclass(frozen=True, eq=False)
class Recipe(Encoded):
    """What a circuit becomes.

    Args:
        observables: initial Pauli coefficients as (output, word index, coefficient) arrays.
        steps: acting on the coefficients, last gate of the circuit first.
    """

    observables: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]
    steps: tuple[Permute | Rotate, ...]

    @property
    def n_features(self) -> int:
        """How many coefficients one output has."""
        return int(np.prod(self.sizes, dtype=object))


@lru_cache(maxsize=64)
def compile_circuit(circuit: Circuit) -> Recipe:
    """Parse a circuit into a recipe.

    Raises:
        PlanError: if the circuit is not a product encoding or has more qubits than the polynomial plan takes.
    """
    if circuit.n_wires > MAX_WIRES:
        raise PlanError(
            f"the circuit has {circuit.n_wires} qubits, the polynomial plan takes at most {MAX_WIRES}: use a smaller "
            "`kernel_size` or fewer channels that one circuit reads"
        )
    sites, rest = find_sites(circuit)
    rotations: list[tuple[int, Angle]] = []
    steps: list[Permute | Rotate] = []
    for gate in reversed(rest):
        _append(steps, gate, circuit.n_wires, rotations)
    site_gates = read_sites(sites, rotations)
    axes, angles = tuple(axis for axis, _ in rotations), tuple(angle for _, angle in rotations)
    recipe = Recipe(circuit, sites, site_gates, axes, angles, _initial(circuit), tuple(steps))
    if recipe.n_features > MAX_FEATURES:
        raise PlanError(
            f"the circuit's encoding has {recipe.n_features} features a window, the polynomial plan takes at most "
            f"{MAX_FEATURES}: encode fewer inputs on each qubit"
        )
    return recipe


def _initial(circuit: Circuit) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    entries = []
    for output, observable in enumerate(circuit.observables):
        for coefficient, word in observable.pauli_terms():
            index = sum("IXYZ".index(pauli) * 4 ** (circuit.n_wires - 1 - wire) for wire, pauli in word)
            entries.append((output, index, coefficient))
    outputs, words, coefficients = zip(*entries, strict=True) if entries else ((), (), ())
    return np.array(outputs, np.int64), np.array(words, np.int64), np.array(coefficients, np.float64)


def _append(steps: list[Permute | Rotate], gate: Gate, n_wires: int, rotations: list[tuple[int, Angle]]) -> None:
    """Add a gate, merged into an earlier step where nothing on its wires lies between."""
    wires = frozenset(gate.wires)
    blocker = -1
    for position, step in enumerate(steps):
        if wires & (step.wires if isinstance(step, Permute) else {step.wire}):
            blocker = position
    if gate.angle is not None:
        number = number_of(gate, gate.angle, rotations)
        last = steps[blocker] if blocker >= 0 else None
        if isinstance(last, Rotate):
            steps[blocker] = Rotate(last.wire, (*last.numbers, number))
        else:
            steps.append(Rotate(gate.wires[0], (number,)))
        return
    source, sign = clifford_on(gate.name, gate.wires, n_wires)
    for position in range(max(blocker, 0), len(steps)):
        step = steps[position]
        if isinstance(step, Permute):
            # new[p] = sign[p] * old[source[p]], and old itself is a signed permutation.
            steps[position] = Permute(step.source[source], sign * step.sign[source], step.wires | wires)
            return
    steps.append(Permute(source, sign, wires))


def read_sites(sites: tuple[Site, ...], rotations: list[tuple[int, Angle]]) -> tuple[tuple[SiteGate, ...], ...]:
    """The prefix gates of all sites; their constant and weighted rotations are added to the list."""
    return tuple(tuple(_site_gate(gate, rotations) for gate in site.gates) for site in sites)


def _site_gate(gate: Gate, rotations: list[tuple[int, Angle]]) -> SiteGate:
    if gate.angle is None:
        return SiteGate(gate.name)
    number = None
    if gate.angle.offset != 0.0 or gate.angle.weights:
        # Rotations about one axis add up, so the part that does not read the window is a rotation of its own.
        number = number_of(gate, Angle(gate.angle.offset, (), gate.angle.weights), rotations)
    return SiteGate(None, AXES.index(gate.name[1]), bool(gate.angle.inputs), number)


def number_of(gate: Gate, angle: Angle, rotations: list[tuple[int, Angle]]) -> int:
    """Add a rotation to the list."""
    rotations.append((AXES.index(gate.name[1]), angle))
    return len(rotations) - 1

"""The recipe: a circuit description parsed once into the few steps that turn weights into coefficients.

Nothing here depends on weights or pixels. The recipe is frozen, held by the plan that made it, and interpreted by
`reference._coefficients` (weights to coefficients) and `reference._features` (windows to features).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from quanvolve._errors import PlanError
from quanvolve.circuits import Angle, Circuit, Gate
from quanvolve.compile.tables._fuse import Fuser
from quanvolve.compile.tables._limits import MAX_WIRES, check_wires
from quanvolve.compile.tables._parsed import Parsed
from quanvolve.compile.tables._pauli import AXES, Floats, clifford_on, rotation_tables, word_index
from quanvolve.compile.tables._sites import Known, Site, find_sites

MAX_FEATURES = 3 ** MAX_WIRES["polynomial"]


@dataclass(frozen=True, eq=False)
class Permute:
    """A run of Clifford gates on the whole register: ``T[p] <- sign[p] * T[source[p]]``."""

    source: npt.NDArray[np.int32]
    sign: npt.NDArray[np.int8]

    def then(self, later: Permute) -> Permute:
        """This and what happens later as one: ``new[p] = sign[p] * old[source[p]]``, old a signed permutation too."""
        return Permute(self.source[later.source], later.sign * self.sign[later.source])


@dataclass(frozen=True)
class Rotate:
    """A run of rotations on one wire, by number, in the order in which they act on the observable."""

    wire: int
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class SiteGate:
    """A gate of a site's prefix: a Clifford by name, a rotation about `axis` or a channel.

    A rotation reads the window (`reads`), or it is the constant and weighted rotation `number`, or both; a channel
    has a number only.
    """

    clifford: str | None
    axis: int = 0
    reads: bool = False
    number: int | None = None


@dataclass(frozen=True, eq=False)
class Mix:
    """A channel on two wires: ``T[p] <- sum_q matrix[p, q] T[q]`` over the Pauli words of these wires."""

    wires: tuple[int, int]
    matrix: Floats


@dataclass(frozen=True, eq=False)
class Turn:
    """What acts on one wire and is referred to by number: a rotation about `axis` by `angle`, or a channel.

    Args:
        axis: X, Y, Z = 0, 1, 2; -1 for a channel.
        angle: of a rotation, the part that does not read the window; of a channel nothing.
        channel: of a channel, its matrix on Pauli coefficients of observables, shape (4, 4).
    """

    axis: int
    angle: Angle
    channel: Floats | None = None

    @property
    def parts(self) -> Floats:
        """M with the matrix ``M[0] + cos(angle) M[1] + sin(angle) M[2]``, shape (3, 4, 4)."""
        if self.channel is None:
            return np.asarray(rotation_tables()[self.axis])
        return np.stack([self.channel, np.zeros((4, 4)), np.zeros((4, 4))])


@dataclass(frozen=True, eq=False)
class Encoded(Parsed):
    """A product encoding, and the rotations of a circuit by number.

    Args:
        circuit: where it came from, as in :class:`Parsed`.
        sites: one for each wire.
        site_gates: the prefix gates of each site, ready to interpret.
        turns: the constant and weighted rotations, and the channels on one wire, that prefixes and later steps refer to
            by number.
    """

    sites: tuple[Site, ...]
    site_gates: tuple[tuple[SiteGate, ...], ...]
    turns: tuple[Turn, ...]

    @cached_property
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
    steps: tuple[Permute | Rotate | Mix, ...]

    @cached_property
    def n_features(self) -> int:
        """How many coefficients one output has."""
        return math.prod(self.sizes)


def compile_circuit(circuit: Circuit, known: Known | None = None) -> Recipe:
    """Parse a circuit into a recipe.

    Args:
        circuit: to be parsed.
        known: as in :func:`find_sites`.

    Raises:
        PlanError: if the circuit is not a product encoding or has more qubits than the polynomial plan takes.
    """
    check_wires(circuit, "polynomial")
    sites, rest = find_sites(circuit, known)
    turns: list[Turn] = []
    steps = _steps(reversed(rest), circuit.n_wires, turns)
    site_gates = read_sites(sites, turns)
    recipe = Recipe(circuit, sites, site_gates, tuple(turns), _initial(circuit), steps)
    if recipe.n_features > MAX_FEATURES:
        raise PlanError(
            f"the circuit's encoding has {recipe.n_features} features a window, the polynomial plan takes at most "
            f"{MAX_FEATURES}: encode fewer inputs on each qubit"
        )
    return recipe


def _initial(circuit: Circuit) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    entries = [
        (output, word_index(word, circuit.n_wires), coefficient)
        for output, observable in enumerate(circuit.observables)
        for coefficient, word in observable.pauli_terms()
    ]
    outputs, words, coefficients = zip(*entries, strict=True) if entries else ((), (), ())
    return np.array(outputs, np.int64), np.array(words, np.int64), np.array(coefficients, np.float64)


def _steps(gates: Iterable[Gate], n_wires: int, turns: list[Turn]) -> tuple[Permute | Rotate | Mix, ...]:
    """The gates as steps; rotations and channels on one wire are added to the list."""
    fuser = Fuser[int, Permute](Permute.then)
    for gate in gates:
        if gate.transfer is not None and len(gate.wires) == 2:
            first, second = gate.wires
            fuser.wall({first, second}, Mix((first, second), np.array(gate.transfer).T))
        elif gate.angle is not None or gate.transfer is not None:
            fuser.turn(gate.wires[0], number_of(gate, turns))
        else:
            fuser.move(set(gate.wires), Permute(*clifford_on(gate.name, gate.wires, n_wires)))
    steps: list[Permute | Rotate | Mix] = []
    for step in fuser.steps:
        if step.turns:
            (wire,) = step.wires
            steps.append(Rotate(wire, step.turns))
        elif step.move is not None:
            steps.append(step.move)
        elif isinstance(step.wall, Mix):
            steps.append(step.wall)
    return tuple(steps)


def read_sites(sites: tuple[Site, ...], turns: list[Turn]) -> tuple[tuple[SiteGate, ...], ...]:
    """The prefix gates of all sites; their constant and weighted rotations and channels are added to the list."""
    return tuple(tuple(_site_gate(gate, turns) for gate in site.gates) for site in sites)


def _site_gate(gate: Gate, turns: list[Turn]) -> SiteGate:
    if gate.transfer is not None:
        return SiteGate(None, number=number_of(gate, turns))
    if gate.angle is None:
        return SiteGate(gate.name)
    number = None
    if gate.angle.offset != 0.0 or gate.angle.weights:
        # Rotations about one axis add up, so the part that does not read the window is a rotation of its own.
        number = number_of(replace(gate, angle=Angle(gate.angle.offset, (), gate.angle.weights)), turns)
    return SiteGate(None, AXES.index(gate.name[1]), bool(gate.angle.inputs), number)


def number_of(gate: Gate, turns: list[Turn]) -> int:
    """Add a rotation, or a channel on one wire, to the list."""
    if gate.transfer is not None:
        turns.append(Turn(-1, Angle(), np.array(gate.transfer).T))
    else:
        turns.append(Turn(AXES.index(gate.name[1]), gate.angle or Angle()))
    return len(turns) - 1

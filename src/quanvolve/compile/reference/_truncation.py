"""Observables evolved backwards as trains of small tensors, cut short where little is lost.

A train of n cores (left, 4, right) holds the Pauli coefficients of an observable as products of matrices. A gate on two
qubits multiplies the bonds between them; singular values that are small are then left out. With unit Frobenius norm
of the observable the sum of what is left out bounds the error of all coefficients together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quanvolve._errors import PlanError
from quanvolve.compile.tables._chains import Chains, Event, Word
from quanvolve.compile.tables._pauli import Floats

MAX_BOND = 512
_GROWN = 16 * MAX_BOND
"""Bond before truncation that is refused: decomposing such matrices takes minutes."""


class Train:
    """The coefficients of an observable.

    Args:
        cores: one for each wire, shape (left, numbers, right).
        tolerance: what all truncations together may leave out, as a Frobenius norm.
        gates: how many two-qubit gates will come.

    Attributes:
        error: Frobenius norm of what has been left out, at most.
    """

    def __init__(self, cores: Sequence[Floats], tolerance: float, gates: int) -> None:
        self.cores = list(cores)
        self.error = 0.0
        self._tolerance, self._gates, self._done = tolerance, max(1, gates), 0
        self._centre = 0

    @property
    def bond(self) -> int:
        """The largest of all bonds."""
        return int(max(core.shape[2] for core in self.cores))

    def turn(self, wire: int, matrix: Floats) -> None:
        """Apply a matrix (4, 4) to one wire.

        One that is not orthogonal, as that of a channel, can enlarge earlier errors, and makes the wire the centre.
        """
        orthogonal = bool(np.abs(matrix.T @ matrix - np.eye(4)).max() < 1e-12)
        if not orthogonal:
            self._move(wire)
            self.error *= float(np.linalg.norm(matrix, 2))
        self.cores[wire] = np.einsum("pq,lqr->lpr", matrix, self.cores[wire])

    def join(self, wires: tuple[int, int], operators: tuple[Floats, Floats]) -> None:
        """Apply ``sum_g A[g] (x) B[g]`` to two wires, and truncate the bonds between them.

        Raises:
            PlanError: if a bond becomes too large.
        """
        (first, last), (on_first, on_last) = wires, operators
        if first > last:
            (first, last), (on_first, on_last) = (last, first), (on_last, on_first)
        self._done += 1
        rank = len(on_first)
        bare = max(self.cores[wire].shape[2] for wire in range(first, last))
        if rank * bare > _GROWN:
            raise _too_large(rank * bare, self._tolerance)
        self._move(first)
        for wire in range(first, last + 1):
            core = self.cores[wire]
            left, _, right = core.shape
            if wire == first:
                self.cores[wire] = np.einsum("gpq,lqr->lpgr", on_first, core).reshape(left, 4, rank * right)
            elif wire == last:
                self.cores[wire] = np.einsum("gpq,lqr->glpr", on_last, core).reshape(rank * left, 4, right)
            else:
                wide = np.einsum("gh,lpr->glphr", np.eye(rank), core)
                self.cores[wire] = wide.reshape(rank * left, 4, rank * right)
        scale = float(np.linalg.norm(_joint(on_first, on_last), 2))
        self.error *= max(1.0, scale)
        self._shorten(first, last)
        if self.bond > MAX_BOND:
            raise _too_large(self.bond, self._tolerance)

    def compress(self) -> None:
        """Truncate all bonds, with what is left of the tolerance."""
        self._centre, self._done = 0, self._gates
        self._shorten(0, len(self.cores) - 1)

    def _shorten(self, first: int, last: int) -> None:
        self._move(last)
        # What earlier gates did not use of their share is left for later ones.
        allowed = self._tolerance * self._done / self._gates - self.error
        for wire in range(last, first, -1):
            allowed -= self._cut(wire, max(0.0, allowed) / (wire - first))

    def _move(self, centre: int) -> None:
        """Make everything left and right of a wire orthogonal."""
        while self._centre < centre:
            left, physical, right = self.cores[self._centre].shape
            q, r = np.linalg.qr(self.cores[self._centre].reshape(left * physical, right))
            self.cores[self._centre] = q.reshape(left, physical, -1)
            self.cores[self._centre + 1] = np.einsum("ab,bpr->apr", r, self.cores[self._centre + 1])
            self._centre += 1
        while self._centre > centre:
            left, physical, right = self.cores[self._centre].shape
            q, r = np.linalg.qr(self.cores[self._centre].reshape(left, physical * right).T)
            self.cores[self._centre] = q.T.reshape(-1, physical, right)
            self.cores[self._centre - 1] = np.einsum("lpa,ba->lpb", self.cores[self._centre - 1], r)
            self._centre -= 1

    def _cut(self, wire: int, allowed: float) -> float:
        """Shorten the bond on the left of the centre, and move the centre there; gives the error that was made."""
        left, physical, right = self.cores[wire].shape
        u, s, v = np.linalg.svd(self.cores[wire].reshape(left, physical * right), full_matrices=False)
        lost = np.sqrt(np.cumsum(s[::-1] ** 2))[::-1]  # what is lost when all from here on are left out
        # Rounding is no information, and would keep bonds large for nothing.
        bond = max(1, int((lost > max(allowed, 1e-15 * s[0])).sum()))
        made = float(lost[bond]) if bond < len(s) else 0.0
        self.error += made
        self.cores[wire] = v[:bond].reshape(bond, physical, right)
        self.cores[wire - 1] = np.einsum("lpa,ab->lpb", self.cores[wire - 1], u[:, :bond] * s[:bond])
        self._centre = wire - 1
        return made


def evolve(chains: Chains, matrices: Floats, word: Word, tolerance: float) -> Train:
    """A word through a whole circuit.

    Args:
        chains: of the circuit.
        matrices: of its rotations and channels by number, shape (number, 4, 4).
        word: one of the circuit's.
        tolerance: as in :class:`Train`; the word has the norm 1.

    Raises:
        PlanError: if a bond becomes too large.
    """
    train = Train([np.eye(4)[letter].reshape(1, 4, 1) for letter in word.letters], tolerance, len(chains.gates))
    waiting = [iter(events) for events in chains.events]
    partners: dict[int, tuple[int, Event]] = {}
    # Gates were numbered in the order in which they act, so each wire can run on to its next one.
    for gate, wires in enumerate(chains.gates):
        for wire in wires:
            partners[wire] = (gate, _run(train, wire, waiting[wire], matrices))
        on_first, on_last = (partners[wire][1].operators for wire in wires)
        if on_first is not None and on_last is not None:
            train.join((wires[0], wires[1]), (on_first, on_last))
    for wire, events in enumerate(waiting):
        _run(train, wire, events, matrices)
    return train


def _run(train: Train, wire: int, events: object, matrices: Floats) -> Event:
    """Apply what happens to one wire alone, up to its next two-qubit gate, which is returned."""
    for event in events:  # type: ignore[attr-defined]
        if event.gate is not None:
            return event  # type: ignore[no-any-return]
        train.turn(wire, event.operators[0] if event.operators is not None else matrices[event.rotation])
    return Event()


def _joint(on_first: Floats, on_last: Floats) -> Floats:
    return np.asarray(np.einsum("gab,gcd->acbd", on_first, on_last).reshape(16, 16), float)


def _too_large(bond: int, tolerance: float) -> PlanError:
    return PlanError(
        f"at an error of {tolerance:g} the circuit needs a bond of {bond}, the truncated train takes at most "
        f"{MAX_BOND}: allow a larger error, as in engine='truncated_train:1e-3', or use fewer layers, smaller weights "
        "(init='small') or a local ansatz ('brickwork', 'grid')"
    )


def stacked(trains: Sequence[Sequence[Floats]]) -> list[Floats]:
    """Cores of several trains, padded with zeros to the same bonds, shape (trains, left, functions, right) by wire."""
    by_wire = []
    for cores in zip(*trains, strict=True):
        left, right = max(core.shape[0] for core in cores), max(core.shape[2] for core in cores)
        whole = np.zeros((len(cores), left, cores[0].shape[1], right))
        for number, core in enumerate(cores):
            whole[number, : core.shape[0], :, : core.shape[2]] = core
        by_wire.append(whole)
    return by_wire

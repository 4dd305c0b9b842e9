"""Chains of all qubits as a network that is contracted site by site: which numbers meet, whatever the weights are.

    T[p_0 .. p_(n-1)] = sum over shared indices g of prod_q K_q[g at q, p_q],

where K_q, the local tensor of wire q, holds what its chain of events makes of a Pauli letter for every value of the
indices of its gates. From wire to wire a state is a choice of values for the indices whose gates are open, that is,
have one wire behind and one ahead. Values that no non-zero term uses are left out, so that light cones need no rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from quanvolve._errors import PlanError
from quanvolve.compile.tables._chains import Chains, Word
from quanvolve.compile.tables._parsed import kept
from quanvolve.compile.tables._pauli import Floats
from quanvolve.compile.tables._sites import bloch_matrix

MAX_BOND = 1024
"""Most states between two sites: beyond, a train for training would be large and slow."""
MAX_LOCAL = 4**6
"""Most values of the indices of one qubit's gates together."""
_ZERO = 1e-9

Integers = npt.NDArray[np.int64]
Pattern = Any
"""An array of bool with one axis for each index."""


@dataclass(frozen=True, eq=False)
class SiteSweep:
    """One site of a word's network.

    Args:
        wire: of the site.
        width: states after it; before the first site there is one.
        terms: (entry, function of the site), sorted by entry.
        picks: for each term its place among all numbers of the local tensors.
        moves: (state before, state after, entry), sorted by the state after.
    """

    wire: int
    width: int
    terms: Integers
    picks: Integers
    moves: Integers


@dataclass(frozen=True, eq=False)
class WordSweep:
    """The network of one word.

    Args:
        word: where it starts.
        sites: those that read the window or depend on weights, in the order of wires; none if the value is constant.
        constant: what all other sites together contribute.
    """

    word: Word
    sites: tuple[SiteSweep, ...]
    constant: float

    @property
    def bond(self) -> int:
        """Most states between two sites."""
        return max((site.width for site in self.sites), default=1)


@kept
def sweeps(chains: Chains) -> tuple[WordSweep, ...]:
    """The networks of all words that are not zero for all weights and windows.

    Raises:
        PlanError: if a network is too large.
    """
    locals_ = local_patterns(chains)
    starts = np.concatenate([[0], np.cumsum([local.size for local, _ in locals_])])
    word_sweeps = [_sweep(chains, word, locals_, starts) for word in chains.words]
    return tuple(sweep for sweep in word_sweeps if sweep is not None)


def indices(chains: Chains, wire: int) -> tuple[int, ...]:
    """The shared indices of a wire's events, in their order."""
    return tuple(event.gate for event in chains.events[wire] if event.gate is not None)


@kept
def local_patterns(chains: Chains) -> tuple[tuple[npt.NDArray[np.bool_], Floats], ...]:
    """For each wire which numbers of its local tensor may differ from zero, and an example.

    Both have the shape (values of its indices together, functions, letters), the first index slowest.

    Raises:
        PlanError: if a qubit meets too many others.
    """
    for wire in range(chains.circuit.n_wires):
        size = math.prod(len(event.operators) for event in chains.events[wire] if event.operators is not None)
        if size > MAX_LOCAL:
            met = len(indices(chains, wire))
            raise PlanError(
                f"after the gates that only permute Pauli words, qubit {wire} has {met} two-qubit gates, the "
                f"tensor-train plan takes at most {int(math.log(MAX_LOCAL, 4))} on one qubit: use fewer layers"
            )
    # A number that is zero for random weights is zero for all of them (it is a polynomial in their cosines).
    first, second = (_examples(chains, np.random.default_rng(seed)) for seed in (7, 8))
    return tuple((np.abs(a) + np.abs(b) > _ZERO, a) for a, b in zip(first, second, strict=True))


def _examples(chains: Chains, rng: np.random.Generator) -> list[Floats]:
    angles = [turn.angle.offset + sum(rng.uniform(0, 6) for _ in turn.angle.weights) for turn in chains.turns]
    parts = [turn.parts for turn in chains.turns]
    matrices = [p[0] + np.cos(a) * p[1] + np.sin(a) * p[2] for p, a in zip(parts, angles, strict=True)]
    locals_ = []
    for wire, events in enumerate(chains.events):
        local = np.eye(4)[None]  # values, new Pauli, letter
        for event in events:
            if event.operators is None:
                assert event.rotation is not None
                local = np.einsum("pq,gqb->gpb", matrices[event.rotation], local)
            else:
                local = np.einsum("rpq,gqb->grpb", event.operators, local).reshape(-1, 4, 4)
        site = bloch_matrix(chains.sites[wire].gates, rng)[:, list(chains.sites[wire].columns)]
        locals_.append(np.einsum("pf,gpb->gfb", site, local))
    return locals_


def _sweep(
    chains: Chains, word: Word, locals_: tuple[tuple[npt.NDArray[np.bool_], Floats], ...], starts: Integers
) -> WordSweep | None:
    ranks = _ranks(chains)
    wire_indices = [indices(chains, wire) for wire in range(chains.circuit.n_wires)]
    patterns: list[Pattern] = [
        np.reshape(local[:, :, letter].any(1), [ranks[g] for g in wire_indices[wire]])
        for wire, ((local, _), letter) in enumerate(zip(locals_, word.letters, strict=True))
    ]
    if not _restrict(patterns, wire_indices, ranks):
        return None
    steps = [np.argwhere(pattern).astype(np.int64) for pattern in patterns]
    widths, moves = _moves(steps, wire_indices, chains.gates)
    if not widths:
        return None
    sites, constant = [], 1.0
    for wire, entries in enumerate(steps):
        flat = _flat(entries, wire_indices[wire], ranks)
        local, example = locals_[wire]
        mask = local[flat][:, :, word.letters[wire]]
        numbers = example[flat][:, :, word.letters[wire]]
        alone = len(flat) == 1 and widths[wire] == 1 and (wire == 0 or widths[wire - 1] == 1)
        # For random weights it is 1 or -1 only if it is so for all of them.
        if alone and not mask[0, 1:].any() and abs(abs(numbers[0, 0]) - 1) < _ZERO:
            constant *= float(np.rint(numbers[0, 0]))
            continue
        used = np.zeros(len(flat), bool)
        used[moves[wire][:, 2]] = True
        mask &= used[:, None]
        entry, function = np.nonzero(mask)
        picks = starts[wire] + (flat[entry] * local.shape[1] + function) * 4 + word.letters[wire]
        renumber = np.cumsum(used) - 1
        moved = moves[wire].copy()
        moved[:, 2] = renumber[moved[:, 2]]
        terms = np.stack([renumber[entry], function], axis=1)
        sites.append(SiteSweep(wire, widths[wire], terms, picks, moved))
    return WordSweep(word, tuple(sites), constant)


def _ranks(chains: Chains) -> list[int]:
    sizes = [1] * len(chains.gates)
    for events in chains.events:
        for event in events:
            if event.gate is not None and event.operators is not None:
                sizes[event.gate] = len(event.operators)
    return sizes


def _restrict(patterns: list[Pattern], indices: list[tuple[int, ...]], ranks: list[int]) -> bool:
    """Leave only the values of each index that both of its wires have a use for; False where nothing is left."""
    alive = [np.ones(rank, bool) for rank in ranks]
    changed = True
    while changed:
        changed = False
        for wire in range(len(patterns)):
            pattern = patterns[wire]
            for axis, g in enumerate(indices[wire]):
                pattern = pattern & alive[g].reshape([-1 if a == axis else 1 for a in range(pattern.ndim)])
            if not pattern.any():
                return False
            patterns[wire] = pattern
            for axis, g in enumerate(indices[wire]):
                left = pattern.any(axis=tuple(a for a in range(pattern.ndim) if a != axis))
                if (left != alive[g]).any():
                    alive[g] = left
                    changed = True
    return True


def _moves(
    steps: list[Integers], indices: list[tuple[int, ...]], gates: tuple[tuple[int, int], ...]
) -> tuple[list[int], list[Integers]]:
    """States after each wire, and the moves between them; nothing where no state reaches the end.

    Args:
        steps: for each wire the combinations of values of its indices that occur.
        indices: of each wire.
        gates: the wires of each index.
    """
    states = np.zeros((1, 0), np.int64)  # one row for each, one column for each open index
    opened: list[int] = []
    all_moves: list[Integers] = []
    for wire, (entries, mine) in enumerate(zip(steps, indices, strict=True)):
        closing = [g for g in mine if min(gates[g]) < wire]
        before = states[:, [opened.index(g) for g in closing]]
        after = entries[:, [mine.index(g) for g in closing]]
        start, entry = np.nonzero((before[:, None, :] == after[None, :, :]).all(-1))
        staying = [g for g in opened if g not in closing]
        opening = [g for g in mine if g not in closing]
        rows = np.concatenate(
            [states[start][:, [opened.index(g) for g in staying]], entries[entry][:, [mine.index(g) for g in opening]]],
            axis=1,
        )
        opened = staying + opening
        states, end = np.unique(rows, axis=0, return_inverse=True)
        if len(states) > MAX_BOND:
            raise PlanError(
                f"the circuit needs a bond of at least {len(states)} between qubits {wire} and {wire + 1}, the "
                f"tensor-train plan takes at most {MAX_BOND}: use fewer layers, a local ansatz ('brickwork', 'grid') "
                "or a smaller `kernel_size`"
            )
        all_moves.append(np.stack([start, end.reshape(-1), entry], axis=1))
    widths: list[int] = []
    wanted = np.arange(len(states))
    for wire in range(len(all_moves) - 1, -1, -1):
        moves = all_moves[wire][np.isin(all_moves[wire][:, 1], wanted)]
        moves[:, 1] = np.searchsorted(wanted, moves[:, 1])
        widths.insert(0, len(wanted))
        wanted = np.unique(moves[:, 0])
        all_moves[wire] = moves
        if not len(moves):
            return [], []
    for wire, moves in enumerate(all_moves):
        reached = np.unique(moves[:, 0])
        moves[:, 0] = np.searchsorted(reached, moves[:, 0])
        all_moves[wire] = moves[np.argsort(moves[:, 1], kind="stable")]
    return widths, all_moves


def _flat(entries: Integers, indices: tuple[int, ...], ranks: list[int]) -> Integers:
    flat = np.zeros(len(entries), np.int64)
    for axis, g in enumerate(indices):
        flat = flat * ranks[g] + entries[:, axis]
    return flat

"""The networks of all rows as tables of numbers, for the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from quanvolve.compile.tables._chains import Chains
from quanvolve.compile.tables._features import WindowTables
from quanvolve.compile.tables._grid import Grid
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._sweeps import Integers, WordSweep, sweeps

Shorts = npt.NDArray[np.int32]


class Sweeps(NamedTuple):
    """All words of all rows, site by site, as runs of numbers in flat arrays.

    Args:
        shape: groups, filters, channels, and outputs of a circuit.
        row_words: for each row its first word, and one past its last.
        row_bases: for each row where its numbers begin, beside where its words begin.
        word_outputs, word_factors: the output that each word is added to, and what it is multiplied with.
        word_sites: where each word's sites begin.
        site_entries, site_states: where each site's entries, and its states, begin.
        entry_terms: where each entry's terms begin.
        state_moves: where each state's moves begin.
        term_rows: for each term the function that its number is multiplied with; row 0 is the constant 1.
        move_states, move_entries: for each move the state that it comes from, and the entry that it is multiplied with.
    """

    shape: Integers
    row_words: Integers
    row_bases: Integers
    word_outputs: Integers
    word_factors: npt.NDArray[np.float64]
    word_sites: Integers
    site_entries: Integers
    site_states: Integers
    entry_terms: Integers
    state_moves: Integers
    term_rows: Shorts
    move_states: Shorts
    move_entries: Shorts


def count_terms(chains: Chains) -> int:
    """Numbers that one row of weights becomes."""
    return sum(len(site.terms) for sweep in sweeps(chains) for site in sweep.sites)


def work(chains: Chains) -> int:
    """Products of a row that evaluating one window takes."""
    return sum(len(site.terms) + len(site.moves) for sweep in sweeps(chains) for site in sweep.sites)


class NetworkTables(WindowTables):
    """Networks on the windows of images.

    Args:
        chains: one for all rows, or one for each; they share their encoding.
        layout, grid, scale: as in :class:`WindowTables`.
    """

    def __init__(self, chains: Sequence[Chains], layout: Layout, grid: Grid, scale: float) -> None:
        super().__init__(chains[0], layout, grid, scale)
        self.chains = tuple(chains)

    @classmethod
    def for_windows(cls, chains: Sequence[Chains], layout: Layout, grid: Grid, scale: float) -> NetworkTables:
        """Tables that are shared with whoever has the same."""
        circuits = [row_chains.circuit for row_chains in chains]
        return cls.shared((circuits, layout, grid, scale), lambda: cls(chains, layout, grid, scale))

    @cached_property
    def sweeps(self) -> Sweeps:
        """All words of all rows."""
        return row_sweeps(self.chains, self.layout)

    @cached_property
    def products(self) -> int:
        """Products of all rows that evaluating one window takes."""
        return sum(map(work, self.chains)) * (self.layout.rows if len(self.chains) == 1 else 1)


def row_sweeps(chains: Sequence[Chains], layout: Layout) -> Sweeps:
    """What the kernels take.

    Args:
        chains: one for all rows, or one for each.
        layout: of the rows.
    """
    words = [(number, sweep) for number, row_chains in enumerate(chains) for sweep in sweeps(row_chains)]
    last = np.cumsum([0] + [len(sweeps(row_chains)) for row_chains in chains])
    runs = np.stack([last[:-1], last[1:]], axis=1)
    sizes = [count_terms(row_chains) for row_chains in chains]
    if len(chains) == 1:
        row_words, row_bases = np.repeat(runs, layout.rows, axis=0), np.arange(layout.rows) * sizes[0]
    else:
        row_words, row_bases = runs, np.zeros(layout.rows, np.int64)
    sites = [(chains[number], site) for number, sweep in words for site in sweep.sites]
    entry_terms = chain.from_iterable(_runs(site.terms[:, 0]) for _, site in sites)
    state_moves = chain.from_iterable(_runs(site.moves[:, 1]) for _, site in sites)
    first_rows = {
        id(row_chains): np.concatenate([[0], np.cumsum([size - 1 for size in row_chains.sizes])])
        for row_chains in chains
    }
    term_rows = [
        np.where(site.terms[:, 1] == 0, 0, first_rows[id(row_chains)][site.wire] + site.terms[:, 1])
        for row_chains, site in sites
    ]
    shape = np.array([*layout.shape, chains[0].circuit.n_outputs], np.int64)
    return Sweeps(
        shape,
        row_words.astype(np.int64),
        row_bases.astype(np.int64),
        np.array([sweep.word.output for _, sweep in words], np.int64),
        np.array([_factor(sweep) for _, sweep in words], np.float64),
        _starts([len(sweep.sites) for _, sweep in words]),
        _starts([int(site.terms[-1, 0]) + 1 for _, site in sites]),
        _starts([site.width for _, site in sites]),
        _starts(list(entry_terms)),
        _starts(list(state_moves)),
        _joined(term_rows),
        _joined([site.moves[:, 0] for _, site in sites]),
        _joined([site.moves[:, 2] for _, site in sites]),
    )


def _factor(sweep: WordSweep) -> float:
    return sweep.word.coefficient * sweep.constant


def _runs(sorted_numbers: Any) -> Any:
    """How often each of 0, 1, 2, ... occurs."""
    return np.bincount(sorted_numbers)


def _starts(lengths: list[int]) -> Any:
    return np.concatenate([[0], np.cumsum(np.array(lengths, np.int64))]).astype(np.int64)


def _joined(parts: list[Any]) -> Any:
    return np.concatenate(parts).astype(np.int32) if parts else np.zeros(0, np.int32)

"""The networks of all rows as tables of numbers, for the kernels."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np

from quanvolve.compile.batch._layout import Layout
from quanvolve.compile.tables._chains import Chains
from quanvolve.compile.tables._sweeps import WordSweep, sweeps


def count_terms(chains: Chains) -> int:
    """Numbers that one row of weights becomes."""
    return sum(len(site.terms) for sweep in sweeps(chains) for site in sweep.sites)


def work(chains: Chains) -> int:
    """Products of a row that evaluating one window takes."""
    return sum(len(site.terms) + len(site.moves) for sweep in sweeps(chains) for site in sweep.sites)


@lru_cache(maxsize=64)
def network_tables(chains: tuple[Chains, ...], layout: Layout) -> tuple[Any, ...]:
    """What the kernels take, from `row_words` to `move_entries`.

    Args:
        chains: one for all rows, or one for each.
        layout: of the rows.
    """
    words = [(number, sweep) for number, one in enumerate(chains) for sweep in sweeps(one)]
    last = np.cumsum([0] + [len(sweeps(one)) for one in chains])
    runs = np.stack([last[:-1], last[1:]], axis=1)
    sizes = [count_terms(one) for one in chains]
    if len(chains) == 1:
        row_words, row_bases = np.repeat(runs, layout.rows, axis=0), np.arange(layout.rows) * sizes[0]
    else:
        row_words, row_bases = runs, np.zeros(layout.rows, np.int64)
    sites = [(chains[number], site) for number, sweep in words for site in sweep.sites]
    entry_terms = chain.from_iterable(_runs(site.terms[:, 0]) for _, site in sites)
    state_moves = chain.from_iterable(_runs(site.moves[:, 1]) for _, site in sites)
    first_rows = {id(one): np.concatenate([[0], np.cumsum([size - 1 for size in one.sizes])]) for one in chains}
    term_rows = [
        np.where(site.terms[:, 1] == 0, 0, first_rows[id(one)][site.wire] + site.terms[:, 1]) for one, site in sites
    ]
    return (
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

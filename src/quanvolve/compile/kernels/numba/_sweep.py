"""Networks straight from images: words swept site by site, for a block of windows in cache."""

from __future__ import annotations

import numba
import numpy as np

from quanvolve.compile.kernels.numba._arrays import Floats, Integers, Numbers
from quanvolve.compile.kernels.numba._moves import BLOCK, moves_back, sum_moves, sum_terms, terms_back
from quanvolve.compile.kernels.numba._products import scatter, site_functions, site_functions_back
from quanvolve.compile.kernels.numba._reading import (
    ROW,
    WIDTH,
    count_tasks,
    put,
    read_block,
    source_of,
    tables_for,
    take,
    task_of,
)
from quanvolve.compile.tables._features import Readers, SiteTables
from quanvolve.compile.tables._network import Sweeps

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
_inlined = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"}, forceinline=True)
"""For functions that take tables, whose arrays would all be copied for a function that is not inlined."""


@_inlined  # type: ignore[untyped-decorator]
def _sweep(
    net: Sweeps, w: int, base: int, numbers: Floats, functions: Floats, entries: Floats, states: Floats, keep: bool
) -> int:
    """States of a word site by site; returns the row of the last one.

        entry[e] = sum over terms t of e: numbers[base + t] * function[t]
        state[s] = sum over moves m to s: state before[m] * entry[m]

    Args:
        net: all words.
        w: the word.
        base: where the row's numbers begin.
        keep: leave the states and entries of all sites in the buffers, one after the other.
    """
    before, after, shift = 0, 1, 0
    site_entries, site_states = net.site_entries, net.site_states
    for site in range(net.word_sites[w], net.word_sites[w + 1]):
        for e in range(site_entries[site], site_entries[site + 1]):
            term = net.entry_terms[e]
            sum_terms(
                numbers, base, net.term_rows, term, net.entry_terms[e + 1] - term, functions, entries,
                shift + e - site_entries[site],
            )  # fmt: skip
        width = site_states[site + 1] - site_states[site]
        for s in range(width):
            first = net.state_moves[site_states[site] + s]
            sum_moves(
                states, before, entries, shift, net.move_states, net.move_entries, first,
                net.state_moves[site_states[site] + s + 1] - first, after + s,
            )  # fmt: skip
        if keep:
            before, after, shift = after, after + width, shift + site_entries[site + 1] - site_entries[site]
        else:
            before = after
            # The two halves of the buffer take turns.
            half = len(states) // (2 * BLOCK)
            after = half if before < half else 0
    return before


@_jit  # type: ignore[untyped-decorator]
def _cut(functions: Floats, start: int, rows: Floats) -> None:
    """A block of columns as rows of their own."""
    for f in range(len(functions)):
        for k in range(BLOCK):
            rows[f * BLOCK + k] = functions[f, start + k]


@_jit  # type: ignore[untyped-decorator]
def _most(runs: Integers, words: Integers, add: bool) -> int:
    """The most rows of a site, or of all sites of a word together."""
    most = 1
    for w in range(len(words) - 1):
        if add:
            most = max(most, runs[words[w + 1]] - runs[words[w]])
        else:
            for site in range(words[w], words[w + 1]):
                most = max(most, runs[site + 1] - runs[site])
    return most


@_jit  # type: ignore[untyped-decorator]
def forward(
    part: int, parts: int, images: Numbers, numbers: Floats, net: Sweeps, sites: SiteTables, readers: Readers,
    pieces: int, out: Floats,
) -> None:  # fmt: skip
    """One part of the images.

    Args:
        part, parts: which of how many.
        images, sites, readers, pieces: as in `_dense.forward`.
        numbers: of all rows, one after the other.
        net: the words of all rows.
        out: shape (images, groups, outputs, places), to be written.
    """
    dtype = out.dtype
    groups, filters, channels, measured = net.shape
    n_readers, n_functions, outputs = len(readers.element), sites.factors.shape[0], out.shape[2]
    rows_c, rows_s = np.empty((max(1, n_readers), ROW), dtype), np.empty((max(1, n_readers), ROW), dtype)
    functions = np.ones((1 + n_functions, ROW), dtype)
    block = np.empty((1 + n_functions) * BLOCK, dtype)
    entries = np.empty(_most(net.site_entries, net.word_sites, False) * BLOCK, dtype)
    states = np.ones(2 * (1 + _most(net.site_states, net.word_sites, False)) * BLOCK, dtype)
    sums = np.empty((outputs, ROW), dtype)
    source = source_of(images, groups, channels, readers, pieces)
    tasks = count_tasks(source)
    first, last = tasks * part // parts, tasks * (part + 1) // parts
    cosines, sines = tables_for(source, first, last, out), tables_for(source, first, last, out)
    for number in range(first, last):
        task = task_of(source, number, out)
        for p in range(task.start, task.stop, WIDTH):
            count = min(WIDTH, task.stop - p)
            width = (task.some * count + BLOCK - 1) // BLOCK * BLOCK
            sums[:] = 0
            for c in range(channels):
                read_block(source, task, p, count, width, c, cosines, sines, rows_c, rows_s)
                site_functions(sites.factors, width, rows_c, rows_s, functions[1:])
                for q in range(0, width, BLOCK):
                    _cut(functions, q, block)
                    for f in range(filters):
                        row = (task.g * filters + f) * channels + c
                        for w in range(net.row_words[row, 0], net.row_words[row, 1]):
                            o = f * measured + net.word_outputs[w]
                            if o >= outputs:
                                continue
                            states[:BLOCK] = 1
                            at = BLOCK * _sweep(net, w, net.row_bases[row], numbers, block, entries, states, False)
                            to = sums[o, q : q + BLOCK]
                            for k in range(BLOCK):
                                to[k] += net.word_factors[w] * states[at + k]
            put(sums, task, p, count, out)


@_jit  # type: ignore[untyped-decorator]
def backward(
    part: int, parts: int, images: Numbers, numbers: Floats, net: Sweeps, sites: SiteTables, readers: Readers,
    pieces: int, d_out: Floats, d_numbers: Floats, d_images: Floats,
) -> None:  # fmt: skip
    """Gradients of one part of the images; arguments as in :func:`forward`.

    Args:
        d_out: shape (images, groups, outputs, places).
        d_numbers: shape (parts, numbers), to be added to.
        d_images: shape (pieces, images, pixels), to be added to, or of length 0.
    """
    dtype = d_out.dtype
    groups, filters, channels, measured = net.shape
    n_readers, n_functions, outputs = len(readers.element), sites.factors.shape[0], d_out.shape[2]
    want_i = len(d_images) > 0
    rows_c, rows_s = np.empty((max(1, n_readers), ROW), dtype), np.empty((max(1, n_readers), ROW), dtype)
    d_c, d_s = np.empty_like(rows_c), np.empty_like(rows_s)
    functions, d_functions = np.ones((1 + n_functions, ROW), dtype), np.empty((1 + n_functions, ROW), dtype)
    block, d_block = np.empty((1 + n_functions) * BLOCK, dtype), np.empty((1 + n_functions) * BLOCK, dtype)
    entries = np.empty(_most(net.site_entries, net.word_sites, True) * BLOCK, dtype)
    states = np.ones((1 + _most(net.site_states, net.word_sites, True)) * BLOCK, dtype)
    d_entries, d_states = np.empty_like(entries), np.empty_like(states)
    d_sums = np.zeros((outputs, ROW), dtype)
    source = source_of(images, groups, channels, readers, pieces)
    tasks = count_tasks(source)
    first, last = tasks * part // parts, tasks * (part + 1) // parts
    cosines, sines = tables_for(source, first, last, d_out), tables_for(source, first, last, d_out)
    for number in range(first, last):
        task = task_of(source, number, d_out)
        for p in range(task.start, task.stop, WIDTH):
            count = min(WIDTH, task.stop - p)
            width = (task.some * count + BLOCK - 1) // BLOCK * BLOCK
            take(d_out, task, p, count, width, d_sums)
            for c in range(channels):
                read_block(source, task, p, count, width, c, cosines, sines, rows_c, rows_s)
                site_functions(sites.factors, width, rows_c, rows_s, functions[1:])
                for q in range(0, width, BLOCK):
                    _cut(functions, q, block)
                    d_block[:] = 0
                    for f in range(filters):
                        row = (task.g * filters + f) * channels + c
                        for w in range(net.row_words[row, 0], net.row_words[row, 1]):
                            o = f * measured + net.word_outputs[w]
                            if o >= outputs or net.word_sites[w] == net.word_sites[w + 1]:
                                continue
                            _word_back(
                                net, w, net.row_bases[row], numbers, block, entries, states, d_sums[o, q : q + BLOCK],
                                d_block, d_entries, d_states, d_numbers[part],
                            )  # fmt: skip
                    for f in range(1 + n_functions):
                        for k in range(BLOCK):
                            d_functions[f, q + k] = d_block[f * BLOCK + k]
                if want_i:
                    d_c[:] = 0
                    d_s[:] = 0
                    site_functions_back(sites.factors, width, rows_c, rows_s, d_functions[1:], d_c, d_s)
                    for j in range(task.some):
                        scatter(
                            d_c, d_s, rows_c, rows_s, p, count, j * count, readers, d_images[task.piece, task.n + j],
                            task.base + c * readers.channel_step,
                        )  # fmt: skip


@_inlined  # type: ignore[untyped-decorator]
def _word_back(
    net: Sweeps, w: int, base: int, numbers: Floats, functions: Floats, entries: Floats, states: Floats,
    d_value: Floats, d_functions: Floats, d_entries: Floats, d_states: Floats, d_numbers: Floats,
) -> None:  # fmt: skip
    """Gradients of a word's numbers and functions, from that of its value."""
    site_entries, site_states = net.site_entries, net.site_states
    first_site, last_site, factor = net.word_sites[w], net.word_sites[w + 1], net.word_factors[w]
    at = _sweep(net, w, base, numbers, functions, entries, states, True)
    shift = site_entries[last_site] - site_entries[first_site]
    d_states[: at * BLOCK] = 0
    d_entries[: shift * BLOCK] = 0
    for k in range(BLOCK):
        d_states[at * BLOCK + k] = factor * d_value[k]
    for site in range(last_site - 1, first_site - 1, -1):
        before = at - (site_states[site] - site_states[site - 1]) if site > first_site else 0
        shift -= site_entries[site + 1] - site_entries[site]
        for s in range(site_states[site + 1] - site_states[site]):
            first = net.state_moves[site_states[site] + s]
            moves_back(
                states, d_states, before, entries, d_entries, shift, net.move_states, net.move_entries, first,
                net.state_moves[site_states[site] + s + 1] - first, at + s,
            )  # fmt: skip
        for e in range(site_entries[site], site_entries[site + 1]):
            term = net.entry_terms[e]
            terms_back(
                numbers, d_numbers, base, net.term_rows, term, net.entry_terms[e + 1] - term, functions, d_functions,
                d_entries, shift + e - site_entries[site],
            )  # fmt: skip
        at = before

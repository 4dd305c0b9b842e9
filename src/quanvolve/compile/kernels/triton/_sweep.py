"""Networks of all windows: words swept site by site, for a block of windows whose states stay in cache.

    entry[e] = sum over terms t of e: numbers[base + t] * function[t]
    state[s] = sum over moves m to s: state before[m] * entry[m]

A program has rows of BLOCK numbers to work with, one number for each window: entries and states, and in the backward
sweep as many for their gradients. What one site has written the next one reads, after a barrier.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _entries(net, site, shift, numbers, table, pitch, entries, BLOCK: tl.constexpr):
    """Write the entries of a site, from row `shift` on."""
    lane = tl.arange(0, BLOCK)
    first = tl.load(net.site_entries + site)
    for entry in range(first, tl.load(net.site_entries + site + 1)):
        total = tl.zeros([BLOCK], table.dtype.element_ty)
        for term in range(tl.load(net.entry_terms + entry), tl.load(net.entry_terms + entry + 1)):
            row = tl.load(net.term_rows + term).to(tl.int64)
            total += tl.load(numbers + term) * tl.load(table + row * pitch)
        tl.store(entries + (shift + entry - first) * BLOCK + lane, total)


@triton.jit
def _states(net, site, shift, entries, before, after, states, BLOCK: tl.constexpr):
    """Write the states after a site, from row `after` on; those before it begin at row `before`."""
    lane = tl.arange(0, BLOCK)
    first = tl.load(net.site_states + site)
    for state in range(first, tl.load(net.site_states + site + 1)):
        total = tl.zeros([BLOCK], states.dtype.element_ty)
        for move in range(tl.load(net.state_moves + state), tl.load(net.state_moves + state + 1)):
            source, through = tl.load(net.move_states + move), tl.load(net.move_entries + move)
            earlier = tl.load(states + (before + source) * BLOCK + lane)
            total += earlier * tl.load(entries + (shift + through) * BLOCK + lane)
        tl.store(states + (after + state - first) * BLOCK + lane, total)


@triton.jit
def forward(
    table, rows, pitch, count, numbers, net, starts, items, factors, room, entry_rows, state_rows, out, tasks, outputs,
    channels, BLOCK: tl.constexpr,
):  # fmt: skip
    """Values of all outputs: each program has every so many of the tasks (blocks of windows, outputs).

    Args:
        table, rows, pitch, count: functions of all windows, see `_readers`.
        numbers: of all rows of weights.
        net: the words, as pointers.
        starts, items, factors: where the words of each output begin; (word, where its numbers begin, channel); and what
            they are multiplied with.
        room: for each program rows to work with: entries of one site, and twice the states after one.
        out: shape (outputs, windows), to be written.
        tasks, outputs: how many; outputs of all groups.
        channels: of all groups.
    """
    lane = tl.arange(0, BLOCK)
    entries = room + tl.program_id(0).to(tl.int64) * (entry_rows + 2 * state_rows) * BLOCK
    states = entries + entry_rows * BLOCK
    for task in range(tl.program_id(0), tasks, tl.num_programs(0)):
        output = task % outputs
        window = task // outputs * BLOCK + lane
        there = window < count
        total = tl.zeros([BLOCK], out.dtype.element_ty)
        for item in range(tl.load(starts + output), tl.load(starts + output + 1)):
            word, channel = tl.load(items + 3 * item), tl.load(items + 3 * item + 2).to(tl.int64)
            own = numbers + tl.load(items + 3 * item + 1)
            functions = table + channel * rows * pitch + window
            first = tl.load(net.word_sites + word)
            last = tl.load(net.word_sites + word + 1)
            tl.store(states + lane, tl.zeros([BLOCK], out.dtype.element_ty) + 1)
            for site in range(first, last):
                # The two halves of the states take turns.
                before = (site - first) % 2 * state_rows
                _entries(net, site, 0, own, functions, pitch, entries, BLOCK)
                tl.debug_barrier()
                _states(net, site, 0, entries, before, state_rows - before, states, BLOCK)
                tl.debug_barrier()
            value = tl.load(states + (last - first) % 2 * state_rows * BLOCK + lane)
            total += tl.load(factors + item) * value
            tl.debug_barrier()
        tl.store(out + output.to(tl.int64) * count + window, total, mask=there)


@triton.jit
def _moves_back(
    net, site, shift, before, after, states, d_states, entries, d_entries, BLOCK: tl.constexpr
):  # fmt: skip
    """Add to the gradients by the states before a site and by its entries those by the states after it."""
    lane = tl.arange(0, BLOCK)
    first = tl.load(net.site_states + site)
    for state in range(first, tl.load(net.site_states + site + 1)):
        gradient = tl.load(d_states + (after + state - first) * BLOCK + lane)
        for move in range(tl.load(net.state_moves + state), tl.load(net.state_moves + state + 1)):
            source = (before + tl.load(net.move_states + move)) * BLOCK + lane
            through = (shift + tl.load(net.move_entries + move)) * BLOCK + lane
            earlier, entry = tl.load(states + source), tl.load(entries + through)
            tl.store(d_states + source, tl.load(d_states + source) + gradient * entry)
            tl.store(d_entries + through, tl.load(d_entries + through) + gradient * earlier)


@triton.jit
def _terms_back(
    net, site, shift, numbers, d_numbers, table, d_table, pitch, d_entries, BLOCK: tl.constexpr
):  # fmt: skip
    """Add to the gradients by numbers and functions those by the entries of a site."""
    lane = tl.arange(0, BLOCK)
    first = tl.load(net.site_entries + site)
    for entry in range(first, tl.load(net.site_entries + site + 1)):
        gradient = tl.load(d_entries + (shift + entry - first) * BLOCK + lane)
        for term in range(tl.load(net.entry_terms + entry), tl.load(net.entry_terms + entry + 1)):
            at = tl.load(net.term_rows + term).to(tl.int64) * pitch
            tl.store(d_table + at, tl.load(d_table + at) + tl.load(numbers + term) * gradient)
            total = tl.sum(gradient * tl.load(table + at), 0)
            tl.store(d_numbers + term, tl.load(d_numbers + term) + total)


@triton.jit
def backward(
    table, rows, pitch, count, numbers, total_numbers, net, starts, items, factors, targets, room, entry_rows,
    state_rows, grad, d_numbers, d_table, channels, parts, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradients: programs (every so many blocks of windows, channels of all groups, parts of their words).

    Args:
        table, rows, pitch, count, numbers, net: as in :func:`forward`.
        total_numbers: how many numbers there are.
        starts, items, factors: as in :func:`forward`, but those of each channel.
        targets: the output of each item.
        room: for each program rows to work with: entries and states of all sites of a word, and their gradients.
        grad: shape (outputs, windows).
        d_numbers: zeros of shape (programs of the first axis, numbers), to be added to.
        d_table: zeros like the table for each part, to be added to.
    """
    lane = tl.arange(0, BLOCK)
    slot, channel, part = tl.program_id(0), tl.program_id(1).to(tl.int64), tl.program_id(2)
    program = (slot.to(tl.int64) * channels + channel) * parts + part
    entries = room + program * 2 * (entry_rows + state_rows) * BLOCK
    d_entries = entries + entry_rows * BLOCK
    states = d_entries + entry_rows * BLOCK
    d_states = states + state_rows * BLOCK
    d_numbers += slot.to(tl.int64) * total_numbers
    begin, end = tl.load(starts + channel), tl.load(starts + channel + 1)
    items_first, items_last = begin + (end - begin) * part // parts, begin + (end - begin) * (part + 1) // parts
    for block in range(slot, (count + BLOCK - 1) // BLOCK, tl.num_programs(0)):
        window = block * BLOCK + lane
        there = window < count
        functions = table + channel * rows * pitch + window
        d_functions = d_table + (part * channels + channel) * rows * pitch + window
        for item in range(items_first, items_last):
            word, base = tl.load(items + 3 * item), tl.load(items + 3 * item + 1)
            first, last = tl.load(net.word_sites + word), tl.load(net.word_sites + word + 1)
            zero = tl.zeros([BLOCK], grad.dtype.element_ty)
            tl.store(states + lane, zero + 1)
            tl.store(d_states + lane, zero)
            first_entry, first_state = tl.load(net.site_entries + first), tl.load(net.site_states + first)
            for site in range(first, last):
                shift = tl.load(net.site_entries + site) - first_entry
                after = tl.load(net.site_states + site) - first_state + 1
                width = tl.load(net.site_states + tl.maximum(site - 1, first)) - first_state + 1
                before = width if site > first else 0
                _entries(net, site, shift, numbers + base, functions, pitch, entries, BLOCK)
                for entry in range(tl.load(net.site_entries + site), tl.load(net.site_entries + site + 1)):
                    tl.store(d_entries + (entry - first_entry) * BLOCK + lane, zero)
                for state in range(tl.load(net.site_states + site), tl.load(net.site_states + site + 1)):
                    tl.store(d_states + (state - first_state + 1) * BLOCK + lane, zero)
                tl.debug_barrier()
                _states(net, site, shift, entries, before, after, states, BLOCK)
                tl.debug_barrier()
            target = tl.load(targets + item).to(tl.int64)
            value = tl.load(factors + item) * tl.load(grad + target * count + window, mask=there, other=0.0)
            end_state = tl.load(net.site_states + last) - first_state
            tl.store(d_states + end_state * BLOCK + lane, value)
            tl.debug_barrier()
            for back in range(last - first):
                site = last - 1 - back
                shift = tl.load(net.site_entries + site) - first_entry
                after = tl.load(net.site_states + site) - first_state + 1
                width = tl.load(net.site_states + tl.maximum(site - 1, first)) - first_state + 1
                before = width if site > first else 0
                _moves_back(net, site, shift, before, after, states, d_states, entries, d_entries, BLOCK)
                tl.debug_barrier()
                _terms_back(
                    net, site, shift, numbers + base, d_numbers + base, functions, d_functions, pitch,
                    d_entries, BLOCK,
                )  # fmt: skip
            tl.debug_barrier()

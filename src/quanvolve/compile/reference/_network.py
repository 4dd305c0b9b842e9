"""The networks of all outputs over all windows in plain torch: the reference, and the path on a GPU."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from quanvolve.compile.batch._chunks import in_chunks
from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._graph import keep_graph
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.reference._features import features
from quanvolve.compile.tables._chains import Chains
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._network import count_terms
from quanvolve.compile.tables._sweeps import WordSweep, sweeps


def sweep_windows(chains: Sequence[Chains], numbers: Tensor, windows: Windows, layout: Layout) -> Tensor:
    """Measured values of all windows.

    Args:
        chains: one for all rows, or one for each; they share their encoding.
        numbers: of all rows, one after the other, from :func:`quanvolve.compile.reference._network_numbers.numbers`.
        windows: of the images.
        layout: of the rows.

    Returns:
        Tensor of shape (images, groups, outputs, *places).
    """
    first = chains[0]
    largest = max((sweep.bond for row_chains in chains for sweep in sweeps(row_chains)), default=1)
    per_window = layout.rows * 8 * (largest + 4) * len(first.sites) * windows.images.element_size()

    def on_chunk(inputs: Tensor, numbers: Tensor) -> Tensor:
        functions = features(
            first, inputs, numbers.dtype
        )  # of each site (images, groups, channels, functions, positions)
        values, start = [], 0
        for block, row_chains in zip(layout.blocks(len(chains)), chains, strict=True):
            size = math.prod(block.shape) * count_terms(row_chains)
            row_numbers = numbers[start : start + size].reshape(*block.shape, -1)
            start += size
            some = [function[:, block.groups, None, block.channels] for function in functions]
            values.append(_values(row_chains, some, row_numbers))
        # images, rows, measured, positions
        rows = torch.cat([row_numbers.flatten(1, 3) for row_numbers in values], dim=1)
        return torch.unflatten(rows, 1, layout.shape).sum(3).flatten(2, 3)[:, :, : layout.outputs]

    return in_chunks(on_chunk, windows, (numbers,), layout.outputs, per_window)


def _values(chains: Chains, functions: list[Tensor], numbers: Tensor) -> Tensor:
    """Values of the measured observables.

    Args:
        chains: of the circuit.
        functions: of each site, shape (images, groups, 1, channels, functions, positions).
        numbers: shape (groups, filters, channels, terms).

    Returns:
        Tensor of shape (images, groups, filters, channels, measured, positions).
    """
    like = functions[0]
    shape = (like.shape[0], *numbers.shape[:3])
    outputs: list[Tensor | None] = [None] * chains.circuit.n_outputs
    start = 0
    for sweep in sweeps(chains):
        size = sum(len(site.terms) for site in sweep.sites)
        value = _word(sweep, functions, numbers[..., start : start + size], shape)
        start += size
        before = outputs[sweep.word.output]
        outputs[sweep.word.output] = value if before is None else before + value
    nothing = like.new_zeros(*shape, like.shape[-1])
    values = torch.stack([nothing if value is None else value + nothing for value in outputs], dim=-2)
    return keep_graph(values, *functions, numbers)  # also of values that nothing changes


def _word(sweep: WordSweep, functions: list[Tensor], numbers: Tensor, shape: tuple[int, ...]) -> Tensor:
    like = functions[0]
    factor = sweep.word.coefficient * sweep.constant
    state = like.new_full((*shape, 1, like.shape[-1]), factor)
    start = 0
    for site in sweep.sites:
        terms, moves = (constant(array, like.device) for array in (site.terms, site.moves))
        term_numbers = numbers[..., start : start + len(terms), None]
        start += len(terms)
        parts = term_numbers * functions[site.wire].index_select(-2, terms[:, 1])
        entries = like.new_zeros((*shape, int(site.terms[:, 0].max()) + 1, like.shape[-1]))
        entries = entries.index_add(-2, terms[:, 0], parts.expand(*shape, -1, -1))
        steps = state.index_select(-2, moves[:, 0]) * entries.index_select(-2, moves[:, 2])
        state = like.new_zeros((*shape, site.width, like.shape[-1])).index_add(-2, moves[:, 1], steps)
    return state.squeeze(-2)

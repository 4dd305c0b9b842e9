"""Networks of all windows: functions of their pixels first, then words swept site by site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
import triton
from torch import Tensor

from quanvolve.compile.kernels.triton import _readers, _sweep
from quanvolve.compile.kernels.triton._fold import folded
from quanvolve.compile.kernels.triton._launch import OPTIONS, doubles, kept, moved, on_device_of
from quanvolve.compile.kernels.triton._windows import MOST, Geometry, Shape, elements_of, fits
from quanvolve.compile.tables._features import FeatureTable
from quanvolve.compile.tables._network import NetworkTables, Sweeps

_BLOCK = 128
"""Windows of a program, four to a thread of one warp."""
_PROGRAMS = 1024
"""Programs that fill a device; more of them would push each other's rows out of its cache."""
_ROOM = 2**27
"""Numbers of the functions of all windows that are there at once; further images wait. Rows to work with take as much
at most."""


class Net(NamedTuple):
    """The words, on a device; see `tables._network.Sweeps`."""

    word_sites: Tensor
    site_entries: Tensor
    site_states: Tensor
    entry_terms: Tensor
    state_moves: Tensor
    term_rows: Tensor
    move_states: Tensor
    move_entries: Tensor


class _Items(NamedTuple):
    """The words of rows of weights, in the order of outputs or of channels.

    Args:
        starts: where those of each output or channel begin.
        items: (word, where its numbers begin, channel).
        factors: what they are multiplied with.
        targets: their outputs.
        most: of one output or channel.
    """

    starts: Tensor
    items: Tensor
    factors: Tensor
    targets: Tensor
    most: int


class _Ready(NamedTuple):
    """What the kernels take.

    Args:
        net, by_output, by_channel: the words.
        widths: the most entries and states of a site, then of a word.
        numbers, multipliers: what readers' pixels are multiplied with.
        factors: of the functions, the rows of cosines and sines, shape (functions, most of one function).
        starts, entries: for each input where the (function, factor) pairs begin that read it, and these.
    """

    net: Net
    by_output: _Items
    by_channel: _Items
    widths: tuple[tuple[int, int], tuple[int, int]]
    numbers: Tensor
    multipliers: Tensor
    factors: Tensor
    starts: Tensor
    entries: Tensor


class _Work(NamedTuple):
    """Functions of the windows of some images.

    Args:
        images: these.
        count: their windows.
        turned, table: cosines and sines, and functions, see `_readers`.
    """

    images: Tensor
    count: int
    turned: Tensor
    table: Tensor

    def tables(self) -> tuple[Tensor, int, int, int]:
        """Functions, rows, columns, windows."""
        return self.table, self.table.shape[1], self.table.shape[2], self.count

    @property
    def blocks(self) -> int:
        """Of windows."""
        return int(triton.cdiv(self.count, _BLOCK))


class Network:
    """The kernel of `ops.network`."""

    def supports(self, tables: NetworkTables, images: Tensor, numbers: Tensor) -> bool:
        """Angles that are multiples of one pixel, and a batch that is not known to be empty."""
        empty = isinstance(images.shape[0], int) and not images.shape[0]
        return tables.features is not None and not empty and fits(images)

    def forward(self, tables: NetworkTables, images: Tensor, numbers: Tensor) -> Tensor:
        """Shape (images, groups, outputs, *places)."""
        numbers, layout = numbers.contiguous(), tables.layout
        places = tables.grid.places(tuple(images.shape[2:]))
        out = numbers.new_empty((len(images), layout.groups, layout.outputs, *places))
        flat = out.flatten(1, 2).flatten(2)
        with on_device_of(images):
            for some in _runs(tables, images):
                work, ready = _work(tables, images[some], numbers)
                values = numbers.new_empty((layout.groups * layout.outputs, work.count))
                tasks = work.blocks * len(values)
                rows = sum(ready.widths[0]) + ready.widths[0][1]
                programs = max(1, min(tasks, _PROGRAMS, _ROOM // (rows * _BLOCK)))
                _sweep.forward[(programs,)](
                    *work.tables(), numbers, ready.net, *ready.by_output[:3],
                    numbers.new_empty(programs * rows * _BLOCK), *ready.widths[0], values, tasks, len(values),
                    len(work.table), BLOCK=_BLOCK, num_warps=1, **OPTIONS,
                )  # fmt: skip
                flat[some] = torch.unflatten(values, 1, (len(work.images), -1)).movedim(0, 1)
        return out

    def backward(
        self, tables: NetworkTables, grad: Tensor, images: Tensor, numbers: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Gradients by images and numbers."""
        numbers = numbers.contiguous()
        d_numbers = torch.zeros_like(numbers)
        d_images = torch.empty(images.shape, dtype=images.dtype, device=images.device) if wanted[0] else None
        with on_device_of(images):
            for some in _runs(tables, images):
                work, ready = _work(tables, images[some], numbers)
                by = grad[some].flatten(1, 2).flatten(2).movedim(0, 1).flatten(1).contiguous()
                channels = len(work.table)
                parts = max(1, min(ready.by_channel.most, _PROGRAMS // (channels * work.blocks)))
                rows = 2 * sum(ready.widths[1])
                slots = min(_PROGRAMS // (channels * parts), _ROOM // (channels * parts * rows * _BLOCK))
                slots = max(1, min(work.blocks, slots))
                d_table = work.table.new_zeros((parts, *work.table.shape))
                sums = numbers.new_zeros((slots, len(numbers)))
                _sweep.backward[(slots, channels, parts)](
                    *work.tables(), numbers, len(numbers), ready.net, *ready.by_channel[:4],
                    numbers.new_empty(slots * channels * parts * rows * _BLOCK), *ready.widths[1], by, sums, d_table,
                    channels, parts, BLOCK=_BLOCK, num_warps=1, **OPTIONS,
                )  # fmt: skip
                d_numbers += sums.sum(0)
                if d_images is not None:
                    d_images[some] = _pixels_back(tables, ready, work, d_table).to(images.dtype)
        return d_images, d_numbers if wanted[1] else None


def _runs(tables: NetworkTables, images: Tensor) -> Iterator[slice]:
    """Images whose functions are there at once."""
    assert tables.features is not None
    places = max(1, np.prod(tables.grid.places(tuple(images.shape[2:])), dtype=int))
    rows = len(tables.features.sites.factors) + 1 + 2 * len(tables.features.inputs)
    channels = images.shape[1] // _joined(tables, images)
    together = max(1, min(_ROOM // int(places * rows * channels), MOST // int(places)))
    for first in range(0, len(images), together):
        yield slice(first, first + together)


def _joined(tables: NetworkTables, images: Tensor) -> int:
    """Channels that a circuit reads."""
    return images.shape[1] // tables.layout.groups if tables.grid.joint else 1


def _work(tables: NetworkTables, images: Tensor, numbers: Tensor) -> tuple[_Work, _Ready]:
    """The functions of all windows."""
    assert tables.features is not None
    ready = kept(tables, ("network", numbers.dtype), images.device, lambda: _ready(tables, numbers))
    geometry, joined = Geometry.of(images, tables.grid), _joined(tables, images)
    shape, elements = Shape.of(tables.grid, joined), elements_of(tables.grid, joined)
    steps = geometry[3:]

    def make() -> Tensor:
        _, channel, z, y, x = steps
        at = [e[0] * channel + e[1] * z + e[2] * y + e[3] * x for e in elements]
        return moved(np.array(at)[tables.features.inputs], images.device, torch.int64)  # type: ignore[union-attr]

    offsets = kept(tables, ("readers", joined, steps[1:]), images.device, make)
    count, channels = len(images) * geometry.places.number, images.shape[1] // joined
    readers, rows = len(tables.features.inputs), len(tables.features.sites.factors) + 1
    pitch = int(triton.cdiv(count, _BLOCK)) * _BLOCK
    turned = numbers.new_empty((channels, 2 * readers, pitch))
    table = numbers.new_empty((channels, rows, pitch))
    work = _Work(images, count, turned, table)
    _readers.turns[(work.blocks, readers, channels)](
        images, joined * geometry.channel, offsets, ready.numbers, ready.multipliers, geometry, turned, count, pitch,
        readers, SHAPE=shape, BLOCK=_BLOCK, **OPTIONS,
    )  # fmt: skip
    _readers.functions[(work.blocks, rows, channels)](
        turned, ready.factors, ready.factors.shape[1], table, pitch, readers, rows, BLOCK=_BLOCK, **OPTIONS
    )
    return work, ready


def _pixels_back(tables: NetworkTables, ready: _Ready, work: _Work, d_table: Tensor) -> Tensor:
    """The gradient by the images from those by functions, shape (parts, channels, functions, windows)."""
    joined = _joined(tables, work.images)
    shape, elements = Shape.of(tables.grid, joined), elements_of(tables.grid, joined)
    parts, channels, rows, pitch = d_table.shape
    d_windows = d_table.new_empty((channels, len(elements), work.count))
    _readers.pixels_back[(work.blocks, len(elements), channels)](
        work.turned, ready.factors, ready.factors.shape[1], d_table, parts, ready.starts, ready.entries, ready.numbers,
        ready.multipliers, d_windows, work.count, pitch, work.turned.shape[1] // 2, rows, len(elements), BLOCK=_BLOCK,
        **OPTIONS,
    )  # fmt: skip
    return folded(d_windows, work.images, tables.grid, shape, elements)


def _ready(tables: NetworkTables, numbers: Tensor) -> _Ready:
    assert tables.features is not None
    net, layout, device = tables.sweeps, tables.layout, numbers.device
    items: list[tuple[int, int, int, int]] = []
    for row in range(layout.rows):
        group, filter_, channel = layout.place(row)
        for word in range(*net.row_words[row].tolist()):
            output = filter_ * int(net.shape[3]) + int(net.word_outputs[word])
            if output < layout.outputs:
                base = int(net.row_bases[row])
                items.append((word, base, group * layout.channels + channel, group * layout.outputs + output))
    starts, entries = _of_inputs(tables.features, len(elements_of(tables.grid, 1)) * _inputs_joined(tables))
    return _Ready(
        Net(*(moved(np.asarray(array), device) for array in net[5:])),
        _items(items, 3, layout.groups * layout.outputs, net, numbers),
        _items(items, 2, layout.groups * layout.channels, net, numbers),
        _widths(net),
        moved(tables.features.numbers, device),
        doubles((tables.features.multipliers * tables.scale).tolist(), device),
        moved(tables.features.sites.factors, device),
        moved(starts, device),
        moved(entries, device),
    )


def _inputs_joined(tables: NetworkTables) -> int:
    """Channels that a circuit reads, by the number of its inputs."""
    return tables.encoding.circuit.n_inputs // len(elements_of(tables.grid, 1)) if tables.grid.joint else 1


def _items(items: list[tuple[int, int, int, int]], key: int, count: int, net: Sweeps, like: Tensor) -> _Items:
    order = sorted(items, key=lambda item: item[key])
    runs = np.bincount(np.array([item[key] for item in order], int), minlength=count)
    array = np.array(order, int).reshape(-1, 4)
    return _Items(
        moved(np.concatenate([[0], np.cumsum(runs)]), like.device),
        moved(array[:, :3], like.device),
        moved(net.word_factors[array[:, 0]], like.device, like.dtype),
        moved(array[:, 3], like.device),
        int(runs.max(initial=0)),
    )


def _widths(net: Sweeps) -> tuple[tuple[int, int], tuple[int, int]]:
    """The most entries and states of a site, and of a word with the one state that it begins with."""
    every = []
    for runs, one in ((net.site_entries, 0), (net.site_states, 1)):
        of_words = runs[net.word_sites]
        every.append((int(np.diff(runs).max(initial=1)), int(np.diff(of_words).max(initial=1)) + one))
    (entry, entries), (state, states) = every
    return (entry, state), (entries, states)


def _of_inputs(features: FeatureTable, inputs: int) -> tuple[Any, Any]:
    """For each input where the pairs begin, (row of the function, which of its factors), that read it."""
    pairs: list[list[tuple[int, int]]] = [[] for _ in range(inputs)]
    for function, row in enumerate(features.sites.factors.tolist()):
        for number, factor in enumerate(row):
            if factor >= 0:
                pairs[int(features.inputs[factor // 2])].append((function + 1, number))
    starts = np.cumsum([0, *map(len, pairs)])
    return starts, np.array([pair for some in pairs for pair in some], int).reshape(-1, 2)


kernel = Network()

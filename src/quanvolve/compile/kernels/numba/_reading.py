"""Cosines and sines of what windows read, for blocks of places, straight from images.

A task is a run of places of one image, or all places of several small images, in one group of channels. It is worked
through in blocks of WIDTH positions, channel by channel.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from quanvolve.compile.kernels.numba._arrays import Floats, Integers, Numbers
from quanvolve.compile.kernels.numba._products import fill_up, gather
from quanvolve.compile.kernels.numba._runs import SLACK
from quanvolve.compile.kernels.numba._tile import VECTOR_BYTES
from quanvolve.compile.kernels.numba._trig import fill, turn, turn_runs
from quanvolve.compile.tables._features import Readers

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract"})
_inlined = numba.njit(cache=True, nogil=True, fastmath={"contract"}, forceinline=True)
"""For functions that take tables, whose arrays would all be copied for a function that is not inlined."""
WIDTH = 512
"""Positions of a block, of one image or of several."""
ROW = WIDTH + 16
"""Numbers in a row of a buffer: not a power of two, whose rows would share few places of the cache."""


class Source(NamedTuple):
    """Where cosines and sines come from.

    Args:
        images: shape (images, pixels), any number type.
        groups, channels: of the images.
        readers: the pixels of a window that are read, and where windows are.
        near: the places as short integers, from :func:`nearby`.
        pieces: into how many runs of places an image is cut.
        together: how many images make a task.
    """

    images: Numbers
    groups: int
    channels: int
    readers: Readers
    near: Integers
    pieces: int
    together: int


class Task(NamedTuple):
    """A part of the work.

    Args:
        n, some: the images n .. n + some - 1.
        g, base: their group of channels, and where its first channel begins.
        piece, start, stop: the run of places start .. stop - 1.
        low, length: the pixels low .. low + length - 1 of a channel are what they read.
        channels: those whose tables are made at once.
        direct: whether pixels are read where they are needed, without tables.
    """

    n: int
    some: int
    g: int
    base: int
    piece: int
    start: int
    stop: int
    low: int
    length: int
    channels: int
    direct: bool


@_jit  # type: ignore[untyped-decorator]
def span(places: Integers, p: int, stop: int, elements: Integers) -> tuple[int, int]:
    """The pixels of a channel that the places p .. stop - 1 read: first, and one past the last."""
    low, high = elements[0], elements[0]
    for e in elements:
        low, high = min(low, e), max(high, e)
    return places[p] + low, places[stop - 1] + high + 1


@_jit  # type: ignore[untyped-decorator]
def tabulate(
    images: Numbers, n: int, together: int, base: int, step: int, channels: int, low: int, length: int, factors: Floats,
    cosines: Floats, sines: Floats,
) -> None:  # fmt: skip
    """Cosines and sines of the pixels low .. low + length - 1, for every factor, image and channel, in this order.

    Args:
        images, n, together: the images n .. n + together - 1 of these.
        base, step, channels: where the first of so many channels begins, and the distance to the next.
    """
    to = 0
    for t in range(len(factors)):
        for j in range(together):
            for c in range(channels):
                fill(images[n + j], base + c * step + low, length, factors[t], cosines, sines, to)
                to += length


@_inlined  # type: ignore[untyped-decorator]
def read(
    cosines: Floats, sines: Floats, together: int, channels: int, c: int, low: int, length: int, p: int, count: int,
    width: int, readers: Readers, rows_c: Floats, rows_s: Floats,
) -> None:  # fmt: skip
    """What the readers of a channel read at places of every image, from the tables of :func:`tabulate`."""
    for j in range(together):
        gather(
            cosines, sines, together * channels * length, (j * channels + c) * length - low, p, count, j * count,
            readers, rows_c, rows_s,
        )  # fmt: skip
    fill_up(rows_c, together * count, width)
    fill_up(rows_s, together * count, width)


@_inlined  # type: ignore[untyped-decorator]
def read_once(
    images: Numbers, n: int, together: int, base: int, near: Integers, p: int, count: int, width: int, readers: Readers,
    rows_c: Floats, rows_s: Floats,
) -> None:  # fmt: skip
    """The same straight from the images, where windows share few pixels; `near` are the places, as :func:`nearby`."""
    lanes, run, step = VECTOR_BYTES // 4, readers.run, readers.step
    pixels, flat, all_c, all_s = images.shape[1], images.reshape(-1), rows_c.reshape(-1), rows_s.reshape(-1)
    before = min(count, (run - p % run) % run)
    runs = (count - before) // run
    for r in range(len(readers.element)):
        factor, first = readers.factors[readers.table[r]], base + readers.element[r]
        for j in range(together):
            # What a whole vector writes too much, the next run, image or reader writes over.
            to = r * ROW + j * count
            if before:
                turn(images[n + j], first, near, p, (before + lanes - 1) // lanes, factor, rows_c, rows_s, to)
            done = before + run * turn_runs(
                flat, (n + j) * pixels + first, near, p + before, run, step, runs, factor, all_c, all_s, to + before
            )  # fmt: skip
            if done < count:
                left = (count - done + lanes - 1) // lanes
                turn(images[n + j], first, near, p + done, left, factor, rows_c, rows_s, to + done)
    fill_up(rows_c, together * count, width)
    fill_up(rows_s, together * count, width)


@_jit  # type: ignore[untyped-decorator]
def nearby(places: Integers) -> Integers:
    """The places as short integers, and a vector more of the last."""
    short_places = np.empty(len(places) + VECTOR_BYTES, np.int32)
    for k in range(len(short_places)):
        short_places[k] = places[min(k, len(places) - 1)]
    return short_places


@_jit  # type: ignore[untyped-decorator]
def shares_few(images: Numbers, out: Floats, readers: int, places: int, length: int) -> bool:
    """Whether reading each pixel where it is needed costs less than tables of all of them."""
    return images.itemsize == 4 and out.itemsize == 4 and 0 < readers * places <= 1.5 * length and length < 2**30


@_inlined  # type: ignore[untyped-decorator]
def source_of(images: Numbers, groups: int, channels: int, readers: Readers, pieces: int) -> Source:
    """A :class:`Source`; small images are taken together."""
    together = 1 if pieces > 1 else max(1, min(images.shape[0], WIDTH // len(readers.places)))
    return Source(images, groups, channels, readers, nearby(readers.places), pieces, together)


@_inlined  # type: ignore[untyped-decorator]
def count_tasks(source: Source) -> int:
    """How many tasks there are."""
    n_images: int = source.images.shape[0]
    return (n_images + source.together - 1) // source.together * source.groups * source.pieces


@_inlined  # type: ignore[untyped-decorator]
def task_of(source: Source, number: int, out: Floats) -> Task:
    """A task by its number; `out` has the number type of the results."""
    groups, pieces, readers = source.groups, source.pieces, source.readers
    n_places, n_readers = len(readers.places), len(readers.element)
    n, g, piece = number // (groups * pieces) * source.together, number // pieces % groups, number % pieces
    some = min(source.together, source.images.shape[0] - n)
    start, stop = n_places * piece // pieces, n_places * (piece + 1) // pieces
    low, length, direct = 0, 0, False
    if n_readers and start < stop:
        low, high = span(readers.places, start, stop, readers.element)
        length = high - low
        direct = shares_few(source.images, out, n_readers, stop - start, length)
    # One block: the tables of one channel at a time stay in cache. Several: those of all channels serve them all.
    channels = 1 if stop - start <= WIDTH else source.channels
    return Task(
        n, some, g, g * source.channels * readers.channel_step, piece, start, stop, low, length, channels, direct
    )


@_inlined  # type: ignore[untyped-decorator]
def tables_for(source: Source, first: int, last: int, out: Floats) -> Floats:
    """A buffer for the tables of each of the tasks first .. last - 1."""
    size = 0
    for number in range(first, min(last, first + source.pieces)):
        task = task_of(source, number, out)
        if not task.direct:
            size = max(size, len(source.readers.factors) * task.some * task.channels * task.length)
    return np.empty(size + SLACK, out.dtype)


@_inlined  # type: ignore[untyped-decorator]
def read_block(
    source: Source, task: Task, p: int, count: int, width: int, c: int, cosines: Floats, sines: Floats, rows_c: Floats,
    rows_s: Floats,
) -> None:  # fmt: skip
    """Cosines and sines of channel c at the places p .. p + count - 1 of the task's images, one row for each reader.

    Channels, and blocks of places, come in ascending order: tables are made when the first one needs them.

    Args:
        width: up to where rows are filled, with repetitions of the last.
        cosines, sines: from :func:`tables_for`.
    """
    readers = source.readers
    begin = task.base + c * readers.channel_step
    if task.direct:
        read_once(
            source.images, task.n, task.some, begin, source.near, p, count, width, readers, rows_c, rows_s
        )  # fmt: skip
        return
    if task.channels < source.channels or (c == 0 and p == task.start):
        tabulate(
            source.images, task.n, task.some, begin, readers.channel_step, task.channels, task.low, task.length,
            readers.factors, cosines, sines,
        )  # fmt: skip
    read(
        cosines, sines, task.some, task.channels, c if task.channels > 1 else 0, task.low, task.length,
        p, count, width, readers, rows_c, rows_s,
    )  # fmt: skip


@_inlined  # type: ignore[untyped-decorator]
def put(sums: Floats, task: Task, p: int, count: int, out: Floats) -> None:
    """Sums of a block, one row for each output, to their places in `out` (images, groups, outputs, places)."""
    for j in range(task.some):
        for o in range(out.shape[2]):
            row, to = sums[o, j * count :], out[task.n + j, task.g, o, p : p + count]
            for k in range(count):
                to[k] = row[k]


@_inlined  # type: ignore[untyped-decorator]
def take(out: Floats, task: Task, p: int, count: int, width: int, rows: Floats) -> None:
    """The opposite of :func:`put`, with zeros up to the width."""
    for o in range(out.shape[2]):
        for j in range(task.some):
            row, of = rows[o, j * count :], out[task.n + j, task.g, o, p : p + count]
            for k in range(count):
                row[k] = of[k]
        rows[o, task.some * count : width] = 0

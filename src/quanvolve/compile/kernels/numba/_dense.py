"""Dense polynomials straight from images: features of a block of positions in cache, coefficients through tiles.

    out[o, p] = sum_a left[a, p] * sum_b coefficients[o, a, b] right[b, p],

where `left` and `right` are the products of the functions of the leading and of the trailing sites at place p.
"""

from __future__ import annotations

import numba
import numpy as np

from quanvolve.compile.kernels.numba._arrays import Floats, Numbers
from quanvolve.compile.kernels.numba._entries import dot_entries, multiply_entries
from quanvolve.compile.kernels.numba._products import (
    count_products,
    products,
    products_back,
    scatter,
    site_functions,
    site_functions_back,
)
from quanvolve.compile.kernels.numba._reading import (
    ROW,
    WIDTH,
    Task,
    count_tasks,
    read_block,
    source_of,
    tables_for,
    task_of,
)
from quanvolve.compile.kernels.numba._tile import ROWS, VECTOR_BYTES, VECTORS, thin_tile, wide_tile
from quanvolve.compile.tables._features import Readers, SiteTables
from quanvolve.compile.tables._tiles import Tiles

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract"})
_inlined = numba.njit(cache=True, nogil=True, fastmath={"contract"}, forceinline=True)
"""For functions that take tables, whose arrays would all be copied for a function that is not inlined."""


@_jit  # type: ignore[untyped-decorator]
def multiply(
    out: Floats, o: int, ldo: int, rows: int, a: Floats, i: int, row: int, col: int, count: int, b: Floats, j: int,
    ldb: int, w: Floats, v: int, width: int,
) -> None:  # fmt: skip
    """``out[m, p] += w[p] * sum_k a[m, k] b[k, p]`` for m < rows (a multiple of ROWS) and p < width (whole vectors)."""
    lanes = VECTOR_BYTES // out.itemsize
    step = lanes * VECTORS
    p = 0
    while p < width:
        if p + step <= width:
            for m in range(0, rows, ROWS):
                wide_tile(out, o + m * ldo + p, ldo, a, i + m * row, row, col, count, b, j + p, ldb, w, v + p)
            p += step
        else:
            for m in range(0, rows, ROWS):
                thin_tile(out, o + m * ldo + p, ldo, a, i + m * row, row, col, count, b, j + p, ldb, w, v + p)
            p += lanes


@_inlined  # type: ignore[untyped-decorator]
def _put(sums: Floats, tiles: Tiles, task: Task, p: int, count: int, out: Floats) -> None:
    """Sums of a block, one row for each output of a tile, to their places in `out`."""
    for row in range(ROWS * len(tiles.outputs)):
        output = tiles.outputs[row // ROWS, row % ROWS]
        for j in range(task.some if output >= 0 else 0):
            of, to = sums[row, j * count :], out[task.n + j, task.g, output, p : p + count]
            for k in range(count):
                to[k] = of[k]


@_inlined  # type: ignore[untyped-decorator]
def _take(out: Floats, tiles: Tiles, task: Task, p: int, count: int, width: int, sums: Floats) -> None:
    """The opposite, with zeros up to the width, and in rows of no output."""
    for row in range(ROWS * len(tiles.outputs)):
        output = tiles.outputs[row // ROWS, row % ROWS]
        if output < 0:
            sums[row, :width] = 0
            continue
        for j in range(task.some):
            to, of = sums[row, j * count :], out[task.n + j, task.g, output, p : p + count]
            for k in range(count):
                to[k] = of[k]
        sums[row, task.some * count : width] = 0


@_jit  # type: ignore[untyped-decorator]
def forward(
    part: int, parts: int, images: Numbers, packed: Floats, tiles: Tiles, sites: SiteTables, readers: Readers,
    pieces: int, out: Floats,
) -> None:  # fmt: skip
    """One part of the images.

    Args:
        part, parts: which of how many.
        images: shape (images, pixels), any number type.
        packed: the coefficients, from :func:`pack`.
        tiles: what they are multiplied with.
        sites: the functions that features are products of.
        readers: the pixels that a window reads.
        pieces: into how many runs of places an image is cut.
        out: shape (images, groups, outputs, places), to be written.
    """
    dtype = out.dtype
    groups, channels, entries, _ = packed.shape
    flat = packed.reshape(-1)
    split, n_sites, left = sites.split, len(sites.sizes), tiles.starts.shape[1]
    n_readers, n_functions = len(readers.element), sites.factors.shape[0]
    lanes = VECTOR_BYTES // out.itemsize
    rows_c = np.empty((max(1, n_readers), ROW), dtype)
    rows_s = np.empty((max(1, n_readers), ROW), dtype)
    functions = np.empty((max(1, n_functions), ROW), dtype)
    rights = np.empty((count_products(sites, split, n_sites), ROW), dtype)
    lefts = np.ones((left, ROW), dtype)
    sums = np.empty((ROWS * len(tiles.outputs), ROW), dtype)
    flat_sums, flat_rights, flat_lefts = sums.reshape(-1), rights.reshape(-1), lefts.reshape(-1)
    source = source_of(images, groups, channels, readers, pieces)
    tasks = count_tasks(source)
    first, last = tasks * part // parts, tasks * (part + 1) // parts
    cosines, sines = tables_for(source, first, last, out), tables_for(source, first, last, out)
    for number in range(first, last):
        task = task_of(source, number, out)
        for p in range(task.start, task.stop, WIDTH):
            count = min(WIDTH, task.stop - p)
            width = (task.some * count + lanes - 1) // lanes * lanes
            sums[:, :width] = 0
            for c in range(channels):
                read_block(source, task, p, count, width, c, cosines, sines, rows_c, rows_s)
                site_functions(sites.factors, width, rows_c, rows_s, functions)
                products(sites, split, n_sites, width, functions, rights)
                if split:
                    products(sites, 0, split, width, functions, lefts)
                begin = (task.g * channels + c) * entries
                for t in range(len(tiles.outputs)):
                    for a in range(left):
                        run = tiles.starts[t, a]
                        if tiles.counts[t, a]:
                            multiply_entries(
                                flat_sums, t * ROWS * ROW, ROW, flat, (begin + run) * ROWS, tiles.right, run,
                                tiles.counts[t, a], flat_rights, flat_lefts, a * ROW, width,
                            )  # fmt: skip
            _put(sums, tiles, task, p, count, out)


@_jit  # type: ignore[untyped-decorator]
def backward(
    part: int, parts: int, images: Numbers, packed: Floats, every: Floats, tiles: Tiles, sites: SiteTables,
    readers: Readers, pieces: int, d_out: Floats, d_packed: Floats, d_images: Floats,
) -> None:  # fmt: skip
    """Gradients of one part of the images; arguments as in :func:`forward`.

    Args:
        every: the coefficients, from :func:`pack_all`; of length 0 where the images' gradient is not wanted.
        d_out: shape (images, groups, outputs, places).
        d_packed: shape (parts, *packed.shape), to be added to, or of length 0 where it is not wanted.
        d_images: shape (pieces, images, pixels), to be added to, or of length 0.
    """
    dtype = d_out.dtype
    groups, channels, entries, _ = packed.shape
    split, n_sites, left = sites.split, len(sites.sizes), tiles.starts.shape[1]
    n_readers, n_functions = len(readers.element), sites.factors.shape[0]
    lanes = VECTOR_BYTES // d_out.itemsize
    want_c, want_i = len(d_packed) > 0, len(d_images) > 0 and n_readers > 0
    rows_c = np.empty((max(1, n_readers), ROW), dtype)
    rows_s = np.empty((max(1, n_readers), ROW), dtype)
    d_c, d_s = np.empty_like(rows_c), np.empty_like(rows_s)
    functions = np.empty((max(1, n_functions), ROW), dtype)
    d_functions = np.empty_like(functions)
    right, rows = count_products(sites, split, n_sites), ROWS * len(tiles.outputs)
    rights, d_rights = np.empty((right, ROW), dtype), np.empty((right, ROW), dtype)
    whole = np.empty((right + ROWS, ROW), dtype)
    lefts, d_lefts = np.ones((left, ROW), dtype), np.empty((left, ROW), dtype)
    d_sums, weighted = np.empty((rows, ROW), dtype), np.empty((ROWS, ROW), dtype)
    flat_sums, flat_weighted, flat_rights = d_sums.reshape(-1), weighted.reshape(-1), rights.reshape(-1)
    flat, all_entries = every.reshape(-1), len(tiles.all_right)
    ones = np.ones(WIDTH, dtype)
    source = source_of(images, groups, channels, readers, pieces)
    tasks = count_tasks(source)
    first, last = tasks * part // parts, tasks * (part + 1) // parts
    cosines, sines = tables_for(source, first, last, d_out), tables_for(source, first, last, d_out)
    for number in range(first, last):
        task = task_of(source, number, d_out)
        for p in range(task.start, task.stop, WIDTH):
            count = min(WIDTH, task.stop - p)
            width = (task.some * count + lanes - 1) // lanes * lanes
            _take(d_out, tiles, task, p, count, width, d_sums)
            for c in range(channels):
                read_block(source, task, p, count, width, c, cosines, sines, rows_c, rows_s)
                site_functions(sites.factors, width, rows_c, rows_s, functions)
                products(sites, split, n_sites, width, functions, rights)
                if split:
                    products(sites, 0, split, width, functions, lefts)
                if want_c:
                    into = d_packed[part].reshape(-1)
                    begin = (task.g * channels + c) * entries
                    for t in range(len(tiles.outputs)):
                        for a in range(left):
                            run = tiles.starts[t, a]
                            if not tiles.counts[t, a]:
                                continue
                            seen, of = flat_sums, t * ROWS * ROW
                            if a:
                                for m in range(ROWS):
                                    to, d_sum, weight = weighted[m], d_sums[t * ROWS + m], lefts[a]
                                    for k in range(width):
                                        to[k] = d_sum[k] * weight[k]
                                seen, of = flat_weighted, 0
                            dot_entries(
                                into, (begin + run) * ROWS, seen, of, ROW, tiles.right, run, tiles.counts[t, a],
                                flat_rights, width,
                            )  # fmt: skip
                if want_i:
                    d_functions[:, :width] = 0
                    d_rights[:, :width] = 0
                    d_lefts[:, :width] = 0
                    for a in range(left):
                        run, some = tiles.all_starts[0, a], tiles.all_counts[0, a]
                        if not some:
                            continue
                        begin = ((task.g * channels + c) * all_entries + run) * rows
                        whole[: some + ROWS, :width] = 0
                        multiply(
                            whole, 0, ROW, (some + ROWS - 1) // ROWS * ROWS, flat, begin, rows, 1, rows, d_sums, 0,
                            ROW, ones, 0, width,
                        )  # fmt: skip
                        for e in range(some):
                            b = tiles.all_right[run + e]
                            d_l, one_l, d_r, one_r, both = d_lefts[a], lefts[a], d_rights[b], rights[b], whole[e]
                            for k in range(width):
                                d_l[k] += both[k] * one_r[k]
                                d_r[k] += both[k] * one_l[k]
                    products_back(sites, split, n_sites, width, functions, rights, d_rights, d_functions)
                    if split:
                        products_back(sites, 0, split, width, functions, lefts, d_lefts, d_functions)
                    d_c[:, :width] = 0
                    d_s[:, :width] = 0
                    site_functions_back(sites.factors, width, rows_c, rows_s, d_functions, d_c, d_s)
                    for j in range(task.some):
                        scatter(
                            d_c, d_s, rows_c, rows_s, p, count, j * count, readers, d_images[task.piece, task.n + j],
                            task.base + c * readers.channel_step,
                        )  # fmt: skip

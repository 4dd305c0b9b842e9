"""Dense polynomials straight from images: features of a block of positions in cache, coefficients through tiles.

    out[o, p] = sum_a left[a, p] * sum_b coefficients[o, a, b] right[b, p],

where `left` and `right` are the products of the functions of the leading and of the trailing sites at place p.
"""

from __future__ import annotations

import numba
import numpy as np

from quanvolve.compile.kernels.numba._arrays import Floats, Numbers
from quanvolve.compile.kernels.numba._products import (
    products,
    products_back,
    scatter,
    site_functions,
    site_functions_back,
)
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
from quanvolve.compile.kernels.numba._tile import ROWS, VECTOR_BYTES, VECTORS, thin_tile, wide_tile
from quanvolve.compile.tables._features import Readers, SiteTables

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract"})


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


@numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})  # type: ignore[untyped-decorator]
def dots(
    out: Floats, o: int, ldo: int, a: Floats, i: int, lda: int, b: Floats, j: int, ldb: int, width: int
) -> None:  # fmt: skip
    """``out[o + m ldo + n] += sum_p a[i + m lda + p] * b[j + n ldb + p]`` for m, n < ROWS and p < width."""
    a, b = a.reshape(-1), b.reshape(-1)
    b0, b1 = b[j : j + width], b[j + ldb : j + ldb + width]
    b2, b3 = b[j + 2 * ldb : j + 2 * ldb + width], b[j + 3 * ldb : j + 3 * ldb + width]
    zero = out.dtype.type(0)
    for m in range(0, ROWS, 2):  # two rows at a time: as many sums as there are registers for
        x, y = a[i + m * lda : i + m * lda + width], a[i + (m + 1) * lda : i + (m + 1) * lda + width]
        x0, x1, x2, x3, y0, y1, y2, y3 = zero, zero, zero, zero, zero, zero, zero, zero
        for p in range(width):
            x0 += x[p] * b0[p]
            x1 += x[p] * b1[p]
            x2 += x[p] * b2[p]
            x3 += x[p] * b3[p]
            y0 += y[p] * b0[p]
            y1 += y[p] * b1[p]
            y2 += y[p] * b2[p]
            y3 += y[p] * b3[p]
        to = o + m * ldo
        out[to] += x0
        out[to + 1] += x1
        out[to + 2] += x2
        out[to + 3] += x3
        to += ldo
        out[to] += y0
        out[to + 1] += y1
        out[to + 2] += y2
        out[to + 3] += y3


@_jit  # type: ignore[untyped-decorator]
def forward(
    part: int, parts: int, images: Numbers, coefficients: Floats, sites: SiteTables, readers: Readers, pieces: int,
    out: Floats,
) -> None:  # fmt: skip
    """One part of the images.

    Args:
        part, parts: which of how many.
        images: shape (images, pixels), any number type.
        coefficients: shape (groups, outputs padded to ROWS, channels, left products, right products padded to ROWS).
        sites: the functions that features are products of.
        readers: the pixels that a window reads.
        pieces: into how many runs of places an image is cut.
        out: shape (images, groups, outputs, places), to be written.
    """
    dtype = out.dtype
    groups, padded, channels, left, right = coefficients.shape
    flat = coefficients.reshape(-1)
    split, n_sites = sites.split, len(sites.sizes)
    n_readers, n_functions = len(readers.element), sites.factors.shape[0]
    lanes = VECTOR_BYTES // out.itemsize
    rows_c = np.empty((max(1, n_readers), ROW), dtype)
    rows_s = np.empty((max(1, n_readers), ROW), dtype)
    functions = np.empty((max(1, n_functions), ROW), dtype)
    rights = np.zeros((right, ROW), dtype)
    lefts = np.ones((left, ROW), dtype)
    sums = np.empty((padded, ROW), dtype)
    source = source_of(images, groups, channels, readers, pieces)
    tasks = count_tasks(source)
    first, last = tasks * part // parts, tasks * (part + 1) // parts
    cosines, sines = tables_for(source, first, last, out), tables_for(source, first, last, out)
    for number in range(first, last):
        task = task_of(source, number, out)
        for p in range(task.start, task.stop, WIDTH):
            count = min(WIDTH, task.stop - p)
            width = (task.some * count + lanes - 1) // lanes * lanes
            sums[:] = 0
            for c in range(channels):
                read_block(source, task, p, count, width, c, cosines, sines, rows_c, rows_s)
                site_functions(sites.factors, width, rows_c, rows_s, functions)
                products(sites, split, n_sites, width, functions, rights)
                if split:
                    products(sites, 0, split, width, functions, lefts)
                for a in range(left):
                    begin = ((task.g * padded * channels + c) * left + a) * right
                    multiply(
                        sums, 0, ROW, padded, flat, begin, channels * left * right, 1, right, rights, 0, ROW, lefts,
                        a * ROW, width,
                    )  # fmt: skip
            put(sums, task, p, count, out)


@_jit  # type: ignore[untyped-decorator]
def backward(
    part: int, parts: int, images: Numbers, coefficients: Floats, sites: SiteTables, readers: Readers, pieces: int,
    d_out: Floats, d_coefficients: Floats, d_images: Floats,
) -> None:  # fmt: skip
    """Gradients of one part of the images; arguments as in :func:`forward`.

    Args:
        d_out: shape (images, groups, outputs, places).
        d_coefficients: shape (parts, *coefficients.shape), to be added to, or of length 0 where it is not wanted.
        d_images: shape (pieces, images, pixels), to be added to, or of length 0.
    """
    dtype = d_out.dtype
    groups, padded, channels, left, right = coefficients.shape
    flat = coefficients.reshape(-1)
    outputs = d_out.shape[2]
    split, n_sites = sites.split, len(sites.sizes)
    n_readers, n_functions = len(readers.element), sites.factors.shape[0]
    lanes = VECTOR_BYTES // d_out.itemsize
    want_c, want_i = len(d_coefficients) > 0, len(d_images) > 0 and n_readers > 0
    rows_c = np.empty((max(1, n_readers), ROW), dtype)
    rows_s = np.empty((max(1, n_readers), ROW), dtype)
    d_c, d_s = np.empty_like(rows_c), np.empty_like(rows_s)
    functions = np.empty((max(1, n_functions), ROW), dtype)
    d_functions = np.empty_like(functions)
    rights, d_rights, whole = (
        np.zeros((right, ROW), dtype),
        np.empty((right, ROW), dtype),
        np.empty((right, ROW), dtype),
    )
    lefts, d_lefts = np.ones((left, ROW), dtype), np.empty((left, ROW), dtype)
    d_sums, weighted = np.zeros((padded, ROW), dtype), np.zeros((padded, ROW), dtype)
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
            take(d_out, task, p, count, width, d_sums)
            for c in range(channels):
                read_block(source, task, p, count, width, c, cosines, sines, rows_c, rows_s)
                site_functions(sites.factors, width, rows_c, rows_s, functions)
                products(sites, split, n_sites, width, functions, rights)
                if split:
                    products(sites, 0, split, width, functions, lefts)
                if want_i:
                    d_functions[:] = 0
                    d_rights[:] = 0
                    d_lefts[:] = 0
                for a in range(left):
                    begin = ((task.g * padded * channels + c) * left + a) * right
                    if want_c:
                        seen = d_sums
                        if split:
                            for o in range(outputs):
                                to, d_sum, weight = weighted[o], d_sums[o], lefts[a]
                                for k in range(width):
                                    to[k] = d_sum[k] * weight[k]
                            seen = weighted
                        into = d_coefficients[part].reshape(-1)
                        for o in range(0, padded, ROWS):
                            for b in range(0, right, ROWS):
                                dots(
                                    into, begin + o * channels * left * right + b, channels * left * right, seen,
                                    o * ROW, ROW, rights, b * ROW, ROW, width,
                                )  # fmt: skip
                    if want_i and not split:
                        multiply(
                            d_rights, 0, ROW, right, flat, begin, 1, channels * left * right, padded, d_sums, 0,
                            ROW, ones, 0, width,
                        )  # fmt: skip
                    elif want_i:
                        whole[:] = 0
                        multiply(
                            whole, 0, ROW, right, flat, begin, 1, channels * left * right, padded, d_sums, 0,
                            ROW, ones, 0, width,
                        )  # fmt: skip
                        for b in range(right):
                            d_l, one_l, d_r, one_r, both = d_lefts[a], lefts[a], d_rights[b], rights[b], whole[b]
                            for k in range(width):
                                d_l[k] += both[k] * one_r[k]
                                d_r[k] += both[k] * one_l[k]
                if want_i:
                    products_back(sites, split, n_sites, width, functions, rights, d_rights, d_functions)
                    if split:
                        products_back(sites, 0, split, width, functions, lefts, d_lefts, d_functions)
                    d_c[:] = 0
                    d_s[:] = 0
                    site_functions_back(sites.factors, width, rows_c, rows_s, d_functions, d_c, d_s)
                    for j in range(task.some):
                        scatter(
                            d_c, d_s, rows_c, rows_s, p, count, j * count, readers, d_images[task.piece, task.n + j],
                            task.base + c * readers.channel_step,
                        )  # fmt: skip

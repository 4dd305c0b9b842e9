"""Dense polynomials straight from images: features of a block of positions in cache, coefficients through tiles."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from quanvolve.compile.kernels._products import (
    fill_up,
    gather,
    products,
    products_back,
    scatter,
    site_functions,
    site_functions_back,
)
from quanvolve.compile.kernels._tile import ROWS, VECTOR_BYTES, VECTORS, dot_tile, thin_tile, wide_tile
from quanvolve.compile.kernels._trig import fill, turn

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract"})
WIDTH = 512
"""Positions of a block, of one image or of several."""
ROW = WIDTH + 16
"""Numbers in a row of a buffer: not a power of two, whose rows would share few places of the cache."""


@_jit  # type: ignore[untyped-decorator]
def multiply(
    out: Any, o: int, ldo: int, rows: int, a: Any, i: int, row: int, col: int, count: int, b: Any, j: int, ldb: int,
    w: Any, v: int, width: int,
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


@_jit  # type: ignore[untyped-decorator]
def span(places: Any, p: int, stop: int, elements: Any) -> Any:
    """The pixels of a channel that the places p .. stop - 1 read: first, and one past the last."""
    low, high = elements[0], elements[0]
    for e in elements:
        low, high = min(low, e), max(high, e)
    return places[p] + low, places[stop - 1] + high + 1


@_jit  # type: ignore[untyped-decorator]
def tabulate(
    images: Any, n: int, together: int, base: int, step: int, channels: int, low: int, length: int, factors: Any,
    cosines: Any, sines: Any,
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


@_jit  # type: ignore[untyped-decorator]
def read(
    cosines: Any, sines: Any, together: int, channels: int, c: int, low: int, length: int, places: Any, width: int,
    reader_element: Any, reader_table: Any, rows_c: Any, rows_s: Any,
) -> None:  # fmt: skip
    """What the readers of a channel read at these places of every image, from the tables of :func:`tabulate`."""
    count = len(places)
    for j in range(together):
        gather(
            cosines, sines, together * channels * length, (j * channels + c) * length - low, places, j * count,
            reader_element, reader_table, rows_c, rows_s,
        )  # fmt: skip
    fill_up(rows_c, together * count, width)
    fill_up(rows_s, together * count, width)


@_jit  # type: ignore[untyped-decorator]
def read_once(
    images: Any, n: int, together: int, base: int, near: Any, p: int, count: int, width: int, reader_element: Any,
    reader_table: Any, factors: Any, rows_c: Any, rows_s: Any,
) -> None:  # fmt: skip
    """The same straight from the images, where windows share few pixels; `near` are the places, as :func:`nearby`."""
    lanes = VECTOR_BYTES // 4
    for r in range(len(reader_element)):
        for j in range(together):
            # What a whole vector writes too much, the next image writes over.
            turn(
                images[n + j], base + reader_element[r], near, p, (count + lanes - 1) // lanes,
                factors[reader_table[r]], rows_c, rows_s, r * ROW + j * count,
            )  # fmt: skip
    fill_up(rows_c, together * count, width)
    fill_up(rows_s, together * count, width)


@_jit  # type: ignore[untyped-decorator]
def nearby(places: Any) -> Any:
    """The places as short integers, and a vector more of the last."""
    found = np.empty(len(places) + VECTOR_BYTES, np.int32)
    for k in range(len(found)):
        found[k] = places[min(k, len(places) - 1)]
    return found


@_jit  # type: ignore[untyped-decorator]
def shares_few(images: Any, out: Any, readers: int, places: int, length: int) -> bool:
    """Whether reading each pixel where it is needed costs less than tables of all of them."""
    return images.itemsize == 4 and out.itemsize == 4 and 0 < readers * places <= 1.5 * length and length < 2**30


@_jit  # type: ignore[untyped-decorator]
def runs(n_images: int, n_places: int, pieces: int) -> Any:
    """How many images make a block, and how many runs of them there are."""
    together = 1 if pieces > 1 else max(1, min(n_images, WIDTH // n_places))
    return together, (n_images + together - 1) // together


@_jit  # type: ignore[untyped-decorator]
def forward(
    part: int, parts: int, images: Any, channel_step: int, coefficients: Any, split: int, sizes: Any, starts: Any,
    site_factors: Any, reader_element: Any, reader_table: Any, factors: Any, places: Any, pieces: int, out: Any,
) -> None:  # fmt: skip
    """One part of the images.

    Args:
        part, parts: which of how many.
        images: shape (images, pixels), any number type.
        channel_step: pixels between the channels that successive circuits of a filter read.
        coefficients: shape (groups, outputs padded to ROWS, channels, left products, right products padded to ROWS).
        split: the first of the right sites.
        sizes, starts: functions of each site, and the row of its first one (the constant has none).
        site_factors: as in `_products.site_functions`.
        reader_element, reader_table: for each reader its pixel's offset in the window, and its factor.
        factors: what pixels are multiplied with to become angles.
        places: offset of each place's first pixel in a channel.
        pieces: into how many runs of places an image is cut.
        out: shape (images, groups, outputs, places), to be written.
    """
    dtype = out.dtype
    groups, padded, channels, left, right = coefficients.shape
    flat = coefficients.reshape(-1)
    outputs, n_places = out.shape[2], out.shape[3]
    n_sites, n_readers, n_functions = len(sizes), len(reader_element), site_factors.shape[0]
    lanes = VECTOR_BYTES // out.itemsize
    rows_c = np.empty((max(1, n_readers), ROW), dtype)
    rows_s = np.empty((max(1, n_readers), ROW), dtype)
    functions = np.empty((max(1, n_functions), ROW), dtype)
    rights = np.zeros((right, ROW), dtype)
    lefts = np.ones((left, ROW), dtype)
    sums = np.empty((padded, ROW), dtype)
    cosines, sines = np.empty(0, dtype), np.empty(0, dtype)
    together, batches = runs(images.shape[0], n_places, pieces)
    near = nearby(places)
    tasks = batches * groups * pieces
    for task in range(tasks * part // parts, tasks * (part + 1) // parts):
        n, g, piece = task // (groups * pieces) * together, task // pieces % groups, task % pieces
        some = min(together, images.shape[0] - n)
        start, stop = n_places * piece // pieces, n_places * (piece + 1) // pieces
        if start == stop:
            continue
        base = g * channels * channel_step
        low, length, direct = 0, 0, False
        # One block: the tables of one channel at a time stay in cache. Several: those of all channels serve them all.
        kept = 1 if stop - start <= WIDTH else channels
        if n_readers:
            low, high = span(places, start, stop, reader_element)
            length = high - low
            direct = shares_few(images, out, n_readers, stop - start, length)
            if not direct and len(cosines) < len(factors) * some * kept * length:
                cosines = np.empty(len(factors) * some * kept * length, dtype)
                sines = np.empty(len(factors) * some * kept * length, dtype)
            if not direct and (kept > 1 or channels == 1):
                tabulate(images, n, some, base, channel_step, kept, low, length, factors, cosines, sines)
        for p in range(start, stop, WIDTH):
            count = min(WIDTH, stop - p)
            width = (some * count + lanes - 1) // lanes * lanes
            sums[:] = 0
            for c in range(channels):
                if n_readers and kept < channels and not direct:
                    tabulate(images, n, some, base + c * channel_step, 0, 1, low, length, factors, cosines, sines)
                if direct:
                    read_once(
                        images, n, some, base + c * channel_step, near, p, count, width, reader_element, reader_table,
                        factors, rows_c, rows_s,
                    )  # fmt: skip
                else:
                    read(
                        cosines, sines, some, kept, c if kept > 1 else 0, low, length, places[p : p + count], width,
                        reader_element, reader_table, rows_c, rows_s,
                    )  # fmt: skip
                site_functions(site_factors, width, rows_c, rows_s, functions)
                products(sizes, starts, split, n_sites, width, functions, rights)
                if split:
                    products(sizes, starts, 0, split, width, functions, lefts)
                for a in range(left):
                    begin = ((g * padded * channels + c) * left + a) * right
                    multiply(
                        sums, 0, ROW, padded, flat, begin, channels * left * right, 1, right, rights, 0, ROW, lefts,
                        a * ROW, width,
                    )  # fmt: skip
            for j in range(some):
                for o in range(outputs):
                    one, to = sums[o, j * count :], out[n + j, g, o, p : p + count]
                    for k in range(count):
                        to[k] = one[k]


@_jit  # type: ignore[untyped-decorator]
def backward(
    part: int, parts: int, images: Any, channel_step: int, coefficients: Any, split: int, sizes: Any, starts: Any,
    site_factors: Any, reader_element: Any, reader_table: Any, factors: Any, places: Any, pieces: int, d_out: Any,
    d_coefficients: Any, d_images: Any,
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
    outputs, n_places = d_out.shape[2], d_out.shape[3]
    n_sites, n_readers, n_functions = len(sizes), len(reader_element), site_factors.shape[0]
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
    given, weighted = np.zeros((padded, ROW), dtype), np.zeros((padded, ROW), dtype)
    ones = np.ones(WIDTH, dtype)
    cosines, sines = np.empty(0, dtype), np.empty(0, dtype)
    together, batches = runs(images.shape[0], n_places, pieces)
    near = nearby(places)
    tasks = batches * groups * pieces
    for task in range(tasks * part // parts, tasks * (part + 1) // parts):
        n, g, piece = task // (groups * pieces) * together, task // pieces % groups, task % pieces
        some = min(together, images.shape[0] - n)
        start, stop = n_places * piece // pieces, n_places * (piece + 1) // pieces
        if start == stop:
            continue
        base = g * channels * channel_step
        low, length, direct = 0, 0, False
        kept = 1 if stop - start <= WIDTH else channels
        if n_readers:
            low, high = span(places, start, stop, reader_element)
            length = high - low
            direct = shares_few(images, d_out, n_readers, stop - start, length)
            if not direct and len(cosines) < len(factors) * some * kept * length:
                cosines = np.empty(len(factors) * some * kept * length, dtype)
                sines = np.empty(len(factors) * some * kept * length, dtype)
            if not direct and (kept > 1 or channels == 1):
                tabulate(images, n, some, base, channel_step, kept, low, length, factors, cosines, sines)
        for p in range(start, stop, WIDTH):
            count = min(WIDTH, stop - p)
            width = (some * count + lanes - 1) // lanes * lanes
            for o in range(outputs):
                for j in range(some):
                    one, of = given[o, j * count :], d_out[n + j, g, o, p : p + count]
                    for k in range(count):
                        one[k] = of[k]
                given[o, some * count : width] = 0
            for c in range(channels):
                if n_readers and kept < channels and not direct:
                    tabulate(images, n, some, base + c * channel_step, 0, 1, low, length, factors, cosines, sines)
                if direct:
                    read_once(
                        images, n, some, base + c * channel_step, near, p, count, width, reader_element, reader_table,
                        factors, rows_c, rows_s,
                    )  # fmt: skip
                else:
                    read(
                        cosines, sines, some, kept, c if kept > 1 else 0, low, length, places[p : p + count], width,
                        reader_element, reader_table, rows_c, rows_s,
                    )  # fmt: skip
                site_functions(site_factors, width, rows_c, rows_s, functions)
                products(sizes, starts, split, n_sites, width, functions, rights)
                if split:
                    products(sizes, starts, 0, split, width, functions, lefts)
                if want_i:
                    d_functions[:] = 0
                    d_rights[:] = 0
                    d_lefts[:] = 0
                for a in range(left):
                    begin = ((g * padded * channels + c) * left + a) * right
                    if want_c:
                        seen = given
                        if split:
                            for o in range(outputs):
                                to, one, weight = weighted[o], given[o], lefts[a]
                                for k in range(width):
                                    to[k] = one[k] * weight[k]
                            seen = weighted
                        into = d_coefficients[part].reshape(-1)
                        for o in range(0, padded, ROWS):
                            for b in range(0, right, ROWS):
                                dot_tile(
                                    into, begin + o * channels * left * right + b, channels * left * right, seen,
                                    o * ROW, ROW, rights, b * ROW, ROW, width // lanes,
                                )  # fmt: skip
                    if want_i and not split:
                        multiply(
                            d_rights, 0, ROW, right, flat, begin, 1, channels * left * right, padded, given, 0,
                            ROW, ones, 0, width,
                        )  # fmt: skip
                    elif want_i:
                        whole[:] = 0
                        multiply(
                            whole, 0, ROW, right, flat, begin, 1, channels * left * right, padded, given, 0,
                            ROW, ones, 0, width,
                        )  # fmt: skip
                        for b in range(right):
                            d_l, one_l, d_r, one_r, both = d_lefts[a], lefts[a], d_rights[b], rights[b], whole[b]
                            for k in range(width):
                                d_l[k] += both[k] * one_r[k]
                                d_r[k] += both[k] * one_l[k]
                if want_i:
                    products_back(sizes, starts, split, n_sites, width, functions, rights, d_rights, d_functions)
                    if split:
                        products_back(sizes, starts, 0, split, width, functions, lefts, d_lefts, d_functions)
                    d_c[:] = 0
                    d_s[:] = 0
                    site_functions_back(site_factors, width, rows_c, rows_s, d_functions, d_c, d_s)
                    for j in range(some):
                        scatter(
                            d_c, d_s, rows_c, rows_s, places[p : p + count], j * count, reader_element, reader_table,
                            factors, d_images[piece, n + j], base + c * channel_step,
                        )  # fmt: skip


@numba.njit(cache=True, nogil=True, parallel=True)  # type: ignore[untyped-decorator]
def forward_parallel(
    parts: int, images: Any, channel_step: int, coefficients: Any, split: int, sizes: Any, starts: Any,
    site_factors: Any, reader_element: Any, reader_table: Any, factors: Any, places: Any, pieces: int, out: Any,
) -> None:  # fmt: skip
    """All parts of :func:`forward`."""
    for part in numba.prange(parts):
        forward(
            part, parts, images, channel_step, coefficients, split, sizes, starts, site_factors, reader_element,
            reader_table, factors, places, pieces, out,
        )  # fmt: skip


@numba.njit(cache=True, nogil=True, parallel=True)  # type: ignore[untyped-decorator]
def backward_parallel(
    parts: int, images: Any, channel_step: int, coefficients: Any, split: int, sizes: Any, starts: Any,
    site_factors: Any, reader_element: Any, reader_table: Any, factors: Any, places: Any, pieces: int, d_out: Any,
    d_coefficients: Any, d_images: Any,
) -> None:  # fmt: skip
    """All parts of :func:`backward`."""
    for part in numba.prange(parts):
        backward(
            part, parts, images, channel_step, coefficients, split, sizes, starts, site_factors, reader_element,
            reader_table, factors, places, pieces, d_out, d_coefficients, d_images,
        )  # fmt: skip

"""Sparse polynomials straight from images: only the products of functions that a coefficient needs.

Rows of the buffer `values`: 0 is the constant, then come the functions of the sites, then products of two earlier rows.
"""

from __future__ import annotations

import numba
import numpy as np

from quanvolve.compile.kernels.numba._arrays import Floats, Integers, Numbers
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
from quanvolve.compile.kernels.numba._tile import VECTOR_BYTES
from quanvolve.compile.tables._features import Readers, SiteTables
from quanvolve.compile.tables._products import Products

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})


@_jit  # type: ignore[untyped-decorator]
def _fill(nodes: Integers, n_functions: int, width: int, values: Floats) -> None:
    for k in range(len(nodes)):
        to, left, right = values[1 + n_functions + k], values[nodes[k, 0]], values[nodes[k, 1]]
        for p in range(width):
            to[p] = left[p] * right[p]


@_jit  # type: ignore[untyped-decorator]
def _add(to: Floats, factor: float, of: Floats, width: int) -> None:
    for p in range(width):
        to[p] += factor * of[p]


@_jit  # type: ignore[untyped-decorator]
def _dot(a: Floats, b: Floats, width: int) -> float:
    total: float = a[0] * b[0]
    for p in range(1, width):
        total += a[p] * b[p]
    return total


@_jit  # type: ignore[untyped-decorator]
def forward(
    part: int, parts: int, images: Numbers, coefficients: Floats, few: Products, sites: SiteTables, readers: Readers,
    pieces: int, out: Floats,
) -> None:  # fmt: skip
    """One part of the images; arguments as in `_dense.forward`, but

    Args:
        coefficients: shape (groups, outputs, channels, features).
        few: the products that are needed.
    """
    dtype = out.dtype
    groups, outputs, channels, _ = coefficients.shape
    n_readers, n_functions = len(readers.element), sites.factors.shape[0]
    nodes, node_runs, terms, term_runs = few.nodes, few.node_runs, few.terms, few.term_runs
    lanes = VECTOR_BYTES // out.itemsize
    rows_c, rows_s = np.empty((max(1, n_readers), ROW), dtype), np.empty((max(1, n_readers), ROW), dtype)
    longest = 0
    for k in range(len(node_runs) - 1):
        longest = max(longest, node_runs[k + 1] - node_runs[k])
    values = np.ones((1 + n_functions + longest, ROW), dtype)
    sums = np.empty((outputs, ROW), dtype)
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
                site_functions(sites.factors, width, rows_c, rows_s, values[1:])
                channel = task.g * channels + c
                _fill(nodes[node_runs[channel] : node_runs[channel + 1]], n_functions, width, values)
                for t in range(term_runs[channel], term_runs[channel + 1]):
                    _add(
                        sums[terms[t, 0]], coefficients[task.g, terms[t, 0], c, terms[t, 2]], values[terms[t, 1]], width
                    )
            put(sums, task, p, count, out)


@_jit  # type: ignore[untyped-decorator]
def backward(
    part: int, parts: int, images: Numbers, coefficients: Floats, few: Products, sites: SiteTables, readers: Readers,
    pieces: int, d_out: Floats, d_coefficients: Floats, d_images: Floats,
) -> None:  # fmt: skip
    """Gradients of one part of the images; arguments as in :func:`forward` and `_dense.backward`."""
    dtype = d_out.dtype
    groups, outputs, channels, _ = coefficients.shape
    n_readers, n_functions = len(readers.element), sites.factors.shape[0]
    nodes, node_runs, terms, term_runs = few.nodes, few.node_runs, few.terms, few.term_runs
    lanes = VECTOR_BYTES // d_out.itemsize
    want_c, want_i = len(d_coefficients) > 0, len(d_images) > 0
    rows_c, rows_s = np.empty((max(1, n_readers), ROW), dtype), np.empty((max(1, n_readers), ROW), dtype)
    d_c, d_s = np.empty_like(rows_c), np.empty_like(rows_s)
    longest = 0
    for k in range(len(node_runs) - 1):
        longest = max(longest, node_runs[k + 1] - node_runs[k])
    values = np.ones((1 + n_functions + longest, ROW), dtype)
    d_values = np.empty_like(values)
    d_sums = np.zeros((outputs, ROW), dtype)
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
                site_functions(sites.factors, width, rows_c, rows_s, values[1:])
                channel = task.g * channels + c
                run = nodes[node_runs[channel] : node_runs[channel + 1]]
                _fill(run, n_functions, width, values)
                if want_c:
                    for t in range(term_runs[channel], term_runs[channel + 1]):
                        d_coefficient = _dot(d_sums[terms[t, 0]], values[terms[t, 1]], width)
                        d_coefficients[part, task.g, terms[t, 0], c, terms[t, 2]] += d_coefficient
                if not want_i:
                    continue
                d_values[:] = 0
                for t in range(term_runs[channel], term_runs[channel + 1]):
                    _add(
                        d_values[terms[t, 1]],
                        coefficients[task.g, terms[t, 0], c, terms[t, 2]],
                        d_sums[terms[t, 0]],
                        width,
                    )
                for k in range(len(run) - 1, -1, -1):
                    d, left, right = d_values[1 + n_functions + k], run[k, 0], run[k, 1]
                    to_left, to_right, of_left, of_right = d_values[left], d_values[right], values[left], values[right]
                    for q in range(width):
                        to_left[q] += d[q] * of_right[q]
                        to_right[q] += d[q] * of_left[q]
                d_c[:] = 0
                d_s[:] = 0
                site_functions_back(sites.factors, width, rows_c, rows_s, d_values[1:], d_c, d_s)
                for j in range(task.some):
                    scatter(
                        d_c, d_s, rows_c, rows_s, p, count, j * count, readers, d_images[task.piece, task.n + j],
                        task.base + c * readers.channel_step,
                    )  # fmt: skip

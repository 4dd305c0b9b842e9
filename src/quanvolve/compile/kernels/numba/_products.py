"""From pixels to products of site functions, for a block of positions; and back, from their gradients to pixels.

Buffers have a row for each quantity and a column for each position of the block, of which the first `width` are used.
Function 0 of each site is the constant 1 and has no row.
"""

from __future__ import annotations

import numba
import numpy as np

from quanvolve.compile.kernels.numba._arrays import Floats, Integers
from quanvolve.compile.kernels.numba._runs import copy_runs
from quanvolve.compile.tables._features import Readers, SiteTables

_jit = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
_inlined = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"}, forceinline=True)
"""For functions that take tables, whose arrays would all be copied for a function that is not inlined."""


@_inlined  # type: ignore[untyped-decorator]
def gather(
    cosines: Floats, sines: Floats, table_step: int, shift: int, p: int, count: int, at: int, readers: Readers,
    rows_c: Floats, rows_s: Floats,
) -> None:  # fmt: skip
    """The cosine and sine of every reader at the places p .. p + count - 1, to the columns from `at` on."""
    all_c, all_s = rows_c.reshape(-1), rows_s.reshape(-1)
    for r in range(len(readers.element)):
        start = readers.table[r] * table_step + shift + readers.element[r]
        copy_runs(
            cosines, sines, start, readers.places, p, readers.run, readers.step, count, all_c, all_s,
            r * rows_c.shape[1] + at,
        )  # fmt: skip


@_jit  # type: ignore[untyped-decorator]
def fill_up(rows: Floats, count: int, width: int) -> None:
    """Repeat the last of `count` columns up to the width."""
    for r in range(len(rows)):
        for k in range(count, width):
            rows[r, k] = rows[r, count - 1]


@_jit  # type: ignore[untyped-decorator]
def site_functions(factors: Integers, width: int, rows_c: Floats, rows_s: Floats, functions: Floats) -> None:
    """Each function of a site as the product of its readers' cosines and sines.

    Args:
        factors: shape (functions, most readers of one site): 2 r for the cosine of reader r, 2 r + 1 for its sine, -1
            for nothing; the first is always there.
        width: of a row.
        rows_c, rows_s: from :func:`gather`.
        functions: rows to fill.
    """
    for f in range(factors.shape[0]):
        row = functions[f]
        source = rows_s[factors[f, 0] >> 1] if factors[f, 0] & 1 else rows_c[factors[f, 0] >> 1]
        for k in range(width):
            row[k] = source[k]
        for j in range(1, factors.shape[1]):
            if factors[f, j] < 0:
                break
            other = rows_s[factors[f, j] >> 1] if factors[f, j] & 1 else rows_c[factors[f, j] >> 1]
            for k in range(width):
                row[k] *= other[k]


@_jit  # type: ignore[untyped-decorator]
def site_functions_back(
    factors: Integers, width: int, rows_c: Floats, rows_s: Floats, d_functions: Floats, d_c: Floats, d_s: Floats
) -> None:
    """Add to the gradients of the readers' cosines and sines those that come through the functions."""
    rest = np.empty(width, d_c.dtype)
    for f in range(factors.shape[0]):
        for j in range(factors.shape[1]):
            if factors[f, j] < 0:
                break
            d_function = d_functions[f]
            for k in range(width):
                rest[k] = d_function[k]
            for i in range(factors.shape[1]):
                if i != j and factors[f, i] >= 0:
                    other = rows_s[factors[f, i] >> 1] if factors[f, i] & 1 else rows_c[factors[f, i] >> 1]
                    for k in range(width):
                        rest[k] *= other[k]
            target = d_s[factors[f, j] >> 1] if factors[f, j] & 1 else d_c[factors[f, j] >> 1]
            for k in range(width):
                target[k] += rest[k]


@_inlined  # type: ignore[untyped-decorator]
def count_products(sites: SiteTables, first: int, last: int) -> int:
    """How many products there are of one function from each of the sites first .. last - 1."""
    count = 1
    for site in range(first, last):
        count *= sites.sizes[site]
    return count


@_inlined  # type: ignore[untyped-decorator]
def products(sites: SiteTables, first: int, last: int, width: int, functions: Floats, table: Floats) -> None:
    """All products of one function from each of the sites first .. last - 1, the last site fastest."""
    ones = table[0]
    for k in range(width):
        ones[k] = 1
    have = 1
    for site in range(last - 1, first - 1, -1):
        for j in range(1, sites.sizes[site]):
            f = functions[sites.starts[site] + j - 1]
            alone = table[j * have]
            for k in range(width):
                alone[k] = f[k]
            for i in range(1, have):
                product, new = table[i], table[j * have + i]
                for k in range(width):
                    new[k] = f[k] * product[k]
        have *= sites.sizes[site]


@_inlined  # type: ignore[untyped-decorator]
def products_back(
    sites: SiteTables, first: int, last: int, width: int, functions: Floats, table: Floats, d_table: Floats,
    d_functions: Floats,
) -> None:  # fmt: skip
    """Add to the gradients of the functions those of their products; `d_table` is used up."""
    have = 1
    for site in range(first, last):
        have *= sites.sizes[site]
    for site in range(first, last):
        have //= sites.sizes[site]
        for j in range(1, sites.sizes[site]):
            f, d_f = functions[sites.starts[site] + j - 1], d_functions[sites.starts[site] + j - 1]
            for i in range(have):
                d, product, d_product = d_table[j * have + i], table[i], d_table[i]
                for k in range(width):
                    d_f[k] += d[k] * product[k]
                    d_product[k] += d[k] * f[k]


@_inlined  # type: ignore[untyped-decorator]
def scatter(
    d_c: Floats, d_s: Floats, rows_c: Floats, rows_s: Floats, p: int, count: int, at: int, readers: Readers,
    d_image: Floats, base: int,
) -> None:  # fmt: skip
    """Add the gradients of the readers' cosines and sines, in the columns from `at` on, to those of the pixels.

        d pixel += factor * (d sin * cos - d cos * sin)

    Args:
        p, count: the places p .. p + count - 1.
    """
    for r in range(len(readers.element)):
        start = base + readers.element[r]
        factor = readers.factors[readers.table[r]]
        c, s, d_cos, d_sin = rows_c[r, at:], rows_s[r, at:], d_c[r, at:], d_s[r, at:]
        k = 0
        while k < count:
            some = min(count - k, readers.run - (p + k) % readers.run)
            first = start + readers.places[p + k]
            if readers.step == 1:
                to = d_image[first : first + some]
                for j in range(some):
                    to[j] += factor * (d_sin[k + j] * c[k + j] - d_cos[k + j] * s[k + j])
            else:
                for j in range(some):
                    place = np.uint64(first + j * readers.step)
                    d_image[place] += factor * (d_sin[k + j] * c[k + j] - d_cos[k + j] * s[k + j])
            k += some

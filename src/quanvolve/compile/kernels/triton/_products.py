"""Multilinear sums over all products of one function from each of a few sites, the last site fastest.

They are unrolled by functions that call themselves, one site further each time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import triton
import triton.language as tl

from quanvolve.compile.kernels.triton._features import added


class Sites(NamedTuple):
    """What a kernel is compiled for.

    Args:
        sizes: functions of each site, with the constant.
        starts: number of each site's first function, the constant not counted.
        steps: products of the sites after each one.
        number: of all products.
    """

    sizes: tuple[int, ...]
    starts: tuple[int, ...]
    steps: tuple[int, ...]
    number: int

    @classmethod
    def of(cls, sizes: Sequence[int], first: int) -> Sites:
        """Sites one after the other, the first of which begins with function number `first`.

        Examples:
            >>> Sites.of((3, 2), 4)
            Sites(sizes=(3, 2), starts=(4, 6), steps=(2, 1), number=6)
        """
        starts = tuple(first + sum(sizes[:k]) - k for k in range(len(sizes)))
        steps = tuple(math.prod(sizes[k + 1 :]) for k in range(len(sizes)))
        return cls(tuple(sizes), starts, steps, math.prod(sizes))


@triton.jit
def summed(at, functions, SITES: tl.constexpr, LEVEL: tl.constexpr):
    """sum_k coefficients[k] phi_k by Horner's rule: sum_j f_j sum_(k after j) coefficients[j, k] phi_k.

    Args:
        at: pointer to the coefficients of the first product.
        functions: of all sites.
    """
    if len(SITES.sizes) == LEVEL:
        return tl.load(at)
    else:
        total = summed(at, functions, SITES, LEVEL + 1)
        for j in tl.static_range(1, SITES.sizes[LEVEL]):
            inner = summed(at + j * SITES.steps[LEVEL], functions, SITES, LEVEL + 1)
            total = total + functions[SITES.starts[LEVEL] + j - 1] * inner
        return total


@triton.jit
def weighted(at, step, d_outs):
    """sum_o d_outs[o] coefficients[o], the coefficients of outputs being `step` apart."""
    total = d_outs[0] * tl.load(at)
    for o in tl.static_range(1, len(d_outs)):
        total += d_outs[o] * tl.load(at + o * step)
    return total


@triton.jit
def summed_back(at, step, d_outs, functions, d_functions, prefix, SITES: tl.constexpr, LEVEL: tl.constexpr):
    """The sum of :func:`summed` with the coefficients of :func:`weighted`, and its gradient by the functions.

    Args:
        d_functions: what is added to.
        prefix: the product of the functions of earlier sites.
    """
    if len(SITES.sizes) == LEVEL:
        return weighted(at, step, d_outs), d_functions
    else:
        total, d_functions = summed_back(at, step, d_outs, functions, d_functions, prefix, SITES, LEVEL + 1)
        for j in tl.static_range(1, SITES.sizes[LEVEL]):
            function = functions[SITES.starts[LEVEL] + j - 1]
            inner, d_functions = summed_back(
                at + j * SITES.steps[LEVEL], step, d_outs, functions, d_functions, prefix * function, SITES, LEVEL + 1
            )
            d_functions = added(d_functions, SITES.starts[LEVEL] + j - 1, prefix * inner)
            total += function * inner
        return total, d_functions


@triton.jit
def products(functions, prefix, SITES: tl.constexpr, LEVEL: tl.constexpr):
    """All products, times the prefix, as a tuple."""
    if len(SITES.sizes) == LEVEL:
        return (prefix,)
    else:
        found = products(functions, prefix, SITES, LEVEL + 1)
        for j in tl.static_range(1, SITES.sizes[LEVEL]):
            found = found + products(functions, prefix * functions[SITES.starts[LEVEL] + j - 1], SITES, LEVEL + 1)
        return found


@triton.jit
def one_product(functions, number, ones, SITES: tl.constexpr, EXCEPT: tl.constexpr):
    """The product of this number; without the function of one of the sites.

    Args:
        number: of the product, a scalar.
        ones: a block of them.
        EXCEPT: the site that is left out, or -1.
    """
    value = ones
    for site in tl.static_range(len(SITES.sizes)):
        if site != EXCEPT:
            digit = number // SITES.steps[site] % SITES.sizes[site]
            function = ones
            for j in tl.static_range(1, SITES.sizes[site]):
                function = tl.where(digit == j, functions[SITES.starts[site] + j - 1], function)
            value = value * function
    return value


@triton.jit
def one_product_back(functions, d_functions, number, ones, d_product, SITES: tl.constexpr):
    """Gradients by the functions of :func:`one_product`, added to those there are."""
    for site in tl.static_range(len(SITES.sizes)):
        digit = number // SITES.steps[site] % SITES.sizes[site]
        d_function = d_product * one_product(functions, number, ones, SITES, site)
        for j in tl.static_range(1, SITES.sizes[site]):
            d_functions = added(d_functions, SITES.starts[site] + j - 1, tl.where(digit == j, d_function, 0.0))
    return d_functions

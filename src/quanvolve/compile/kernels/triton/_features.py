"""From pixels to the functions of sites, for a block of windows; and back, from their gradients to pixels.

phi_k(x) = prod_q f_q[k_q](x), f_q in {1} and products of cosines and sines of the readers of site q; see
`tables._features`. Function 0 of each site is the constant 1 and is not among the functions here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import triton
import triton.language as tl

from quanvolve.compile.kernels.triton._turn import turned_all
from quanvolve.compile.kernels.triton._windows import Element, element
from quanvolve.compile.tables._features import FeatureTable


class Used(NamedTuple):
    """An input of the circuit that is read.

    Args:
        number: which.
        element: of the window.
        readers: that read it.
    """

    number: int
    element: Element
    readers: tuple[int, ...]


class Encoding(NamedTuple):
    """What a kernel is compiled for: the functions of windows.

    Args:
        elements: that the readers read.
        numbers: for each reader, which factor its angle has.
        factors: for each function the cosines (2 r) and sines (2 r + 1) of readers r that it is the product of.
        used: the inputs that are read.
    """

    elements: tuple[Element, ...]
    numbers: tuple[int, ...]
    factors: tuple[tuple[int, ...], ...]
    used: tuple[Used, ...]

    @classmethod
    def of(cls, table: FeatureTable, elements: tuple[Element, ...], functions: Sequence[int] | None = None) -> Encoding:
        """Some of the functions of the sites, and the readers that they need.

        Args:
            table: of the encoding.
            elements: of the window.
            functions: which; all, if not given.
        """
        some = range(len(table.sites.factors)) if functions is None else functions
        factors = [[int(one) for one in table.sites.factors[f] if one >= 0] for f in some]
        readers = sorted({one // 2 for row in factors for one in row})
        inputs = [int(table.inputs[r]) for r in readers]
        return cls(
            tuple(elements[number] for number in inputs),
            tuple(int(table.numbers[r]) for r in readers),
            tuple(tuple(2 * readers.index(one // 2) + one % 2 for one in row) for row in factors),
            tuple(
                Used(number, elements[number], tuple(r for r, other in enumerate(inputs) if other == number))
                for number in sorted(set(inputs))
            ),
        )


@triton.jit
def read(pixels, there, factors, geometry, ENCODING: tl.constexpr, DTYPE: tl.constexpr):
    """Cosines and sines of all readers, whose angles are computed in double precision.

    Args:
        pixels: pointers to the first pixel of each window.
        there: which windows there are.
        factors: pointer to what pixels are multiplied with.
    """
    angles = ()
    for r in tl.static_range(len(ENCODING.elements)):
        pixel = tl.load(pixels + element(geometry, ENCODING.elements[r]), mask=there, other=0.0)
        angles = angles + (pixel.to(tl.float64) * tl.load(factors + ENCODING.numbers[r]),)
    return turned_all(angles, DTYPE)


@triton.jit
def functions_of(cosines, sines, ENCODING: tl.constexpr):
    """Each function as the product of its readers' cosines and sines."""
    functions = ()
    for f in tl.static_range(len(ENCODING.factors)):
        product = _factor(cosines, sines, ENCODING.factors[f][0])
        for j in tl.static_range(1, len(ENCODING.factors[f])):
            product = product * _factor(cosines, sines, ENCODING.factors[f][j])
        functions = functions + (product,)
    return functions


@triton.jit
def _factor(cosines, sines, NUMBER: tl.constexpr):
    if NUMBER % 2 == 1:
        return sines[NUMBER // 2]
    else:
        return cosines[NUMBER // 2]


@triton.jit
def added(blocks, AT: tl.constexpr, block):
    """The tuple with something added to one of its blocks."""
    return blocks[:AT] + (blocks[AT] + block,) + blocks[AT + 1 :]


@triton.jit
def zeros_like_all(blocks):
    """A block of zeros for each block."""
    new = ()
    for k in tl.static_range(len(blocks)):
        new = new + (tl.zeros_like(blocks[k]),)
    return new


@triton.jit
def angles_back(cosines, sines, d_functions, ENCODING: tl.constexpr):
    """Gradients of the readers' angles: d angle = d sin * cos - d cos * sin."""
    d_angles = zeros_like_all(cosines)
    for f in tl.static_range(len(ENCODING.factors)):
        for j in tl.static_range(len(ENCODING.factors[f])):
            rest = d_functions[f]
            for i in tl.static_range(len(ENCODING.factors[f])):
                if i != j:
                    rest = rest * _factor(cosines, sines, ENCODING.factors[f][i])
            if ENCODING.factors[f][j] % 2 == 1:
                slope = cosines[ENCODING.factors[f][j] // 2]
            else:
                slope = -sines[ENCODING.factors[f][j] // 2]
            d_angles = added(d_angles, ENCODING.factors[f][j] // 2, rest * slope)
    return d_angles


@triton.jit
def put_back(d_pixels, step, there, factors, geometry, d_angles, ENCODING: tl.constexpr, DIRECT: tl.constexpr):
    """Store the gradients of the inputs of each window.

    Args:
        d_pixels: pointers to the first pixel of each window (DIRECT), or to its number of the first input.
        step: from the numbers of one input to those of the next, where they are not stored in an image.
        geometry: of the image that they are stored in, if DIRECT: then no pixel is in two windows.
    """
    for k in tl.static_range(len(ENCODING.used)):
        total = tl.zeros_like(d_angles[0])
        for j in tl.static_range(len(ENCODING.used[k].readers)):
            factor = tl.load(factors + ENCODING.numbers[ENCODING.used[k].readers[j]]).to(total.dtype)
            total += d_angles[ENCODING.used[k].readers[j]] * factor
        if DIRECT:
            tl.store(d_pixels + element(geometry, ENCODING.used[k].element), total, mask=there)
        else:
            tl.store(d_pixels + ENCODING.used[k].number * step, total, mask=there)

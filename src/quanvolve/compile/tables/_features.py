"""The features of a recipe as tables of numbers, for the kernels that read pixels in place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from quanvolve.compile.batch._windows import offsets
from quanvolve.compile.tables._recipe import Encoded

RIGHT = 27
"""Products of the trailing sites that are tabulated, so that they stay in the first cache; those of the leading sites
weight their sums."""
LEFT = 81
"""More products than these of the leading sites, and the trailing ones get another site."""


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """What a kernel needs to know of an encoding.

    Args:
        sizes: functions of each site.
        starts: number of each site's first function, the constant not counted.
        factors: for each function the cosines (2 r) and sines (2 r + 1) of readers r that it is the product of; -1 for
            nothing.
        inputs: which value of the window each reader reads.
        numbers: which of the multipliers each reader's value has.
        multipliers: what values are multiplied with, beside the scale.
        split: number of leading sites.
    """

    sizes: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    factors: npt.NDArray[np.int64]
    inputs: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]
    multipliers: npt.NDArray[np.float64]
    split: int

    @cached_property
    def left(self) -> int:
        """Products of the leading sites."""
        return math.prod(self.sizes[: self.split].tolist())

    @cached_property
    def right(self) -> int:
        """Products of the trailing sites."""
        return math.prod(self.sizes[self.split :].tolist())


@lru_cache(maxsize=256)
def feature_table(recipe: Encoded) -> FeatureTable | None:
    """The tables of a recipe, or None where an angle is more than a multiple of one pixel."""
    circuit = recipe.circuit
    if circuit.threshold is not None or circuit.program is not None:
        return None
    readers = [(s, angle) for s, site in enumerate(recipe.sites) for angle in site.angles]
    if not readers or any(len(angle) != 1 for _, angle in readers):
        return None
    multipliers = sorted({angle[0][1] for _, angle in readers})
    found: list[list[int]] = []
    first = 0
    for site in recipe.sites:
        for column in site.columns[1:]:
            digits = [(column // 3**r) % 3 for r in range(len(site.angles))]
            found.append([2 * (first + r) + digit - 1 for r, digit in enumerate(digits) if digit])
        first += len(site.angles)
    width = max(1, *(len(row) for row in found)) if found else 1
    factors = np.array([row + [-1] * (width - len(row)) for row in found], np.int64).reshape(len(found), width)
    sizes = np.array(recipe.sizes, np.int64)
    split = 0
    own = recipe.sizes  # Python's integers: 49 sites have more products than fit in 64 bits
    while math.prod(own[split:]) > RIGHT and math.prod(own[: split + 1]) <= LEFT and split < len(own) - 1:
        split += 1
    return FeatureTable(
        sizes,
        np.concatenate([[0], np.cumsum(sizes - 1)[:-1]]).astype(np.int64),
        factors,
        np.array([angle[0][0] for _, angle in readers], np.int64),
        np.array([multipliers.index(angle[0][1]) for _, angle in readers], np.int64),
        np.array(multipliers, np.float64),
        split,
    )


def padded(number: int, to: int) -> int:
    """The next multiple."""
    return -(-number // to) * to


@lru_cache(maxsize=256)
def kernel_tables(
    recipe: Encoded,
    size: tuple[int, ...],
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    joined: int,
    scale: float,
) -> tuple[FeatureTable, tuple[Any, ...]]:
    """The tables, and what every kernel takes of them for such windows: (split, ..., factors, places).

    Args:
        recipe: with a :func:`feature_table`.
        size, kernel_size, stride, dilation, joined: as in :func:`quanvolve.compile.batch._windows.offsets`.
        scale: what pixels are multiplied with.
    """
    table = feature_table(recipe)
    assert table is not None
    places, elements = offsets(size, kernel_size, stride, dilation, joined)
    return table, (
        table.split,
        table.sizes,
        table.starts,
        table.factors,
        elements[table.inputs],
        table.numbers,
        table.multipliers * scale,
        places,
    )

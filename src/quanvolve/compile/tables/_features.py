"""The features of a product encoding as tables of numbers, for kernels that read pixels in place.

phi_k(x) = prod_q f_q[k_q](x),   f_q in {1} and products of cos a_r, sin a_r of the readers r of site q,
a_r = factors[table[r]] * pixel[place + element[r]]
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quanvolve.compile.tables._grid import Grid, Offsets
from quanvolve.compile.tables._handle import Tables
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._parsed import kept
from quanvolve.compile.tables._recent import Recent
from quanvolve.compile.tables._recipe import Encoded

RIGHT = 27
"""Products of the trailing sites that are tabulated, so that they stay in the first cache; those of the leading sites
weight their sums."""
LEFT = 81
"""More products than these of the leading sites, and the trailing ones get another site."""


class SiteTables(NamedTuple):
    """The functions of the sites of a product encoding.

    Args:
        split: number of leading sites.
        sizes: functions of each site.
        starts: number of each site's first function, the constant not counted.
        factors: for each function the cosines (2 r) and sines (2 r + 1) of readers r that it is the product of; -1 for
            nothing.
    """

    split: int
    sizes: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    factors: npt.NDArray[np.int64]

    @property
    def left(self) -> int:
        """Products of the leading sites."""
        return math.prod(self.sizes[: self.split].tolist())

    @property
    def right(self) -> int:
        """Products of the trailing sites."""
        return math.prod(self.sizes[self.split :].tolist())


class Readers(NamedTuple):
    """The pixels that the angles of a window are multiples of.

    Args:
        channel_step: pixels between the channels that successive circuits of a filter read.
        element, table: for each reader its pixel's offset in the window, and its factor.
        factors: what pixels are multiplied with to become angles.
        places: offset of each place's first pixel in a channel.
        run, step: so many places one after the other are so many pixels apart.
    """

    channel_step: int
    element: Offsets
    table: npt.NDArray[np.int64]
    factors: npt.NDArray[np.float64]
    places: Offsets
    run: int
    step: int


class FeatureTable(NamedTuple):
    """What a kernel needs to know of an encoding.

    Args:
        sites: their functions.
        inputs: which value of the window each reader reads.
        numbers: which of the multipliers each reader's value has.
        multipliers: what values are multiplied with, beside the scale.
    """

    sites: SiteTables
    inputs: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]
    multipliers: npt.NDArray[np.float64]


@kept
def feature_table(encoded: Encoded) -> FeatureTable | None:
    """The tables of an encoding, or None where an angle is more than a multiple of one pixel."""
    circuit = encoded.circuit
    if circuit.threshold is not None or circuit.program is not None:
        return None
    angles = [angle for site in encoded.sites for angle in site.angles]
    if not angles or any(len(angle) != 1 for angle in angles):
        return None
    multipliers = sorted({angle[0][1] for angle in angles})
    return FeatureTable(
        _site_tables(encoded),
        np.array([angle[0][0] for angle in angles], np.int64),
        np.array([multipliers.index(angle[0][1]) for angle in angles], np.int64),
        np.array(multipliers, np.float64),
    )


def _site_tables(encoded: Encoded) -> SiteTables:
    rows: list[list[int]] = []
    first = 0
    for site in encoded.sites:
        for column in site.columns[1:]:
            digits = [(column // 3**r) % 3 for r in range(len(site.angles))]
            rows.append([2 * (first + r) + digit - 1 for r, digit in enumerate(digits) if digit])
        first += len(site.angles)
    width = max([1, *map(len, rows)])
    factors = np.array([row + [-1] * (width - len(row)) for row in rows], np.int64).reshape(len(rows), width)
    sizes = np.array(encoded.sizes, np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes - 1)[:-1]]).astype(np.int64)
    return SiteTables(_split(encoded.sizes), sizes, starts, factors)


def _split(sizes: tuple[int, ...]) -> int:
    """How many leading sites there are; in Python's integers, as 49 sites have more products than fit in 64 bits."""
    split = 0
    while math.prod(sizes[split:]) > RIGHT and math.prod(sizes[: split + 1]) <= LEFT and split < len(sizes) - 1:
        split += 1
    return split


def padded(number: int, to: int) -> int:
    """The next multiple."""
    return -(-number // to) * to


class WindowTables(Tables):
    """What kernels know of windows in a product encoding, whatever the images' size.

    Args:
        encoding: which all rows share.
        layout: of the rows.
        grid: how windows slide.
        scale: what pixels are multiplied with.
    """

    def __init__(self, encoding: Encoded, layout: Layout, grid: Grid, scale: float) -> None:
        self.encoding, self.layout, self.grid, self.scale = encoding, layout, grid, scale
        self.features = feature_table(encoding)
        self._readers = Recent[Readers]()

    def readers(self, channels: int, size: tuple[int, ...]) -> Readers:
        """The readers in images of this size.

        Args:
            channels: of the images.
            size: of the padded images.
        """
        return self._readers.get((channels, size), lambda: self._read(channels, size))

    def _read(self, channels: int, size: tuple[int, ...]) -> Readers:
        if self.features is None:
            raise ValueError("an angle is more than a multiple of one pixel")
        joined = channels // self.layout.groups if self.grid.joint else 1
        places, elements = self.grid.offsets(size, joined)
        _, inputs, numbers, multipliers = self.features
        run, step = self.grid.places(size)[-1], self.grid.stride[-1]
        return Readers(math.prod(size) * joined, elements[inputs], numbers, multipliers * self.scale, places, run, step)

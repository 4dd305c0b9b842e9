"""What trees read of images, where each leaf is the cosine or the sine of a multiple of one pixel.

leaf = cos(factor * pixel) or sin(factor * pixel), and a pixel beside the image is 0
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quanvolve.compile.tables._features import FeatureTable
from quanvolve.compile.tables._handle import Tables

Integers = npt.NDArray[np.int64]


class LeafTables(Tables):
    """The leaves of images of one size.

    Args:
        pixels: for each leaf the number of its pixel in an image, all channels one after the other; -1 for none.
        sines: whether it is the sine.
        factor: of angles.
        count: pixels of an image.
    """

    def __init__(self, pixels: Integers, sines: npt.NDArray[np.bool_], factor: float, count: int) -> None:
        self.pixels, self.sines, self.factor, self.count = pixels, sines, factor, count

    @classmethod
    def of_pixels(cls, pixels: Integers, sines: npt.NDArray[np.bool_], factor: float, count: int) -> LeafTables:
        """Tables that are shared with whoever has the same."""
        what_for = (pixels.tolist(), sines.tolist(), factor, count)
        return cls.shared(what_for, lambda: cls(pixels, sines, factor, count))


class SingleLeaves(NamedTuple):
    """Leaves of one block: which input of its circuit each one reads, and whether as a sine; and the inputs' factor."""

    inputs: Integers
    sines: npt.NDArray[np.bool_]
    factor: float


def single_leaves(table: FeatureTable | None) -> SingleLeaves | None:
    """The functions of an encoding, or None where one of them is more than a cosine or a sine of a pixel."""
    if table is None or len(table.multipliers) != 1 or (table.sites.factors[:, 1:] >= 0).any():
        return None
    codes = table.sites.factors[:, 0]
    return SingleLeaves(table.inputs[codes >> 1], (codes & 1) == 1, float(table.multipliers[0]))

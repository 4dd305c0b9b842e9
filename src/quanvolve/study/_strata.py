"""Groups of images that are alike, of which each part of a split gets one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS = 5


def blocks(order: NDArray[Any]) -> NDArray[Any]:
    """As many neighbours as there are parts are a group, from the last one on.

    Args:
        order: numbers of the images, those beside each other that are alike.

    Returns:
        The group of each image; the first group may be smaller.

    Examples:
        >>> blocks(np.array([6, 5, 4, 3, 2, 1, 0]))
        array([0, 0, 0, 0, 0, 1, 1])
    """
    groups = np.empty(len(order), dtype=np.int64)
    groups[order] = np.arange(len(order))[::-1] // FOLDS
    return groups

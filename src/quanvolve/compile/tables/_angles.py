"""Angles as affine maps: of weights, and of what a circuit reads of a window.

angle[r] = offset[r] + sum_k weights[k] mixing[k, r] + sum_i reading[r, i] values[i]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from quanvolve.circuits import Angle
from quanvolve.compile.tables._parsed import Parsed
from quanvolve.compile.tables._pauli import Floats
from quanvolve.compile.tables._values import weight_places


class AngleMaps(NamedTuple):
    """Some angles of a circuit.

    Args:
        offset: shape (angles,), in radians.
        mixing: from weights, shape (numbers, angles).
        reading: from values of a window, shape (angles, n_values).
    """

    offset: Floats
    mixing: Floats
    reading: Floats


def angle_maps(parsed: Parsed, angles: Iterable[Angle]) -> AngleMaps:
    """The maps of some of a circuit's angles."""
    place, angles = weight_places(parsed), tuple(angles)
    mixing = np.zeros((len(place), len(angles)))
    reading = np.zeros((len(angles), parsed.circuit.n_values))
    for number, angle in enumerate(angles):
        for name, index, coefficient in angle.weights:
            mixing[place[name, index], number] += coefficient
        for index, coefficient in angle.inputs:
            reading[number, index] += coefficient
    return AngleMaps(np.array([angle.offset for angle in angles]), mixing, reading)

"""What the entries of the catalogue are written with: angles of pixels and weights, rotations, layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import pi
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quanvolve.circuits.description import Angle, Gate

WEIGHTS = "weights"
"""The name of a named circuit's weights."""
Numbers = npt.NDArray[np.int64]
Pair = tuple[int, int]


class Layer(NamedTuple):
    """One layer of an ansatz, to be written as gates.

    Attributes:
        number: which layer it is, from 0.
        n_layers: of the ansatz.
        n_wires: number of qubits.
        columns: pixels in a row of the window; the number of qubits where these are not pixels.
        weights: the flat index of every weight of the ansatz, in an array of the weights' shape.
        rng: draws what is random in its structure.
    """

    number: int
    n_layers: int
    n_wires: int
    columns: int
    weights: Numbers
    rng: np.random.Generator

    @property
    def own_weights(self) -> Numbers:
        """The flat indices of this layer's weights, where the first axis of the weights counts layers."""
        row: Numbers = self.weights[self.number]
        return row


def pixel(index: int, factor: float = 1.0) -> Angle:
    """The angle ``factor * input[index]``, in radians.

    Examples:
        >>> pixel(2)
        Angle(offset=0.0, inputs=((2, 1.0),), weights=())
    """
    return Angle(0.0, ((index, factor),))


def weight(index: int | np.integer, factor: float = 1.0) -> Angle:
    """The angle ``factor * weight``, in radians; `index` is one of :attr:`Layer.weights`.

    Examples:
        >>> weight(5, 0.5)
        Angle(offset=0.0, inputs=(), weights=(('weights', 5, 0.5),))
    """
    # The zero has the factor's sign, as where PennyLane's own gates are captured: files then agree to the letter.
    return Angle(0.0 * factor, (), ((WEIGHTS, int(index), factor),))


def turns(weights: Sequence[int] | Numbers, wire: int) -> Iterator[Gate]:
    """Any rotation of a qubit, by three weights: RZ, RY, RZ (`Rot` in PennyLane)."""
    for name, index in zip(("RZ", "RY", "RZ"), weights, strict=True):
        yield Gate(name, (wire,), weight(index))


def between(pair: Pair, outer: str, middle: Gate) -> Iterator[Gate]:
    """A gate between two equal ones on a pair of qubits.

    Examples:
        >>> [gate.name for gate in between((0, 1), "CNOT", Gate("RZ", (1,), pixel(0)))]
        ['CNOT', 'RZ', 'CNOT']
    """
    yield Gate(outer, pair)
    yield middle
    yield Gate(outer, pair)


def controlled(name: str, index: int | np.integer, control: int, target: int) -> Iterator[Gate]:
    """A rotation by a weight where the control is 1: by half of it, and half of it back between CNOTs.

    Examples:
        >>> [gate.name for gate in controlled("RX", 0, control=1, target=0)]
        ['RZ', 'RY', 'CNOT', 'RY', 'CNOT', 'RZ']
    """
    if name == "RX":  # RY between quarter turns about Z
        yield Gate("RZ", (target,), Angle(pi / 2))
        yield from controlled("RY", index, control, target)
        yield Gate("RZ", (target,), Angle(-pi / 2))
        return
    yield Gate(name, (target,), weight(index, 0.5))
    yield from between((control, target), "CNOT", Gate(name, (target,), weight(index, -0.5)))

"""What angles read besides the window: values of the circuit's program, and weights one after the other."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from quanvolve.circuits import PROGRAM, Circuit
from quanvolve.compile.tables._parsed import Parsed, kept


def input_values(circuit: Circuit) -> tuple[int, ...]:
    """Numbers of the program's values that read inputs."""
    return () if circuit.program is None else tuple(k for k, v in enumerate(circuit.program.values) if v.reads_inputs)


def mixed_values(circuit: Circuit) -> tuple[int, ...]:
    """Numbers of the program's values that read inputs and weights."""
    program = circuit.program
    return () if program is None else tuple(k for k in input_values(circuit) if program.values[k].reads_weights)


@kept
def values_of_inputs(parsed: Parsed) -> tuple[int, ...]:
    """Numbers of the program's values that read inputs only."""
    mixed = set(mixed_values(parsed.circuit))
    return tuple(k for k in input_values(parsed.circuit) if k not in mixed)


@kept
def values_of_both(parsed: Parsed) -> tuple[int, ...]:
    """As :func:`mixed_values`."""
    return mixed_values(parsed.circuit)


@kept
def places_of_both(parsed: Parsed) -> npt.NDArray[np.int64]:
    """Where those values are among all that angles read."""
    return np.array([parsed.circuit.n_inputs + k for k in values_of_both(parsed)], np.int64)


@kept
def places_of_inputs(parsed: Parsed) -> npt.NDArray[np.int64]:
    """The numbers of :func:`values_of_inputs` as an array."""
    return np.array(values_of_inputs(parsed), np.int64)


@kept
def values_of_weights(parsed: Parsed) -> tuple[int, ...]:
    """Numbers of the program's values that read no inputs."""
    program = parsed.circuit.program
    return () if program is None else tuple(k for k, value in enumerate(program.values) if not value.reads_inputs)


@kept
def weight_places(parsed: Parsed) -> dict[tuple[str, int], int]:
    """The place of each weight, by name and flat index, among all of them; the program's values of weights follow."""
    places: dict[tuple[str, int], int] = {}
    for name, shape in parsed.circuit.weight_shapes:
        for index in range(math.prod(shape)):
            places[name, index] = len(places)
    for number in values_of_weights(parsed):
        places[PROGRAM, number] = len(places)
    return places

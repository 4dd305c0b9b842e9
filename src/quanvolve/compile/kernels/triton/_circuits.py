"""Circuits on state vectors as tables on a device, those of all rows one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve.compile.kernels.triton._launch import kept, moved
from quanvolve.compile.tables._states import FIXED, StateSteps, StateTables

Array = npt.NDArray[Any]


class Circuits(NamedTuple):
    """One circuit for all rows, or one for each; all have as many wires.

    A run is a product of elements, which is a matrix for each window where the run `varies`, and else one for each row.
    The matrices of a circuit's runs of either kind are numbered from 0: their slots.

    Args:
        wires, dimension, circuits, measured: how many wires, basis states, circuits, outputs.
        steps: (bit, or -1 for a move; slot or move; whether it varies; the half of the buffer that the state is in
            before it). The first ones are the runs that the wires begin with, unless states are prepared.
        starts: for each circuit its first step, the first that does not belong to the product state, and its last but
            one; and the half of the buffer that the final state is in.
        most: steps of the longest circuit.
        runs: of either kind (whole, varying) the number of runs, and a table of (first element, one past the last) of
            the runs of each circuit, shape (circuits, runs, 2).
        elements: (rotation, its place among those of its kind) of each element.
        forms: shape (elements, 12): what an element's matrix is for a cosine and a sine, see `_matrices`.
        reads, read_values, read_factors: where each element's reads begin; the values they read, and half the factors.
        angles: of either kind the most angles of a circuit.
        order: for each circuit and rotation the place of its angle, those that vary after the others.
        offsets, terms: angles by weights, shapes (circuits, rotations) and (circuits, numbers, rotations).
        uses, use_places, use_factors: for each circuit and value where the angles begin that read it; their places
            among those that vary, and the factors.
        sources, phases: permutations, shapes (moves, dimension) and (moves, dimension, 2).
        words, masks, observed: where each circuit's words begin; (bits that a word flips, whether its phases are
            imaginary); and the phases, shape (words, measured, dimension).
        prepared: basis states and values that give their amplitudes, shape (2, amplitudes); without any, all qubits
            are 0.
    """

    wires: int
    dimension: int
    circuits: int
    measured: int
    steps: Tensor
    starts: Tensor
    most: int
    runs: tuple[tuple[int, Tensor], tuple[int, Tensor]]
    elements: Tensor
    forms: Tensor
    reads: Tensor
    read_values: Tensor
    read_factors: Tensor
    angles: tuple[int, int]
    order: Tensor
    offsets: Tensor
    terms: Tensor
    uses: Tensor
    use_places: Tensor
    use_factors: Tensor
    sources: Tensor
    phases: Tensor
    words: Tensor
    masks: Tensor
    observed: Tensor
    prepared: Tensor


def alike(tables: StateTables) -> bool:
    """Whether all circuits have as many wires and prepare their states alike, from one value for each amplitude."""
    every = [tables.steps(number, False) for number in range(len(tables.circuits))]
    first = every[0]
    values = first.prepared[:, 1]
    return len(np.unique(values)) == len(values) and all(
        one.wires == first.wires and np.array_equal(one.prepared, first.prepared) for one in every
    )


def circuits_on(tables: StateTables, numbers: int, values: int, dtype: torch.dtype, device: torch.device) -> Circuits:
    """Those of some tables, for rows of so many weights and windows of so many values."""
    return kept(
        tables, ("states", numbers, values, dtype), device, lambda: _made(tables, numbers, values, dtype, device)
    )


def _made(tables: StateTables, numbers: int, values: int, dtype: torch.dtype, device: torch.device) -> Circuits:
    every = [tables.steps(number, False) for number in range(len(tables.circuits))]
    first = every[0]
    steps: list[list[list[int]]] = []
    starts, moves = [], 0
    for one in every:
        own = _steps(one, moves)
        begin = len(own) - len(one.steps)
        done = sum(map(len, steps))
        starts.append([done, done + begin, done + len(own), sum(row[0] < 0 for row in own) % 2])
        steps.append(own)
        moves += len(one.sources)
    runs, elements = _runs(every)
    forms = np.concatenate([_forms(one) for one in every])
    reads = [_reads(one, k) for one in every for k in range(len(one.elements))]
    places = [_places(one) for one in every]
    counts = [max(int((place[:, 0] == kind).sum()) for place in places) for kind in (0, 1)]
    counts[0] = max(1, counts[0])  # what the rotations of shorter circuits point to, and fixed elements
    rotations = max(1, *(len(one.offsets) for one in every))
    order, offsets, terms = np.zeros((len(every), rotations)), np.zeros((len(every), rotations)), []
    uses, use_starts = [], [0]
    for number, (one, place) in enumerate(zip(every, places, strict=True)):
        order[number, : len(place)] = place[:, 1] + counts[0] * place[:, 0]
        offsets[number, : len(one.offsets)] = one.offsets
        by_number = np.zeros((numbers, rotations))
        np.add.at(by_number, (one.terms[:, 1], one.terms[:, 0]), one.multipliers)
        terms.append(by_number)
        for value in range(values):
            which = np.flatnonzero(one.reads[:, 1] == value)
            uses += [(place[one.reads[k, 0], 1], one.factors[k]) for k in which]
            use_starts.append(len(uses))
    return Circuits(
        first.wires, 2**first.wires, len(every), first.measured,
        moved(np.array([row for own in steps for row in own]).reshape(-1, 4), device),
        moved(np.array(starts), device),
        max(len(own) for own in steps),
        tuple((kind.shape[1], moved(kind, device)) for kind in runs),  # type: ignore[arg-type]
        moved(elements, device),
        moved(forms, device, dtype),
        moved(np.cumsum([0, *map(len, reads)]), device),
        moved(np.array([value for some in reads for value, _ in some]), device),
        moved(np.array([factor for some in reads for _, factor in some]), device, torch.float64),
        (counts[0], counts[1]),
        moved(order, device, torch.int64),
        moved(offsets, device, torch.float64),
        moved(np.stack(terms), device, torch.float64),
        moved(np.array(use_starts), device),
        moved(np.array([place for place, _ in uses]), device),
        moved(np.array([factor for _, factor in uses]), device, torch.float64),
        moved(np.concatenate([one.sources for one in every]), device),
        moved(np.concatenate([one.phases for one in every]), device, dtype),
        moved(np.cumsum([0, *(len(one.masks) for one in every)]), device),
        moved(np.concatenate([one.masks for one in every]), device),
        moved(np.concatenate([one.observed[:, : one.measured] for one in every]), device, dtype),
        moved(first.prepared.T, device, torch.int64),
    )  # fmt: skip


def _slots(one: StateSteps) -> Array:
    """The slot of each run."""
    vary = one.vary.astype(bool)
    return np.where(vary, np.cumsum(vary), np.cumsum(~vary)) - 1


def _steps(one: StateSteps, moves: int) -> list[list[int]]:
    """(bit, slot or move, varies, half) of a circuit whose first permutation has the number `moves`."""
    slots, half, made = _slots(one), 0, []
    begin = [] if len(one.prepared) else [(wire, wire) for wire in range(one.wires)]
    for wire, number in [*begin, *one.steps.tolist()]:
        if wire < 0:
            made.append([-1, moves + number, 0, half])
            half = 1 - half
        else:
            made.append([one.wires - 1 - wire, int(slots[number]), int(one.vary[number]), half])
    return made


def _runs(every: Sequence[StateSteps]) -> tuple[tuple[Array, Array], Array]:
    """Elements of all runs that are whole, and of those that vary; and (rotation, place) of all elements."""
    vary = [one.vary.astype(bool) for one in every]
    kinds = []
    for kind in (False, True):
        most = max(int((some == kind).sum()) for some in vary)
        table = np.zeros((len(every), most, 2), np.int64)
        shift = 0
        for number, (one, some) in enumerate(zip(every, vary, strict=True)):
            ends = np.stack([one.runs[:-1], one.runs[1:]], axis=1)[some == kind] + shift
            table[number, : len(ends)] = ends
            shift += len(one.elements)
        kinds.append(table)
    elements = []
    for one in every:
        place = _places(one)
        for axis, number in one.elements.tolist():
            elements.append((0, -1) if axis == FIXED else (number, int(place[number, 1])))
    return (kinds[0], kinds[1]), np.array(elements).reshape(-1, 2)


def _places(one: StateSteps) -> Array:
    """For each rotation whether its run varies, and its place among the rotations of which that is equally so."""
    varies = np.zeros(len(one.offsets), np.int64)
    for run in range(len(one.vary)):
        for axis, number in one.elements[one.runs[run] : one.runs[run + 1]].tolist():
            if axis != FIXED:
                varies[number] = int(one.vary[run])
    places = np.where(varies, np.cumsum(varies), np.cumsum(1 - varies)) - 1
    return np.stack([varies, places], axis=1)


def _forms(one: StateSteps) -> Array:
    forms = np.zeros((len(one.elements), 12))
    for k, (axis, number) in enumerate(one.elements.tolist()):
        if axis == FIXED:
            forms[k, :8] = one.fixed[number]
        else:
            forms[k, 8], forms[k, 9 + axis] = 1, 1
    return forms


def _reads(one: StateSteps, element: int) -> list[tuple[int, float]]:
    """What an element's angle reads, and half the factors."""
    axis, number = one.elements[element].tolist()
    if axis == FIXED:
        return []
    return [
        (int(value), 0.5 * float(factor))
        for (angle, value), factor in zip(one.reads.tolist(), one.factors, strict=True)
        if angle == number
    ]

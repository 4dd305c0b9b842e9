"""The steps of circuits on Pauli coefficients as tables on a device; the formulas stand in `tables._coefficients`.

Each step makes the coefficient of every word of a few old ones: by a signed permutation, by a matrix (4, 4) on the
letters of one wire, which the weights may change, or by a fixed matrix (16, 16) on those of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve.compile.kernels.triton._launch import moved
from quanvolve.compile.tables._angles import angle_maps
from quanvolve.compile.tables._coefficients import CoefficientTables
from quanvolve.compile.tables._recipe import Mix, Permute, Recipe
from quanvolve.compile.tables._site_words import site_words

PERMUTE, TURN, MIX = range(3)
"""Kinds of steps."""
_MOST = 2**26
"""Numbers of all permutations of the circuits, at most."""

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Steps:
    """What the kernels take; c counts circuits, of which there is one for all rows or one for each.

    Args:
        wires, outputs, features, longest: of the circuits; the most steps that one of them has.
        ends: where the steps of each circuit end, shape (circuits + 1,), the first number being 0.
        steps: (kind, table, wire, second wire) of each; the table of a turn is its number among those of its circuit.
        sources, signs, back: the permutations and their inverses, shape (permutations, 4^n).
        mixes: shape (mixes, 16, 16).
        runs: numbers of the turns of each turning step, innermost first, -1 behind the last: shape (c, steps, most).
        parts: of turns, the matrix being parts[0] + cos parts[1] + sin parts[2]: shape (c, turns, 3, 16).
        offset, mixing: the angles of turns, shapes (c, turns) and (c, numbers, turns), in radians.
        starts, starting, values: (output, word) and coefficient of the observables of each circuit from its start on.
        words, word_signs: the words that are wanted, and their signs.
        places: which of those each word is, -1 behind the last, shape (4^n, most).
    """

    wires: int
    outputs: int
    features: int
    longest: int
    ends: Tensor
    steps: Tensor
    sources: Tensor
    signs: Tensor
    back: Tensor
    mixes: Tensor
    runs: Tensor
    parts: Tensor
    offset: Tensor
    mixing: Tensor
    starts: Tensor
    starting: Tensor
    values: Tensor
    words: Tensor
    word_signs: Tensor
    places: Tensor

    @classmethod
    def of(cls, tables: CoefficientTables, device: torch.device) -> Steps:
        """The tables of all circuits on a device."""
        recipes = tables.recipes
        first = recipes[0].circuit
        permutations: dict[tuple[bytes, bytes], int] = {}
        mixes: dict[bytes, int] = {}
        rows: list[tuple[int, int, int, int]] = []
        ends, runs = [0], list[list[tuple[int, ...]]]()
        for recipe in recipes:
            turning = list[tuple[int, ...]]()
            for step in recipe.steps:
                if isinstance(step, Permute):
                    key = step.source.astype(np.int32).tobytes(), step.sign.astype(np.int8).tobytes()
                    rows.append((PERMUTE, permutations.setdefault(key, len(permutations)), 0, 0))
                elif isinstance(step, Mix):
                    key_of_mix = np.asarray(step.matrix, np.float64).tobytes()
                    rows.append((MIX, mixes.setdefault(key_of_mix, len(mixes)), *step.wires))
                else:
                    rows.append((TURN, len(turning), step.wire, 0))
                    turning.append(step.numbers)
            ends.append(len(rows))
            runs.append(turning)
        count = 4**first.n_wires
        sources = np.stack([np.frombuffer(one, np.int32) for one, _ in permutations] or [np.zeros(count, np.int32)])
        signs = np.stack([np.frombuffer(two, np.int8) for _, two in permutations] or [np.ones(count, np.int8)])
        words, word_signs = _wanted(recipes[0])
        starts, starting, values = _starting(recipes)

        def exact(array: Floats) -> Tensor:
            return moved(array, device, torch.float64)

        maps = [angle_maps(recipe, (turn.angle for turn in recipe.turns)) for recipe in recipes]
        return cls(
            first.n_wires, first.n_outputs, len(words), int(np.diff(ends).max()),
            moved(np.array(ends), device), moved(np.array(rows).reshape(-1, 4), device),
            moved(sources, device), moved(signs, device), moved(np.argsort(sources, axis=1), device),
            exact(np.stack([np.frombuffer(one) for one in mixes] or [np.zeros(256)])),
            moved(_padded(runs), device),
            exact(_stacked([np.stack([turn.parts for turn in r.turns] or [np.zeros((3, 4, 4))]) for r in recipes])),
            exact(_stacked([one.offset for one in maps])),
            exact(_stacked([one.mixing.T for one in maps])).transpose(1, 2),
            moved(starts, device), moved(starting, device), exact(values),
            moved(words, device), exact(word_signs), moved(_places(words, count), device),
        )  # fmt: skip


def can_be_made(tables: CoefficientTables) -> bool:
    """Whether the tables are of a size that fits, and the circuits want the same words."""
    first = tables.recipes[0]
    permutations = sum(isinstance(step, Permute) for recipe in tables.recipes for step in recipe.steps)
    same = all(
        recipe.circuit.n_wires == first.circuit.n_wires and recipe.sites == first.sites for recipe in tables.recipes
    )
    return same and permutations * 4**first.circuit.n_wires <= _MOST


def _wanted(recipe: Recipe) -> tuple[Integers, Floats]:
    wanted, count = site_words(recipe), 4**recipe.circuit.n_wires
    return wanted if wanted is not None else (np.arange(count), np.ones(count))


def _starting(recipes: Sequence[Recipe]) -> tuple[Integers, Integers, Floats]:
    """Coefficients of the observables, each word of each output once."""
    starts, starting, values = [0], [], []
    for recipe in recipes:
        together: dict[tuple[int, int], float] = {}
        for output, word, value in zip(*recipe.observables, strict=True):
            key = int(output), int(word)
            together[key] = together.get(key, 0.0) + float(value)
        starting += list(together)
        values += list(together.values())
        starts.append(len(starting))
    return np.array(starts), np.array(starting).reshape(-1, 2), np.array(values)


def _padded(runs: Sequence[Sequence[tuple[int, ...]]]) -> Integers:
    steps = max(1, *map(len, runs)) if len(runs) > 1 else max(1, len(runs[0]))
    most = max((len(run) for turning in runs for run in turning), default=1)
    table = np.full((len(runs), steps, most), -1)
    for c, turning in enumerate(runs):
        for k, run in enumerate(turning):
            table[c, k, : len(run)] = run
    return table


def _stacked(arrays: Sequence[Floats]) -> Floats:
    """One behind the other, with zeros where the first axis is shorter than that of others, but at least 1."""
    longest = max(1, max(map(len, arrays)))
    whole = np.zeros((len(arrays), longest, *arrays[0].shape[1:]))
    for c, array in enumerate(arrays):
        whole[c, : len(array)] = array
    return whole


def _places(words: Integers, count: int) -> Integers:
    found = list[list[int]]([] for _ in range(count))
    for place, word in enumerate(words.tolist()):
        found[word].append(place)
    table = np.full((count, max(map(len, found))), -1)
    for word, places in enumerate(found):
        table[word, : len(places)] = places
    return table

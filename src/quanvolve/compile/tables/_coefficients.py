"""Circuits on Pauli coefficients, as kernels take them.

O <- U^dagger O U step by step: T[p] <- sign[p] T[source[p]] for a run of Clifford gates, and a 3 x 3 rotation of
the X, Y, Z coefficients of a wire for a run of rotations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quanvolve.compile.tables._handle import Tables
from quanvolve.compile.tables._parsed import kept
from quanvolve.compile.tables._recipe import Permute, Recipe, Rotate
from quanvolve.compile.tables._site_words import site_words
from quanvolve.compile.tables._values import weight_places

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Signs = npt.NDArray[np.int8]


class PauliSteps(NamedTuple):
    """A circuit on the Pauli coefficients of its observables.

    Args:
        wires: of the circuit.
        kinds: for each step its wire, or -1 - p for permutation p.
        runs, numbers: the rotations of step k are numbers[runs[k] : runs[k + 1]].
        axes, offsets: of each rotation.
        sources, signs: the permutations, shape (permutations, 4^n).
        terms, multipliers: (rotation, number) pairs, and what that number is multiplied with in that rotation's angle.
        starting, values: (output, word) pairs and coefficients of the observables.
        words, word_signs: which coefficients are wanted, in order, and their signs.
    """

    wires: int
    kinds: Integers
    runs: Integers
    numbers: Integers
    axes: Integers
    sources: Integers
    signs: Signs
    offsets: Floats
    terms: Integers
    multipliers: Floats
    starting: Integers
    values: Floats
    words: Integers
    word_signs: Signs


@kept
def pauli_steps(recipe: Recipe) -> PauliSteps:
    """The steps of a recipe without channels."""
    n = recipe.circuit.n_wires
    kinds: list[int] = []
    runs, numbers = [0], list[int]()
    permutations: list[Permute] = []
    for step in recipe.steps:
        if isinstance(step, Permute):
            kinds.append(-1 - len(permutations))
            permutations.append(step)
        elif isinstance(step, Rotate):
            kinds.append(step.wire)
            numbers += step.numbers
        runs.append(len(numbers))
    place = weight_places(recipe)
    terms = [
        (number, place[name, index], coefficient)
        for number, turn in enumerate(recipe.turns)
        for name, index, coefficient in turn.angle.weights
    ]
    outputs, words, values = recipe.observables
    wanted = site_words(recipe)
    picked, picked_signs = wanted if wanted is not None else (np.arange(4**n), np.ones(4**n))
    return PauliSteps(
        wires=n,
        kinds=np.array(kinds, np.int64),
        runs=np.array(runs, np.int64),
        numbers=np.array(numbers, np.int64),
        axes=np.array([turn.axis for turn in recipe.turns], np.int64),
        sources=np.array([permutation.source for permutation in permutations], np.int64).reshape(-1, 4**n),
        signs=np.array([permutation.sign for permutation in permutations], np.int8).reshape(-1, 4**n),
        offsets=np.array([turn.angle.offset for turn in recipe.turns], np.float64),
        terms=np.array([term[:2] for term in terms], np.int64).reshape(-1, 2),
        multipliers=np.array([term[2] for term in terms], np.float64),
        starting=np.stack([outputs, words], axis=1).astype(np.int64),
        values=values,
        words=picked.astype(np.int64),
        word_signs=picked_signs.astype(np.int8),
    )


class CoefficientTables(Tables):
    """The circuits of all rows.

    Args:
        recipes: one for all rows of the weights, or one for each.
    """

    def __init__(self, recipes: Sequence[Recipe]) -> None:
        self.recipes = tuple(recipes)
        self.noisy = any(recipe.circuit.noisy for recipe in recipes)

    @classmethod
    def of_recipes(cls, recipes: Sequence[Recipe]) -> CoefficientTables:
        """Tables that are shared with whoever has the same."""
        return cls.shared([recipe.circuit for recipe in recipes], lambda: cls(recipes))

    def shape(self, rows: int) -> tuple[int, int, int]:
        """Of all coefficients: (rows, outputs, features), or all 4^n words where features are no plain words."""
        first = self.recipes[0]
        features = first.n_features if site_words(first) is not None else 4**first.circuit.n_wires
        return rows if len(self.recipes) == 1 else len(self.recipes), first.circuit.n_outputs, features

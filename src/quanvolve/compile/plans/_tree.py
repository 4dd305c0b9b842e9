"""The plan of a coherent tree: weights to the maps of its blocks, images to its leaves, and up the levels.

A block with unitary U takes the independent states of its inputs to that of the qubits it keeps:

    <O> = sum_P T[O, P] prod_i <P_i>_i,     T[O, P] = Tr(P U^dagger O U) / 2^n

for each Pauli word O of the kept qubits, with <P_i>_i the expectation values of input i. Channels act on O by their
adjoints. At the leaves <P>_i is linear in the functions of an encoded qubit, which T then counts instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import prod
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from quanvolve.circuits import Circuit
from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._precision import wide
from quanvolve.compile.batch._tracing import followed
from quanvolve.compile.batch._values import flat_weights
from quanvolve.compile.ops._cartan import cartan
from quanvolve.compile.ops._coefficients import coefficients
from quanvolve.compile.ops._leaves import leaves as read_leaves
from quanvolve.compile.ops._plain import PlainCall, as_one_call, plain
from quanvolve.compile.ops._sample import sample
from quanvolve.compile.ops._tree import tree
from quanvolve.compile.reference._coefficients import from_words
from quanvolve.compile.reference._features import features
from quanvolve.compile.tables._cartan import CartanTables, is_cartan
from quanvolve.compile.tables._coefficients import CoefficientTables
from quanvolve.compile.tables._features import feature_table
from quanvolve.compile.tables._leaves import LeafTables, single_leaves
from quanvolve.compile.tables._pauli import part_on, word_index
from quanvolve.compile.tables._recent import Recent
from quanvolve.compile.tables._recipe import compile_circuit
from quanvolve.compile.tables._sampling import ShotTables, sampling_of
from quanvolve.compile.tables._site_words import site_words
from quanvolve.compile.tables._tree import TreeLevel, TreeTables, gathered

Sides = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class TreeStep:
    """One level of a tree.

    Args:
        circuit: what its blocks run, its observables being what is known of the qubits that they keep. That of the
            first level encodes its inputs: those of the first place of the window, then the next. Wires beyond the
            inputs' are ancillas. The observables are all Pauli words but the empty one, in the order of their numbers.
        size: places along each axis that it reads.
        window: places along each axis of a block.
        shared: whether all blocks have the same weights.
    """

    circuit: Circuit
    size: tuple[int, ...]
    window: tuple[int, ...]
    shared: bool

    @property
    def places(self) -> tuple[int, ...]:
        """Blocks along each axis."""
        return tuple(n // w for n, w in zip(self.size, self.window, strict=True))


@lru_cache(maxsize=16)
def _still(ancillas: int) -> npt.NDArray[np.int64]:
    """The words that qubits in |0> have: |0><0| = (I + Z) / 2."""
    still = np.ones(4**ancillas, bool)
    for wire in range(ancillas):
        still &= np.isin(part_on((wire,), ancillas), (0, 3))
    return np.flatnonzero(still)


class TreePlan:
    """Trees of blocks that share no input.

    Args:
        trees: how many.
        steps: the levels, from the leaves to the root.
        read: a circuit without gates on the qubits that a block keeps, with what is measured of them at last.
        shots: of each measured basis; None for exact values.

    Raises:
        PlanError: if the first circuit is no product encoding, or a circuit has too many qubits.
    """

    def __init__(self, trees: int, steps: Sequence[TreeStep], read: Circuit, shots: int | None = None) -> None:
        self.trees, self.steps = trees, tuple(steps)
        self._given = (trees, self.steps, read, shots)
        self._sampling = sampling_of(read)
        words = [observable.terms[0][1] for observable in self._sampling.observables]
        self._words = np.array([word_index(word, read.n_wires) - 1 for word in words], np.int64)
        self._calls = Recent[PlainCall](most=len(self.steps))
        self._leaves = Recent[LeafTables]()
        self._shots = None if shots is None else ShotTables.of_sampling(self._sampling, shots)
        self.recipes = tuple(compile_circuit(step.circuit) for step in steps)
        self.tables = TreeTables.of_levels(trees, self._levels())
        self._single = single_leaves(feature_table(self.recipes[0]))
        self._rows = tuple(
            CartanTables.of_recipe(recipe) if is_cartan(recipe) else CoefficientTables.of_recipes([recipe])
            for recipe in self.recipes
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreePlan) and self._given == other._given

    def __hash__(self) -> int:
        return hash(self._given)

    def __deepcopy__(self, memo: Any) -> Self:
        return self  # nothing in it ever changes, and its tables are large

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._given

    def _levels(self) -> list[TreeLevel]:
        levels: list[TreeLevel] = []
        for number, (step, recipe) in enumerate(zip(self.steps, self.recipes, strict=True)):
            blocks, in_window = prod(step.places), prod(step.window)
            if number == 0:
                sizes = recipe.sizes
                starts = np.concatenate([[0], np.cumsum(np.array(sizes[:-1], np.int64) - 1)]).astype(np.int64)
                rows = np.arange(blocks)[:, None] * (sum(sizes) - len(sizes)) + starts
            else:
                known = levels[-1].outputs + 1
                sizes = (known,) * in_window
                rows = gathered(step.size, step.window) * (known - 1)
            levels.append(TreeLevel(sizes, rows, step.circuit.n_outputs, step.shared))
        return levels

    def compile(self, weights: Sequence[Mapping[str, Tensor]], like: Tensor) -> Tensor:
        """The numbers of all blocks, shape (trees, numbers).

        Args:
            weights: for each level and weight a tensor (trees, blocks or 1, *shape).
            like: gives dtype and device where there are no weights.
        """
        parts = []
        for tables, levels in groupby(range(len(self.steps)), key=lambda number: self._rows[number]):
            if isinstance(tables, CartanTables):  # all levels of one kind by one call
                split = [self._joined(number, weights[number], like) for number in levels]
                joined = torch.cat(split, dim=1) if len(split) > 1 else split[0]
                parts.append(cartan(tables, joined.flatten(0, 1)).reshape(self.trees, -1))
                continue
            for number in levels:
                words = self._numbers(number, tables, self._joined(number, weights[number], like).flatten(0, 1))
                rows = self.trees * self.tables.levels[number].maps
                parts.append(words.expand(rows, -1, -1).reshape(self.trees, -1))
        return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]

    def _joined(self, number: int, by_name: Mapping[str, Tensor], like: Tensor) -> Tensor:
        """All weights of a level's blocks, one after the other: shape (trees, blocks or 1, numbers)."""
        recipe = self.recipes[number]
        if len(by_name) == 1 and recipe.circuit.program is None:
            (weight,) = by_name.values()
            return weight.flatten(2) if weight.dim() > 2 else weight.unsqueeze(2)
        flat = flat_weights(recipe, {name: weight.flatten(0, 1) for name, weight in by_name.items()}, like)
        return flat.unsqueeze(0) if not by_name else torch.unflatten(flat, 0, (self.trees, -1))

    def _numbers(self, number: int, tables: CoefficientTables, flat: Tensor) -> Tensor:
        """The numbers of a level's blocks: shape (rows, outputs, products)."""
        if coefficients.takes(tables, flat) or not flat.numel() or not as_one_call(flat):
            return self._known(number, flat, coefficients(tables, flat))
        level = self.tables.levels[number]

        def run(tensors: Sequence[Tensor]) -> Tensor:
            return self._known(number, tensors[0], coefficients(tables, tensors[0]))

        def shape(tensors: Sequence[Tensor]) -> tuple[int, ...]:
            return len(tensors[0]), level.outputs, level.features

        what_for = (self.recipes[number].circuit, level.sizes)
        return plain(self._calls.get(number, lambda: PlainCall.shared(what_for, lambda: PlainCall(run, shape))), [flat])

    def _known(self, number: int, flat: Tensor, words: Tensor) -> Tensor:
        """Numbers by what inputs are known by: shape (rows, outputs, products)."""
        recipe, level = self.recipes[number], self.tables.levels[number]
        if number == 0:
            return words if site_words(recipe) is not None else from_words(recipe, flat, words)
        spare = words.shape[-1] // level.features
        if spare == 1:
            return words
        ancillas = spare.bit_length() // 2
        kept = constant(_still(ancillas), words.device)
        by_ancilla: Tensor = torch.unflatten(words, -1, (level.features, spare))
        summed: Tensor = by_ancilla.index_select(-1, kept).sum(-1)
        return summed

    def leaves(self, images: Tensor, scale: float, sides: Sides, dtype: torch.dtype) -> Tensor:
        """What the first level reads: the functions of all encoded qubits, shape (rows, images).

        Args:
            images: shape (N, channels, *size).
            scale: what pixels are multiplied with to become angles.
            sides: zeros that are added before and after each axis, so that the size is the one that the first level
                reads.
            dtype: of the functions.
        """
        if images.dtype == dtype and self._single is not None:
            key = (images.shape[1], scale, sides)
            return read_leaves(self._leaves.get(key, lambda: self._leaf_tables(*key)), images)
        angles = F.pad(wide(images) * scale, [n for side in reversed(sides) for n in side])
        recipe, blocks, count = self.recipes[0], prod(self.steps[0].places), angles.shape[0]
        windows = self._windows(angles).reshape(recipe.circuit.n_inputs, blocks * count)
        functions = [site[..., 1:, :] for site in features(recipe, windows, dtype)]
        joined: Tensor = torch.cat(functions, dim=-2)
        return torch.unflatten(joined, -1, (blocks, count)).transpose(0, 1).flatten(0, 1)

    def _windows(self, images: Tensor) -> Tensor:
        """Pixels of windows: shape (*window, channels, *places, N)."""
        step = self.steps[0]
        dims = len(step.size)
        for axis in reversed(range(dims)):
            images = torch.unflatten(images, 2 + axis, (step.places[axis], step.window[axis]))
        return images.permute(*range(3, 3 + 2 * dims, 2), 1, *range(2, 2 + 2 * dims, 2), 0)

    def _leaf_tables(self, channels: int, scale: float, sides: Sides) -> LeafTables:
        assert self._single is not None
        step = self.steps[0]
        size = [n - before - after for n, (before, after) in zip(step.size, sides, strict=True)]
        count = channels * prod(size)
        padded = np.pad(np.arange(1, count + 1).reshape(channels, *size), ((0, 0), *sides)) - 1
        windows = padded.reshape(channels, -1)[:, gathered(step.size, step.window)]  # channels, blocks, places
        pixels = windows.transpose(1, 2, 0).reshape(prod(step.places), -1)[:, self._single.inputs].reshape(-1)
        sines = np.tile(self._single.sines, prod(step.places))
        return LeafTables.of_pixels(pixels.astype(np.int64), sines, scale * self._single.factor, count)

    def evaluate(self, maps: Tensor, images: Tensor, scale: float, sides: Sides) -> Tensor:
        """What is measured at last: shape (images, trees, measured values, *places).

        Args:
            maps: from :meth:`compile`.
            images, scale, sides: as in :meth:`leaves`.
        """
        values = self._read(self.kept(maps, images, scale, sides)).unflatten(0, (images.shape[0], self.trees))
        placed: Tensor = torch.unflatten(values, -1, self.steps[-1].places)
        return placed

    def kept(self, maps: Tensor, images: Tensor, scale: float, sides: Sides) -> Tensor:
        """All words of what the last blocks keep: shape (images x trees, words, places); arguments as above."""
        last = self.steps[-1]
        values = tree(self.tables, self.leaves(images, scale, sides, maps.dtype), maps)
        split: Tensor = torch.unflatten(values, 1, (prod(last.places), last.circuit.n_outputs))
        return split.permute(3, 0, 2, 1).flatten(0, 1)

    def _read(self, kept: Tensor) -> Tensor:
        """Measured values of words, shape (rows, values, places)."""
        matrix, constant, which = (
            constant(numbers, kept.device)
            for numbers in (self._sampling.expected, self._sampling.constant, self._words)
        )
        words = kept.index_select(1, which)
        exact = torch.matmul(matrix.to(kept), words) + constant.to(kept).unsqueeze(-1)
        if self._shots is None:
            return exact
        with torch.no_grad():
            drawn = sample(self._shots, words)
        return drawn + (exact - exact.detach()) if followed(words) else drawn  # gradients are those of exact values

    def __str__(self) -> str:
        blocks, qubits = self.blocks, self.qubits
        return (
            f"tree: {self.trees} tree{'s' * (self.trees > 1)} of {blocks} block{'s' * (blocks > 1)} in "
            f"{len(self.steps)} level{'s' * (len(self.steps) > 1)} on {qubits} qubits each; exact"
        )

    @property
    def blocks(self) -> int:
        """Of one tree."""
        return sum(prod(step.places) for step in self.steps)

    @property
    def qubits(self) -> int:
        """That one tree encodes images on."""
        return prod(self.steps[0].places) * sum(1 for site in self.recipes[0].sites if site.angles)

"""Small trees, and single blocks of large ones, in closed form."""

from __future__ import annotations

import itertools
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.analysis._formula import Formula, site_factors
from quanvolve.analysis._terms import Factor, Term, sum_text
from quanvolve.analysis._tree_view import ExactTree, check_tree, word_number
from quanvolve.compile import compile_circuit, features, tree_maps

if TYPE_CHECKING:
    from quanvolve.analysis._tree_view import TreeView

Floats = npt.NDArray[np.float64]
MOST_TERMS = 600_000
"""Products of functions of pixels that a formula is made from."""


def tree_formula(tree: TreeView, output: int, *, place: int = 0, digits: int = 4, tolerance: float = 1e-6) -> Formula:
    """A measured value of a small tree as a function of the pixels: all that its many blocks do, in one sum.

    Args:
        tree: a :class:`quanvolve.CoherentTree` on few pixels; with `noise` the formula has it.
        output: the number of the value.
        place: which of the windows that are left, where `n_levels` leaves several.
        digits: of the printed coefficients.
        tolerance: smaller coefficients are left out.

    Returns:
        As :meth:`quanvolve.Quanv2d.formula`; pixels are counted as ``image.flatten()`` is.

    Raises:
        QuanvolveError: if `tree` is none, there is no such value, or it has too many terms: a pixel that is encoded by
            one rotation makes them three times as many.

    Examples:
        >>> from quanvolve import CoherentTree
        >>> tree = CoherentTree(1, 2, readout="z", seed=0)
        >>> for level in tree.levels:  # the square root of SWAP alone
        ...     for name, weight in level.circuit_weights().items():
        ...         _ = torch.nn.init.zeros_(weight)
        ...         if name == "weights":
        ...             _ = torch.nn.init.constant_(weight[..., 6:], torch.pi / 4)
        >>> print(tree_formula(tree, 0))
        ch0 = 0.5000 cos(pi x0) + 0.5000 cos(pi x1)
    """
    check_tree(tree)
    each = len(tree.observables)
    for name, given, most in (("output", output, tree.n_trees * each), ("place", place, prod(tree.places))):
        if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given < most:
            raise QuanvolveError(f"`{name}` (={given!r}) must be in 0 to {most - 1}")
    writer = _Writer(tree, output // each)
    words, factors = writer.of_block(len(tree.steps) - 1, place)
    coefficients = np.zeros(words.shape[1])
    for coefficient, word in tree.observables[output % each].pauli_terms():
        coefficients += coefficient * words[word_number(word, tree.keep)]
    terms, left_out = [], 0.0
    for value, chosen in zip(coefficients.tolist(), itertools.product(*factors), strict=True):
        if abs(value) > tolerance:
            terms.append(Term(value, tuple(itertools.chain.from_iterable(chosen))))
        else:
            left_out += abs(value)
    terms.sort(key=lambda term: (len(term.factors), [p.pixel for f in term.factors for _, p in f.angle]))
    n_pixels = tree.in_channels * prod(tree.input_size)
    return Formula(output, terms, n_pixels=n_pixels, error=left_out, digits=digits)


class _Writer:
    """Coefficients of one tree's blocks, in products of functions of their pixels."""

    def __init__(self, tree: TreeView, number: int) -> None:
        self.tree, exact = tree, ExactTree.of(tree)
        self.maps = [level[number].numpy() for level in tree_maps(exact.plan, exact.maps)]
        self.recipe = compile_circuit(tree.steps[0].circuit)
        angles = exact.angles(torch.zeros(1, tree.in_channels, *tree.input_size, dtype=torch.float64))
        self.still = [site[..., 0].numpy() for site in features(self.recipe, self._inputs(angles), torch.float64)]
        scale = tree.scale.detach() if isinstance(tree.scale, Tensor) else torch.tensor(tree.scale, dtype=torch.float64)
        self.scales = scale.to("cpu", torch.float64).expand(tree.in_channels, *tree.input_size).numpy()

    def _inputs(self, angles: Tensor) -> Tensor:
        """Of a window of pixels that are 0."""
        return angles.new_zeros(self.recipe.circuit.n_inputs, 1)

    def of_block(self, depth: int, block: int) -> tuple[Floats, list[list[tuple[Factor, ...]]]]:
        """All words that a block keeps, the empty one first: shape (words, products), and the factors of these."""
        step = self.tree.steps[depth]
        numbers = self.maps[depth][0 if step.shared else block]
        where = [int(k) for k in np.unravel_index(block, step.places)]
        if depth == 0:
            kept, factors = self._of_pixels(numbers, where)
        else:
            kept, factors = numbers, []
            for inside in itertools.product(*map(range, step.window)):
                there = [p * w + i for p, w, i in zip(where, step.window, inside, strict=True)]
                below = self.tree.steps[depth - 1].places
                known, more = self.of_block(depth - 1, int(np.ravel_multi_index(there, below)))
                self._check(len(kept) * known.shape[1] * prod(kept.shape[2:]))
                kept = np.tensordot(kept, known, axes=([1], [0]))  # this input's products come last
                factors += more
            kept = kept.reshape(len(numbers), -1)
        empty = np.zeros((1, kept.shape[1]))
        empty[0, 0] = 1.0
        return np.concatenate([empty, kept]), factors

    def _check(self, size: int) -> None:
        if size > MOST_TERMS:
            raise QuanvolveError(
                f"a formula of this tree is a sum of more than {MOST_TERMS:,} products: look at a tree of fewer "
                "pixels, or at single blocks with block_formula()"
            )

    def _of_pixels(self, numbers: Floats, where: list[int]) -> tuple[Floats, list[list[tuple[Factor, ...]]]]:
        """Those of the first level; pixels that were added around the image are 0."""
        tree, step, circuit = self.tree, self.tree.steps[0], self.recipe.circuit
        scales, pixels, added = [1.0] * circuit.n_inputs, [0] * circuit.n_inputs, [False] * circuit.n_inputs
        for number, inside in enumerate(itertools.product(*map(range, step.window))):
            place = [
                p * w + i - before
                for p, w, i, (before, _) in zip(where, step.window, inside, tree.padding, strict=True)
            ]
            for channel in range(tree.in_channels):
                k = number * tree.in_channels + channel
                added[k] = not all(0 <= p < n for p, n in zip(place, tree.input_size, strict=True))
                if not added[k]:
                    full = (channel, *place)
                    scales[k] = float(self.scales[full])
                    pixels[k] = int(np.ravel_multi_index(full, self.scales.shape))
        self._check(numbers.size)
        factors: list[list[tuple[Factor, ...]]] = []
        for position in reversed(range(len(self.recipe.sites))):
            site = self.recipe.sites[position]
            if any(added[index] for angle in site.angles for index, _ in angle):
                numbers = np.tensordot(numbers, self.still[position], axes=([1 + position], [0]))
            else:
                factors.insert(0, site_factors(site, scales, pixels, circuit.threshold))
        return numbers.reshape(len(numbers), -1), factors


def block_formula(
    tree: TreeView, level: int, *, number: int = 0, block: int = 0, digits: int = 4, tolerance: float = 1e-6
) -> str:
    """What one block does: each Pauli word that it keeps as a multilinear function of those of its inputs.

    Args:
        tree: a :class:`quanvolve.CoherentTree`.
        level: of the block, from the leaves.
        number: of the tree.
        block: of the level, counted row by row.
        digits: of the printed coefficients.
        tolerance: smaller coefficients are left out.

    Returns:
        A line for each word of the kept qubits: X, Y and Z, or with two of them IX, IY and so on. Inputs are a, b, ...;
        at level 0 they are functions of pixels, as in :func:`tree_formula`.

    Raises:
        QuanvolveError: if `tree` is none, or there is no such block.

    Examples:
        >>> from quanvolve import CoherentTree
        >>> tree = CoherentTree(1, 4, seed=0)
        >>> for name, weight in tree.levels[1].circuit_weights().items():
        ...     _ = torch.nn.init.constant_(weight, torch.pi / 4 if name == "weights" else 0.0)
        ...     _ = torch.nn.init.zeros_(weight[..., :6])
        >>> print(block_formula(tree, 1))
        X = 0.5000 X_a + 0.5000 X_b - 0.5000 Y_a Z_b + 0.5000 Z_a Y_b
        Y = 0.5000 Y_a + 0.5000 Y_b + 0.5000 X_a Z_b - 0.5000 Z_a X_b
        Z = 0.5000 Z_a + 0.5000 Z_b - 0.5000 X_a Y_b + 0.5000 Y_a X_b
    """
    check_tree(tree)
    n_levels = len(tree.steps)
    if not isinstance(level, int) or not 0 <= level < n_levels:
        raise QuanvolveError(f"`level` (={level!r}) must be in 0 to {n_levels - 1}")
    step = tree.steps[level]
    for name, given, most in (("number", number, tree.n_trees), ("block", block, prod(step.places))):
        if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given < most:
            raise QuanvolveError(f"`{name}` (={given!r}) must be in 0 to {most - 1}")
    names = ["".join(letters) for letters in itertools.product("IXYZ", repeat=tree.keep)][1:]
    if level == 0:
        words, factors = _Writer(tree, number).of_block(0, block)
        rows, texts = words[1:], [" ".join(map(str, itertools.chain(*c))) for c in itertools.product(*factors)]
    else:
        exact = ExactTree.of(tree)
        numbers = tree_maps(exact.plan, exact.maps)[level][number][0 if step.shared else block].numpy()
        known = [["", *(f"{word}_{'abcdefghi'[k]}" for word in names)] for k in range(prod(step.window))]
        rows = numbers.reshape(len(numbers), -1)
        texts = [" ".join(filter(None, chosen)) for chosen in itertools.product(*known)]
    lines = []
    for name, row in zip(names, rows.tolist(), strict=True):
        terms = [_Named(c, text) for c, text in zip(row, texts, strict=True) if abs(c) > tolerance]
        if level:
            terms.sort(key=lambda term: (str(term).count("_"), [part[-1] for part in str(term).split()]))
        lines.append(f"{name} = {sum_text(terms, digits)}")
    return "\n".join(lines)


class _Named(Term):
    """A coefficient times something with a name."""

    def __init__(self, coefficient: float, name: str) -> None:
        super().__init__(coefficient)
        object.__setattr__(self, "_name", name)

    def __str__(self) -> str:
        return str(self._name)  # type: ignore[attr-defined]

"""Which coefficients of a circuit can be other than zero, whatever its weights are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quanvolve.compile.tables._features import feature_table, padded
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._parsed import kept
from quanvolve.compile.tables._recipe import Mix, Permute, Recipe
from quanvolve.compile.tables._site_words import site_words

Pattern = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
_ROW = 3.0
"""What a row of a product or a sum costs, in multiplications of a dense tile."""


class Products(NamedTuple):
    """The products and terms of the polynomials of all channels, as kernels take them.

    Args:
        nodes: pairs of rows to multiply: row 0 is the constant 1, then come the functions of the sites, then these
            products themselves.
        node_runs: the products of channel c of group g are those from node_runs[g * channels + c] on.
        terms: (output, row, feature): the feature's coefficient times the row is added to the output.
        term_runs: where those of each channel begin.
    """

    nodes: Integers
    node_runs: Integers
    terms: Integers
    term_runs: Integers


@kept
def pattern(recipe: Recipe) -> Pattern | None:
    """Coefficients that may be other than zero, shape (outputs, features); None where that is not known.

    A Pauli word that meets a rotation about another axis becomes two; a Clifford gate maps words to words. What happens
    to cancel is counted as well.
    """
    wanted = site_words(recipe)
    if wanted is None:
        return None
    n, outputs = recipe.circuit.n_wires, recipe.circuit.n_outputs
    occurs = np.zeros((outputs, 4**n), bool)
    numbers, words, _ = recipe.observables
    occurs[numbers, words] = True
    for step in recipe.steps:
        if isinstance(step, Permute):
            occurs = occurs[:, step.source]
            continue
        if isinstance(step, Mix):
            moved = np.moveaxis(occurs.reshape(outputs, *(4,) * n), [1 + wire for wire in step.wires], (1, 2))
            mixed = np.abs(step.matrix) > 0
            new = np.einsum("pq,mqr->mpr", mixed, moved.reshape(outputs, 16, -1)) > 0
            occurs = np.moveaxis(new.reshape(moved.shape), (1, 2), [1 + wire for wire in step.wires]).reshape(
                outputs, -1
            )
            continue
        occurs = np.ascontiguousarray(occurs)
        split = occurs.reshape(outputs, 4**step.wire, 4, -1)
        for turn in (recipe.turns[number] for number in step.numbers):
            if turn.channel is not None:
                split[:] = np.einsum("pq,mbqa->mbpa", np.abs(turn.channel) > 0, split) > 0
                continue
            axis = turn.axis
            first, second = 1 + (axis + 1) % 3, 1 + (axis + 2) % 3
            both = split[:, :, first] | split[:, :, second]
            split[:, :, first] = both
            split[:, :, second] = both
    return occurs[:, wanted[0]]


def _patterns(recipes: Sequence[Recipe], layout: Layout) -> Pattern | None:
    """Those of all rows, shape (groups, channels, outputs, features)."""
    patterns = [pattern(recipe) for recipe in recipes]
    if any(occurs is None for occurs in patterns):
        return None
    groups, filters, channels, outputs = layout
    measured = recipes[0].circuit.n_outputs
    rows = [occurs for occurs in patterns if occurs is not None] * (layout.rows if len(recipes) == 1 else 1)
    arranged = np.stack(rows).reshape(*layout.shape, measured, -1)
    return arranged.transpose(0, 2, 1, 3, 4).reshape(groups, channels, filters * measured, -1)[:, :, :outputs]


def needed_by(recipes: Sequence[Recipe], layout: Layout) -> Pattern | None:
    """Which features an output can have in some group and channel, shape (outputs, features); None if that is not known.

    Args:
        recipes: one for all rows, or one for each.
        layout: of the rows.
    """
    patterns = _patterns(recipes, layout)
    return None if patterns is None else patterns.any((0, 1))


def products(recipes: Sequence[Recipe], layout: Layout) -> Products | None:
    """The products that the polynomials of a layer need, or None where evaluating all of them is cheaper.

    Args:
        recipes: one for all rows of the weights, or one for each.
        layout: of the rows.
    """
    table = feature_table(recipes[0])
    arranged = _patterns(recipes, layout)
    if table is None or arranged is None:
        return None
    groups, _, channels, outputs = layout
    work = _ROW * (arranged.any(2).sum() + arranged.sum())
    if work > arranged.shape[-1] * (padded(outputs, 4) + 1) * groups * channels:
        return None
    nodes: list[tuple[int, int]] = []
    terms: list[tuple[int, int, int]] = []
    node_runs, term_runs = [0], [0]
    for channel_pattern in arranged.reshape(groups * channels, outputs, -1):
        places: dict[tuple[int, ...], int] = {(): 0}
        channel_nodes: list[tuple[int, int]] = []
        n_functions = len(table.sites.factors)
        for feature in np.flatnonzero(channel_pattern.any(0)):
            row = _row(
                _functions(int(feature), table.sites.sizes, table.sites.starts), places, channel_nodes, n_functions
            )
            terms += [(int(output), row, int(feature)) for output in np.flatnonzero(channel_pattern[:, feature])]
        nodes += channel_nodes
        node_runs.append(len(nodes))
        term_runs.append(len(terms))
    return Products(
        np.array(nodes, np.int64).reshape(-1, 2),
        np.array(node_runs, np.int64),
        np.array(terms, np.int64).reshape(-1, 3),
        np.array(term_runs, np.int64),
    )


def _functions(feature: int, sizes: Sequence[int] | Integers, starts: Sequence[int] | Integers) -> tuple[int, ...]:
    """The functions that a feature is the product of, by number."""
    functions = []
    for size, start in zip(reversed(sizes), reversed(starts), strict=True):
        feature, digit = divmod(feature, int(size))
        if digit:
            functions.append(int(start) + digit - 1)
    return tuple(reversed(functions))


def _row(
    functions: tuple[int, ...], places: dict[tuple[int, ...], int], nodes: list[tuple[int, int]], n_functions: int
) -> int:
    """The row of a product; products on the way are shared with others."""
    if len(functions) == 1:
        return 1 + functions[0]
    if functions not in places:
        nodes_left = _row(functions[:-1], places, nodes, n_functions)
        nodes.append((nodes_left, 1 + functions[-1]))
        places[functions] = n_functions + len(nodes)
    return places[functions]

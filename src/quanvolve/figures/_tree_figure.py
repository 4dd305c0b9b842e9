"""The blocks of a coherent tree: the circuit of each kind of level, with the weights of a block."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Observable, draw_figure, draw_legend, drawing_height
from quanvolve.figures._style import FONT, GREY, INK, TITLE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH, _HEAD, _FOOT = 9.0, 0.4, 0.4  # inches
_LARGEST, _LEAST = 0.5, 0.3  # inches between two wires


def tree_figure(tree: Any) -> Figure:
    """The circuits that the blocks of a tree run, with the weights of the first block of tree 0.

    Args:
        tree: a :class:`quanvolve.CoherentTree`.

    Returns:
        A figure with a panel for each circuit; levels that run the same one are drawn once.

    Raises:
        QuanvolveError: if `tree` is none.

    Examples:
        >>> from quanvolve import CoherentTree
        >>> [ax.get_title(loc="left") for ax in tree_figure(CoherentTree(1, (4, 4), seed=0)).axes]
        ['levels 0 to 2: 14 blocks of 2 qubits, 9 weights each', 'level 3: 1 block of 2 qubits, 12 weights']
    """
    levels = getattr(tree, "levels", None)
    if levels is None or not all(hasattr(level, "weights_of") for level in levels):
        raise QuanvolveError(f"`tree` is a {type(tree).__name__}, expected a CoherentTree")
    kinds: list[list[int]] = []
    for number, level in enumerate(levels):
        if kinds and levels[kinds[-1][0]].circuit == level.circuit:
            kinds[-1].append(number)
        else:
            kinds.append([number])
    # A box of a measurement stands for each qubit that goes on.
    kept = tuple(Observable(((1.0, ((wire, "Z"),)),)) for wire in range(tree.keep))
    circuits = [replace(levels[numbers[0]].circuit, observables=kept) for numbers in kinds]
    drawings = [drawing_height(circuit, 0.94 * _WIDTH, _LARGEST, _LEAST) for circuit in circuits]
    whole = sum(drawings) + _HEAD * (len(kinds) + 1) + _FOOT
    figure = new_figure(_WIDTH, whole, constrained=False)
    top = whole - _HEAD
    for numbers, circuit, height in zip(kinds, circuits, drawings, strict=True):
        low = top - _HEAD - height
        ax = figure.add_axes((0.03, low / whole, 0.94, height / whole))
        weights = {name: weight.detach() for name, weight in levels[numbers[0]].weights_of(0, 0).items()}
        draw_figure(circuit, weights=weights, ax=ax)
        ax.set_anchor("W")
        ax.set_title(_title(levels, numbers), fontsize=TITLE, color=INK, family=FONT, loc="left")
        top = low
    summary = f"CoherentTree: {tree.n_trees} tree{'s' * (tree.n_trees > 1)} on {tree.n_qubits:,} qubits"
    text = f"{summary}; the weights are those of the first block of tree 0"
    figure.text(0.03, 1 - 0.3 / whole, text, fontsize=TITLE, color=GREY, family=FONT, va="center")
    draw_legend(figure, circuits, 0.5, 0.0)
    return figure


def _title(levels: Any, numbers: list[int]) -> str:
    one = len(numbers) == 1
    blocks = sum(math.prod(levels[number].places) for number in numbers)
    circuit = levels[numbers[0]].circuit
    which = f"level {numbers[0]}" if one else f"levels {numbers[0]} to {numbers[-1]}"
    each = " each" if blocks > 1 else ""
    return f"{which}: {blocks} block{'s' * (blocks > 1)} of {circuit.n_wires} qubits, {circuit.n_weights} weights{each}"

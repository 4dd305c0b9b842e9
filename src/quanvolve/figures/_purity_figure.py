"""How mixed the qubits of coherent trees are, level by level."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from quanvolve.analysis import TreePurity, check_tree, tree_purity
from quanvolve.figures._style import BLUE, FONT, GREY, INK, SMALL, TITLE, colour_bar, frame, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from quanvolve.analysis import TreeView

_MAPS = 4


def purity_figure(tree: TreeView, images: Any, found: TreePurity | None = None) -> Figure:
    """The purity of the qubits that a tree keeps: by level, and over the image at some of the levels.

    Args:
        tree: a :class:`quanvolve.CoherentTree`.
        images: as it takes them.
        found: from :func:`quanvolve.analysis.tree_purity`; computed if not given.

    Returns:
        A figure with the mean over images, trees and blocks of each level and the range of the middle 90 %; for trees
        over images also maps of up to four levels, means over images and trees.

    Raises:
        QuanvolveError: if `tree` is none, or images do not fit.

    Examples:
        >>> from quanvolve import CoherentTree
        >>> figure = purity_figure(CoherentTree(1, (4, 4), seed=0), np.random.rand(8, 1, 4, 4))
        >>> [ax.get_title() for ax in figure.axes[1:4]]
        ['level 0: 4 x 2', 'level 1: 2 x 2', 'level 2: 2 x 1']
    """
    check_tree(tree)
    chosen = tree_purity(tree, images) if found is None else found
    two = len(tree.input_size) == 2
    several = [k for k, level in enumerate(chosen.levels) if two and prod(level.shape[2:]) > 1]
    places = np.unique(np.linspace(0, len(several) - 1, min(_MAPS, len(several))).round().astype(int))
    mapped = [several[k] for k in places]
    figure = new_figure(4.8 + 1.5 * len(mapped) + (0.9 if mapped else 0), 3.2)
    grid = figure.add_gridspec(1, 1 + len(mapped), width_ratios=[3.0, *[1.2] * len(mapped)])
    _by_level(figure.add_subplot(grid[0, 0]), chosen)
    least = 0.5**chosen.keep
    axes, drawn = [], None
    for column, number in enumerate(mapped):
        ax = figure.add_subplot(grid[0, 1 + column])
        mean = chosen.levels[number].mean((0, 1))
        drawn = ax.imshow(mean, cmap="viridis", vmin=least, vmax=1, interpolation="nearest", aspect="auto")
        ax.set_box_aspect(tree.input_size[0] / tree.input_size[1])
        frame(ax, f"level {number}: {' x '.join(map(str, mean.shape))}")
        axes.append(ax)
    if axes:
        colour_bar(figure, drawn, axes, "purity", fraction=0.05, pad=0.03, aspect=18)
    title = "Purity of the kept qubits, from the leaves to the root"
    figure.suptitle(title, fontsize=TITLE, color=INK, family=FONT)
    return figure


def _by_level(ax: Axes, found: TreePurity) -> None:
    levels = np.arange(len(found.levels))
    low, high = np.array([np.quantile(level, [0.05, 0.95]) for level in found.levels]).T
    ax.fill_between(levels, low, high, color=BLUE, alpha=0.2, linewidth=0, label="middle 90 %")
    ax.plot(levels, found.means, color=BLUE, marker="o", markersize=4, label="mean")
    least = 0.5**found.keep
    ax.axhline(least, color=GREY, linewidth=1, linestyle="--")
    ax.axhline(1, color=GREY, linewidth=1, linestyle=":")
    for height, name, side in ((1.01, "pure", "bottom"), (least - 0.01, "completely mixed", "top")):
        ax.text(levels[-1], height, name, ha="right", va=side, fontsize=SMALL, color=GREY, family=FONT)
    ax.set_xticks(levels)
    ax.set_ylim(least - 0.09, 1.08)
    tidy(ax, "", "level", "purity of what a block keeps")
    legend = ax.legend(frameon=False, fontsize=SMALL, loc="lower left", bbox_to_anchor=(0.0, 0.15))
    for text in legend.get_texts():
        text.set_color(INK)
        text.set_fontfamily(FONT)

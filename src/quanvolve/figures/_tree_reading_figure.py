"""What the roots of coherent trees read of images, as heat maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quanvolve._errors import QuanvolveError
from quanvolve.analysis import TreeReading, check_tree, tree_reading
from quanvolve.figures._style import (
    BLUE,
    FONT,
    GREY,
    INK,
    PAPER,
    SMALL,
    TITLE,
    Array,
    as_array,
    colour_bar,
    frame,
    new_figure,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from quanvolve.analysis import TreeView

_BY = {"mean": "dropped:\npixel replaced\nby its mean", "mixed": "dropped:\nqubits completely\nmixed"}
_NOTE = "Root mean squares\nover these images,\nall values of a tree\ntogether."


def tree_reading_figure(
    tree: TreeView, images: Any, found: TreeReading | None = None, *, by: str = "mean", max_trees: int = 4
) -> Figure:
    """Heat maps over the image of what each tree's root reads: by gradients, and by dropping leaves.

    Args:
        tree: a :class:`quanvolve.CoherentTree` over images or series.
        images: as it takes them.
        found: from :func:`quanvolve.analysis.tree_reading`; computed if not given.
        by: how a leaf is dropped, as there.
        max_trees: how many trees to show at most.

    Returns:
        A figure with the mean of the images, and two maps for each tree: the root mean square, over the images, of
        derivatives and of changes, all values of a tree together.

    Raises:
        QuanvolveError: if `tree` is none, or over volumes, or images do not fit.

    Examples:
        >>> import numpy as np
        >>> from quanvolve import CoherentTree
        >>> figure = tree_reading_figure(CoherentTree(1, (4, 4), n_trees=2, seed=0), np.random.rand(8, 1, 4, 4))
        >>> [ax.get_title() for ax in figure.axes[:3]]
        ['mean of 8 images', 'tree 0', 'tree 1']
    """
    check_tree(tree)
    if len(tree.input_size) == 3:
        raise QuanvolveError("`tree` is over volumes, which this picture does not show: tree_reading() has the numbers")
    if max_trees < 1:
        raise QuanvolveError(f"`max_trees` (={max_trees}) must be at least 1")
    pixels = as_array("images", images)
    chosen = tree_reading(tree, pixels, by=by) if found is None else found
    batch = pixels.reshape(-1, tree.in_channels, *tree.input_size)
    shown = min(tree.n_trees, max_trees)
    series = len(tree.input_size) == 1
    rows, columns = (1, *tree.input_size)[-2:]
    width = 2.4 if series else min(max(1.75 * columns / rows, 1.2), 2.6)
    figure = new_figure(min((shown + 1) * width + 1.6, 14), 4.8)
    grid = figure.subplots(2, shown + 1, squeeze=False)
    draw = _bars if series else _heat
    grey = draw(grid[0, 0], batch.mean((0, 1)), None, 1.0)
    _named(grid[0, 0], series, f"mean of {len(batch)} image{'s' * (len(batch) > 1)}")
    grid[1, 0].set_axis_off()
    grid[1, 0].text(0.0, 0.98, _NOTE, fontsize=SMALL, color=GREY, family=FONT, va="top")
    maps = [chosen.of_tree(number) for number in range(shown)]
    units = ("per unit of a pixel", "change of the value")
    for row, (label, unit) in enumerate(zip(("gradient", _BY[chosen.by]), units, strict=True)):
        limit = max(float(one[row].max()) for one in maps) or 1.0
        for number, one in enumerate(maps):
            grey = draw(grid[row, number + 1], one[row], _colours(), limit)
            _named(grid[row, number + 1], series, f"tree {number}" if row == 0 else "")
            if number == 0:
                grid[row, 1].set_ylabel(label, fontsize=SMALL, color=INK, family=FONT)
        if not series:
            colour_bar(figure, grey, list(grid[row, 1:]), unit, fraction=0.05, pad=0.02, aspect=14)
    which = "the root reads" if tree.n_trees == 1 else "the roots read"
    more = f" (trees 0 to {shown - 1} of {tree.n_trees})" if shown < tree.n_trees else ""
    figure.suptitle(f"What {which} of the image{more}", fontsize=TITLE, color=INK, family=FONT)
    return figure


def _heat(ax: Axes, values: Array, colours: Any, limit: float) -> Any:
    return ax.imshow(values, cmap=colours or "gray", vmin=0, vmax=limit, interpolation="nearest")


def _bars(ax: Axes, values: Array, colours: Any, limit: float) -> None:
    ax.bar(range(len(values)), values, width=1.0, color=GREY if colours is None else BLUE)
    ax.set_xlim(-0.5, len(values) - 0.5)
    ax.set_ylim(min(0.0, float(values.min())), max(limit, float(values.max())) * 1.02)


def _named(ax: Axes, series: bool, title: str) -> None:
    if not series:
        frame(ax, title)
        return
    tidy(ax, "", "place")
    ax.set_title(title, fontsize=SMALL, color=INK, family=FONT, pad=3)


def _colours() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("reads", [PAPER, "#9CC9E6", BLUE, "#003F66"])

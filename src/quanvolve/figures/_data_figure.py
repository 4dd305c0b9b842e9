"""What a data set looks like: some samples of each class, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve._lines import one_line
from quanvolve.figures._style import (
    BLUE,
    FONT,
    GREEN,
    GREY,
    INK,
    ORANGE,
    SMALL,
    TEXT,
    TITLE,
    as_array,
    frame,
    new_figure,
    show_image,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_CLASSES = 20
_LETTERS = 22
_PARTS = (("train", BLUE), ("validation", ORANGE), ("test", GREEN))


def data_figure(
    samples: Sequence[Any], names: Sequence[str], counts: Sequence[tuple[int, int, int]], *, title: str = ""
) -> Figure:
    """Samples of each class in a row, beside bars of how many there are to train, to validate and to test with.

    Args:
        samples: for each class an array (k, C, H, W) of images in [0, 1], or (k, C, L) of series.
        names: of the classes.
        counts: of each class, in the three parts.
        title: of the picture.

    Returns:
        A figure with a row for each class, at most 20 of them.

    Raises:
        QuanvolveError: if there are not as many samples as names and counts, or samples of another form.

    Examples:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> figure = data_figure([rng.random((3, 1, 8, 8)), rng.random((2, 1, 8, 8))], ["cat", "dog"], [(9, 0, 2)] * 2)
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['train', 'test']
    """
    if not len(samples) == len(names) == len(counts) > 0:
        raise QuanvolveError(
            f"`samples`, `names` and `counts` are of {len(samples)}, {len(names)} and {len(counts)} classes, expected "
            "as many of each, and one at least"
        )
    arrays = [as_array("samples", own) for own in samples[:_MOST_CLASSES]]
    if len({array.ndim for array in arrays}) > 1 or arrays[0].ndim not in (3, 4):
        raise QuanvolveError("`samples` must be (k, C, H, W) for each class, or (k, C, L)")
    columns = max(len(array) for array in arrays)
    wide = arrays[0].shape[-1] / arrays[0].shape[-2] if arrays[0].ndim == 4 else 1.6
    cell = 0.72 * min(max(wide, 0.5), 2.0)
    row, head, foot = 0.72, 0.62, 0.3
    letters = max(min(len(name), _LETTERS) for name in names[:_MOST_CLASSES])
    left, bars, right = 0.4 + 0.083 * letters, 3.0, 0.25
    width, height = left + columns * cell + bars + right + 0.3, head + len(arrays) * row + foot
    figure = new_figure(width, height, constrained=False)
    for k, array in enumerate(arrays):
        bottom = height - head - (k + 1) * row
        for j, sample in enumerate(array):
            ax = figure.add_axes((
                (left + j * cell) / width, (bottom + 0.03) / height, (cell - 0.06) / width, (row - 0.06) / height
            ))  # fmt: skip
            _draw(ax, sample)
        name = one_line(names[k])
        figure.text(
            (left - 0.12) / width, (bottom + row / 2) / height,
            name if len(name) <= _LETTERS else f"{name[: _LETTERS - 3]}...",
            ha="right", va="center", fontsize=TEXT, color=INK, family=FONT, parse_math=False,
        )  # fmt: skip
    place = ((left + columns * cell + 0.2) / width, foot / height, bars / width, len(arrays) * row / height)
    handles = _bars(figure.add_axes(place), np.asarray(counts[: len(arrays)]))
    more = f", {len(arrays)} of {len(names)} classes" if len(names) > len(arrays) else ""
    figure.text(
        left / width, (height - 0.3) / height, f"{one_line(title)}{more}", ha="left", va="center", fontsize=TITLE,
        color=INK, family=FONT, parse_math=False,
    )  # fmt: skip
    figure.legend(
        handles=handles, loc="center left", bbox_to_anchor=(place[0], (height - 0.3) / height), ncols=len(handles),
        frameon=False, prop={"family": FONT, "size": SMALL}, labelcolor=INK, handlelength=1.0, columnspacing=1.2,
        borderaxespad=0, borderpad=0, handletextpad=0.5,
    )  # fmt: skip
    return figure


def _draw(ax: Axes, sample: Any) -> None:
    if sample.ndim == 3:
        show_image(ax, sample)
    else:
        for channel in sample:
            ax.plot(channel, color=BLUE, linewidth=0.9)
        ax.set_ylim(-0.08, 1.08)
    frame(ax)


def _bars(ax: Axes, counts: Any) -> list[Any]:
    """Bars of each class, one part after the other, with the numbers behind them."""
    rows, start = np.arange(len(counts)), np.zeros(len(counts))
    most = max(1, int(counts.sum(axis=1).max()))
    handles = []
    for part, (name, colour) in enumerate(_PARTS):
        if counts[:, part].any():
            handles.append(ax.barh(rows, counts[:, part], 0.42, left=start, color=colour, label=name))
            start = start + counts[:, part]
    for row, own in enumerate(counts):
        text = " + ".join(f"{count:,}" for count, used in zip(own, counts.any(axis=0), strict=True) if used)
        ax.text(
            own.sum() + 0.02 * most, row, text, va="center", ha="left", fontsize=SMALL, color=INK, family=FONT
        )  # fmt: skip
    ax.set_xlim(0, (1.25 + 0.15 * len(handles)) * most)
    ax.set_ylim(len(counts) - 0.5, -0.5)
    ax.set_facecolor("none")
    ax.set_xticks([])
    ax.set_yticks([])
    for side, spine in ax.spines.items():
        spine.set_visible(side == "left")
        spine.set_color(GREY)
        spine.set_linewidth(0.8)
    return handles

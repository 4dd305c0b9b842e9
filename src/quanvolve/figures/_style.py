"""What all pictures share: colours, sizes, plain axes, and the way they reach the disk.

Figures are made without pyplot, so they need no display, leave nothing open, and can be drawn in any thread. Every
colour is set by hand: a user's own matplotlib style must not turn labels white on white.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from quanvolve._errors import QuanvolveError
from quanvolve._files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The palette of Okabe and Ito, which all common forms of colour vision tell apart.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
INK, GREY, PALE, PAPER = "#222222", "#767676", "#D9D9D9", "white"
LIGHT_ON, DARK_ON = "#FFFFFE", "#222223"  # letters on colours, which stay as they are where paper is dark
TITLE, TEXT, SMALL = 11.0, 10.0, 9.0
FONT = "DejaVu Sans"  # comes with matplotlib, so a picture looks the same everywhere

Array = npt.NDArray[Any]


def new_figure(width: float, height: float, *, constrained: bool = True) -> Figure:
    """An empty white figure, sizes in inches, that pyplot does not know of."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), facecolor=PAPER, layout="constrained" if constrained else None)


def tidy(ax: Axes, title: str = "", xlabel: str = "", ylabel: str = "") -> None:
    """Thin spines, no box, dark letters."""
    ax.set_facecolor(PAPER)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_linewidth(0.8)
        spine.set_color(GREY)
    ax.tick_params(colors=GREY, labelcolor=INK, labelsize=SMALL, width=0.8, length=3)
    for text in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        text.set_fontfamily(FONT)
    ax.set_title(title, fontsize=TITLE, color=INK, family=FONT, loc="left")
    ax.set_xlabel(xlabel, fontsize=TEXT, color=INK, family=FONT)
    ax.set_ylabel(ylabel, fontsize=TEXT, color=INK, family=FONT)


def frame(ax: Axes, title: str = "") -> None:
    """Axes of an image: no ticks, a thin frame, a centred title."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_linewidth(0.6)
        spine.set_color(GREY)
    if title:
        ax.set_title(title, fontsize=SMALL, color=INK, family=FONT, pad=3)


def as_array(name: str, value: Any) -> Array:
    """An array or a tensor, wherever it is, as an array of finite numbers.

    Raises:
        QuanvolveError: if it is not made of finite numbers.
    """
    try:
        array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value, dtype=float)
    except (TypeError, ValueError):
        raise QuanvolveError(f"`{name}` must be an array of numbers, got {type(value).__name__}") from None
    if not np.isfinite(array).all():
        raise QuanvolveError(f"`{name}` has {int((~np.isfinite(array)).sum())} value(s) that are not finite")
    return array


def check_pixels(name: str, array: Array) -> None:
    """Raise unless all pixels are in [0, 1], within rounding: other values would be drawn as black or white."""
    if array.size and (array.min() < -1e-6 or array.max() > 1 + 1e-6):
        raise QuanvolveError(
            f"`{name}` has values from {array.min():g} to {array.max():g}, expected pixels in [0, 1]: divide uint8 "
            "pixels by 255"
        )


def show_image(ax: Axes, image: Array) -> None:
    """Draw pixels (C, H, W): one channel in grey, three in colour, any other number by their mean."""
    options: dict[str, Any] = {"interpolation": "nearest", "aspect": "equal"}
    if image.shape[0] == 3:
        ax.imshow(np.clip(image.transpose(1, 2, 0), 0, 1), **options)
    else:
        ax.imshow(image.mean(0), cmap="gray", vmin=0, vmax=1, **options)


def colour_bar(figure: Figure, shown: Any, axes: Any, label: str, **options: Any) -> None:
    """A thin colour bar in the common style."""
    bar = figure.colorbar(shown, ax=axes, **options)
    style_bar(bar, label)


def style_bar(bar: Any, label: str) -> None:
    """Thin outline, dark letters."""
    bar.outline.set_linewidth(0.6)
    bar.outline.set_edgecolor(GREY)
    bar.ax.tick_params(colors=GREY, labelcolor=INK, labelsize=SMALL, width=0.8, length=3)
    bar.set_label(label, fontsize=TEXT, color=INK, family=FONT)


def save_figure(figure: Figure, path: str | os.PathLike[str], *, dpi: float = 150, dark: bool = False) -> None:
    """Write a figure to a file, whole or not at all.

    Args:
        figure: any matplotlib figure.
        path: the file; its ending says the format, such as .png, .svg or .pdf. An existing file is replaced.
        dpi: dots per inch, for formats made of pixels.
        dark: exchange dark letters on white paper for light ones on dark paper, in the figure itself.

    Raises:
        QuanvolveError: if the format is unknown or the file cannot be written; nothing is left behind.

    Examples:
        >>> import tempfile
        >>> from quanvolve.figures import history_figure, save_figure
        >>> figure = history_figure([{"epoch": 1, "train_loss": 0.5}])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_figure(figure, f"{folder}/history.png")
        ...     os.listdir(folder)
        ['history.png']
    """
    target = Path(path)
    kind = target.suffix[1:].lower()
    known = figure.canvas.get_supported_filetypes()
    if kind not in known:
        raise QuanvolveError(f"cannot write {target}: the ending must be one of {', '.join(sorted(known))}")
    if dark:
        darken(figure)
    try:
        with replacing(target) as part, _laid_out(figure, dpi):
            figure.savefig(part, format=kind, dpi=dpi)
    except OSError as error:
        raise QuanvolveError(f"cannot write {target}: {error.strerror or error}") from error


@contextmanager
def _laid_out(figure: Figure, dpi: float) -> Iterator[None]:
    """The figure with everything in its place, so that matplotlib need not draw it twice to find that."""
    engine, before = figure.get_layout_engine(), figure.dpi
    if engine is None:
        yield
        return
    try:
        figure.dpi = dpi
        engine.execute(figure)
        figure.set_layout_engine("none")
        yield
    finally:
        figure.dpi = before
        figure.set_layout_engine(engine)


_DARK = {INK: "#E7E7EA", GREY: "#A3A3AD", PALE: "#41424B", PAPER: "#1B1C21"}


def darken(figure: Figure) -> None:
    """Exchange the colours of ink and paper of everything in a figure; other colours stay as they are."""
    from matplotlib.colors import to_hex

    exchanged = {to_hex(light): dark for light, dark in _DARK.items()}
    figure.canvas.draw_idle()
    figure.draw_without_rendering()  # ticks come into being only now
    for artist in figure.findobj():
        for name in ("facecolor", "edgecolor", "markerfacecolor", "markeredgecolor", "color"):
            drawn: Any = artist
            if not (hasattr(drawn, f"get_{name}") and hasattr(drawn, f"set_{name}")):
                continue
            if name == "color" and hasattr(drawn, "get_facecolor"):
                continue  # of a patch it would set both
            try:
                colour = to_hex(getattr(drawn, f"get_{name}")())
            except (TypeError, ValueError):
                continue  # many colours, or none
            if colour in exchanged:
                getattr(drawn, f"set_{name}")(exchanged[colour])

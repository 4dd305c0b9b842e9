"""The Fourier spectra of channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.figures._filter_figures import check_layer
from quanvolve.figures._style import BLUE, FONT, GREY, INK, PALE, SMALL, TITLE, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from quanvolve.analysis import Formula, LayerView

_MOST_WAVES, _LEAST = 12, 1e-4


def spectrum_figure(layer: LayerView, channels: Sequence[int] | None = None) -> Figure:
    """The strongest waves that channels are made of: their frequencies and amplitudes.

    Args:
        layer: a :class:`quanvolve.Quanv2d` or one of its siblings.
        channels: which; the first four if not given.

    Returns:
        A figure with a panel for each channel. Opposite frequencies are one bar, whose length is the wave's amplitude;
        the names are angles, such as "pi x0 + pi x1".

    Raises:
        QuanvolveError: if there is no such channel, or its value is no Fourier series of the pixels.

    References:
        Schuld, Sweke and Meyer, Phys. Rev. A 103, 032430 (2021), equation 6.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> figure = spectrum_figure(Quanv2d(1, 2, (1, 2), circuit="basic_entangler", n_layers=1, seed=0), [1])
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['π x0 + π x1', 'π x0 - π x1']
    """
    check_layer(layer)
    chosen = list(range(min(4, layer.out_channels)) if channels is None else channels)
    formulas = [layer.formula(channel) for channel in chosen]
    waves = [strongest_waves(formula) for formula in formulas]
    across = min(2, len(chosen))
    down = math.ceil(len(chosen) / across)
    tallest = max([len(strongest) for strongest in waves] + [2])
    figure = new_figure(4.6 * across + 0.3, down * (0.24 * tallest + 0.85) + 0.4)
    grid = figure.subplots(down, across, squeeze=False)
    largest = max([size for strongest in waves for _, size in strongest] + [1e-9])
    for ax, formula, strongest in zip(grid.flat, formulas, waves, strict=False):
        _draw(ax, formula, strongest, largest)
        ax.set_ylim(tallest - 0.5, -0.5)
    for ax in list(grid.flat)[len(chosen) :]:
        ax.set_visible(False)
    figure.suptitle("Spectrum: the waves a channel is made of", fontsize=TITLE, color=INK, family=FONT)
    return figure


def strongest_waves(formula: Formula) -> list[tuple[str, float]]:
    """Angle and amplitude of the strongest waves of a formula, and of its constant."""
    sizes: dict[tuple[float, ...], float] = {}
    for frequency, amplitude in formula.spectrum().items():
        leading = next((f for f in frequency if f), 0.0)
        if leading >= 0:
            sizes[frequency] = abs(amplitude) * (2 if leading else 1)
    order = sorted(sizes, key=lambda f: (-round(sizes[f], 9), tuple(-abs(x) for x in f)))
    return [(_angle(frequency), sizes[frequency]) for frequency in order if sizes[frequency] > _LEAST][:_MOST_WAVES]


def _angle(frequency: tuple[float, ...]) -> str:
    text = ""
    for pixel, number in enumerate(frequency):
        if not number:
            continue
        glue = (" - " if number < 0 else " + ") if text else ("-" if number < 0 else "")
        multiple = abs(number) / math.pi
        near = round(multiple * 4) / 4
        factor = f"{near:g}π" if abs(multiple - near) < 1e-9 else f"{abs(number):.3g}"
        text += f"{glue}{'π' if factor == '1π' else factor} x{pixel}"
    return text or "constant"


def _draw(ax: Axes, formula: Formula, waves: list[tuple[str, float]], largest: float) -> None:
    if not waves:
        raise QuanvolveError(f"channel {formula.channel} is zero everywhere: it has no spectrum")
    places = np.arange(len(waves))
    ax.barh(places, [size for _, size in waves], height=0.62, color=BLUE)
    tidy(ax, f"ch {formula.channel}", "amplitude")
    ax.set_yticks(places, [name for name, _ in waves], fontsize=SMALL, family=FONT)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0, 1.18 * largest)
    for place, (_, size) in enumerate(waves):
        ax.text(size + 0.015 * largest, place, f"{size:.3f}", va="center", fontsize=SMALL - 1, color=GREY, family=FONT)
    ax.grid(True, axis="x", color=PALE, linewidth=0.6)
    ax.set_axisbelow(True)

"""The whole layer in one picture: an image, a window, its circuit, the channels that come out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from quanvolve._errors import QuanvolveError
from quanvolve.figures._feature_maps_figure import DIVERGING, symmetric_limit
from quanvolve.figures._filter_figures import check_layer, draw_row
from quanvolve.figures._style import (
    FONT,
    GREY,
    INK,
    PALE,
    PAPER,
    RED,
    Array,
    as_array,
    check_pixels,
    colour_bar,
    frame,
    new_figure,
    tidy,
)
from quanvolve.figures._window_figures import draw_window, draw_windows, window_of_contrast

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from quanvolve.analysis import LayerView

# Inches. Letters of 11 points in a figure 12 inches wide are 11 pixels high where it is shown 900 pixels wide.
_HEIGHT, _LOW, _TALL, _GAP = 3.9, 0.5, 2.8, 0.42
_IMAGE, _WINDOW, _CIRCUIT, _MAPS, _ANSWER, _BAR = 2.35, 1.8, 3.7, 2.5, 1.6, 0.65
_MOST_MAPS, _MOST_CLASSES = 4, 10
_STEP, _BELOW, _WHOLE = 13.0, 11.0, 12.3  # points, points, inches
_TEXT = 10.5


def overview_figure(layer: LayerView, image: Any, *, probabilities: Any = None) -> Figure:
    """What a layer does with an image, step by step, in one wide picture.

    Args:
        layer: a :class:`quanvolve.Quanv2d`.
        image: shape (H, W) or (C, H, W), pixels in [0, 1].
        probabilities: of the classes, as the classifier behind the layer sees this image: an array, or a mapping from
            class names. Left out, the picture ends with the feature maps.

    Returns:
        A figure: the image with its windows and the one of most contrast marked; that window's pixels as angles; the
        circuit of the first filter; up to four channels, the place of the window marked; and the probabilities.

    Raises:
        QuanvolveError: if the image does not fit the layer, or the probabilities are none.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> layer = Quanv2d(1, 4, 2, stride=2, circuit="basic_entangler", n_layers=1, seed=0)
        >>> figure = overview_figure(layer, np.linspace(0, 1, 64).reshape(8, 8))
        >>> [text.get_text() for text in figure.texts][0]
        '1  Windows'
    """
    pixels = _checked(layer, image)
    classes = None if probabilities is None else _classes(probabilities)
    maps = _maps(layer, pixels)
    widths = [_IMAGE, _WINDOW, _CIRCUIT, _MAPS + _BAR, *([] if classes is None else [_ANSWER + 0.3])]
    whole = sum(widths) + _GAP * (len(widths) - 1) + 0.3
    figure = new_figure(whole, _HEIGHT, constrained=False)
    lefts = [0.15 + sum(widths[:i]) + _GAP * i for i in range(len(widths))]
    larger = whole / _WHOLE  # a wider figure is shown smaller
    place = window_of_contrast(layer, pixels)

    def axes(left: float, width: float, low: float = _LOW, tall: float = _TALL) -> Axes:
        return figure.add_axes((left / whole, low / _HEIGHT, width / whole, tall / _HEIGHT))

    draw_windows(axes(lefts[0], _IMAGE), layer, pixels, place)
    draw_window(axes(lefts[1], _WINDOW), layer, pixels, place, (_WINDOW, _TALL))
    drawn = axes(lefts[2], _CIRCUIT)
    draw_row(layer.channel(0).rows[0], drawn, compact=True)
    _draw_maps(figure, axes, lefts[3], maps, place)
    if classes is not None:
        _draw_classes(axes(lefts[4] + 0.3, _ANSWER), classes)
    steps = [
        ("Windows", _about_windows(layer, maps)),
        ("Angles", _about_angles(layer)),
        ("One circuit for all windows", _about_circuit(layer)),
        ("Each output is a channel", _about_channels(maps)),
        ("Probabilities", "of the classes"),
    ]
    for number, (left, (title, below)) in enumerate(zip(lefts, steps, strict=False)):
        figure.text(
            left / whole,
            1 - 0.3 / _HEIGHT,
            f"{number + 1}  {title}",
            fontsize=_STEP * larger,
            color=INK,
            family=FONT,
            weight="bold",
            va="center",
        )
        figure.text(left / whole, 0.22 / _HEIGHT, below, fontsize=_BELOW * larger, color=GREY, family=FONT, va="center")
        if number:
            _arrow(figure, (left - _GAP + 0.04) / whole, (left - 0.06) / whole)
    return figure


def _checked(layer: Any, image: Any) -> Array:
    check_layer(layer)
    if len(layer.geometry.kernel_size) != 2:
        raise QuanvolveError(f"`layer` is a {type(layer).__name__}, expected one over images (Quanv2d)")
    pixels = as_array("image", image)
    if pixels.ndim == 2:
        pixels = pixels[None]
    if pixels.ndim != 3 or pixels.shape[0] != layer.in_channels or not pixels.size:
        expected = "(H, W) or (1, H, W)" if layer.in_channels == 1 else f"({layer.in_channels}, H, W)"
        raise QuanvolveError(f"`image` has shape {np.shape(image)}, expected {expected} for this layer")
    check_pixels("image", pixels)
    layer.geometry.output_size(pixels.shape[1:])
    return pixels


def _classes(probabilities: Any) -> list[tuple[str, float]]:
    """Pairs of class name and probability, the most probable ones in their own order where there are many."""
    if isinstance(probabilities, Mapping):
        names, values = list(map(str, probabilities)), as_array("probabilities", list(probabilities.values()))
    else:
        values = as_array("probabilities", probabilities)
        names = [str(i) for i in range(values.size)]
    if values.ndim != 1 or not values.size:
        raise QuanvolveError(f"`probabilities` has shape {values.shape}, expected one number a class")
    if values.min() < -1e-6 or values.max() > 1 + 1e-6:
        raise QuanvolveError(
            f"`probabilities` has values from {values.min():g} to {values.max():g}, expected numbers in [0, 1]"
        )
    probable = sorted(np.argsort(-values, kind="stable")[:_MOST_CLASSES].tolist())
    return [(names[i], float(values[i])) for i in probable]


def _maps(layer: LayerView, pixels: Array) -> Array:
    images = torch.as_tensor(pixels, dtype=torch.get_default_dtype())
    like = next(iter((*layer.parameters(), *layer.buffers())), images)
    with torch.no_grad():
        maps = layer(images.to(like))
    return as_array("maps", maps)


def _draw_maps(figure: Figure, axes: Any, left: float, maps: Array, place: tuple[int, int]) -> None:
    from matplotlib.patches import Rectangle

    count = min(len(maps), _MOST_MAPS)
    limit = symmetric_limit(maps[:count])
    columns = 1 if count == 1 else 2
    rows = math.ceil(count / columns)
    space, title = 0.12, 0.2
    wide = (_MAPS - space * (columns - 1)) / columns
    tall = (_TALL - space * (rows - 1)) / rows
    shown: Any = None
    for channel in range(count):
        row, column = divmod(channel, columns)
        low = _LOW + (rows - 1 - row) * (tall + space)
        ax = axes(left + column * (wide + space), wide, low, tall - title)
        shown = ax.imshow(maps[channel], cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest")
        frame(ax, f"ch {channel}")
        ax.title.set_fontsize(_TEXT)
        # White under colour, to be seen on every value; around small cells, so as not to cover them.
        room = 0.0 if min(wide / maps.shape[2], (tall - title) / maps.shape[1]) > 0.18 else 0.6
        left_end, right_end = _around(place[1], room, maps.shape[2])
        top_end, bottom_end = _around(place[0], room, maps.shape[1])
        for line, colour in ((3.6, PAPER), (2.0, RED)):
            mark = Rectangle((left_end, top_end), right_end - left_end, bottom_end - top_end, fill=False)
            mark.set(edgecolor=colour, linewidth=line, zorder=5, clip_on=False)
            ax.add_patch(mark)
    bar = axes(left + _MAPS + 0.08, 0.1, _LOW + 0.1, _TALL - title - 0.2)
    colour_bar(figure, shown, None, "", cax=bar)


def _around(cell: int, room: float, cells: int) -> tuple[float, float]:
    """Both ends of a cell along an axis, with room around it but not beyond the map."""
    return max(cell - 0.5 - room, -0.5), min(cell + 0.5 + room, cells - 0.5)


def _draw_classes(ax: Axes, classes: list[tuple[str, float]]) -> None:
    values = [value for _, value in classes]
    best = int(np.argmax(values))
    colours = [RED if i == best else PALE for i in range(len(values))]
    ax.barh(range(len(values)), values, color=colours, height=0.75)
    tidy(ax)
    ax.set_xlim(0, 1.3)
    ax.set_ylim(len(values) - 0.4, -0.6)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.set_yticks(range(len(values)), [name[:10] for name, _ in classes], fontsize=_TEXT)
    ax.tick_params(length=0)
    for label in ax.get_yticklabels():
        label.set_parse_math(False)
    ax.text(
        values[best] + 0.03, best, f"{100 * values[best]:.0f} %", va="center", fontsize=_TEXT, color=INK, family=FONT
    )


def _arrow(figure: Figure, start: float, end: float) -> None:
    from matplotlib.patches import FancyArrowPatch

    y = (_LOW + _TALL / 2) / _HEIGHT
    figure.add_artist(
        FancyArrowPatch(
            (start, y),
            (end, y),
            transform=figure.transFigure,
            arrowstyle="-|>",
            mutation_scale=16,
            linewidth=2,
            color=RED,
            shrinkA=0,
            shrinkB=0,
        )
    )


def _about_windows(layer: LayerView, maps: Array) -> str:
    kernel = "x".join(map(str, layer.geometry.kernel_size))
    return f"{maps.shape[1] * maps.shape[2]} windows of {kernel} pixels"


def _about_angles(layer: LayerView) -> str:
    if layer.in_channels > 1 and layer.channel_mixing == "sum":
        return f"channel 0 of {layer.in_channels}"
    scales = set(layer.channel(0).rows[0].scale.tolist())
    if len(scales) > 1:
        return "angle = factor * pixel"
    scale = scales.pop()
    return f"angle = {'π' if math.isclose(scale, math.pi) else f'{scale:g}'} * pixel"


def _about_circuit(layer: LayerView) -> str:
    filters = layer.filter_shape[0]
    which = f"filter 0 of {filters}; " if filters > 1 else ""
    return f"{which}blue: pixels, orange: weights"


def _about_channels(maps: Array) -> str:
    shape = f"{maps.shape[1]}x{maps.shape[2]}"
    more = f"the first {_MOST_MAPS} of {len(maps)} channels" if len(maps) > _MOST_MAPS else f"{len(maps)} channels"
    return f"{more} of {shape}" if len(maps) > 1 else f"1 channel of {shape}"

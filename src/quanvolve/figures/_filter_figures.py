"""Filters side by side: the circuit of each, and below it what it computes."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.circuits import draw_figure, draw_legend, drawing_height
from quanvolve.figures._style import FONT, GREY, INK, SMALL, TITLE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from quanvolve.analysis import LayerView, Row

_WIDTH, _HEAD, _FOOT, _LINE = 9.0, 0.4, 0.4, 0.2  # inches
_LARGEST, _LEAST = 0.5, 0.3  # inches between two wires
_LINE_LETTERS, _MOST_LINES = 108, 3
_MOST_CHANNELS = 4
_HARD_SPACE = "\u00a0"  # no line ends here


def filters_figure(layer: LayerView, *, max_filters: int = 4) -> Figure:
    """The circuits of a layer's filters with the values of their weights, and the formulas of their channels.

    Args:
        layer: a :class:`quanvolve.Quanv2d` or one of its siblings.
        max_filters: how many filters to draw at most where each has a structure of its own. Filters that share a
            structure are drawn once, with the weights of filter 0.

    Returns:
        A figure with a panel for each filter drawn. A filter that reads several input channels with a circuit each
        is drawn for the first of them; its formulas are complete.

    Raises:
        QuanvolveError: if `layer` is no quantum convolution or `max_filters` is less than 1.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> figure = filters_figure(Quanv2d(1, 4, 2, circuit="basic_entangler", n_layers=1, seed=0))
        >>> figure.axes[0].get_title(loc="left")
        'filter 0: 4 qubits, 12 gates, 4 weights'
    """
    check_layer(layer)
    if max_filters < 1:
        raise QuanvolveError(f"`max_filters` (={max_filters}) must be at least 1")
    total, reads = layer.filter_shape
    count = min(max_filters, total) if len(layer.circuits) > 1 else 1
    rows = [row for row in layer.rows() if row.part == 0][:count]
    circuits = [row.circuit for row in rows]
    formulas = [_formula_lines(layer, row) for row in rows]
    drawings = [drawing_height(circuit, 0.94 * _WIDTH, _LARGEST, _LEAST) for circuit in circuits]
    heights = [d + _HEAD + _LINE * (len(lines) + 1) for d, lines in zip(drawings, formulas, strict=True)]
    whole = sum(heights) + _HEAD + _FOOT
    figure = new_figure(_WIDTH, whole, constrained=False)
    top = whole - _HEAD
    for f, (row, lines) in enumerate(zip(rows, formulas, strict=True)):
        low = top - _HEAD - drawings[f]
        ax = figure.add_axes((0.03, low / whole, 0.94, drawings[f] / whole))
        draw_row(row, ax)
        ax.set_anchor("W")
        ax.set_title(_title(row, reads), fontsize=TITLE, color=INK, family=FONT, loc="left")
        for k, line in enumerate(lines):
            figure.text(
                0.035,
                (low - _LINE * (k + 1)) / whole,
                line,
                fontsize=SMALL,
                color=INK,
                family="DejaVu Sans Mono",
                parse_math=False,
            )
        top -= heights[f]
    figure.text(0.03, 1 - 0.3 / whole, _summary(layer, count), fontsize=TITLE, color=GREY, family=FONT, va="center")
    draw_legend(figure, circuits, 0.5, 0.0)
    return figure


def check_layer(layer: Any) -> None:
    """Raise unless the object has what the pictures of a layer need."""
    if not all(hasattr(layer, name) for name in ("circuits", "formula", "geometry", "out_channels")):
        raise QuanvolveError(f"`layer` is a {type(layer).__name__}, expected a quantum convolution (Quanv2d)")


def draw_row(row: Row, ax: Axes, *, compact: bool = False) -> None:
    """The circuit of a row with the values of its weights, and the channels that its values go to."""
    draw_figure(
        row.circuit,
        weights={name: weight.detach() for name, weight in row.weights.items()},
        scale=row.scale.tolist(),
        output_names=["left out" if c is None else f"ch {c}" for c in row.out_channels],
        compact=compact,
        ax=ax,
    )


def short_formula(text: str, letters: int) -> str:
    """A formula cut at the end of a term, with the number of its terms behind it, where it is longer than that."""
    text = re.sub(r"\bpi\b", "π", text)
    if len(text) <= letters:
        return text
    # A sum inside a cosine is no end of a term.
    ends = [m.start() for m in re.finditer(r" [+-] (?![^()]*\))", text)]
    tail = f" + … ({len(ends) + 1} terms)"
    fitting = [end for end in ends if end + len(tail) <= letters]
    return text[: fitting[-1] if fitting else letters - len(tail)] + tail


def _formula_lines(layer: LayerView, row: Row) -> list[str]:
    channels = [c for c in row.out_channels if c is not None]
    lines: list[str] = []
    if row.circuit.postprocessing is not None:
        return ["these channels are functions of expectation values, without a formula in sines and cosines"]
    try:
        layer.recipe  # noqa: B018
    except PlanError:
        return ["no product encoding: these channels have no formula in sines and cosines of single angles"]
    for channel in channels[:_MOST_CHANNELS]:
        text = short_formula(layer.formula(channel), _LINE_LETTERS * _MOST_LINES - 30)
        text = re.sub(r"\([^()]*\)", lambda inside: inside.group().replace(" ", _HARD_SPACE), text)
        lines += textwrap.wrap(text, _LINE_LETTERS, subsequent_indent=" " * 6)
    if len(channels) > _MOST_CHANNELS:
        lines.append(f"… ({len(channels)} channels)")
    return lines


def _title(row: Row, reads: int) -> str:
    where = f" on input channel 0 of {reads}" if reads > 1 else ""
    circuit = row.circuit
    count = f"{circuit.n_wires} qubits, {len(circuit.gates)} gates, {circuit.n_weights} weights"
    return f"filter {row.filter}{where}: {count}"


def _summary(layer: LayerView, count: int) -> str:
    total = layer.filter_shape[0]
    name = f"{type(layer).__name__}, circuit {layer.circuit_name!r}: "
    if len(layer.circuits) == 1:
        return name + (f"{total} filters with these gates, each with its own weights" if total > 1 else "1 filter")
    return name + (f"the first {count} of {total} filters" if count < total else f"{total} filters")

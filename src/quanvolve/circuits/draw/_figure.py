"""A circuit description as a matplotlib figure.

Figures are drawn here and not by `qp.drawer.tape_mpl`, which goes through pyplot and its global state, fills a whole
figure and prints every angle as a number: a filter's picture must say which angle is a pixel and which a weight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.circuits.description import Circuit, Gate
from quanvolve.circuits.draw._labels import AngleWriter, output_lines, single_pauli

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "#222222"
_PAPER = "white"
_ON_COLOUR = "#222223"  # letters on tints, which stay dark where ink becomes light
# Tints and edges from the palette of Okabe and Ito, which all common forms of colour vision tell apart.
_COLOURS = {
    "input": ("#CFE6F5", "#0072B2"),
    "weight": ("#FBE3B0", "#B97800"),
    "both": ("#CBE9DD", "#00795A"),
    "fixed": ("#EDEDED", "#555555"),
    "output": (_PAPER, _INK),
}
_MEANINGS = {
    "input": "reads a pixel",
    "weight": "has a weight",
    "both": "pixel and weight",
    "fixed": "fixed",
    "output": "measured",
}
_MOST_BLOCKS = 6

# All lengths of a picture are in units of the distance between two wires.
_BOX_HEIGHT, _BOX_WIDTH, _GAP, _LETTERS = 0.68, 0.74, 0.2, 0.27
_LARGE_LETTERS = 0.38  # of compact pictures, which are shown small
_LEFT, _BETWEEN_BLOCKS = 0.75, 0.55
_INCHES_PER_UNIT, _MOST_INCHES = 0.5, 11.0
_LEAST_POINTS_PER_UNIT = 19.0


@dataclass(frozen=True)
class _Box:
    """What is drawn for a gate: lines of text in a box over its wires, or the gate's own symbol."""

    lines: tuple[str, ...]
    wires: tuple[int, ...]
    kind: str
    symbol: str = ""
    letters: float = _LETTERS

    def width(self) -> float:
        most = max((_text_width(line) * self.letters for line in self.lines), default=0.0)
        return max(_BOX_WIDTH, min(most, 16 * self.letters) + 0.75 * self.letters)


def draw_figure(
    circuit: Circuit,
    *,
    weights: Mapping[str, Any] | None = None,
    decimals: int = 2,
    scale: float | Sequence[float] = 1.0,
    output_names: Sequence[str] | None = None,
    compact: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """The circuit as a picture: pixels, weights and fixed gates in colours of their own.

    Args:
        circuit: what to draw.
        weights: values by weight name, each of the circuit's own shape, to be shown in place of the weights' names.
        decimals: of the numbers in angles.
        scale: what pixels are multiplied with before they reach the circuit, one number or one for each input.
        output_names: what to write behind the measurements; "out 0", "out 1", ... if not given.
        compact: leave the weights' angles out, and draw the weighted part as one box where it is too long for the
            space.
        ax: axes to draw on, of their final size (letters are scaled to it); a new figure if not given.

    Returns:
        The figure. Long circuits continue in blocks below each other.

    Raises:
        QuanvolveError: if weights, scale or names do not fit the circuit.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> figure = draw_figure(named_circuit("basic_entangler", 2, n_layers=1))
        >>> [text.get_text() for text in figure.axes[0].texts][2:5]
        ['RY', 'x0', 'RY']
    """
    from matplotlib.figure import Figure

    names = [f"out {j}" for j in range(circuit.n_outputs)] if output_names is None else list(output_names)
    if len(names) != circuit.n_outputs:
        raise QuanvolveError(f"`output_names` has {len(names)} names, the circuit measures {circuit.n_outputs} values")
    write = AngleWriter(circuit, decimals, weights, scale, pi="π")
    boxes = _boxes(circuit, write, compact)
    if ax is None:
        picture = _Picture(circuit, boxes, names, decimals, 1)
        blocks = math.ceil(picture.width * _INCHES_PER_UNIT / _MOST_INCHES)
        picture = _Picture(circuit, boxes, names, decimals, blocks)
        unit = _INCHES_PER_UNIT * 72
        width, height = (extent * _INCHES_PER_UNIT for extent in (picture.width, picture.height))
        # The legend below needs its own room, also under a circuit of one gate.
        width, below = max(width, 4.6), 0.4
        figure = Figure(figsize=(width, height + below), facecolor=_PAPER)
        ax = figure.add_axes((0.0, below / (height + below), 1.0, height / (height + below)))
        picture.paint(ax, unit)
        draw_legend(figure, [circuit], 0.5, 0.0)
        return figure
    root = ax.get_figure(root=True)
    if not isinstance(root, Figure):
        raise QuanvolveError("`ax` is on no figure, perhaps since it was removed: give axes that are on one")
    figure = root
    place = ax.get_position()
    points = [72 * e for e in figure.get_size_inches() * (place.width, place.height)]
    letters = _LARGE_LETTERS if compact else _LETTERS
    picture, unit = _best_fit(circuit, boxes, names, decimals, points, letters)
    if compact and unit < _LEAST_POINTS_PER_UNIT:
        picture, unit = _best_fit(circuit, _collapsed(circuit, boxes), names, decimals, points, letters)
    picture.paint(ax, unit)
    return figure


def drawing_height(circuit: Circuit, width: float, largest: float, least: float) -> float:
    """How many inches a circuit with numbers for weights needs below each other, in a space of that width.

    Args:
        circuit: what will be drawn.
        width: of the space, in inches.
        largest, least: inches between two wires; below the least, the circuit continues in a further block.
    """
    names = [f"ch {j}" for j in range(circuit.n_outputs)]
    zeros = {name: np.zeros(shape) for name, shape in circuit.weight_shapes}
    write = AngleWriter(circuit, 2, zeros, math.pi, pi="π")
    boxes = _boxes(circuit, write, False)
    for blocks in range(1, _MOST_BLOCKS + 1):
        picture = _Picture(circuit, boxes, names, 2, blocks)
        if width / picture.width >= least:
            break
    return picture.height * min(width / picture.width, largest)


def draw_legend(figure: Figure, circuits: Sequence[Circuit], x: float, y: float, size: float = 9.0) -> None:
    """Say below circuits, at a place in figure coordinates, what the colours of their boxes mean."""
    from matplotlib.patches import Patch

    kinds = {_kind(gate) for circuit in circuits for gate in circuit.gates if gate.angle} | {"output"}
    if any(circuit.preparation for circuit in circuits):
        kinds.add("input")
    handles = [
        Patch(facecolor=_COLOURS[kind][0], edgecolor=_COLOURS[kind][1], label=_MEANINGS[kind])
        for kind in _MEANINGS
        if kind in kinds
    ]
    figure.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(x, y),
        ncols=len(handles),
        frameon=False,
        fontsize=size,
        labelcolor=_INK,
        handlelength=1.1,
        handleheight=1.1,
    )


def _kind(gate: Gate) -> str:
    if gate.angle is None or not (gate.angle.inputs or gate.angle.weights):
        return "fixed"
    if gate.angle.inputs and gate.angle.weights:
        return "both"
    return "input" if gate.angle.inputs else "weight"


def _boxes(circuit: Circuit, write: AngleWriter, compact: bool) -> list[_Box]:
    """A box for each gate, and in front of them one for the preparation of amplitudes."""
    gates = [_box_of(gate, write, compact) for gate in circuit.gates]
    if circuit.preparation is None:
        return gates
    wires = circuit.preparation.wires
    return [_Box(("|x⟩", "amplitudes"), tuple(range(min(wires), max(wires) + 1)), "input"), *gates]


def _box_of(gate: Gate, write: AngleWriter, compact: bool) -> _Box:
    kind = _kind(gate)
    if len(gate.wires) == 2:
        return _Box((), gate.wires, kind, gate.name)
    angle = "" if gate.angle is None or (compact and kind == "weight") else write.angle(gate.angle)
    if compact:
        return _Box((f"{gate.name}({angle})" if angle else gate.name,), gate.wires, kind, letters=_LARGE_LETTERS)
    return _Box((gate.name, angle) if angle else (gate.name,), gate.wires, kind)


def _collapsed(circuit: Circuit, boxes: list[_Box]) -> list[_Box]:
    """The encoding, then everything from the first other gate on as one box, however often it reads pixels."""
    count = 0
    while count < len(boxes) and boxes[count].kind == "input":
        count += 1
    rest = boxes[count:]
    pairs = sum(len(box.wires) == 2 for box in rest)
    kind = "both" if any(box.kind in ("input", "both") for box in rest) else "weight"
    lines = (f"{len(rest)} gates,", f"{pairs} on two qubits,", f"{circuit.n_weights} weights")
    return [*boxes[:count], _Box(lines, tuple(range(circuit.n_wires)), kind, letters=0.5)]


class _Picture:
    """Where everything is, in units: columns as PennyLane places them, in as many blocks as asked for."""

    def __init__(
        self,
        circuit: Circuit,
        boxes: list[_Box],
        names: Sequence[str],
        decimals: int,
        blocks: int,
        letters: float = _LETTERS,
    ) -> None:
        self.circuit, self.blocks, self.letters = circuit, blocks, letters
        self.columns = _columns(boxes, circuit.n_wires)
        singles = [single_pauli(o) for o in circuit.observables]
        wires = [single[0] for single in singles if single is not None]
        direct = circuit.counts is None and circuit.postprocessing is None
        self.plain = direct and None not in singles and len(set(wires)) == len(wires)
        self.meters: dict[int, tuple[str, str]] = {}
        for single, name in zip(singles, names, strict=direct):
            if self.plain and single is not None:
                self.meters[single[0]] = (f"⟨{single[1]}⟩", name)
        self.captions: list[str] = []
        if not self.plain:
            read = {wire for o in circuit.observables for _, word in o.pauli_terms() for wire, _ in word}
            if circuit.counts is not None:
                read = set(range(circuit.n_wires))
            self.meters = dict.fromkeys(sorted(read), ("M", ""))
            self.captions = [
                line.replace("<", "⟨").replace(">", "⟩") for line in output_lines(circuit, decimals, names)
            ]
        widths = [max(box.width() for box in column) + _GAP for column in self.columns]
        share = sum(widths) / blocks
        self.places: list[tuple[int, float]] = []  # block and centre of every column
        self.ends = [0.0] * blocks
        passed, block = 0.0, 0
        for width in widths:
            if passed + width / 2 > share * (block + 1):
                block = min(block + 1, blocks - 1)
            self.places.append((block, self.ends[block] + width / 2))
            self.ends[block] += width
            passed += width
        tail = max((_text_width(name) for _, name in self.meters.values()), default=0.0) * letters
        self.tail = _GAP / 2 + _BOX_WIDTH + (tail + 0.25 if tail else 0.1)
        inner = max(*self.ends, self.ends[-1] + self.tail) if blocks > 1 else self.ends[0] + self.tail
        longest = max((_text_width(line) * _LETTERS for line in self.captions), default=0.0)
        self.width = _LEFT + max(inner + (0.35 if blocks > 1 else 0.0), longest)
        self.pitch = circuit.n_wires - 1 + 1.0 + _BETWEEN_BLOCKS
        self.height = (
            blocks * self.pitch - _BETWEEN_BLOCKS + 0.1 + 0.45 * len(self.captions) + (0.2 if self.captions else 0.0)
        )

    def paint(self, ax: Axes, unit: float) -> None:
        """Draw on axes in which one unit is that many points long."""
        brush = _Brush(ax, unit)
        ax.set_axis_off()
        ax.set_aspect("equal")
        ax.set_xlim(-_LEFT, self.width - _LEFT)
        ax.set_ylim(self.height - 0.55, -0.55)
        for block, end in enumerate(self.ends):
            last = block == self.blocks - 1
            for wire in range(self.circuit.n_wires):
                y = block * self.pitch + wire
                brush.line((-0.15, end + (0.1 if last else 0.2)), (y, y), 1)
                brush.text(-0.25, y, f"q{wire}", self.letters, "right")
                if not last:
                    brush.text(end + 0.27, y, "⋯", _LETTERS, "left")
        for column, (block, x) in zip(self.columns, self.places, strict=True):
            for box in column:
                brush.gate(box, x, block * self.pitch)
        x, top = self.ends[-1] + _GAP / 2 + _BOX_WIDTH / 2, (self.blocks - 1) * self.pitch
        for wire, (letter, name) in self.meters.items():
            brush.box(_Box((letter,), (wire,), "output", letters=self.letters), x, top)
            brush.text(x + _BOX_WIDTH / 2 + 0.12, top + wire, name, self.letters, "left")
        for row, line in enumerate(self.captions):
            brush.text(-0.6, (self.blocks - 1) * self.pitch + self.circuit.n_wires + 0.45 * row, line, _LETTERS, "left")


class _Brush:
    """Lines, boxes and letters in units on one pair of axes."""

    def __init__(self, ax: Axes, unit: float) -> None:
        self.ax, self.unit = ax, unit

    def line(self, xs: tuple[float, float], ys: tuple[float, float], zorder: int, colour: str = _INK) -> None:
        from matplotlib.lines import Line2D

        self.ax.add_line(Line2D(xs, ys, color=colour, linewidth=0.032 * self.unit, zorder=zorder))

    def text(self, x: float, y: float, text: str, size: float, align: str, **options: Any) -> None:
        options = {"color": _INK, "zorder": 5, **options}
        self.ax.text(
            x, y, text, fontsize=size * self.unit, ha=align, va="center_baseline", family="DejaVu Sans", **options
        )

    def box(self, box: _Box, x: float, top: float) -> None:
        from matplotlib.patches import FancyBboxPatch

        fill, edge = _COLOURS[box.kind]
        width, low, high = box.width(), min(box.wires), max(box.wires)
        corner = (x - width / 2 + 0.06, top + low - _BOX_HEIGHT / 2 + 0.06)
        self.ax.add_patch(
            FancyBboxPatch(
                corner,
                width - 0.12,
                high - low + _BOX_HEIGHT - 0.12,
                boxstyle="round,pad=0.06",
                facecolor=fill,
                edgecolor=edge,
                linewidth=0.03 * self.unit,
                zorder=3,
            )
        )
        middle = top + (low + high) / 2
        for row, line in enumerate(box.lines):
            y = middle + (row - (len(box.lines) - 1) / 2) * (0.03 + box.letters) * (1.5 if box.letters > 0.4 else 1)
            size = min(box.letters, (width - 0.1) / (_text_width(line) + 1e-9))
            self.text(x, y, line, size, "center", color=_INK if fill == _PAPER else _ON_COLOUR)

    def gate(self, box: _Box, x: float, top: float) -> None:
        if not box.symbol:
            self.box(box, x, top)
            return
        first, second = (top + wire for wire in box.wires)
        self.line((x, x), (first, second), 2)
        if box.symbol in ("SWAP", "ISWAP"):
            for y in (first, second):
                if box.symbol == "ISWAP":
                    self._circle(x, y, 0.22, _PAPER)
                self.line((x - 0.13, x + 0.13), (y - 0.13, y + 0.13), 4)
                self.line((x - 0.13, x + 0.13), (y + 0.13, y - 0.13), 4)
            return
        self._circle(x, first, 0.085, _INK)
        if box.symbol == "CZ":
            self._circle(x, second, 0.085, _INK)
        elif box.symbol == "CNOT":
            self._circle(x, second, 0.2, _PAPER)
            self.line((x - 0.2, x + 0.2), (second, second), 4)
            self.line((x, x), (second - 0.2, second + 0.2), 4)
        else:
            target = replace(box, symbol="", lines=(box.symbol[1:],), wires=box.wires[1:])
            self.box(target, x, top)

    def _circle(self, x: float, y: float, radius: float, fill: str) -> None:
        from matplotlib.patches import Circle

        self.ax.add_patch(Circle((x, y), radius, facecolor=fill, edgecolor=_INK, linewidth=0.032 * self.unit, zorder=3))


def _columns(boxes: Sequence[_Box], n_wires: int) -> list[list[_Box]]:
    """Each gate as far left as the gates before it allow; nothing is drawn across another gate."""
    free = [0] * n_wires
    columns: list[list[_Box]] = []
    for box in boxes:
        span = range(min(box.wires), max(box.wires) + 1)
        column = max(free[wire] for wire in span)
        if column == len(columns):
            columns.append([])
        columns[column].append(box)
        for wire in span:
            free[wire] = column + 1
    return columns


def _best_fit(
    circuit: Circuit, boxes: list[_Box], names: Sequence[str], decimals: int, points: Sequence[float], letters: float
) -> tuple[_Picture, float]:
    """The number of blocks that makes the picture largest in a space of that many points."""
    tried = []
    for blocks in range(1, _MOST_BLOCKS + 1):
        picture = _Picture(circuit, boxes, names, decimals, blocks, letters)
        tried.append((min(points[0] / picture.width, points[1] / picture.height), picture))
        if len(picture.columns) <= blocks:
            break
    unit, picture = max(tried, key=lambda entry: entry[0])
    return picture, unit


@lru_cache(maxsize=4096)
def _text_width(text: str) -> float:
    """How wide a line of text is, in multiples of its size."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not text.strip():
        return 0.0
    path = TextPath((0, 0), text, size=1.0, prop=FontProperties(family="DejaVu Sans"))
    return float(path.get_extents().width)

"""Where an encoding takes its qubits: Bloch vectors as a pixel goes from 0 to 1."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from quanvolve.analysis import ChannelCircuit, channel_circuits
from quanvolve.circuits import Circuit, Observable
from quanvolve.figures._filter_figures import check_layer
from quanvolve.figures._style import FONT, GREY, INK, PALE, PAPER, SMALL, TEXT, TITLE, Array, colour_bar, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from quanvolve.analysis import LayerView

_STEPS, _MIDDLE, _ACROSS = 61, 0.5, 4
# Seen from the side and a little from above.
_TURN, _LIFT = np.radians(-32.0), np.radians(18.0)


def bloch_figure(layer: LayerView, *, channel: int = 0, max_qubits: int = 8) -> Figure:
    """The Bloch vector of each qubit after the last gate that reads the window, as one pixel goes from 0 to 1.

    Args:
        layer: a :class:`quanvolve.Quanv2d` or one of its siblings.
        channel: whose circuit it is; filters that share a structure differ in weights only.
        max_qubits: how many qubits to show at most.

    Returns:
        A figure with a sphere for each qubit: the path of its Bloch vector, from dark (pixel 0) to bright (pixel 1).
        The pixel is the first that the qubit reads, or pixel 0 where it reads none; the others are 0.5. A path inside
        the sphere belongs to a qubit that is entangled with others, or noisy.

    Raises:
        QuanvolveError: if `layer` is no quantum convolution, or there is no such channel.

    References:
        Nielsen and Chuang, "Quantum Computation and Quantum Information" (2010), section 1.2 and exercise 2.72.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> figure = bloch_figure(Quanv2d(1, 4, 2, seed=0))
        >>> [ax.get_title() for ax in figure.axes[:2]]
        ['qubit 0, pixel x0', 'qubit 1, pixel x1']
    """
    check_layer(layer)
    part = channel_circuits(layer, channel)[0]
    wires = range(min(part.circuit.n_wires, max_qubits))
    across = min(len(wires), _ACROSS)
    down = -(-len(wires) // across)
    figure = new_figure(across * 2.1 + 0.9, down * 2.3 + 0.45)
    grid = figure.subplots(down, across, squeeze=False)
    shown: Any = None
    for wire, ax in zip(wires, grid.flat, strict=False):
        pixel = pixel_of(part.circuit, wire)
        shown = _draw(ax, bloch_path(part, wire, pixel))
        ax.set_title(f"qubit {wire}, pixel x{part.first + pixel}", fontsize=SMALL, color=INK, family=FONT)
    for ax in list(grid.flat)[len(wires) :]:
        ax.set_visible(False)
    figure.suptitle("Encoding: the qubits' Bloch vectors", fontsize=TITLE, color=INK, family=FONT)
    colour_bar(figure, shown, grid, "pixel", fraction=0.04, pad=0.02, aspect=14 * down)
    return figure


def pixel_of(circuit: Circuit, wire: int) -> int:
    """The first pixel that a qubit reads; 0 where it reads none."""
    for gate in circuit.gates:
        if wire in gate.wires and gate.angle is not None:
            for index, _ in gate.angle.inputs:
                if index < circuit.n_inputs:
                    return index
    return 0


def bloch_path(part: ChannelCircuit, wire: int, pixel: int) -> Array:
    """Bloch vectors, shape (3, steps), after the last gate that reads the window."""
    circuit = part.circuit
    reads = [k for k, gate in enumerate(circuit.gates) if gate.angle is not None and gate.angle.inputs]
    gates = circuit.gates[: reads[-1] + 1] if reads else ()
    observables = tuple(Observable(((1.0, ((wire, letter),)),)) for letter in "XYZ")
    pixels = torch.full((_STEPS, circuit.n_inputs), _MIDDLE, dtype=torch.float64)
    if circuit.n_inputs:
        pixels[:, pixel] = torch.linspace(0, 1, _STEPS, dtype=torch.float64)
    encoding = replace(circuit, gates=gates, observables=observables, counts=None, postprocessing=None)
    return np.stack([replace(part, circuit=encoding, measured=k).of_pixels(pixels).numpy() for k in range(3)])


def _seen(points: Any) -> tuple[Array, Array, Array]:
    """Where points (3, n) are on the page, and how near they are."""
    x, y, z = np.asarray(points, dtype=float)
    right, away = x * np.cos(_TURN) - y * np.sin(_TURN), x * np.sin(_TURN) + y * np.cos(_TURN)
    return right, z * np.cos(_LIFT) - away * -np.sin(_LIFT), away * np.cos(_LIFT) - z * np.sin(_LIFT)


def _draw(ax: Axes, path: Array) -> Any:
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Circle

    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_facecolor(PAPER)
    ax.set_xlim(-1.4, 1.4)
    ax.set_ylim(-1.35, 1.35)
    ax.add_patch(Circle((0, 0), 1, fill=False, edgecolor=GREY, linewidth=0.8))
    around = np.linspace(0, 2 * np.pi, 121)
    cos, sin, none = np.cos(around), np.sin(around), 0 * around
    for ring in ((cos, sin, none), (cos, none, sin)):
        right, up, near = _seen(ring)
        for part, style in ((near <= 0.02, "-"), (near > -0.02, ":")):
            shown = [np.where(part, place, np.nan) for place in (right, up)]
            ax.plot(*shown, color=PALE, linewidth=0.8, linestyle=style)
    for axis, ends in (((1, 0, 0), ("|+⟩", "|-⟩")), ((0, 0, 1), ("|0⟩", "|1⟩"))):
        for sign, name in zip((1, -1), ends, strict=True):
            right, up, _ = _seen(np.array(axis, dtype=float)[:, None] * sign)
            out = 1.22 / np.hypot(right[0], up[0])
            ax.text(
                out * right[0], out * up[0], name, ha="center", va="center", fontsize=TEXT - 2, color=GREY, family=FONT
            )
    right, up, _ = _seen(path)
    points = np.stack([right, up], axis=1)
    lines = list(np.stack([points[:-1], points[1:]], axis=1))
    pieces = LineCollection(lines, cmap="viridis", linewidths=3, capstyle="round")
    pieces.set_array(np.linspace(0, 1, len(points) - 1))
    pieces.set_clim(0, 1)
    ax.add_collection(pieces)
    for end, colour in ((0, "#440154"), (-1, "#FDE725")):
        mark: dict[str, Any] = {"marker": "o", "markersize": 6, "markeredgecolor": INK, "markeredgewidth": 0.7}
        ax.plot(*points[end], color=colour, zorder=5, **mark)
    return pieces

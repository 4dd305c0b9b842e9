"""The circuits of a model's filters with numbers for their weights, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.analysis._channel_circuits import quantum_layers
from quanvolve.circuits import Bound, bind


@dataclass(frozen=True)
class FilterCircuit:
    """One circuit of a layer.

    Attributes:
        name: such as "backbone_filter0", or "backbone_filter0_channel1" where a filter sums over input channels.
        channels: the output channel of each of its values; None for values that the layer leaves out.
        bound: the circuit.
    """

    name: str
    channels: tuple[int | None, ...]
    bound: Bound

    @property
    def title(self) -> str:
        """What it is, in a line."""
        outputs = ", ".join("left out" if c is None else f"channel {c}" for c in self.channels)
        return f"{self.name}; outputs: {outputs}"


def filter_circuits(model: Any) -> list[FilterCircuit]:
    """All circuits that a model runs, with its weights.

    Args:
        model: a quantum layer, a module with some, or a fitted :class:`quanvolve.QuanvClassifier`.

    Raises:
        QuanvolveError: if there is none.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> [one.title for one in filter_circuits(Quanv2d(2, 5, (1, 4), seed=0))][::2]
        ['layer_filter0_channel0; outputs: channel 0, channel 1, channel 2, channel 3',
         'layer_filter1_channel0; outputs: channel 4, left out, left out, left out']
    """
    module = getattr(model, "module_", model)
    layers = quantum_layers(model)
    if not layers:
        raise QuanvolveError(f"`model` is a {type(module).__name__} without a quantum layer: it has no circuits")
    circuits = []
    for name, layer in layers:
        prefix = name.replace(".", "_") or "layer"
        rows = layer.rows()
        summed = any(row.part for row in rows)
        for row in rows:
            which = f"{prefix}_filter{row.filter}" + (f"_channel{row.part}" if summed else "")
            bound = bind(row.circuit, row.weights, row.scale.tolist(), first=row.pixels.start)
            circuits.append(FilterCircuit(which, row.out_channels, bound))
    return circuits

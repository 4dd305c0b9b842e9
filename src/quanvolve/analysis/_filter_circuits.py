"""The circuits of a model's filters with numbers for their weights, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.analysis._channel_circuits import channel_circuits, quantum_layers
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
        own = ", ".join("left out" if c is None else f"channel {c}" for c in self.channels)
        return f"{self.name}; outputs: {own}"


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
    found = []
    for name, layer in layers:
        prefix = name.replace(".", "_") or "layer"
        measured, a_group = layer.circuits[0].n_outputs, layer.out_channels // layer.groups
        for group in range(layer.groups):
            for place in range(layer.layout.filters):
                inside = [place * measured + j for j in range(measured)]
                channels = tuple(group * a_group + c if c < a_group else None for c in inside)
                parts = channel_circuits(layer, group * a_group + inside[0])
                for mixed, one in enumerate(parts):
                    which = f"{prefix}_filter{group * layer.layout.filters + place}"
                    which += f"_channel{mixed}" if len(parts) > 1 else ""
                    bound = bind(one.circuit, one.weights, one.scales, first=one.first)
                    found.append(FilterCircuit(which, channels, bound))
    return found

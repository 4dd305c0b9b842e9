"""The circuits behind a channel, each with the weights and pixels that are its own."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from quanvolve.circuits import Circuit
from quanvolve.compile import Layout, Planner, PolynomialPlan, Recipe, Windows, switched, use_kernels

if TYPE_CHECKING:
    from quanvolve.analysis._layer_view import LayerView
    from quanvolve.analysis._rows import Row

_BLOCK = 2**16
_FEW_QUBITS = 6


@dataclass(frozen=True)
class ChannelCircuit:
    """A circuit that a channel is, or is the sum of.

    Args:
        circuit: without weights.
        weights: by name, float64, in the circuit's own shapes.
        scales: of its inputs.
        first: the number of its first pixel, counted channel, row, column over all input channels.
        measured: which of its values the channel is made of.
    """

    circuit: Circuit
    weights: dict[str, Tensor]
    scales: tuple[float, ...]
    first: int
    measured: int

    def values(self, settings: Tensor) -> Tensor:
        """The channel's value for windows that are scaled already, (windows, inputs): shape (windows,)."""
        layout = Layout(1, 1, 1, self.circuit.n_outputs)
        plan = Planner([self.circuit], layout).choose(None)
        values = torch.empty(len(settings), dtype=torch.float64)
        with torch.no_grad():
            rows = {name: weight.unsqueeze(0) for name, weight in self.weights.items()}
            compiled = plan.compile(rows, settings[:1], layout, None)
            for start in range(0, len(settings), _BLOCK):
                some = settings[start : start + _BLOCK].contiguous()
                windows = Windows(some.unsqueeze(1), (self.circuit.n_inputs,), (1,), (1,))
                values[start : start + _BLOCK] = plan.evaluate(compiled, windows, layout)[:, 0, self.measured, 0]
        return values

    def coefficients(self) -> tuple[Recipe, Tensor]:
        """The encoding, and the channel's coefficients of the products of its functions: shape (features,).

        Raises:
            PlanError: if the circuit is no product encoding.
        """
        plan = PolynomialPlan([self.circuit])
        # To compile a kernel takes longer than one circuit of a few qubits.
        small = switched() is None and self.circuit.n_wires <= _FEW_QUBITS
        with torch.no_grad(), use_kernels(False) if small else nullcontext():
            rows = {name: weight.unsqueeze(0) for name, weight in self.weights.items()}
            like = torch.empty(0, dtype=torch.float64)
            coefficients = plan.compile(rows, like, Layout(1, 1, 1, self.circuit.n_outputs), None)[0]
        return plan.recipe, coefficients[0, self.measured, 0]

    def of_pixels(self, pixels: Tensor) -> Tensor:
        """The channel's value for pixels (windows, inputs): shape (windows,)."""
        return self.values(pixels * pixels.new_tensor(self.scales))

    @classmethod
    def of(cls, row: Row, measured: int = 0) -> ChannelCircuit:
        """A row of a layer, for one of its measured values."""
        weights = {name: weight.detach().to("cpu", torch.float64) for name, weight in row.weights.items()}
        return cls(row.circuit, weights, tuple(row.scale.detach().tolist()), row.pixels.start, measured)

    def unentangled(self) -> ChannelCircuit:
        """The same without gates on two qubits."""
        return replace(self, circuit=self.circuit.unentangled())


def quantum_layers(model: Any) -> list[tuple[str, Any]]:
    """Names and quantum layers of a module, or of a fitted classifier, known by what they can do; none of others.

    Coherent trees are not among them: they have no windows whose values are channels.
    """
    module = getattr(model, "module_", model)
    if not isinstance(module, nn.Module):
        return []
    return [
        (name, layer)
        for name, layer in module.named_modules()
        if hasattr(layer, "circuit_weights") and hasattr(layer, "channel")
    ]


def channel_circuits(layer: LayerView, channel: int) -> list[ChannelCircuit]:
    """The circuits whose values a channel is the sum of, leaving out its bias.

    Raises:
        QuanvolveError: if the layer has no such channel.
    """
    which = layer.channel(channel)
    return [ChannelCircuit.of(row, which.measured) for row in which.rows]

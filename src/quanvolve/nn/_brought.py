"""Circuits that users bring along: what other programs wrote becomes what layers are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import circuit_of, in_torch_layer, source_of


class Brought(NamedTuple):
    """A circuit, and what came with it.

    Attributes:
        circuit: a name, a description, several of them, or a function.
        weight_shapes: of a function's weights, by name.
        name: of the circuit.
        weights: with which every filter begins, by name, each of the circuit's own shape; others are drawn.
    """

    circuit: Any
    weight_shapes: Mapping[str, Any] | None
    name: str
    weights: Mapping[str, Tensor]


def brought(circuit: Any, weight_shapes: Mapping[str, Any] | None) -> Brought:
    """Read a circuit of Qiskit, a program in OpenQASM, a script or a torch layer of PennyLane; others stay.

    Args:
        circuit: the layer's argument.
        weight_shapes: the layer's argument.

    Raises:
        QuanvolveError: if the circuit cannot be captured, or has weights of its own and is given shapes.

    Examples:
        >>> from qiskit.circuit.library import z_feature_map
        >>> brought(z_feature_map(2), None).circuit.n_inputs
        2
    """
    source = source_of(circuit)
    if source is not None:
        return Brought(circuit_of(source), weight_shapes, source.name, source.weights or {})
    if hasattr(circuit, "qnode_weights"):
        if weight_shapes is not None:
            raise QuanvolveError("`weight_shapes` belongs to circuit functions; a TorchLayer has its own: leave it out")
        function, shapes, weights = in_torch_layer(circuit)
        return Brought(function, shapes, getattr(function, "__name__", "TorchLayer"), weights)
    name = circuit if isinstance(circuit, str) else getattr(circuit, "__name__", "Circuit")
    return Brought(circuit, weight_shapes, name, {})

"""What travels in a layer's `state_dict` beside its weights: its circuits and its scale, which say what these mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve._untrusted import parse_json
from quanvolve.circuits import Circuit
from quanvolve.nn._ranks import digest

_ROUNDING = 0.25
"""How far from a byte a number may be that was one before states were averaged or converted."""


class WithState(nn.Module):
    """The part of a layer that writes and reads its circuits."""

    circuits: tuple[Circuit, ...]
    circuit_name: str
    random_structure: bool
    scale: float | Tensor
    structure: Tensor
    _set_circuits: Callable[[tuple[Circuit, ...]], None]

    def get_extra_state(self) -> Tensor:
        """Circuits and scale travel in the `state_dict`: they are part of what the weights mean."""
        scale = None if isinstance(self.scale, Tensor) else self.scale
        text = json.dumps({"scale": scale, "circuits": [c.to_dict() for c in self.circuits]}, allow_nan=False)
        with torch.device("cpu"):
            return torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8).clone()

    def set_extra_state(self, state: Tensor) -> None:
        """Take over the circuits of a random structure; refuse those of another kind of layer."""
        circuits = self._circuits_in(state)
        if circuits != self.circuits:
            self._set_circuits(circuits)
            if "structure" in self._buffers:
                self.structure.fill_(digest(circuits))

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *arguments: Any) -> None:
        state = state_dict.get(prefix + "_extra_state")
        if isinstance(state, Tensor):
            self._circuits_in(state)  # before any weight is copied
        elif state is None:
            self._of_torch_layer(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def _of_torch_layer(self, state: dict[str, Any], prefix: str) -> None:
        """Make of the state of a `qp.qnn.TorchLayer` of the same function one of this layer: all filters take it.

        Weights of a circuit's own shape tell it, which lack the two axes that those of a layer have in front.
        """
        shapes = {prefix + name: shape for name, shape in self.circuits[0].weight_shapes}
        values = {k: v for k in shapes if isinstance(v := state.get(k), Tensor) and tuple(v.shape) == shapes[k]}
        if not shapes or len(values) < len(shapes):
            return
        for key, value in values.items():
            own = getattr(self, key.removeprefix(prefix))
            state[key] = value.expand(own.shape).clone()
        state[prefix + "_extra_state"] = self.get_extra_state()

    def _circuits_in(self, state: Tensor) -> tuple[Circuit, ...]:
        """The circuits of a state, checked to be of this kind of layer."""
        try:
            data = parse_json(text_of(state))
            circuits = tuple(Circuit.from_dict(entry) for entry in data["circuits"])
            scale, first = data["scale"], circuits[0]
        except (KeyError, TypeError, IndexError, ValueError, RecursionError) as error:
            raise QuanvolveError(f"the state's description of the layer's circuits is damaged: {error}") from error
        current = self.circuits[0]
        structure_only = (
            self.random_structure
            and len(circuits) == len(self.circuits)
            and all(c.observables == current.observables and c.n_wires == current.n_wires for c in circuits)
            and (first.n_inputs, first.weight_shapes, first.threshold, first.postprocessing)
            == (current.n_inputs, current.weight_shapes, current.threshold, current.postprocessing)
            and _encoding(circuits) == _encoding(self.circuits)
        )
        if circuits != self.circuits and not structure_only:
            raise QuanvolveError(
                f"the state holds the weights of another circuit than this layer's {self.circuit_name!r}: build the "
                "layer with the same circuit, encoding, readout and layers first"
            )
        if scale != (None if isinstance(self.scale, Tensor) else self.scale):
            raise QuanvolveError(f"the state is of a layer with `scale` (={scale}), this one has {self.scale}")
        return circuits


def _encoding(circuits: tuple[Circuit, ...]) -> list[tuple[Any, ...]]:
    """What reads the window, in order: random structures of one encoding agree in it."""
    return [
        tuple((g.name, g.wires, g.angle.inputs) for g in c.gates if g.angle is not None and g.angle.inputs)
        for c in circuits
    ]


def text_of(state: Tensor) -> bytes:
    """The bytes of a description, which are all below 128 (JSON in ASCII): also those of an average of equal ones.

    Raises:
        TypeError: if it holds no numbers.
        ValueError: if these are no bytes.
    """
    if state.is_complex():
        raise TypeError(f"it is a tensor of {state.dtype}, expected bytes")
    plain = state.detach().cpu()
    if plain.dtype != torch.uint8:
        numbers = plain.to(torch.float64)
        rounded = numbers.round()
        if not bool(((numbers - rounded).abs() <= _ROUNDING).all() and (rounded >= 0).all() and (rounded < 256).all()):
            raise ValueError(
                "its numbers are no bytes; states of layers whose random circuits differ have no average: make these "
                "layers with the same `seed`"
            )
        plain = rounded.to(torch.uint8)
    return plain.clone().numpy().tobytes()  # NumPy would fix the memory of the state itself

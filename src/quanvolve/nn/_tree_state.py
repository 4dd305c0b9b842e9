"""What travels in a coherent tree's `state_dict` beside its weights: what they are the weights of."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve._untrusted import parse_json
from quanvolve.circuits import Circuit
from quanvolve.nn._state import text_of
from quanvolve.nn._tree_level import levels_of
from quanvolve.nn._tree_shape import TreeShape


class WithTreeState(nn.Module):
    """The part of a tree that writes down what it is, and refuses the weights of another one."""

    shape: TreeShape
    encoding: Circuit
    levels: nn.ModuleList
    scale: float | Tensor

    def _described(self) -> dict[str, Any]:
        return {
            "scale": None if isinstance(self.scale, Tensor) else self.scale,
            "padded": list(self.shape.padded),
            "windows": [list(window) for window in self.shape.windows],
            "encoding": self.encoding.to_dict(),
            "blocks": [level.circuit.to_dict() for level in levels_of(self.levels)],
        }

    def get_extra_state(self) -> Tensor:
        """Windows, encoding and blocks travel in the `state_dict`: they are part of what the weights mean."""
        text = json.dumps(self._described(), allow_nan=False)
        with torch.device("cpu"):
            return torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8).clone()

    def set_extra_state(self, state: Tensor) -> None:
        """Refuse the state of another kind of tree."""
        try:
            given = parse_json(text_of(state))
            differs = [name for name, value in self._described().items() if given[name] != value]
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise QuanvolveError(f"the state's description of the tree is damaged: {error}") from error
        if differs:
            raise QuanvolveError(
                f"the state holds the weights of another tree, which differs in {', '.join(differs)}: build the tree "
                "with the same input size, windows, blocks, encoding and scale first"
            )

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *arguments: Any) -> None:
        state = state_dict.get(prefix + "_extra_state")
        if isinstance(state, Tensor):
            self.set_extra_state(state)  # before any weight is copied
        super()._load_from_state_dict(state_dict, prefix, *arguments)

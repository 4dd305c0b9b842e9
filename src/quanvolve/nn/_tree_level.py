"""One level of a coherent tree: its blocks, their weights and where they are."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Circuit
from quanvolve.nn._first_weights import InitLike, check_init
from quanvolve.nn._tree_blocks import TreeBlock
from quanvolve.nn._tree_init import first_tree_weights


class TreeLevel(nn.Module):
    """The blocks of a level of a :class:`CoherentTree`, whose parameters are their weights.

    Attributes:
        circuit: what its blocks run: on the qubits of a window, those of its first place first, without the encoding
            of images and without noise. It measures all Pauli words of the qubits that it keeps, its first ones.
        size: places along each axis that it reads.
        window: places along each axis of a block.
        shared: whether all blocks of a tree have the same weights.
    """

    def __init__(
        self,
        block: TreeBlock,
        size: tuple[int, ...],
        window: tuple[int, ...],
        n_trees: int,
        shared: bool,
    ) -> None:
        super().__init__()
        self.circuit: Circuit = block.circuit
        self.size, self.window, self.shared, self.n_trees = size, window, shared, n_trees
        self._block = block

    @property
    def places(self) -> tuple[int, ...]:
        """Blocks along each axis."""
        return tuple(n // w for n, w in zip(self.size, self.window, strict=True))

    @property
    def rows(self) -> tuple[int, int]:
        """Trees, and blocks of a tree that have weights of their own."""
        return self.n_trees, 1 if self.shared else math.prod(self.places)

    def register(
        self,
        init: InitLike,
        trainable: bool,
        generator: torch.Generator | None,
        device: Any,
        dtype: torch.dtype | None,
    ) -> None:
        """Give the level its first weights."""
        check_init(init, self.circuit)
        for name, _ in self.circuit.weight_shapes:
            if hasattr(self, name):
                raise QuanvolveError(
                    f"the weight name {name!r} is taken by the level itself: rename the argument of the function"
                )
            value = self._first(init, name, generator, device, dtype)
            if trainable:
                self.register_parameter(name, nn.Parameter(value))
            else:
                self.register_buffer(name, value)

    def reset(self, init: InitLike) -> None:
        """Begin anew, with numbers of torch's global generator."""
        with torch.no_grad():
            for name, weight in self.circuit_weights().items():
                weight.copy_(self._first(init, name, None, weight.device, weight.dtype))

    def _first(
        self, init: InitLike, name: str, generator: torch.Generator | None, device: Any, dtype: torch.dtype | None
    ) -> Tensor:
        brought = self._block.values.get(name)
        if brought is not None:
            wanted = dtype or torch.get_default_dtype()
            return brought.expand(*self.rows, *brought.shape).to(device=device, dtype=wanted).clone()
        return first_tree_weights(init, self._block, name, self.rows, generator, device, dtype)

    def circuit_weights(self) -> dict[str, Tensor]:
        """By name, each of shape (trees, blocks of a tree, *shape), or (trees, 1, *shape) where they are shared."""
        return {name: getattr(self, name) for name, _ in self.circuit.weight_shapes}

    def weights_of(self, tree: int, block: int) -> dict[str, Tensor]:
        """Those of one block, of the circuit's own shapes; blocks are counted row by row."""
        return {name: weight[tree, 0 if self.shared else block] for name, weight in self.circuit_weights().items()}

    def extra_repr(self) -> str:
        """Where its blocks are, and what they run."""
        return (
            f"size={self.size}, window={self.window}, block={self._block.name!r}, n_qubits={self.circuit.n_wires}"
            + (", shared=True" if self.shared else "")
        )


def levels_of(modules: nn.ModuleList) -> list[TreeLevel]:
    """The levels that a list of modules holds, from the leaves."""
    return [module for module in modules if isinstance(module, TreeLevel)]

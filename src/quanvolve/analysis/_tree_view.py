"""What may be read of a coherent tree: all that analyses and pictures know of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Circuit
from quanvolve.compile import TreePlan

if TYPE_CHECKING:
    from quanvolve.circuits import Observable
    from quanvolve.compile import TreeStep


class TreeLevelView(Protocol):
    """One level of a tree."""

    @property
    def circuit(self) -> Circuit:
        """What its blocks run, without encoding and noise."""

    @property
    def places(self) -> tuple[int, ...]:
        """Blocks along each axis."""

    @property
    def window(self) -> tuple[int, ...]:
        """Places along each axis that a block joins."""

    @property
    def shared(self) -> bool:
        """Whether all blocks of a tree have the same weights."""

    def circuit_weights(self) -> Mapping[str, Tensor]:
        """By name, each of shape (trees, blocks or 1, *shape)."""


class TreeView(Protocol):
    """A coherent tree, as far as analyses and pictures look into it; :class:`quanvolve.CoherentTree` has all of it."""

    n_trees: int
    keep: int
    in_channels: int
    scale: float | Tensor
    observables: tuple[Observable, ...]
    encoding: Circuit
    encoding_name: str
    trainable: bool

    @property
    def levels(self) -> Sequence[TreeLevelView]:
        """From the leaves to the root."""

    @property
    def steps(self) -> tuple[TreeStep, ...]:
        """What runs at each level, with encoding and noise."""

    @property
    def input_size(self) -> tuple[int, ...]:
        """Places along each axis of an image."""

    @property
    def padding(self) -> tuple[tuple[int, int], ...]:
        """Pixels of value 0 that are added before and after each axis."""

    @property
    def places(self) -> tuple[int, ...]:
        """Windows along each axis that are left at last."""

    @property
    def n_qubits(self) -> int:
        """On which an image is encoded."""


def coherent_trees(model: Any) -> list[tuple[str, Any]]:
    """Names and coherent trees of a module, or of a fitted classifier, known by what they can do; none of others."""
    module = getattr(model, "module_", model)
    if not isinstance(module, nn.Module):
        return []
    return [(name, layer) for name, layer in module.named_modules() if _is_tree(layer)]


def _is_tree(layer: Any) -> bool:
    return all(hasattr(layer, name) for name in ("levels", "steps", "n_trees", "keep", "observables"))


def check_tree(tree: Any) -> None:
    """Raise unless it is a coherent tree."""
    if not _is_tree(tree):
        raise QuanvolveError(f"`tree` is a {type(tree).__name__}, expected a CoherentTree")


@dataclass(frozen=True)
class ExactTree:
    """A tree as it is now, in double precision and without shots.

    Attributes:
        tree: itself.
        plan: how it is evaluated.
        maps: the numbers of its blocks, shape (trees, numbers).
    """

    tree: TreeView
    plan: TreePlan
    maps: Tensor

    @classmethod
    def of(cls, tree: TreeView, steps: Sequence[TreeStep] | None = None) -> ExactTree:
        """Of a tree; `steps` in place of its own first ones, with its weights."""
        chosen = tuple(tree.steps if steps is None else steps)
        plan = TreePlan(tree.n_trees, chosen, Circuit(tree.keep, 0, (), tree.observables))
        weights = [
            {name: weight.detach().to("cpu", torch.float64) for name, weight in level.circuit_weights().items()}
            for level in list(tree.levels)[: len(chosen)]
        ]
        with torch.no_grad():
            return cls(tree, plan, plan.compile(weights, torch.empty(0, dtype=torch.float64)))

    def angles(self, images: Tensor) -> Tensor:
        """Images, in double precision, as angles of all encoded pixels."""
        scale = self.tree.scale
        factor = scale.detach().to("cpu", torch.float64) if isinstance(scale, Tensor) else scale
        return F.pad(images * factor, [n for side in reversed(self.tree.padding) for n in side])

    def values(self, kept: Tensor) -> Tensor:
        """Measured values of what the last level keeps, (trees, blocks, words, N): shape (trees, values, blocks, N)."""
        words = torch.cat([torch.ones_like(kept[:, :, :1]), kept], dim=2)
        rows = words.new_zeros(len(self.tree.observables), words.shape[2])
        for row, observable in enumerate(self.tree.observables):
            for coefficient, word in observable.pauli_terms():
                rows[row, word_number(word, self.tree.keep)] += coefficient
        return torch.einsum("vw,tbwn->tvbn", rows, words)


def word_number(word: Sequence[tuple[int, str]], n_qubits: int) -> int:
    """The number of a Pauli word among all of some qubits, the first qubit most significant; 0 for the empty one."""
    return sum("IXYZ".index(letter) * 4 ** (n_qubits - 1 - wire) for wire, letter in word)


def checked_images(tree: TreeView, images: Any) -> Tensor:
    """Images as double precision, with one in front.

    Raises:
        QuanvolveError: if they do not fit the tree.
    """
    batch = torch.as_tensor(images).detach().to("cpu", torch.float64)
    expected = (tree.in_channels, *tree.input_size)
    batch = batch.unsqueeze(0) if batch.dim() == len(expected) else batch
    if batch.dim() != len(expected) + 1 or tuple(batch.shape[1:]) != expected or not len(batch):
        raise QuanvolveError(
            f"`images` has shape {tuple(batch.shape)}, expected (N, {', '.join(map(str, expected))}) with at least one "
            "image"
        )
    return batch

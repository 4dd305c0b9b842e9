"""The audit of a coherent tree: which of its weights can do anything, and what its values say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from quanvolve.analysis._effective_rank import constant_of, effective_rank
from quanvolve.analysis._tree_purity import tree_purity
from quanvolve.analysis._tree_structure import names_of, without_effect
from quanvolve.analysis._tree_view import ExactTree, checked_images
from quanvolve.compile import tree_states

if TYPE_CHECKING:
    from quanvolve.analysis._tree_view import TreeView

_DEAD = 1e-12
"""A derivative below this share of the largest is rounding."""
_DRAWS = 3
_MIXED = 0.05
"""So little above that of completely mixed qubits, a purity means that they carry nothing."""


@dataclass(frozen=True)
class TreeAudit:
    """What an audit found of one coherent tree. Weights are named as in "levels.3.weights[tree, block, 0, 2]".

    Attributes:
        name: of the layer in the model; "layer" for a model that is one.
        trainable: whether its weights are trained.
        n_weights: how many there are.
        traced_out: those that can do nothing, whatever their values and the images are, by the circuits alone:
            rotations of qubits that are then traced out, or that commute with all that is measured.
        dead: others that change no value of any of these images at the present weights, by exact derivatives.
        constant: values that are the same for all images.
        n_values: of all trees and windows that are left.
        effective_rank: of the values over images, between 0 and `n_values`.
        purity: mean purity of what each level keeps, from the leaves.
        keep: qubits that a block keeps.
        n_images: that this rests on.
    """

    name: str
    trainable: bool
    n_weights: int
    traced_out: tuple[str, ...]
    dead: tuple[str, ...]
    constant: tuple[int, ...]
    n_values: int
    effective_rank: float
    purity: tuple[float, ...]
    keep: int
    n_images: int

    @property
    def free_rank(self) -> int:
        """Weights that change something; how far they repeat each other is not counted."""
        return self.n_weights - len(self.traced_out) - len(self.dead)

    @property
    def circuit(self) -> str:
        """What it is."""
        return "tree"

    def sentences(self) -> list[str]:
        """What is worth saying, the worst first."""
        sentences = []
        if not self.n_weights:
            sentences.append("The tree has no weights.")
        elif not self.free_rank:
            sentences.append(f"None of the {self.n_weights:,} weights changes any value: there is nothing to train.")
        if self.traced_out and self.free_rank:
            sentences.append(
                f"{len(self.traced_out):,} of {self.n_weights:,} weights can do nothing, whatever they are: they turn "
                "qubits that are then traced out, or about an axis that what is measured commutes with: "
                f"{_list(self.traced_out)}."
            )
        if self.dead and self.free_rank:
            sentences.append(
                f"{len(self.dead):,} of {self.n_weights:,} weights change no value of these images at the present "
                f"weights: {_list(self.dead)}."
            )
        if self.n_weights and self.free_rank:
            state = "are trained" if self.trainable else "are fixed"
            sentences.append(f"{self.n_weights:,} weights {state}; {self.free_rank:,} of them change something.")
        if self.constant:
            which = ", ".join(map(str, self.constant[:6])) + (" and more" if len(self.constant) > 6 else "")
            sentences.append(f"Values that are constant on these images: {which}.")
        least = 0.5**self.keep
        if self.purity[-1] - least < _MIXED * (1 - least):
            sentences.append(
                f"What the root keeps is almost completely mixed: its purity is {self.purity[-1]:.3f}, where "
                f"{least:g} is nothing at all."
            )
        levels = " ".join(f"{purity:.2f}" for purity in self.purity)
        sentences.append(f"Mean purity of the kept qubits by level, from the leaves: {levels}.")
        sentences.append(f"Its {self.n_values} values have an effective rank of {self.effective_rank:.2f}.")
        return sentences


def tree_audit(name: str, tree: TreeView, images: Any, seed: int = 0) -> TreeAudit:
    """What :func:`quanvolve.analysis.audit` says of a coherent tree.

    Args:
        name: of the layer.
        tree: a :class:`quanvolve.CoherentTree`.
        images: as it takes them.
        seed: of the directions in which values are differentiated.
    """
    batch = checked_images(tree, images)
    structural = without_effect(tree)
    gradients, values = _derivatives(tree, batch, seed)
    largest = max((float(g.max(initial=0.0)) for level in gradients for g in level.values()), default=0.0)
    traced_out: list[str] = []
    dead: list[str] = []
    count = 0
    for number, (level, by_structure) in enumerate(zip(gradients, structural, strict=True)):
        for weight, sizes in level.items():
            count += sizes.size
            nothing = np.broadcast_to(by_structure[weight], sizes.shape)
            traced_out += names_of(number, weight, _indices(nothing))
            dead += names_of(number, weight, _indices((sizes <= _DEAD * largest) & ~nothing))
    return TreeAudit(
        name,
        tree.trainable,
        count,
        tuple(traced_out),
        tuple(dead),
        constant_of(values),
        values.shape[1],
        effective_rank(values),
        tree_purity(tree, batch).means,
        tree.keep,
        len(batch),
    )


def _indices(chosen: Any) -> list[tuple[int, ...]]:
    return [tuple(int(k) for k in index) for index in np.argwhere(chosen)]


def _derivatives(tree: TreeView, batch: Tensor, seed: int) -> tuple[list[dict[str, Any]], Any]:
    """Sizes of random combinations of all derivatives by each weight, zero only where all of them are; and values."""
    exact = ExactTree.of(tree)
    weights = [
        {n: weight.detach().to("cpu", torch.float64).clone().requires_grad_() for n, weight in w.items()}
        for w in (level.circuit_weights() for level in tree.levels)
    ]
    flat = [weight for level in weights for weight in level.values()]
    maps = exact.plan.compile(weights, torch.empty(0, dtype=torch.float64))
    kept = tree_states(exact.plan, maps, exact.angles(batch))[-1]
    values = exact.values(kept)
    generator = torch.Generator().manual_seed(seed)
    sizes = [torch.zeros_like(weight) for weight in flat]
    for _ in range(_DRAWS if values.requires_grad else 0):
        signs = torch.randn(values.shape, generator=generator, dtype=torch.float64)
        found = torch.autograd.grad((values * signs).sum(), flat, retain_graph=True, allow_unused=True)
        sizes = [s if g is None else torch.maximum(s, g.abs()) for s, g in zip(sizes, found, strict=True)]
    pending = iter(sizes)
    by_level = [{name: next(pending).numpy() for name in level} for level in weights]
    rows = values.detach().permute(3, 0, 1, 2).reshape(len(batch), tree.n_trees * len(tree.observables), -1)
    return by_level, rows.reshape(len(batch), -1).numpy()


def _list(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:4])
    return f"{shown} and {len(names) - 4:,} more" if len(names) > 4 else shown

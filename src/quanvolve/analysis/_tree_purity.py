"""How mixed the qubits are that a tree keeps, level by level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from quanvolve.analysis._tree_view import ExactTree, check_tree, checked_images
from quanvolve.compile import tree_states

if TYPE_CHECKING:
    from quanvolve.analysis._tree_view import TreeView

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TreePurity:
    """The purity Tr(rho^2) of the qubits that each block keeps, for each image.

    Attributes:
        levels: for each level, from the leaves, an array (images, trees, *blocks along each axis).
        keep: qubits that a block keeps; a purity of 2^-keep is that of qubits about which nothing is known.
    """

    levels: tuple[Floats, ...]
    keep: int

    @property
    def means(self) -> tuple[float, ...]:
        """The mean of each level."""
        return tuple(float(level.mean()) for level in self.levels)


def tree_purity(tree: TreeView, images: Any) -> TreePurity:
    """How mixed the qubits are by level: 1 for pure ones, 2^-keep for completely mixed ones.

    A qubit becomes mixed where it is entangled with one that is traced out, and by noise. What is mixed has lost its
    signal: all expectation values of completely mixed qubits are zero.

    Args:
        tree: a :class:`quanvolve.CoherentTree`.
        images: as it takes them.

    Raises:
        QuanvolveError: if `tree` is none, or images do not fit.

    References:
        Nielsen and Chuang, Quantum Computation and Quantum Information, exercise 2.71.

    Examples:
        >>> from quanvolve import CoherentTree
        >>> found = tree_purity(CoherentTree(1, (4, 4), seed=0), torch.zeros(1, 1, 4, 4))
        >>> [level.shape for level in found.levels]
        [(1, 1, 4, 2), (1, 1, 2, 2), (1, 1, 2, 1), (1, 1, 1, 1)]
        >>> 0.5 <= min(found.means) <= max(found.means) <= 1
        True
    """
    check_tree(tree)
    batch = checked_images(tree, images)
    exact = ExactTree.of(tree)
    levels = []
    with torch.no_grad():
        for state, step in zip(tree_states(exact.plan, exact.maps, exact.angles(batch)), tree.steps, strict=True):
            purity = (1 + state.square().sum(2)) / 2**tree.keep
            levels.append(purity.permute(2, 0, 1).reshape(len(batch), tree.n_trees, *step.places).numpy())
    return TreePurity(tuple(levels), tree.keep)

"""The classical twin of a coherent tree: the same tree of multilinear maps, whose numbers are free."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve.nn._apply import check_images
from quanvolve.nn._coherent_tree import CoherentTree
from quanvolve.nn._frozen_tree import FrozenTree
from quanvolve.nn._tree_level import levels_of
from quanvolve.nn._tree_values import tree_values


class BilinearTree(nn.Module):
    """A coherent tree without the constraint of being quantum: the numbers of all blocks' maps are trained as they are.

    A block of a :class:`CoherentTree` that joins two qubits and keeps one takes their Bloch vectors u and v to

        out[i] = sum_{a, b} T[i, a, b] u[a] v[b],      u[0] = v[0] = 1,

    with 48 numbers T that come from the angles of a circuit (9 of them with "su4"). Here T itself is the weight, so
    that every coherent tree of that form is a special case, and nothing bounds the values. Pixels enter by the same
    sines and cosines.

    Args:
        tree: whose form it takes. Its blocks' maps, as they are now, are the first weights; the tree itself is not
            changed.

    Attributes:
        maps: the numbers of all blocks from the leaves on, shape (trees, numbers).

    Shape:
        - Input and output: those of the tree.

    Raises:
        QuanvolveError: if the tree has shots.

    Examples:
        >>> from quanvolve.nn import CoherentTree
        >>> tree = CoherentTree(1, (4, 4), n_trees=2, seed=0)
        >>> twin = BilinearTree(tree)
        >>> images = torch.rand(3, 1, 4, 4)
        >>> torch.allclose(twin(images), tree(images), atol=1e-6)
        True
        >>> [sum(p.numel() for p in layer.parameters()) for layer in (tree, twin)]
        [276, 1104]
    """

    scale: float | Tensor

    def __init__(self, tree: CoherentTree) -> None:
        super().__init__()
        if tree.shots is not None:
            raise QuanvolveError(f"`tree` has shots (={tree.shots}), expected one with exact values: leave them out")
        self.in_channels, self.shape, self.n_trees = tree.in_channels, tree.shape, tree.n_trees
        self.out_features, self.places = tree.out_features, tree.places
        self._static = tree._static
        if isinstance(tree.scale, Tensor):
            self.register_buffer("scale", tree.scale.detach().clone())
        else:
            self.scale = tree.scale
        plan, weights = self._static.plan, [level.circuit_weights() for level in levels_of(tree.levels)]
        like = next((weight for level in weights for weight in level.values()), torch.empty(0))
        if like.device.type == "meta":
            numbers = like.new_empty(tree.n_trees, plan.tables.numbers)
        else:
            with torch.no_grad():
                numbers = plan.compile(weights, like).clone()
        self.maps = nn.Parameter(numbers)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, in_channels, *input_size) to values, as those of the tree; both without N for a single image."""
        check_images(images, self.in_channels, self.shape.dims, self.maps)
        single = images.dim() == self.shape.dims + 1
        batch = images.unsqueeze(0) if single else images
        out = tree_values(self._static, self.maps, batch, self.scale)
        return out.squeeze(0) if single else out

    def frozen(self) -> nn.Module:
        """The same with fixed numbers, of torch's own operators, for exports."""
        return FrozenTree(self._static, self.maps, self.scale)

    def extra_repr(self) -> str:
        """Its form."""
        return f"{self.in_channels}, {self.shape.input_size}, n_trees={self.n_trees}"

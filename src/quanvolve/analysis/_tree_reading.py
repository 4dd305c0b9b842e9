"""What the root of a tree reads of the image: by gradients, and by what is lost without a pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.analysis._tree_view import ExactTree, check_tree, checked_images
from quanvolve.circuits import Circuit, Gate, channel_gate
from quanvolve.compile import tree_onward, tree_states

if TYPE_CHECKING:
    from quanvolve.analysis._tree_view import TreeView

Floats = npt.NDArray[np.float64]
DROPPED = {
    "mean": "each pixel in turn replaced by its mean over the images",
    "mixed": "the qubits of each pixel in turn replaced by the maximally mixed state",
}
"""The ways to drop a leaf, in words."""


@dataclass(frozen=True, eq=False)
class TreeReading:
    """What each measured value reads: root mean squares over images.

    Attributes:
        gradients: of the derivative with respect to a pixel (all channels of a place together), in units of the value
            per unit of the pixel; shape (values of all trees, *input_size).
        dropped: of the change of the value when a pixel is dropped, of the same shape.
        by: how it is dropped, a key of `DROPPED`.
        n_trees: whose values these are, those of tree t together.
    """

    gradients: Floats
    dropped: Floats
    by: str
    n_trees: int

    def of_tree(self, number: int) -> tuple[Floats, Floats]:
        """Gradients and changes of all values of a tree together: the root of the sum of squares."""
        each = len(self.gradients) // self.n_trees
        own = slice(number * each, (number + 1) * each)
        return np.sqrt((self.gradients[own] ** 2).sum(0)), np.sqrt((self.dropped[own] ** 2).sum(0))


def tree_reading(tree: TreeView, images: Any, *, by: str = "mean") -> TreeReading:
    """What the root reads of images.

    Where windows are left, a value stands for its sum over them, each of which reads its own part of the image.

    Args:
        tree: a :class:`quanvolve.CoherentTree`.
        images: as it takes them.
        by: what a dropped leaf becomes: "mean", the pixel's mean over the images, all channels of it; or "mixed",
            qubits in the maximally mixed state after the last gate that reads the pixel.

    Returns:
        Exact changes: a value is affine in the state of each block of the first level, so that the difference of that
        state, times the derivative with respect to it, is all there is.

    Raises:
        QuanvolveError: if `tree` is none, images do not fit, or there is no such way.

    References:
        Zeiler and Fergus, ECCV 2014, section 4.2, for what is lost without a part of the image.

    Examples:
        >>> from quanvolve import CoherentTree
        >>> tree = CoherentTree(1, (4, 4), n_trees=2, seed=0)
        >>> found = tree_reading(tree, torch.rand(8, 1, 4, 4))
        >>> found.gradients.shape, found.of_tree(1)[1].shape
        ((6, 4, 4), (4, 4))
    """
    check_tree(tree)
    if by not in DROPPED:
        raise QuanvolveError(f"`by` (={by!r}) must be one of {', '.join(map(repr, DROPPED))}")
    batch = checked_images(tree, images)
    exact = ExactTree.of(tree)
    pixels = batch.clone().requires_grad_()
    first = tree_states(exact.plan, exact.maps, exact.angles(pixels))[0]
    state = first.detach().requires_grad_()
    values = exact.values(tree_onward(exact.plan, exact.maps, state, 0)).sum(2).flatten(0, 1)  # values, images
    changes = _changes(exact, batch, state.detach(), by)  # trees, blocks, words, images for each place of a window
    gradients, dropped = [], []
    for value in values:
        (slopes,) = torch.autograd.grad(value.sum(), state, retain_graph=True)
        if first.requires_grad:
            (by_pixel,) = torch.autograd.grad(first, pixels, slopes, retain_graph=True)
        else:
            by_pixel = torch.zeros_like(batch)
        gradients.append(by_pixel.square().sum(1).mean(0).sqrt())
        lost = torch.stack([(slopes * change).sum(dim=(0, 2)) for change in changes])  # places, blocks, images
        dropped.append(_placed(tree, lost.square().mean(-1).sqrt()))
    return TreeReading(torch.stack(gradients).numpy(), torch.stack(dropped).numpy(), by, tree.n_trees)


def _changes(exact: ExactTree, batch: Tensor, before: Tensor, by: str) -> list[Tensor]:
    """For each place of a window of the first level, what its blocks keep without that pixel, less what they keep."""
    tree, step = exact.tree, exact.tree.steps[0]
    one = ExactTree.of(tree, [step])
    angles = exact.angles(batch)
    changes = []
    with torch.no_grad():
        for number in range(prod(step.window)):
            where = np.unravel_index(number, step.window)
            if by == "mean":
                own = tuple(slice(int(k), None, w) for k, w in zip(where, step.window, strict=True))
                without = angles.clone()
                there: Any = (..., *own)
                without[there] = angles[there].mean(0, keepdim=True)
                after = tree_states(one.plan, one.maps, without)[0]
            else:
                mixed = replace(step, circuit=_mixed(step.circuit, tree.in_channels, number))
                without_pixel = ExactTree.of(tree, [mixed])
                after = tree_states(without_pixel.plan, without_pixel.maps, angles)[0]
            changes.append(after - before)
    return changes


def _mixed(circuit: Circuit, channels: int, pixel: int) -> Circuit:
    """The circuit with the qubits of a pixel in the maximally mixed state after the last gate that reads it."""
    own = range(pixel * channels, (pixel + 1) * channels)
    last: dict[int, int] = {}
    for number, gate in enumerate(circuit.gates):
        if gate.angle is not None and any(index in own for index, _ in gate.angle.inputs):
            last[gate.wires[0]] = number
    gates: list[Gate] = []
    for number, gate in enumerate(circuit.gates):
        gates.append(gate)
        gates += [channel_gate(np.zeros((4, 4)), [wire]) for wire, place in last.items() if place == number]
    return replace(circuit, gates=tuple(gates))


def _placed(tree: TreeView, by_block: Tensor) -> Tensor:
    """Numbers (places of a window, blocks) where they are in the image, without what was added around it."""
    step = tree.steps[0]
    dims = len(step.window)
    grid = by_block.reshape(*step.window, *step.places)
    whole = grid.permute([axis for k in range(dims) for axis in (dims + k, k)]).reshape(step.size)
    for axis, ((before, _), n) in enumerate(zip(tree.padding, tree.input_size, strict=True)):
        whole = whole.narrow(axis, before, n)
    return whole

"""What a coherent tree is compared with: a tree without entanglement, and a CNN of the same shape."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from quanvolve.circuits import Angle, Circuit, Gate
from quanvolve.nn._coherent_tree import CoherentTree
from quanvolve.nn._tree_level import levels_of
from quanvolve.nn._tree_readout import kept_words
from quanvolve.nn._tree_shape import TreeShape, Windows

_TOSSED = 7
"""Weights of a pair: three rotations of each qubit, and the angle that says which of them is kept."""


def tossed_block(n_qubits: int, *, last: bool = False) -> Circuit:
    """A block that keeps one of its qubits at random, each turned before: it entangles nothing and multiplies nothing.

    For a pair it does exp(-i w/2 (XX + YY + ZZ)) or its inverse, by the toss of a coin: a qubit in (|0> + |1>)/sqrt(2)
    that is traced out. The swap of two qubits is (1 + XX + YY + ZZ)/2, so that with p and q the turned Bloch vectors

        cos(w)^2 p + sin(w)^2 q

    is kept. More qubits are joined as those of "su4" are, with a coin for each pair.

    Args:
        n_qubits: of the window; the coins come after them.
        last: whether it is the level that is read, which turns the kept qubit once more.

    Examples:
        >>> tossed_block(2).n_wires, tossed_block(2).n_weights, tossed_block(3).n_wires
        (3, 7, 5)
    """
    gates: list[Gate] = []
    for pair in reversed(range(n_qubits - 1)):
        first, second, coin = pair, pair + 1, n_qubits + pair
        weights = _TOSSED * pair + np.arange(_TOSSED)
        gates += [*_turned("weights", weights[:3], first), *_turned("weights", weights[3:6], second)]
        toss, angle = Gate("H", (coin,)), _weight("weights", weights[6])
        gates.append(toss)
        for outer, name in (("CNOT", "RX"), ("CY", "RY")):
            flips = [Gate(outer, (first, second)), Gate("CZ", (coin, first))]
            gates += [*flips, Gate(name, (first,), angle), *reversed(flips)]
        flips = [Gate("CNOT", (first, second)), Gate("CNOT", (coin, second))]
        gates += [*flips, Gate("RZ", (second,), angle), *reversed(flips)]
    shapes: list[tuple[str, tuple[int, ...]]] = [("weights", (n_qubits - 1, _TOSSED))]
    if last:
        shapes.append(("turns", (1, 3)))
        gates += _turned("turns", np.arange(3), 0)
    return Circuit(2 * n_qubits - 1, 0, tuple(gates), kept_words(1), tuple(shapes))


def _turned(name: str, numbers: np.ndarray[tuple[int], np.dtype[np.int64]], wire: int) -> list[Gate]:
    return [
        Gate(gate, (wire,), _weight(name, number)) for gate, number in zip(("RZ", "RY", "RZ"), numbers, strict=True)
    ]


def _weight(name: str, number: np.int64) -> Angle:
    return Angle(0.0, (), ((name, int(number), 1.0),))


def unentangled_tree(
    in_channels: int, input_size: tuple[int, ...], *, window: Windows | None, n_trees: int, readout: str
) -> CoherentTree:
    """A coherent tree of :func:`tossed_block`: a sum of functions of single pixels.

    Taking the gates on two qubits out of a tree would leave one pixel that it reads. Blocks begin with the mean of
    their inputs, as those of "su4" do, which only lack the product then. Weights are drawn from torch's global
    generator.

    Args:
        in_channels, input_size, window, n_trees, readout: of :class:`CoherentTree`.
    """
    form = TreeShape.parse(input_size, window)
    count = len(form.windows)
    blocks = [
        tossed_block(math.prod(one) * (in_channels if number == 0 else 1), last=number == count - 1)
        for number, one in enumerate(form.windows)
    ]
    tree = CoherentTree(in_channels, input_size, window=window, block=blocks, n_trees=n_trees, readout=readout)
    with torch.no_grad():
        for level in levels_of(tree.levels):
            for name, weight in level.circuit_weights().items():
                weight.uniform_(-0.1 * math.pi, 0.1 * math.pi)
                if name == "weights":
                    weight[..., 6] = math.pi / 4
    return tree


class TreeConv(nn.Module):
    """A CNN of the shape of a tree: convolutions whose windows do not overlap, one for each level.

    Batch normalisation and ReLU follow each but the last.

    Args:
        in_channels: of the images.
        form: of the tree.
        width: channels between the levels.
        out_features: what the last level gives.

    Shape:
        - Input: (N, in_channels, *input_size); output: (N, out_features).

    Examples:
        >>> TreeConv(1, TreeShape.parse((4, 4)), 6, 24)(torch.rand(5, 1, 4, 4)).shape
        torch.Size([5, 24])
    """

    def __init__(self, in_channels: int, form: TreeShape, width: int, out_features: int) -> None:
        super().__init__()
        kinds, norms = (nn.Conv1d, nn.Conv2d, nn.Conv3d), (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
        self.form, self.out_features = form, out_features
        layers: list[nn.Module] = []
        before = in_channels
        for number, window in enumerate(form.windows):
            last = number == len(form.windows) - 1
            after = out_features if last else width
            layers.append(kinds[form.dims - 1](before, after, window, window, bias=last))  # type: ignore[arg-type]
            if not last:
                layers += [norms[form.dims - 1](after), nn.ReLU()]
            before = after
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """What the last level makes of images."""
        out: Tensor = self.layers(self.form.pad(images))
        return out.flatten(1)

    @classmethod
    def of_size(cls, in_channels: int, form: TreeShape, parameters: int, out_features: int) -> TreeConv:
        """The one whose number of parameters comes closest to a given one.

        Examples:
            >>> made = TreeConv.of_size(1, TreeShape.parse((32, 32)), 73_680, 24)
            >>> sum(p.numel() for p in made.parameters())
            74318
        """

        def count(width: int) -> int:
            with torch.device("meta"):
                return sum(p.numel() for p in cls(in_channels, form, width, out_features).parameters())

        width = 1
        while count(width + 1) <= parameters:
            width += 1
        nearest = min((width, width + 1), key=lambda one: abs(count(one) - parameters))
        return cls(in_channels, form, nearest, out_features)


class Temperature(nn.Module):
    """Scores from measured values: all of them times one positive number, which is trained.

    Args:
        first: the number at first.

    Examples:
        >>> Temperature(10.0)(torch.tensor([[0.5, -0.25]]))
        tensor([[ 5.0000, -2.5000]], grad_fn=<MulBackward0>)
    """

    def __init__(self, first: float) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor(math.log(first)))

    def forward(self, values: Tensor) -> Tensor:
        """Scores of the same shape."""
        return values * self.log.exp()


class ChannelAxis(nn.Module):
    """Images (N, C, *size) as (N, 1, C, *size): channels as places along an axis, each with qubits of its own."""

    def forward(self, images: Tensor) -> Tensor:
        """The same numbers in another shape."""
        return images.unsqueeze(1)

"""Classifier heads: feature maps in, one number a class out."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import nn

from quanvolve._errors import QuanvolveError
from quanvolve.nn._linear import QuantumLinear
from quanvolve.nn._standardize import Standardize

Shape = tuple[int, ...]
HeadLike = str | nn.Module | Callable[[Shape, int], nn.Module]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
_WIDTH = 8


def _linear(shape: Shape, n_classes: int) -> nn.Module:
    return nn.Sequential(Standardize(shape[0], len(shape) - 1), nn.Flatten(), nn.Linear(math.prod(shape), n_classes))


def _cnn(shape: Shape, n_classes: int) -> nn.Module:
    """Two convolutions and two linear layers; it pools only where there is something left to pool."""
    channels, *size = shape
    rank = len(size)
    if not rank:
        raise QuanvolveError(
            f"`head='cnn'` needs feature maps with spatial axes, got the shape {shape}: use 'linear', 'mlp' or "
            "'quantum' for features"
        )
    layers: list[nn.Module] = [Standardize(channels, rank)]
    for width_out in (32, 64):
        layers += [
            _CONVOLUTIONS[rank - 1](channels, width_out, 3, padding=1, bias=False),
            _NORMS[rank - 1](width_out),
            nn.ReLU(),
        ]
        channels = width_out
        if min(size) >= 2:
            layers.append(_POOLS[rank - 1](2))
            size = [n // 2 for n in size]
    layers += [
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(channels * math.prod(size), 128),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(128, n_classes),
    ]
    return nn.Sequential(*layers)


def _quantum(shape: Shape, n_classes: int) -> nn.Module:
    """A dressed quantum circuit: a linear layer to at most 8 qubits, the circuit, and a linear layer to the classes.

    Mari et al., arXiv:1912.08278, equations 9 to 12. A sigmoid times pi keeps the angles where Z is monotonic in them.
    The ansatz starts close to the identity, so that each qubit shows its own number at first: from random
    weights eight qubits show next to nothing (McClean et al., arXiv:1803.11173).
    """
    q = min(_WIDTH, math.prod(shape))
    circuit = QuantumLinear(q, q, circuit="hardware_efficient", scale=math.pi)
    with torch.no_grad():
        circuit.circuit_weights()["weights"].normal_(0.0, 0.1)
    return _dressed(shape, n_classes, circuit)


def _mlp(shape: Shape, n_classes: int) -> nn.Module:
    """The classical twin of the quantum head: a linear layer and a tanh where that has its circuit."""
    q = min(_WIDTH, math.prod(shape))
    return _dressed(shape, n_classes, nn.Linear(q, q), nn.Tanh())


def _dressed(shape: Shape, n_classes: int, *middle: nn.Module) -> nn.Module:
    features = math.prod(shape)
    q = min(_WIDTH, features)
    before = (Standardize(shape[0], len(shape) - 1), nn.Flatten(), nn.Linear(features, q), nn.Sigmoid())
    return nn.Sequential(*before, *middle, nn.Linear(q, n_classes))


HEADS: dict[str, Callable[[Shape, int], nn.Module]] = {
    "linear": _linear,
    "cnn": _cnn,
    "mlp": _mlp,
    "quantum": _quantum,
}
"""The heads by name: functions of the shape of the feature maps (C, *size) and the number of classes."""


def make_head(head: HeadLike, shape: Shape, n_classes: int) -> nn.Module:
    """Build a head.

    Args:
        head: what classifies the maps.

            - "linear": standardize, then one linear layer.
            - "cnn": two convolutions of the maps' rank, two linear layers.
            - "quantum": a dressed quantum circuit: standardize, a linear layer to q = min(8, features) numbers,
              a sigmoid, a :class:`QuantumLinear` layer of q qubits ("hardware_efficient", close to the identity at
              first) with the angles in [0, pi], a linear layer.
            - "mlp": its classical twin, with a linear layer of q neurons and tanh in place of the circuit.
            - a module, which is copied, or a function of `shape` and `n_classes` that returns a module.
        shape: of the feature maps, (C, *size) with one, two or three spatial axes, or (features,).
        n_classes: number of classes.

    Returns:
        A module that takes (N, *shape) to (N, n_classes).

    Raises:
        QuanvolveError: for an unknown name, or a shape or number of classes that makes no head.

    References:
        Mari et al., "Transfer learning in hybrid classical-quantum neural networks", arXiv:1912.08278 (2019),
        section 2.1, for dressed quantum circuits.

    Examples:
        >>> import torch
        >>> make_head("linear", (4, 14, 14), 10)(torch.zeros(2, 4, 14, 14)).shape
        torch.Size([2, 10])
        >>> make_head("quantum", (3, 50), 2)
        Sequential(
          (0): Standardize(3)
          (1): Flatten(start_dim=1, end_dim=-1)
          (2): Linear(in_features=150, out_features=8, bias=True)
          (3): Sigmoid()
          (4): QuantumLinear(in_features=8, out_features=8, bias=False, circuit='hardware_efficient', n_qubits=8)
          (5): Linear(in_features=8, out_features=2, bias=True)
        )
    """
    _check(shape, n_classes)
    if isinstance(head, nn.Module):
        return copy.deepcopy(head)
    if isinstance(head, str):
        if head not in HEADS:
            raise QuanvolveError(f"`head` (={head!r}) must be one of {', '.join(map(repr, HEADS))}")
        return HEADS[head](shape, n_classes)
    if not callable(head):
        raise QuanvolveError(
            f"`head` (={head!r}) must be one of {', '.join(map(repr, HEADS))}, an nn.Module, or a function of the "
            "maps' shape and the number of classes that returns one"
        )
    made = head(shape, n_classes)
    if not isinstance(made, nn.Module):
        raise QuanvolveError(f"the function given as `head` returned {type(made).__name__}, expected an nn.Module")
    return made


def _check(shape: Shape, n_classes: int) -> None:
    if not 1 <= len(shape) <= 4 or any(n < 1 for n in shape):
        raise QuanvolveError(
            f"the feature maps have the shape {tuple(shape)}, expected (channels, *size) with one to three spatial "
            "axes, or (features,), and no empty axis"
        )
    if n_classes < 1:
        raise QuanvolveError(f"`n_classes` (={n_classes}) must be a whole number of at least 1")

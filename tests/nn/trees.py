"""Coherent trees on all their qubits at once, by PennyLane: the slow twin that tests compare with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from math import prod

import numpy as np
import pennylane as qp
import torch
from torch import Tensor

from quanvolve import CoherentTree
from quanvolve.circuits import Circuit, Gate, Observable, kraus_of, with_noise

Order = Callable[[tuple[int, ...]], Iterator[tuple[int, ...]]]
"""The places of a level, in the order in which blocks are queued."""
NAMES = {"H": "Hadamard", "X": "PauliX", "Y": "PauliY", "Z": "PauliZ"}


def places(size: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    return itertools.product(*(range(n) for n in size))


def apply(gate: Gate, wires: list[int], weights: dict[str, Tensor], inputs: list[Tensor]) -> None:
    """Queue a gate of a description on some qubits."""
    on = [wires[wire] for wire in gate.wires]
    if gate.transfer is not None:
        qp.QubitChannel(kraus_of(np.array(gate.transfer)), wires=on)
        return
    operation = getattr(qp, NAMES.get(gate.name, gate.name))
    if gate.angle is None:
        operation(wires=on)
        return
    angle = torch.tensor(gate.angle.offset, dtype=torch.float64)
    for index, factor in gate.angle.inputs:
        angle = angle + factor * inputs[index]
    for name, index, factor in gate.angle.weights:
        angle = angle + factor * weights[name].reshape(-1)[index]
    operation(angle if angle.requires_grad else angle.item(), wires=on)


def measured(observable: Observable, wires: list[int]) -> qp.operation.Operator:
    words = []
    for coefficient, word in observable.pauli_terms():
        factors = [getattr(qp, letter)(wires[wire]) for wire, letter in word]
        words.append(coefficient * (qp.prod(*factors) if factors else qp.Identity(wires[0])))
    return qp.sum(*words) if len(words) > 1 else words[0]


def run_tree(
    tree: CoherentTree, angles: Tensor, number: int, noise: object = None, order: Order = places
) -> dict[tuple[int, ...], list[int]]:
    """Queue one tree on an image (channels, *padded size) of angles; the qubits of each place that is left."""
    own = tree.encoding.n_wires
    live: dict[tuple[int, ...], list[int]] = {}
    for count, place in enumerate(places(tree.levels[0].size)):
        live[place] = list(range(count * own, (count + 1) * own))
        encoding = with_noise(tree.encoding, noise, measured=False)
        values = [angles[(channel, *place)] for channel in range(tree.in_channels)]
        for gate in encoding.gates:
            apply(gate, live[place], {}, values)
    for depth, level in enumerate(tree.levels):
        joined: dict[tuple[int, ...], list[int]] = {}
        numbers = {place: count for count, place in enumerate(places(level.places))}
        for place in order(level.places):
            wires: list[int] = []
            for offset in places(level.window):
                wires += live[tuple(p * w + o for p, w, o in zip(place, level.window, offset, strict=True))]
            last = depth == len(tree.levels) - 1
            circuit: Circuit = with_noise(level.circuit, noise, measured=last)
            weights = level.weights_of(number, numbers[place])
            for gate in circuit.gates:
                apply(gate, wires, weights, [])
            joined[place] = wires[: tree.keep]
        live = joined
    return live


def on_all_qubits(tree: CoherentTree, images: Tensor, noise: object = None, order: Order = places) -> Tensor:
    """What :class:`CoherentTree` computes, by `default.qubit` or with noise by `default.mixed`."""
    device = qp.device("default.qubit" if noise is None else "default.mixed", wires=tree.n_qubits)
    scale = tree.scale if isinstance(tree.scale, Tensor) else torch.tensor(tree.scale, dtype=torch.float64)
    angles = tree.shape.pad(images * scale)

    def one(number: int, image: Tensor) -> Tensor:
        @qp.qnode(device, diff_method="backprop" if torch.is_grad_enabled() else None)
        def node() -> list[object]:
            live = run_tree(tree, image, number, noise, order)
            return [qp.expval(measured(o, live[p])) for p in places(tree.places) for o in tree.observables]

        return (
            torch.stack([torch.as_tensor(value) for value in node()])
            .reshape(prod(tree.places), len(tree.observables))
            .T
        )

    values = torch.stack(
        [torch.cat([one(number, image) for number in range(tree.n_trees)]) for image in angles]
    )  # images, trees x values, places
    return values.reshape(len(images), -1, *tree.places) if prod(tree.places) > 1 else values.flatten(1)


def with_gradients(
    function: Callable[[CoherentTree, Tensor], Tensor], tree: CoherentTree, images: Tensor
) -> list[Tensor]:
    """Values, and the gradients of a weighted sum of them by images and weights."""
    leaf = images.clone().requires_grad_()
    out = function(tree, leaf)
    factors = torch.arange(1, out.numel() + 1, dtype=out.dtype).cos().reshape(out.shape)
    return [out.detach(), *torch.autograd.grad((out * factors).sum(), [leaf, *tree.parameters()])]

"""Forms of the function itself: wires, QNodes, signatures, and shapes of weights."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qp
import torch

from tests.circuits.sweep.judge import EQUAL, REFUSED
from tests.circuits.sweep.kind_case import EITHER, KindCase, entangled, layers, measured

CASES: list[KindCase] = []
_SHAPES = {"weights": (6,)}


def _add(name: str, function: Callable[..., Any], shapes: Any = None, expected: str = EQUAL, **options: Any) -> None:
    CASES.append(KindCase(name, function, _SHAPES if shapes is None else shapes, expected, **options))


def _plain(inputs: Any, weights: Any) -> list[Any]:
    layers(inputs, weights)
    return measured()


# -- wires -------------------------------------------------------------------------------------------------------------

for _name, _labels in {
    "strings": ["a", "b", "c"],
    "strings, not sorted": ["c", "a", "b"],
    "far numbers": [0, 7, 3],
    "numbers, reversed": [2, 1, 0],
    "strings and numbers": ["a", 1, "aux"],
    "negative numbers": [-1, 0, 5],
    "numbers of NumPy": list(np.arange(3)),
    "floats": [0.5, 1.5, 2.5],
}.items():

    def _labelled(inputs: Any, weights: Any, labels: Any = _labels) -> list[Any]:
        for k, wire in enumerate(labels):
            qp.RY(inputs[k], wires=wire)
            qp.RX(weights[k], wires=wire)
        qp.CNOT(wires=[labels[0], labels[2]])
        qp.CRX(weights[3], wires=[labels[2], labels[1]])
        return [qp.expval(qp.Z(labels[0]) @ qp.X(labels[2])), qp.probs(wires=[labels[1], labels[0]]), qp.probs()]

    _add(f"wires: {_name}", _labelled)


def _registers(inputs: Any, weights: Any) -> list[Any]:
    wires = qp.registers({"data": 2, "aux": 1})
    qp.AngleEmbedding(inputs[:2], wires=wires["data"])
    qp.CRY(weights[0], wires=[wires["data"][0], wires["aux"][0]])
    qp.RX(inputs[2] * weights[1], wires=wires["aux"])
    return [qp.expval(qp.Z(0)), qp.expval(qp.Z(wires["aux"][0]))]


def _one_wire(inputs: Any, weights: Any) -> Any:
    for k in range(3):
        qp.Rot(inputs[k], weights[k], weights[3 + k], wires=0)
    return qp.expval(qp.Z(0))


def _unused(inputs: Any, weights: Any) -> Any:
    qp.RX(inputs[0] * weights[0], wires=2)
    return [qp.expval(qp.Z(2)), qp.expval(qp.Z(5)), qp.probs()]


_add("wires: registers", _registers)
_add("wires: only one", _one_wire)
_add("wires: without gates", _unused)

# -- QNodes ------------------------------------------------------------------------------------------------------------


def _node(function: Callable[..., Any] = _plain, device: str = "default.qubit", wires: Any = 3, **options: Any) -> Any:
    return qp.QNode(function, qp.device(device, wires=wires), interface="torch", **options)


def _all(inputs: Any, weights: Any) -> Any:
    layers(inputs, weights)
    return qp.probs()


def _flagged(inputs: Any, weights: Any) -> Any:
    layers(inputs, weights)
    qp.Hadamard(0)
    qp.Hadamard(0)
    return measured()


_noise = qp.NoiseModel({qp.noise.op_eq(qp.RX): qp.noise.partial_wires(qp.DepolarizingChannel, 0.1)})
_add("QNode: backprop", _node(diff_method="backprop"))
_add("QNode: parameter-shift", _node(diff_method="parameter-shift"))
_add("QNode: adjoint", _node(diff_method="adjoint"))
_add("QNode: best", _node())
_add("QNode: a device with more wires", _node(wires=5))
_add("QNode: probs() of all wires of the device", _node(_all, wires=4))
_add("QNode: named wires", _node(wires=[2, 1, 0]))
_add("QNode: probs() on wires in another order", _node(_all, wires=[2, 0, 1]))
_add("QNode: without wires", qp.QNode(_plain, qp.device("default.qubit"), interface="torch"))
_add("QNode: default.mixed without noise", _node(device="default.mixed"))
_add("QNode: decorated", qp.qnode(qp.device("default.qubit", wires=3))(_plain))
_add("QNode: shots", qp.set_shots(_node(), 100), None, REFUSED, says="shots")
_add("QNode: cancel_inverses", qp.transforms.cancel_inverses(_node(_flagged)), None, EITHER, says="transforms")
_add("QNode: merge_rotations", qp.transforms.merge_rotations(_node()), None, EITHER, says="transforms")
_add("QNode: compile", qp.compile(_node()), None, EITHER, says="transforms")
_add("QNode: defer_measurements", qp.defer_measurements(_node()), None, EITHER, says="transforms")
_add(
    "QNode: a noise model",
    qp.add_noise(_node(device="default.mixed"), _noise),
    None,
    EITHER,
    says="transforms",
)
_add(
    "QNode: noise inserted",
    qp.noise.insert(_node(device="default.mixed"), qp.AmplitudeDamping, 0.2, position="end"),
    None,
    EITHER,
    says="transforms",
)
_add("QNode: split_non_commuting", qp.transforms.split_non_commuting(_node()), None, EITHER, says="transforms")

# -- signatures --------------------------------------------------------------------------------------------------------


def _weights_first(weights: Any, inputs: Any) -> list[Any]:
    return _plain(inputs, weights)


def _with_an_option(inputs: Any, weights: Any, axis: str = "Y", n: int = 2) -> list[Any]:
    for _ in range(n):
        qp.AngleEmbedding(inputs * weights[0], wires=range(3), rotation=axis)
    return _plain(inputs, weights)


def _keyword_only(inputs: Any, *, weights: Any) -> list[Any]:
    return _plain(inputs, weights)


def _open(inputs: Any, **weights: Any) -> list[Any]:
    layers(inputs, torch.cat([weights["a"], weights["b"].reshape(-1)]))
    return measured()


def _without_weights(inputs: Any) -> list[Any]:
    qp.AngleEmbedding(inputs, wires=range(3))
    entangled()
    return measured()


def _without_inputs(inputs: Any, weights: Any) -> list[Any]:
    layers(weights[:3], weights)
    return measured()


def _batched(inputs: Any, weights: Any) -> list[Any]:
    for wire in range(3):
        qp.RY(inputs[:, wire] * weights[wire], wires=wire)
    entangled()
    return measured()


def _batched_function(inputs: Any, weights: Any) -> list[Any]:
    angles = torch.tanh(inputs @ torch.outer(weights[:3], weights[3:]))
    for wire in range(3):
        qp.RY(angles[:, wire], wires=wire)
    entangled()
    return measured()


def _any_batch(inputs: Any, weights: Any) -> list[Any]:
    for wire in range(3):
        qp.RY(inputs[..., wire] ** 2 * weights[wire], wires=wire)
    entangled()
    return measured()


class _Callable:
    def __init__(self) -> None:
        self.factor = 0.7

    def __call__(self, inputs: Any, weights: Any) -> list[Any]:
        return _plain(inputs * self.factor, weights)

    def method(self, inputs: Any, weights: Any) -> list[Any]:
        return _plain(inputs + self.factor, weights)


def _wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(*arguments: Any, **keywords: Any) -> Any:
        return function(*arguments, **keywords)

    return inner


class _Module(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor([0.3, -0.4, 0.9], dtype=torch.float64))

    def forward(self, inputs: Any, weights: Any) -> list[Any]:
        return _plain(inputs * self.factor, weights)


_module = _Module()
_add("signature: weights first", _weights_first)
_add("signature: options", _with_an_option)
_add("signature: functools.partial", functools.partial(_with_an_option, axis="Z", n=1))
_add("signature: keyword only", _keyword_only)
_add("signature: **weights", _open, {"a": (2,), "b": (2, 2)})
_add("signature: no weights", _without_weights, {})
_add("signature: inputs that are not read", _without_inputs)
_add("signature: a batch axis", _batched)
_add("signature: a function of a batch", _batched_function)
_add("signature: with or without a batch axis", _any_batch)
_add("signature: an object", _Callable())
_add("signature: a method", _Callable().method)
_add("signature: a method of a module", _module.forward, closed_over=(_module.factor,))
_add("signature: wrapped", _wrapped(_plain))
_add("signature: a lambda", lambda inputs, weights: _plain(inputs, weights))
# PennyLane's matrix of such a product is not the product of its operands' matrices, where wires overlap.
_add(
    "signature: qp.prod inside",
    lambda inputs, weights: (qp.prod(layers)(inputs, weights), measured())[1],
    None,
    EITHER,
)
_add(
    "signature: a number for every gate", lambda inputs, weights: (qp.RX(inputs, wires=0), measured())[1], None, EITHER
)
_add(
    "signature: a QNode inside",
    lambda inputs, weights: _plain(_node()(inputs, weights)[0] * inputs, weights),
    None,
    EITHER,
)
_add("signature: no measurement", lambda inputs, weights: layers(inputs, weights), None, REFUSED)
_add("signature: qp.state", lambda inputs, weights: (layers(inputs, weights), qp.state())[1], None, REFUSED)
_add("signature: a number returned", lambda inputs, weights: (layers(inputs, weights), 0.3)[1], None, REFUSED)

# -- shapes of weights -------------------------------------------------------------------------------------------------

for _name, _shape in {
    "an integer": 6,
    "a list": [6],
    "a matrix": (2, 3),
    "an integer of NumPy": np.int64(6),
    "integers of NumPy": (np.int64(2), np.int32(3)),
    "an array": np.array([2, 3]),
    "torch.Size": torch.Size([3, 2]),
    "axes of one": (1, 6, 1),
    "by StronglyEntanglingLayers.shape": qp.StronglyEntanglingLayers.shape(n_layers=1, n_wires=2),
}.items():
    _add(f"shape: {_name}", lambda inputs, weights: _plain(inputs, weights.reshape(-1)), {"weights": _shape})


def _of_scalars(inputs: Any, a: Any, b: Any, c: Any, d: Any) -> list[Any]:
    layers(inputs, torch.stack([a, b.reshape(()), c, d.reshape(()), a * c, b.reshape(()) + 0.1]))
    return measured()


_add("shape: one, and no axes", _of_scalars, {"a": 1, "b": (1,), "c": (), "d": np.int64(1)}, EITHER)
_add("shape: one and no axes, of Python", _of_scalars, {"a": 1, "b": (1,), "c": (), "d": (1, 1)})

"""Quantum convolutional networks against default.qubit: values, gradients, measurements that decide, shape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from torch import Tensor

from quanvolve import QuantumLinear, Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import BLOCKS, POOLINGS, Circuit, named_circuit, qcnn_circuit
from quanvolve.compile import plans_of
from tests.circuits.pennylane_blocks import qcnn
from tests.compile.reference import run_plan

ENCODED = {"ry": 8, "dense": 16, "amplitude": 256}
"""Encodings of eight qubits, and the values that each reads."""


def _upload(encoding: str, inputs: Tensor, n: int) -> None:
    if encoding == "amplitude":
        qp.AmplitudeEmbedding(inputs, wires=range(n), normalize=True)
    for index in range(len(inputs) if encoding != "amplitude" else 0):
        if encoding == "dense":
            (qp.RZ if index % 2 else qp.RY)(inputs[index], wires=index // 2)
        else:
            qp.RY(inputs[index], wires=index)


def _node(block: str, pooling: str, ring: bool, encoding: str, n: int, probs: bool = False, **options: Any) -> Any:
    """The network as a user of PennyLane would write it."""

    @qp.qnode(qp.device("default.qubit"), interface="torch", diff_method="backprop", **options)
    def node(inputs: Tensor, weights: Tensor) -> Any:
        _upload(encoding, inputs, n)
        remaining = qcnn(block, pooling, ring, weights, n, BLOCKS[block].n_weights)
        return qp.probs(wires=remaining) if probs else [qp.expval(qp.Z(wire)) for wire in remaining]

    return node


def _values(node: Any, inputs: Tensor, weights: Tensor) -> Tensor:
    found = node(inputs, weights)
    return torch.stack(list(found)) if isinstance(found, list | tuple) else found


def _drawn(circuit: Circuit, seed: int, windows: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.rand(windows, circuit.n_inputs, generator=generator, dtype=torch.float64) * 3 + 0.1
    shape = dict(circuit.weight_shapes)["weights"]
    return inputs, 6 * torch.rand(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("block", ["u_ttn", "u_6", "u_9", "u_so4", "u_su4"])
def test_eight_qubits_of_the_paper_with_exact_gradients(block: str, encoding: str) -> None:
    n_inputs = ENCODED[encoding]
    layer = QuantumLinear(
        n_inputs, 1, circuit=f"qcnn_{block}", encoding=encoding, n_layers=3, scale=1.0, dtype=torch.float64, seed=2
    )
    inputs, weights = _drawn(layer.circuits[0], 3, 2)
    with torch.no_grad():
        layer.weights.copy_(weights)
    inputs.requires_grad_()
    out = layer(inputs)
    found = (out, *torch.autograd.grad(out.cos().sum(), (inputs, layer.weights)))
    weights.requires_grad_()
    node = _node(block, "zx", True, encoding, 8)
    expected = torch.stack([_values(node, window, weights) for window in inputs])
    wanted = (expected, *torch.autograd.grad(expected.cos().sum(), (inputs, weights)))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.reshape(other.shape), other, rtol=0, atol=1e-10)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(
    ("block", "n", "levels", "ring"),
    [
        ("su4", 2, 1, True), ("u_14", 3, 2, True), ("u_13", 5, 3, False), ("pennylane_qcnn", 6, 2, True),
        ("u_15", 7, 1, False),
    ],
)  # fmt: skip
def test_any_size_pooling_and_level_by_every_plan(block: str, n: int, levels: int, ring: bool, pooling: str) -> None:
    circuit = qcnn_circuit(block, n, pooling=pooling, ring=ring, n_levels=levels)
    inputs, weights = _drawn(circuit, n, 2)
    node = _node(block, pooling, ring, "ry", n)
    expected = torch.stack([_values(node, window, weights) for window in inputs])
    assert expected.shape[1] == circuit.n_outputs
    possible = plans_of([circuit])[0]
    assert {"polynomial", "statevector"} <= set(possible)
    for name, plan in possible.items():
        found = run_plan(plan, circuit, inputs, {"weights": weights[None]}, True)[:, 0]
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=0, atol=1e-10, err_msg=name)


def test_feed_forward_is_a_measurement_in_the_middle_of_the_circuit() -> None:
    # By a tree of outcomes: qubits are measured where the network says so, and not at the end.
    circuit = named_circuit("qcnn_su4_feed_forward", 4, n_layers=2)
    inputs, weights = _drawn(circuit, 1, 2)
    found = run_plan(plans_of([circuit])[0]["statevector"], circuit, inputs, {"weights": weights[None]}, True)

    @qp.qnode(qp.device("default.qubit"), mcm_method="tree-traversal")
    def node(window: Any) -> Any:
        _upload("ry", window, 4)
        (last,) = qcnn("su4", "feed_forward", False, weights.numpy(), 4, 15)
        return qp.expval(qp.Z(last))

    np.testing.assert_allclose(found.flatten().numpy(), [float(node(window)) for window in inputs.numpy()], atol=1e-10)


def test_probabilities_of_the_last_qubit() -> None:
    circuit = qcnn_circuit("u_so4", 8, readout="probs")
    inputs, weights = _drawn(circuit, 4, 3)
    found = run_plan(plans_of([circuit])[0]["statevector"], circuit, inputs, {"weights": weights[None]}, True)[:, 0]
    node = _node("u_so4", "zx", True, "ry", 8, probs=True)
    expected = torch.stack([node(window, weights) for window in inputs])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(found.sum(1), torch.ones(3, dtype=torch.float64), rtol=0, atol=1e-12)


def _pairs(circuit: Circuit) -> list[tuple[int, ...]]:
    """On which qubits the CNOTs are, in their order."""
    return [gate.wires for gate in circuit.gates if gate.name == "CNOT"]


def test_eight_qubits_are_a_ring_that_is_halved_three_times() -> None:
    # Figure 1 of the paper, with the order of its program. A 'u_ttn' block has one CNOT.
    circuit = qcnn_circuit("u_ttn", 8, pooling="none")
    assert _pairs(circuit) == [
        (0, 7), (0, 1), (2, 3), (4, 5), (6, 7), (1, 2), (3, 4), (5, 6),
        (0, 6), (0, 2), (4, 6), (2, 4),
        (0, 4),
    ]  # fmt: skip
    assert circuit.observables[0].terms == ((1.0, ((4, "Z"),)),)
    assert circuit.weight_shapes == (("weights", (3, 2)),)
    assert named_circuit("qcnn_u_su4", 8, n_layers=3).n_weights == 3 * 15 + 3 * 2


def test_odd_numbers_keep_the_last_qubit() -> None:
    circuit = qcnn_circuit("u_ttn", 5, pooling="none", ring=False)
    assert _pairs(circuit) == [(0, 1), (2, 3), (1, 2), (3, 4), (0, 2), (2, 4), (0, 4)]
    assert qcnn_circuit("u_ttn", 5, pooling="none", n_levels=1).n_outputs == 3


@pytest.mark.parametrize("circuit", ["qcnn_u_14", "qcnn_su4_feed_forward", "qcnn_u_su4_no_pooling"])
def test_layers_take_networks_and_are_trained(circuit: str) -> None:
    images, wanted = torch.rand(8, 1, 6, 6, generator=torch.Generator().manual_seed(0)), torch.zeros(8, 3, 2, 2)
    layer = Quanv2d(1, 3, 4, stride=2, circuit=circuit, encoding="amplitude", n_layers=2, seed=0)
    assert layer.circuits[0].n_outputs == 1
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    losses = []
    for _ in range(12):
        loss = torch.nn.functional.mse_loss(layer(images), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


def test_sixteen_qubits_are_exact() -> None:
    circuit = qcnn_circuit("u_15", 16)
    inputs, weights = _drawn(circuit, 6, 1)
    found = run_plan(plans_of([circuit])[0]["statevector"], circuit, inputs, {"weights": weights[None]}, True)
    node = _node("u_15", "zx", True, "ry", 16)
    assert float(found) == pytest.approx(float(_values(node, inputs[0], weights)), abs=1e-10)


def test_a_window_of_zeros_is_basis_state_0_by_the_kernels() -> None:
    layer = QuantumLinear(8, 1, circuit="qcnn_u_9", encoding="amplitude", n_layers=2, dtype=torch.float64, seed=0)
    windows = torch.zeros(3, 8, dtype=torch.float64)
    windows[1, 0] = 5.0
    windows[2] = 1e-200
    windows.requires_grad_()
    out = layer(windows)
    even = layer(torch.ones(1, 8, dtype=torch.float64))
    torch.testing.assert_close(out[[0, 2]], torch.cat([out[1:2], even]), rtol=0, atol=1e-12)
    (gradient,) = torch.autograd.grad(out[:2].sum(), windows)
    assert torch.equal(gradient[0], torch.zeros(8, dtype=torch.float64))
    assert math.isfinite(float(gradient.abs().sum()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"block": "su5"}, r"`block` \(='su5'\) must be one of 'su4', 'u_ttn'"),
        ({"pooling": "max"}, r"`pooling` \(='max'\) must be one of 'zx', 'feed_forward', 'none'$"),
        ({"encoding": "dens"}, r"`encoding` \(='dens'\) must be one of .*; did you mean 'dense'\?$"),
        ({"n_levels": 4}, r"`n_layers` \(=4\) must be at most 3 for 'a QCNN' on 8 qubit\(s\): .*use `n_layers=3`$"),
        ({"n_inputs": 1}, r"must be at most 0 for 'a QCNN' on 1 qubit\(s\): each level halves them; use more qubits$"),
        ({"n_inputs": 0}, r"`n_inputs` \(=0\) must be a whole number of at least 1$"),
        ({"n_wires": 7}, r"`n_qubits` \(=7\) must be at least 8, which the 'ry' encoding needs for the 8 values"),
        ({"encoding": "reupload"}, r"the 'reupload' encoding uploads the window before each layer .*, which a QCNN"),
        (
            {"readout": "popcount"},
            r"the readout 'popcount' counts the ones of all qubits, and a QCNN measures only those that are left: use "
            r"readout='popcount_expected', 'z' or 'probs'$",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        qcnn_circuit(**{"block": "u_so4", "n_inputs": 8, **arguments})

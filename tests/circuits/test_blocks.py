"""The two-qubit blocks against the gates that their papers draw, and as circuits for networks."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve._bibliography import BIBLIOGRAPHY, bibtex_of
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import BLOCKS, POOLINGS, Circuit, Observable, named_block, named_circuit
from quanvolve.compile import plans_of
from tests.circuits.pennylane_blocks import BLOCK, POOL
from tests.compile.reference import run_plan, run_qnode

WORDS = list(itertools.product("IXYZ", repeat=2))[1:]


def _observable(word: tuple[str, ...]) -> Observable:
    return Observable(((1.0, tuple((wire, letter) for wire, letter in enumerate(word) if letter != "I")),))


def _tomography(gates: tuple[Any, ...], n_weights: int) -> Circuit:
    """All Pauli words after gates on two qubits in any product state: their whole map, but for a phase."""
    upload = named_circuit("none", 4, encoding="dense", n_layers=1).gates[:4]
    shapes = (("weights", (n_weights,)),) if n_weights else ()
    return Circuit(2, 4, upload + gates, tuple(map(_observable, WORDS)), shapes)


def _measured() -> list[Any]:
    paulis = {"I": qp.Identity, "X": qp.X, "Y": qp.Y, "Z": qp.Z}
    return [qp.expval(paulis[one](0) @ paulis[other](1)) for one, other in WORDS]


def _upload(inputs: Any) -> None:
    for wire in range(2):
        qp.RY(inputs[2 * wire], wires=wire)
        qp.RZ(inputs[2 * wire + 1], wires=wire)


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_are_the_papers_gates(name: str) -> None:
    block = named_block(name)
    assert (block.n_wires, block.n_inputs, block.weight_shapes) == (2, 0, (("weights", (BLOCKS[name].n_weights,)),))
    assert Circuit.from_json(block.to_json()) == block
    circuit = _tomography(block.gates, block.n_weights)

    def function(inputs: Any, weights: Any) -> list[Any]:
        _upload(inputs)
        BLOCK[name](weights, [0, 1])
        return _measured()

    generator = torch.Generator().manual_seed(11)
    weights = 6 * torch.rand(2, block.n_weights, generator=generator, dtype=torch.float64)
    windows = 6 * torch.rand(3, 4, generator=generator, dtype=torch.float64)
    for plan in plans_of([circuit])[0].values():
        found = run_plan(plan, circuit, windows, {"weights": weights}, False)
        for (w, window), (f, row) in itertools.product(enumerate(windows.numpy()), enumerate(weights.numpy())):
            expected = run_qnode(function, window, {"weights": row}, 2)
            np.testing.assert_allclose(found[w, f].numpy(), expected, rtol=0, atol=1e-10, err_msg=str(plan))


def test_every_block_and_pooling_has_its_twin_and_its_paper() -> None:
    assert list(BLOCKS) == list(BLOCK)
    assert list(POOLINGS) == list(POOL)
    for entry in (*BLOCKS.values(), *POOLINGS.values()):
        assert bibtex_of(entry.reference) in BIBLIOGRAPHY.values()
        assert len(entry.summary) > 15


@pytest.mark.parametrize("name", ["u_so4", "u_su4"])
def test_blocks_act_on_the_pair_they_are_given(name: str) -> None:
    first = list(BLOCKS[name].gates(np.arange(15), (0, 1)))
    other = list(BLOCKS[name].gates(np.arange(15), (7, 3)))
    assert [tuple({0: 7, 1: 3}[wire] for wire in gate.wires) for gate in first] == [gate.wires for gate in other]
    assert [(gate.name, gate.angle) for gate in first] == [(gate.name, gate.angle) for gate in other]


def test_su4_in_cartan_form_mixes_bloch_vectors_as_the_formula_says() -> None:
    # x' = cos 2b cos 2c p_x + sin 2b sin 2c q_x - cos 2b sin 2c p_y q_z + sin 2b cos 2c p_z q_y, and in a cycle;
    # the weights 6, 7, 8 are the angles 2a, 2b, 2c.
    weights = torch.zeros(1, 15, dtype=torch.float64)
    weights[0, 6:9] = torch.tensor([0.3, 0.7, 1.1], dtype=torch.float64)
    circuit = _tomography(named_block("su4").gates, 15)
    window = torch.tensor([[0.4, 1.2, 2.1, 0.5]], dtype=torch.float64)
    plan = plans_of([circuit])[0]["statevector"]
    values = dict(zip(WORDS, run_plan(plan, circuit, window, {"weights": weights}, False)[0, 0].tolist(), strict=True))

    def bloch(polar: float, azimuth: float) -> list[float]:
        return [math.sin(polar) * math.cos(azimuth), math.sin(polar) * math.sin(azimuth), math.cos(polar)]

    p, q = bloch(0.4, 1.2), bloch(2.1, 0.5)
    angles = [0.3, 0.7, 1.1]
    for x, letter in enumerate("XYZ"):
        y, z = (x + 1) % 3, (x + 2) % 3
        b, c = angles[y], angles[z]
        expected = math.cos(b) * math.cos(c) * p[x] + math.sin(b) * math.sin(c) * q[x]
        expected += -math.cos(b) * math.sin(c) * p[y] * q[z] + math.sin(b) * math.cos(c) * p[z] * q[y]
        assert values[letter, "I"] == pytest.approx(expected, abs=1e-12)


def test_an_ansatz_is_a_block_too() -> None:
    block, layered = named_block("strongly_entangling", 3, n_layers=2), named_circuit("strongly_entangling", 3)
    assert block.gates == layered.gates[3:]
    assert (block.n_inputs, block.weight_shapes) == (0, layered.weight_shapes)
    assert named_block("random", 3, seed=1) != named_block("random", 3, seed=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "u_so5"}, r"`block` \(='u_so5'\) must be one of 'su4', 'u_ttn', .*; did you mean 'u_so4'\?$"),
        (
            {"name": "u_so4", "n_wires": 3},
            r"the block 'u_so4' is one layer on 2 qubits, got `n_qubits` \(=3\) and `n_layers` \(=1\): leave them out",
        ),
        ({"name": "u_so4", "n_layers": 2}, r"got `n_qubits` \(=2\) and `n_layers` \(=2\): leave them out, or use an"),
        ({"name": "none", "n_wires": 0}, r"`n_qubits` \(=0\) must be a whole number of at least 1$"),
        ({"name": "none", "n_layers": 1.5}, r"`n_layers` \(=1.5\) must be a whole number of at least 1$"),
    ],
)
def test_what_is_no_block_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        named_block(**arguments)

"""The named circuits against PennyLane's own templates."""

import math
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS, list_circuits, named_circuit
from tests.compile.reference import run_compiled, run_qnode

SEED = 7


def _encode(encoding: str, inputs: Any, n: int) -> None:
    if encoding == "threshold":
        for wire in range(n):
            if inputs[wire] > math.pi / 2:
                qp.PauliX(wires=wire)
    else:
        qp.AngleEmbedding(inputs, wires=range(n), rotation={"ry": "Y", "rx": "X"}[encoding])


def _weigh(ansatz: str, weights: Any, n: int) -> None:
    if ansatz == "random":
        qp.RandomLayers(weights, wires=range(n), seed=SEED)
    elif ansatz == "basic_entangler":
        qp.BasicEntanglerLayers(weights, wires=range(n))
    else:
        assert ansatz == "strongly_entangling"
        qp.StronglyEntanglingLayers(weights, wires=range(n))


@pytest.mark.parametrize(("n_inputs", "n_wires", "n_layers"), [(1, 1, 1), (2, 2, 3), (4, 4, 2), (3, 5, 1)])
@pytest.mark.parametrize("ansatz", ANSATZE)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_named_circuits_are_pennylanes(encoding: str, ansatz: str, n_inputs: int, n_wires: int, n_layers: int) -> None:
    circuit = named_circuit(ansatz, n_inputs, encoding=encoding, n_wires=n_wires, n_layers=n_layers, seed=SEED)
    assert (circuit.n_wires, circuit.n_inputs, circuit.n_outputs) == (n_wires, n_inputs, n_wires)
    ((name, shape),) = circuit.weight_shapes
    assert name == "weights"
    assert shape == ((n_layers, n_wires, 3) if ansatz == "strongly_entangling" else (n_layers, n_wires))

    def function(inputs: Any, weights: Any) -> list[Any]:
        _encode(encoding, inputs, n_inputs)
        _weigh(ansatz, weights, n_wires)
        return [qp.expval(qp.Z(wire)) for wire in range(n_wires)]

    generator = torch.Generator().manual_seed(5)
    weights = 6 * torch.rand(2, *shape, generator=generator, dtype=torch.float64)
    windows = math.pi * torch.rand(3, n_inputs, generator=generator, dtype=torch.float64)
    found = run_compiled(circuit, windows, {"weights": weights})
    for window, row in zip(windows.numpy(), found, strict=True):
        for f in range(2):
            reference = run_qnode(function, window, {"weights": weights[f].numpy()}, n_wires)
            np.testing.assert_allclose(row[f].numpy(), reference, rtol=0, atol=1e-10)


def test_the_seed_of_a_random_circuit_is_its_structure() -> None:
    circuits = {named_circuit("random", 4, n_layers=1, seed=seed) for seed in range(8)}
    assert len(circuits) == 8
    assert named_circuit("random", 4, seed=3) == named_circuit("random", 4, seed=3)
    assert named_circuit("basic_entangler", 4, seed=3) == named_circuit("basic_entangler", 4, seed=4)


def test_every_entry_says_what_it_is_and_where_it_comes_from() -> None:
    assert list_circuits() == tuple(ANSATZE)
    for table in (ANSATZE, ENCODINGS, READOUTS):
        for entry in table.values():
            assert len(entry.summary) > 20
            assert any(mark in entry.reference for mark in ("arXiv", "PennyLane", "section"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"circuit": "randm"}, r"`circuit` \(='randm'\) must be one of 'random', .*; did you mean 'random'\?$"),
        ({"circuit": "strongly-entangling"}, r"did you mean 'strongly_entangling'\?$"),
        (
            {"circuit": "qqq"},
            r"`circuit` \(='qqq'\) must be one of 'random', 'basic_entangler', 'strongly_entangling'$",
        ),
        ({"encoding": "ryy"}, r"`encoding` \(='ryy'\) must be one of 'ry', 'rx', 'threshold'; did you mean 'ry'\?$"),
        ({"encoding": "treshold"}, r"did you mean 'threshold'\?$"),
        ({"readout": "w"}, r"`readout` \(='w'\) must be one of 'z'"),
        ({"n_wires": 3}, r"`n_qubits` \(=3\) must be at least 4, the values in a window.*`n_qubits=4`"),
        ({"n_layers": 0}, r"`n_layers` \(=0\) must be .*at least 1$"),
        ({"n_layers": -2}, r"`n_layers` \(=-2\) must be .*at least 1$"),
        ({"n_layers": 1.5}, r"`n_layers` \(=1.5\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_valid_values(arguments: dict, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        named_circuit(**arguments)

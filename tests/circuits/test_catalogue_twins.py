"""Every named circuit is, gate for gate and number for number, what capture makes of its PennyLane function."""

from __future__ import annotations

import itertools

import numpy as np
import pennylane as qp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanvolve.circuits import ANSATZE, BLOCKS, ENCODINGS, READOUTS, Gate, named_circuit
from tests.circuits.pennylane_catalogue import CROSSED, ENCODE, MEASURE, WEIGH, captured_twin

SIZES = [(1, 1), (2, 2), (3, 1), (5, 3)]
"""Inputs and layers."""


def test_every_name_has_its_twin() -> None:
    assert (list(ANSATZE), list(ENCODINGS), list(READOUTS)) == (list(WEIGH), list(ENCODE), list(MEASURE))


def _require_equal(
    circuit: str, encoding: str, readout: str, n_inputs: int, n_wires: int, n_layers: int, seed: int, columns: int
) -> None:
    named = named_circuit(
        circuit, n_inputs, encoding=encoding, readout=readout, n_wires=n_wires, n_layers=n_layers, seed=seed,
        columns=columns,
    )  # fmt: skip
    twin = captured_twin(circuit, encoding, readout, n_inputs, n_wires, n_layers, seed, columns)
    assert named == twin
    # To the letter: what is stored of both is one file.
    assert named.to_json() == twin.to_json()


def _possible(circuit: str, encoding: str, n_wires: int, n_layers: int) -> bool:
    if circuit.startswith("qcnn"):
        return encoding != "reupload" and n_layers <= (n_wires - 1).bit_length()
    return True


@pytest.mark.parametrize("circuit", CROSSED)
@pytest.mark.parametrize("encoding", ENCODE)
def test_encodings_and_ansatze(circuit: str, encoding: str) -> None:
    counted = ANSATZE[circuit].remaining is None  # all qubits are, or none
    readouts = itertools.cycle(name for name, entry in READOUTS.items() if counted or entry.counts is None)
    compared = 0
    for n_inputs, n_layers in SIZES:
        least, usual = ENCODINGS[encoding].least(n_inputs), ENCODINGS[encoding].usual(n_inputs)
        for n_wires in sorted({least, usual + (n_inputs + n_layers) % 2}):
            if _possible(circuit, encoding, n_wires, n_layers):
                _require_equal(circuit, encoding, next(readouts), n_inputs, n_wires, n_layers, 3 + n_layers, n_wires)
                compared += 1
    assert compared or (circuit.startswith("qcnn") and encoding == "reupload")


# What capture makes of U3, and of measurements that decide over it, has more gates.
@pytest.mark.parametrize("block", [name for name in BLOCKS if name not in ("u_su4", "pennylane_qcnn")])
def test_qcnns(block: str) -> None:
    for n_wires, n_levels, readout in ((2, 1, "probs"), (5, 2, "zz"), (8, 3, "z")):
        _require_equal(f"qcnn_{block}", "ry", readout, n_wires, n_wires, n_levels, 0, n_wires)


@pytest.mark.parametrize("readout", MEASURE)
def test_readouts(readout: str) -> None:
    for n_wires in range(1, 8):
        _require_equal("none", "ry", readout, n_wires, n_wires, 1, 0, n_wires)


@settings(max_examples=15, deadline=None)
@given(
    circuit=st.sampled_from([name for name, entry in ANSATZE.items() if entry.local]),
    rows=st.integers(1, 3),
    columns=st.integers(1, 3),
    n_layers=st.integers(1, 4),
)
def test_local_ansatze(circuit: str, rows: int, columns: int, n_layers: int) -> None:
    _require_equal(circuit, "ry", "z", rows * columns, rows * columns, n_layers, 0, columns)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32), n_wires=st.integers(1, 9), n_layers=st.integers(1, 4))
def test_random_structures_are_those_of_random_layers(seed: int, n_wires: int, n_layers: int) -> None:
    shape = (n_layers, n_wires)
    numbers = np.arange(n_layers * n_wires).reshape(shape)
    expected = []
    for operation in qp.RandomLayers(numbers, wires=range(n_wires), seed=seed).decomposition():
        expected.append((operation.name, tuple(operation.wires), [int(number) for number in operation.parameters]))
    gates: tuple[Gate, ...] = named_circuit("random", n_wires, n_wires=n_wires, n_layers=n_layers, seed=seed).gates
    found = [
        (gate.name, gate.wires, [index for _, index, _ in gate.angle.weights] if gate.angle else [])
        for gate in gates[n_wires:]
    ]
    assert found == expected


def test_seeds_are_not_negative() -> None:
    with pytest.raises(Exception, match=r"^`seed` \(=-1\) must be a whole number of at least 0$"):
        named_circuit("random", 4, seed=-1)
    assert named_circuit("none", 4, seed=-1) == named_circuit("none", 4)

"""A tree as a circuit on few qubits that are reset: the values of the layer, the number of qubits, what is written."""

from __future__ import annotations

from typing import Any

import pennylane as qp
import pytest
import torch
from torch import Tensor

from quanvolve import CoherentTree
from quanvolve._errors import QuanvolveError
from quanvolve.backends import qiskit_circuit, tree_circuit, tree_qubits
from quanvolve.circuits import RESET, Angle, Bound, Circuit, Gate, Observable, named_block, openqasm
from tests.nn.trees import NAMES, measured

DOUBLE = torch.float64


def idle(n_wires: int) -> Circuit:
    """A block whose third qubit nothing reads, and whose last gate is on a qubit that is traced out."""
    gates = (
        Gate("RY", (0,), Angle(0.0, (), (("w", 0, 1.0),))),
        Gate("CNOT", (1, 0)),
        Gate("RX", (2,), Angle(0.0, (), (("w", 1, 1.0),))),
        Gate("RX", (1,), Angle(0.0, (), (("w", 2, 1.0),))),
    )
    return Circuit(n_wires, 0, gates, (Observable(((1.0, ((0, "Z"),)),)),), (("w", (3,)),))


TREES: dict[str, tuple[dict[str, Any], int]] = {
    "a series of 8": ({"input_size": 8}, 4),
    "several trees": ({"input_size": (2, 4), "n_trees": 2, "shared": True}, 4),
    "padding": ({"input_size": (3, 2), "scale": torch.rand(1, 3, 2, dtype=DOUBLE)}, 4),
    "a volume": ({"input_size": (2, 2, 2), "readout": "probs"}, 4),
    "two channels": ({"in_channels": 2, "input_size": (1, 4)}, 3),
    "dense": ({"in_channels": 2, "input_size": 4, "encoding": "dense", "readout": "z"}, 3),
    "threshold": ({"in_channels": 2, "input_size": 3, "encoding": "threshold"}, 3),
    "a map": ({"input_size": (2, 4), "n_levels": 2, "shared": True}, 3),
    "windows of 4": ({"input_size": (4, 4), "window": 2}, 3),
    "a block that is not a chain": ({"input_size": (2, 4), "window": 2, "block": "strongly_entangling"}, 4),
    "two kept": ({"input_size": 8, "keep": 2, "readout": "paulis"}, 4),
    "three kept of windows of 3": ({"input_size": 9, "window": 3, "keep": 3, "block": "brickwork"}, 4),
    "an ancilla": ({"input_size": 4, "block": idle(3)}, 3),
    "a qubit that nothing reads": ({"input_size": 9, "window": 3, "block": idle(3)}, 3),
}


def made(name: str) -> CoherentTree:
    return CoherentTree(**{"in_channels": 1, "seed": 1, "init": "uniform", "dtype": DOUBLE, **TREES[name][0]})


def drawn(tree: CoherentTree) -> Tensor:
    return torch.rand(1, tree.in_channels, *tree.input_size, dtype=DOUBLE, generator=torch.Generator().manual_seed(3))


def run(bound: Bound, values: dict[str, float]) -> Tensor:
    """The circuit as density matrices on its few qubits, with resets as channels."""

    @qp.qnode(qp.device("default.mixed", wires=bound.circuit.n_wires))
    def node() -> list[object]:
        for gate in bound.gates:
            if gate.name == RESET:
                qp.ResetError(1.0, 0.0, wires=gate.wires[0])
                continue
            angle = [] if gate.offset is None else [gate.offset + sum(f * values[name] for name, f in gate.terms)]
            getattr(qp, NAMES.get(gate.name, gate.name))(*angle, wires=gate.wires)
        return [qp.expval(measured(o, list(range(bound.circuit.n_wires)))) for o in bound.circuit.observables]

    return torch.tensor([float(value) for value in node()], dtype=DOUBLE)


@pytest.mark.parametrize("name", TREES)
def test_few_qubits_that_are_reset_have_the_values_of_the_layer(name: str) -> None:
    tree, qubits = made(name), TREES[name][1]
    image = drawn(tree)
    exact = tree(image).detach()[0].reshape(tree.n_trees, len(tree.observables), -1)
    assert tree_qubits(tree) == qubits
    for number in range(tree.n_trees):
        for place in range(exact.shape[2]):
            bound = tree_circuit(tree, image, number=number, place=place)
            assert bound.circuit.n_wires == qubits
            assert bound.parameters == ()
            torch.testing.assert_close(run(bound, {}), exact[number, :, place], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["padding", "threshold", "dense", "a map"])
def test_pixels_can_be_parameters(name: str) -> None:
    tree = made(name)
    image = drawn(tree)
    bound = tree_circuit(tree)
    values = bound.values(image.flatten())
    assert [parameter for parameter, _ in bound.parameters] == list(values)
    exact = tree(image).detach()[0].reshape(len(tree.observables), -1)[:, 0]
    torch.testing.assert_close(run(bound, values), exact, rtol=0, atol=1e-10)


def test_it_can_be_written_in_the_gates_of_a_device() -> None:
    tree = made("a series of 8")
    image = drawn(tree)
    bound = tree_circuit(tree, image[0], basis=["rz", "sx", "cx"])
    assert {gate.name for gate in bound.gates} == {"RZ", "SX", "CNOT", RESET}
    torch.testing.assert_close(run(bound, {}), tree(image).detach()[0], rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("options", "qubits"),
    [
        ({"input_size": (32, 32)}, 11),
        ({"input_size": (28, 28)}, 11),
        ({"input_size": 4096}, 13),
        ({"input_size": (32, 32), "window": 2}, 6),
        ({"input_size": 81, "window": 3}, 5),
        ({"input_size": 64, "keep": 2}, 7),
        ({"input_size": (32, 32), "in_channels": 3}, 11),
    ],
)
def test_large_trees_take_few_qubits(options: dict[str, Any], qubits: int) -> None:
    assert tree_qubits(CoherentTree(**{"in_channels": 1, "seed": 0, **options})) == qubits


def test_what_nothing_depends_on_is_left_out() -> None:
    tree = made("a qubit that nothing reads")
    bound = tree_circuit(tree, drawn(tree))
    assert sum(gate.name == "RY" for gate in bound.gates) == 4 + 3  # of leaves, and of blocks that are read
    assert sum(gate.name == "RX" for gate in bound.gates) == 0


def test_openqasm_and_qiskit_have_the_resets() -> None:
    from qiskit.qasm3 import loads

    tree = made("a series of 8")
    text = openqasm(tree_circuit(tree), "tree 0")
    assert text.splitlines()[2:5] == ["// tree 0", "// output 0: X of q[0]", "// output 1: Y of q[0]"]
    assert "input float[64] x7; // channel 0 of pixel (7)" in text
    assert text.count("reset q[") == 8 - 4
    assert "np.float64" not in text
    circuit = qiskit_circuit(tree_circuit(tree))
    assert circuit.num_qubits == 4
    assert dict(circuit.count_ops())["reset"] == 4
    assert circuit.metadata["parameters"]["x0"] == "channel 0 of pixel (0)"
    bits = openqasm(tree_circuit(made("threshold")))
    assert "b5; // 1 if 3.1415926535897931 * channel 1 of pixel (2) > 1.5707963267948966, else 0" in bits
    fixed = openqasm(tree_circuit(tree, drawn(tree)))
    assert dict(loads(fixed).count_ops()) == dict(qiskit_circuit(tree_circuit(tree, drawn(tree))).count_ops())


def test_errors_say_what_is_wrong() -> None:
    tree = made("several trees")
    with pytest.raises(QuanvolveError, match=r"`number` \(=2\) must be in 0 to 1: the layer has 2 trees"):
        tree_circuit(tree, number=2)
    with pytest.raises(QuanvolveError, match=r"`place` \(=1\) must be in 0 to 0: the layer has 1 windows that are"):
        tree_circuit(tree, place=1)
    with pytest.raises(QuanvolveError, match=r"`image` has shape \(4, 4\), expected \(1, 2, 4\)"):
        tree_circuit(tree, torch.zeros(4, 4))
    with pytest.raises(QuanvolveError, match="`image` has values that are not finite"):
        tree_circuit(tree, torch.full((1, 2, 4), torch.nan))
    with pytest.raises(QuanvolveError, match="`tree` is a Circuit, expected a CoherentTree"):
        tree_circuit(named_block("su4"))  # type: ignore[arg-type]

"""The named circuits against PennyLane's own templates."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve import Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import ANSATZE, BLOCKS, ENCODINGS, READOUTS, Circuit, list_circuits, named_circuit, plans_for
from quanvolve.compile import plans_of
from tests.circuits.pennylane_blocks import qcnn
from tests.circuits.pennylane_catalogue import CROSSED
from tests.compile.reference import draw_point, run_plan, run_qnode

SEED = 7


def _encode(encoding: str, inputs: Any, n: int, wires: int) -> None:
    """The encodings again, from their definitions."""
    if encoding == "threshold":
        for wire in range(n):
            if inputs[wire] > math.pi / 2:
                qp.PauliX(wires=wire)
    elif encoding in ("ry", "rx", "rz"):
        for wire in range(n):
            if encoding == "rz":
                qp.Hadamard(wires=wire)
            {"ry": qp.RY, "rx": qp.RX, "rz": qp.RZ}[encoding](inputs[wire], wires=wire)
    elif encoding == "dense":
        for wire in range((n + 1) // 2):
            qp.RY(inputs[2 * wire], wires=wire)
            if 2 * wire + 1 < n:
                qp.PhaseShift(inputs[2 * wire + 1], wires=wire)
    elif encoding == "amplitude":
        size = max(1, math.ceil(math.log2(n)))
        state = np.zeros(2**size)
        state[:n] = inputs
        qp.StatePrep(state / np.linalg.norm(state), wires=range(size))
    elif encoding == "iqp":
        for wire in range(n):
            qp.Hadamard(wires=wire)
            qp.RZ(inputs[wire], wires=wire)
        for i, j in itertools.combinations(range(n), 2):
            qp.IsingZZ(inputs[i] * inputs[j], wires=[i, j])
    elif encoding == "zz_feature_map":
        for _ in range(2):
            for wire in range(n):
                qp.Hadamard(wires=wire)
                qp.RZ(2 * inputs[wire], wires=wire)
            for i, j in itertools.combinations(range(n), 2):
                qp.IsingZZ(2 * (math.pi - inputs[i]) * (math.pi - inputs[j]), wires=[i, j])
    else:
        assert encoding == "reupload"
        for k in range(n):
            (qp.RY, qp.RZ)[(k // wires) % 2](inputs[k], wires=k % wires)


def _weigh(ansatz: str, weights: Any, n: int, upload: Callable[[], None]) -> Sequence[int]:
    """The ansatze again; `upload` comes before each layer but the first. Gives the qubits that are measured."""
    if ansatz.startswith("qcnn_"):
        block = ansatz.removeprefix("qcnn_")
        return qcnn(block, "zx", True, weights, n, BLOCKS[block].n_weights)
    if ansatz == "qcnn":
        _qcnn(weights, n)
    else:
        _layers(ansatz, weights, n, upload)
    return range(n)


def _layers(ansatz: str, weights: Any, n: int, upload: Callable[[], None]) -> None:
    if ansatz == "hardware_efficient":
        for layer, row in enumerate(weights):
            if 0 < layer < len(weights) - 1:
                upload()
            for wire in range(n):
                qp.RY(row[wire, 0], wires=wire)
                qp.RZ(row[wire, 1], wires=wire)
            if layer < len(weights) - 1:
                for wire in range(n - 1):
                    qp.CZ(wires=[wire, wire + 1])
        return
    for layer in range(len(weights)):
        if layer:
            upload()
        if ansatz == "basic_entangler":
            qp.BasicEntanglerLayers(weights[layer : layer + 1], wires=range(n))
        elif ansatz == "none":
            for wire in range(n):
                qp.Rot(*weights[layer, wire], wires=wire)
        elif ansatz in ("brickwork", "grid", "identity_blocks"):
            _local(ansatz, layer, weights[layer], n, n)
        else:
            assert ansatz == "strongly_entangling"
            for wire in range(n):
                qp.Rot(*weights[layer, wire], wires=wire)
            reach = layer % (n - 1) + 1 if n > 1 else 0
            for wire in range(n if n > 1 else 0):
                qp.CNOT(wires=[wire, (wire + reach) % n])


def _local(ansatz: str, layer: int, weights: Any, n: int, columns: int) -> None:
    """A layer on a window with so many columns; the neighbours are found by looking at all pairs."""
    turn, down = (layer, False) if ansatz == "brickwork" else (layer // 2, layer % 2 == 1)
    if ansatz == "identity_blocks" and columns == n:
        down = False
    pairs = []
    for one in range(n):
        for other in range(one + 1, n):
            (r, c), (s, d) = divmod(one, columns), divmod(other, columns)
            if ((s - r, d - c) == (1, 0) if down else (s - r, d - c) == (0, 1)) and (r if down else c) % 2 == turn % 2:
                pairs.append((one, other))
    for part in range(2 if ansatz == "identity_blocks" else 1):
        for step in ("pairs", "rotations") if ansatz == "identity_blocks" else ("rotations", "pairs"):
            if step == "pairs":
                for pair in pairs:
                    qp.CNOT(wires=pair)
            else:
                for wire in range(n):
                    own = weights[wire, part] if ansatz == "identity_blocks" else weights[wire]
                    qp.Rot(*own, wires=wire)


@pytest.mark.parametrize("ansatz", ["brickwork", "grid", "identity_blocks"])
@pytest.mark.parametrize("columns", [2, 3])
def test_local_ansatze_couple_neighbours_of_the_window(ansatz: str, columns: int) -> None:
    circuit = named_circuit(ansatz, 6, n_layers=4, columns=columns)

    def function(inputs: Any, weights: Any) -> list[Any]:
        for wire in range(6):
            qp.RY(inputs[wire], wires=wire)
        for layer in range(4):
            _local(ansatz, layer, weights[layer], 6, columns)
        return [qp.expval(qp.Z(wire)) for wire in range(6)]

    windows, weights = draw_point(circuit, filters=1, windows=2)
    expected = [
        run_qnode(function, window.numpy(), {"weights": weights["weights"][0].numpy()}, 6) for window in windows
    ]
    for name, plan in plans_of([circuit])[0].items():
        found = run_plan(plan, circuit, windows, weights, False)[:, 0]
        np.testing.assert_allclose(found.numpy(), np.array(expected), rtol=0, atol=1e-10, err_msg=name)


def test_the_columns_of_a_layer_are_those_of_its_window() -> None:
    assert Quanv2d(1, 6, (3, 2), circuit="grid").circuits == (named_circuit("grid", 6, columns=2),)
    assert Quanv2d(1, 6, (3, 2), circuit="grid").circuits != (named_circuit("grid", 6),)
    # Qubits that are no pixels have no rows.
    assert Quanv2d(1, 3, (3, 2), circuit="grid", encoding="dense").circuits[0].n_wires == 3


def _qcnn(weights: Any, n: int) -> None:
    active = list(range(n))
    for w in weights:
        even, odd = list(zip(active[::2], active[1::2])), list(zip(active[1::2], active[2::2]))  # noqa: B905
        for i, j in even + odd:
            qp.Rot(*w[0:3], wires=i)
            qp.Rot(*w[3:6], wires=j)
            for angle, pauli in zip(w[6:9], ("XX", "YY", "ZZ"), strict=True):
                qp.PauliRot(angle, pauli, wires=[i, j])
            qp.Rot(*w[9:12], wires=i)
            qp.Rot(*w[12:15], wires=j)
        for kept, pooled in even:
            qp.ctrl(qp.RZ(w[15], wires=kept), control=pooled, control_values=1)
            qp.ctrl(qp.RX(w[16], wires=kept), control=pooled, control_values=0)
            qp.PauliX(wires=pooled)
        active = active[::2]


SIZES = [(1, 1, 1), (2, 2, 3), (4, 4, 2), (3, 5, 1), (5, 3, 2)]


def _fitting(encoding: str, ansatz: str) -> list[tuple[int, int, int]]:
    fitting = [s for s in SIZES if ENCODINGS[encoding].least(s[0]) <= s[1]]
    return [s for s in fitting if s[2] <= (s[1] - 1).bit_length()] if ansatz.startswith("qcnn") else fitting


@pytest.mark.parametrize("ansatz", CROSSED)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_named_circuits_are_what_they_are_called(encoding: str, ansatz: str) -> None:
    if encoding == "reupload" and ansatz.startswith("qcnn"):
        with pytest.raises(QuanvolveError, match=f"which '{ansatz}' does not have: use one of 'random', 'basic"):
            named_circuit(ansatz, 4, encoding=encoding)
        return
    sizes = _fitting(encoding, ansatz)
    assert len(sizes) >= 1
    for n_inputs, n_wires, n_layers in sizes:
        circuit = named_circuit(ansatz, n_inputs, encoding=encoding, n_wires=n_wires, n_layers=n_layers, seed=SEED)
        measured = n_wires if ANSATZE[ansatz].remaining is None else -(-n_wires // 2**n_layers)
        assert (circuit.n_wires, circuit.n_inputs, circuit.n_outputs) == (n_wires, n_inputs, measured)
        assert Circuit.from_json(circuit.to_json()) == circuit
        ((name, shape),) = circuit.weight_shapes
        assert name == "weights"

        def function(inputs: Any, weights: Any) -> list[Any]:
            def upload() -> None:
                if encoding == "reupload":
                    _encode(encoding, inputs, n_inputs, n_wires)  # noqa: B023

            _encode(encoding, inputs, n_inputs, n_wires)  # noqa: B023
            if ansatz == "random":
                if encoding == "reupload":
                    for layer in range(n_layers):  # noqa: B023
                        if layer:
                            upload()
                        own = weights[layer : layer + 1]
                        qp.RandomLayers(own, wires=range(n_wires), seed=SEED + layer)  # noqa: B023
                else:
                    qp.RandomLayers(weights, wires=range(n_wires), seed=SEED)  # noqa: B023
            measured = range(n_wires)  # noqa: B023
            if ansatz != "random":
                measured = _weigh(ansatz, weights, n_wires, upload)  # noqa: B023
            return [qp.expval(qp.Z(wire)) for wire in measured]

        generator = torch.Generator().manual_seed(5)
        weights = 6 * torch.rand(2, *shape, generator=generator, dtype=torch.float64)
        windows = math.pi * torch.rand(2, n_inputs, generator=generator, dtype=torch.float64)
        possible, _ = plans_of([circuit])
        for name in plans_for(ansatz, encoding, "z"):
            found = run_plan(possible[name], circuit, windows, {"weights": weights}, False)
            for window, row in zip(windows.numpy(), found, strict=True):
                for f in range(2):
                    reference = run_qnode(function, window, {"weights": weights[f].numpy()}, n_wires)
                    np.testing.assert_allclose(row[f].numpy(), reference, rtol=0, atol=1e-10)


def _measure(readout: str, n: int) -> list[Any]:
    pauli = {"x": qp.X, "y": qp.Y}.get(readout, qp.Z)
    found = [qp.expval(pauli(wire)) for wire in range(n)]
    if readout == "zz":
        found += [qp.expval(qp.Z(wire) @ qp.Z(wire + 1)) for wire in range(n - 1)]
    return found


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("encoding", ["ry", "threshold", "iqp"])
def test_readouts_are_what_they_are_called(readout: str, encoding: str) -> None:
    circuit = named_circuit("strongly_entangling", 3, encoding=encoding, readout=readout, n_layers=1)

    def function(inputs: Any, weights: Any) -> list[Any]:
        _encode(encoding, inputs, 3, 3)
        qp.StronglyEntanglingLayers(weights, wires=range(3))
        if readout.startswith("p"):
            return [qp.probs(wires=range(3))]
        return _measure(readout, 3)

    generator = torch.Generator().manual_seed(5)
    weights = 6 * torch.rand(1, *circuit.weight_shapes[0][1], generator=generator, dtype=torch.float64)
    windows = math.pi * torch.rand(3, 3, generator=generator, dtype=torch.float64)
    possible, _ = plans_of([circuit])
    assert set(plans_for("strongly_entangling", encoding, readout)) == set(possible)
    for window in windows:
        reference = run_qnode(function, window.numpy(), {"weights": weights[0].numpy()}, 3)
        if readout == "popcount":
            reference = np.array([float(int(reference.argmax()).bit_count())])
        elif readout.startswith("popcount"):
            reference = np.array([sum(p * number.bit_count() for number, p in enumerate(reference))])
        for plan in possible.values():
            if readout == "popcount_sampled":
                torch.manual_seed(3)
                many = run_plan(plan, circuit, window.expand(20_000, 3), {"weights": weights}, False).flatten()
                assert set(many.tolist()) <= {0.0, 1.0, 2.0, 3.0}
                assert abs(float(many.mean()) - reference[0]) < 5 * 1.5 / 20_000**0.5
            else:
                found = run_plan(plan, circuit, window[None], {"weights": weights}, False)[0, 0]
                np.testing.assert_allclose(found.numpy(), reference, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("encoding", "n_inputs", "usual"), [("dense", 9, 5), ("amplitude", 16, 4), ("amplitude", 17, 5)]
)
def test_fewer_qubits_than_values(encoding: str, n_inputs: int, usual: int) -> None:
    assert named_circuit("none", n_inputs, encoding=encoding).n_wires == usual
    assert named_circuit("none", n_inputs, encoding=encoding, n_wires=usual + 2).n_wires == usual + 2
    with pytest.raises(QuanvolveError, match=rf"`n_qubits` \(={usual - 1}\) must be at least {usual}, which the"):
        named_circuit("none", n_inputs, encoding=encoding, n_wires=usual - 1)


def test_the_levels_of_a_qcnn_are_limited() -> None:
    with pytest.raises(QuanvolveError, match=r"`n_layers` \(=3\) must be at most 2 for 'qcnn' on 4 .*`n_layers=2`"):
        named_circuit("qcnn", 4, n_layers=3)
    with pytest.raises(QuanvolveError, match=r"must be at most 0 for 'qcnn' on 1 qubit.*use more qubits"):
        named_circuit("qcnn", 1, n_layers=1)


def test_outcomes_are_limited() -> None:
    with pytest.raises(QuanvolveError, match="the readout 'probs' on 11 qubits has 2048 outcomes, at most 10 qubits"):
        named_circuit("none", 11, readout="probs")


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
            assert any(mark in entry.reference for mark in ("arXiv", "PennyLane", "section", "Nature"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"circuit": "randm"}, r"`circuit` \(='randm'\) must be one of 'random', .*; did you mean 'random'\?$"),
        ({"circuit": "strongly-entangling"}, r"did you mean 'strongly_entangling'\?$"),
        (
            {"circuit": "qqq"},
            r"`circuit` \(='qqq'\) must be one of 'random', 'basic_entangler', 'strongly_entangling', .*, 'none'$",
        ),
        ({"encoding": "ryy"}, r"`encoding` \(='ryy'\) must be one of 'ry', 'rx', 'rz', .*; did you mean 'ry'\?$"),
        ({"encoding": "treshold"}, r"did you mean 'threshold'\?$"),
        ({"readout": "w"}, r"`readout` \(='w'\) must be one of 'z'"),
        (
            {"n_wires": 3},
            r"`n_qubits` \(=3\) must be at least 4, which the 'ry' encoding needs for the 4 values.*`n_qubits=4`",
        ),
        ({"n_layers": 0}, r"`n_layers` \(=0\) must be .*at least 1$"),
        ({"n_layers": -2}, r"`n_layers` \(=-2\) must be .*at least 1$"),
        ({"n_layers": 1.5}, r"`n_layers` \(=1.5\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_valid_values(arguments: dict, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        named_circuit(**arguments)

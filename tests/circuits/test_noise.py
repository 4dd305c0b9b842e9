"""Noise models of PennyLane and Qiskit Aer in circuit descriptions, against these simulators themselves."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pennylane as qp
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error, kraus_error, phase_amplitude_damping_error
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import (
    GATES,
    PAULIS,
    QISKIT_NAMES,
    Angle,
    Circuit,
    Gate,
    Observable,
    channel,
    named_circuit,
    rebase,
    simulate,
    transfer_of,
    with_noise,
)

RNG = np.random.default_rng(11)
Z4 = tuple(Observable(((1.0, ((wire, "Z"),)),)) for wire in range(4))


def on_aer(circuit: Circuit, model: NoiseModel, window: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
    """<Z> of all wires from Aer's density matrix, its readout errors applied to the probabilities by hand."""
    written = rebase(circuit, model.basis_gates)
    quantum = QuantumCircuit(circuit.n_wires)
    for gate in written.gates:
        arguments: list[Any] = []
        if gate.angle is not None:
            angle = gate.angle.offset + sum(c * window[i] for i, c in gate.angle.inputs)
            arguments = [angle + sum(c * weights[n].flat[i] for n, i, c in gate.angle.weights)]
        getattr(quantum, QISKIT_NAMES[gate.name])(*arguments, *gate.wires)
    quantum.save_density_matrix()
    simulator = AerSimulator(noise_model=model, method="density_matrix")
    state = simulator.run(quantum).result().data()["density_matrix"]
    found = []
    readout = {e["gate_qubits"][0][0]: e["probabilities"] for e in model.to_dict()["errors"] if e["type"] == "roerror"}
    for wire in range(circuit.n_wires):
        word = "".join("Z" if other == wire else "I" for other in reversed(range(circuit.n_wires)))
        zero = (1 + state.expectation_value(SparsePauliOp(word)).real) / 2
        (_, wrong0), (wrong1, _) = readout.get(wire, [[1, 0], [0, 1]])
        p0 = zero * (1 - wrong0) + (1 - zero) * wrong1
        found.append(2 * p0 - 1)
    return np.array(found)


def hand_made() -> NoiseModel:
    model = NoiseModel(basis_gates=["rz", "sx", "x", "cx"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.01, 1), ["sx", "x"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.03, 2), ["cx"])
    model.add_quantum_error(phase_amplitude_damping_error(0.05, 0.02), ["sx"], [1])
    size = RNG.normal(size=(12, 4)) + 1j * RNG.normal(size=(12, 4))
    model.add_quantum_error(kraus_error(list(np.linalg.qr(size)[0].reshape(3, 4, 4))), ["cx"], [2, 3])
    model.add_readout_error(ReadoutError([[0.97, 0.03], [0.08, 0.92]]), [2])
    return model


@pytest.mark.parametrize("which", ["hand-made", "manila"])
def test_aer_noise_is_aers_density_matrix(which: str) -> None:
    model = hand_made() if which == "hand-made" else NoiseModel.from_backend(FakeManilaV2())
    chain = [Gate("CNOT", (wire, wire + 1)) for wire in range(3)]
    turns = [
        Gate(axis, (w,), Angle(0.2, weights=(("weights", w, 1.0),))) for w, axis in enumerate(["RX", "RY", "RZ", "RX"])
    ]
    encoding = [Gate("RY", (wire,), Angle(inputs=((wire, 1.0),))) for wire in range(4)]
    circuit = Circuit(4, 4, (*encoding, *chain, *turns, Gate("H", (1,)), *chain), Z4, (("weights", (4,)),))
    weights, window = {"weights": RNG.uniform(0, 6, 4)}, RNG.uniform(0, 3, 4)
    noisy = with_noise(circuit, model)
    assert noisy.noisy
    assert simulate(noisy, window, weights) == pytest.approx(on_aer(circuit, model, window, weights), abs=1e-8)


def test_aer_pairs_without_an_error_are_named() -> None:
    circuit = Circuit(4, 0, (Gate("CNOT", (3, 0)),), Z4)
    with pytest.warns(UserWarning, match=r"has no error for cx on \[3, 0\], so these gates are without noise"):
        with_noise(circuit, NoiseModel.from_backend(FakeManilaV2()))


def pennylane_model() -> qp.NoiseModel:
    def damping(op: Any, **kwargs: Any) -> None:
        qp.AmplitudeDamping(0.04, wires=op.wires[0])

    def pairs(op: Any, **kwargs: Any) -> None:
        for wire in op.wires:
            qp.DepolarizingChannel(kwargs["strength"], wires=wire)

    def late(op: Any, **kwargs: Any) -> None:
        qp.BitFlip(0.03, wires=1)

    def coherent(op: Any, **kwargs: Any) -> None:
        qp.RX(0.05, wires=op.wires[0])

    return qp.NoiseModel(
        {
            qp.noise.op_in(["RY", "RX"]): damping,
            qp.noise.op_eq(qp.CNOT): pairs,
            qp.noise.wires_in([0]) & qp.noise.op_eq(qp.RX): coherent,
        },
        meas_map={qp.noise.wires_in([1]): late},
        strength=0.02,
    )


def test_a_pennylane_noise_model_is_default_mixed_with_it() -> None:
    model = pennylane_model()
    circuit = named_circuit("basic_entangler", 3, n_layers=2)
    weights, window = RNG.uniform(0, 6, (2, 3)), RNG.uniform(0, 3, 3)

    @qp.noise.add_noise(noise_model=model)
    @qp.qnode(qp.device("default.mixed", wires=3))
    def function() -> list[Any]:
        for wire, x in enumerate(window):
            qp.RY(np.pi * x / np.pi, wires=wire)
        for layer in weights:
            for wire, angle in enumerate(layer):
                qp.RX(angle, wires=wire)
            for wire in range(3):
                qp.CNOT(wires=[wire, (wire + 1) % 3])
        return [qp.expval(qp.Z(wire)) for wire in range(3)]

    found = simulate(with_noise(circuit, model), window, {"weights": weights})
    assert found == pytest.approx(np.array(function()), abs=1e-10)


def test_noise_that_depends_on_an_angle_of_pixels_is_refused() -> None:
    def angled(op: Any, **kwargs: Any) -> None:
        qp.PhaseDamping(abs(np.sin(op.parameters[0])), wires=op.wires[0])

    model = qp.NoiseModel({qp.noise.op_eq(qp.RY): angled})
    with pytest.raises(QuanvolveError, match="depends on the gate's angle, which reads pixels or weights"):
        with_noise(named_circuit("basic_entangler", 2), model)


@pytest.mark.parametrize("basis", [["rz", "sx", "cx"], ["rz", "sx", "x", "cz"], ["rx", "ry", "rz", "h", "cx"]], ids=str)
@pytest.mark.parametrize("name", list(GATES))
def test_rebased_gates_are_the_gates(name: str, basis: list[str]) -> None:
    kind = GATES[name]
    wires = tuple(range(kind.n_wires))
    gate = Gate(name, wires, Angle(0.7) if kind.axis else None)
    every = [
        Observable(((1.0, tuple(zip(wires, word, strict=True))),))
        for word in itertools.product("XYZ", repeat=len(wires))
    ]
    turned = [Gate("RY", (w,), Angle(0.4 + w)) for w in wires] + [Gate("RZ", (w,), Angle(1.1 - w)) for w in wires]
    before = Circuit(len(wires), 0, (*turned, gate), tuple(every))
    after = rebase(Circuit(len(wires), 0, (gate,), tuple(every)), basis)
    assert {QISKIT_NAMES[g.name] for g in after.gates} <= set(basis)
    whole = Circuit(len(wires), 0, (*turned, *after.gates), tuple(every))
    assert simulate(whole, [], {}) == pytest.approx(simulate(before, [], {}), abs=1e-12)


ERRORS = [
    ({"depolarising": 0.1}, r"`noise` has the unknown channel 'depolarising', known are 'depolarizing', "),
    ({"bit_flip": 1.5}, r"`noise\['bit_flip'\]` \(=1.5\) must be a number in \[0, 1\]"),
    ({"bit_flip": True}, r"`noise\['bit_flip'\]` \(=True\) must be a number in \[0, 1\]"),
    ({"readout": (0.1,)}, r"`noise\['readout'\]` \(=\(0.1,\)\) must be one number, or P\(1 \| 0\) and P\(0 \| 1\)"),
    (0.1, r"`noise` \(=0.1\) must be a mapping from names \(depolarizing, .*, a PennyLane NoiseModel or a Qiskit Aer"),
]


@pytest.mark.parametrize(("noise", "message"), ERRORS, ids=[m[:40] for _, m in ERRORS])
def test_bad_noise_is_named(noise: Any, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        with_noise(named_circuit("basic_entangler", 2), noise)


def test_counts_have_no_noise() -> None:
    with pytest.raises(QuanvolveError, match=r"is not an expectation value, and noise is computed.*popcount_expected"):
        with_noise(named_circuit("basic_entangler", 2, readout="popcount"), {"bit_flip": 0.1})


def test_kraus_operators_are_checked() -> None:
    with pytest.raises(QuanvolveError, match=r"do not keep the trace: .* differs from 1 by 1"):
        channel([PAULIS["X"], PAULIS["Z"]], [0])
    with pytest.raises(
        QuanvolveError, match=r"have the shapes \[\(2, 2\)\], expected one or two wires and shapes \(4, 4\)"
    ):
        channel([PAULIS["X"]], [0, 1])


CHANNELS = [
    (Gate("CHANNEL", (0,)), "a channel has the name 'CHANNEL', a transfer matrix and no angle"),
    (Gate("RX", (0,), None, ((1.0,),)), "a channel has the name 'CHANNEL'"),
    (Gate("CHANNEL", (0, 0), None, ((1.0,),)), "wires must be distinct"),
    (Gate("CHANNEL", (0,), None, ((1.0,),)), "a 4 x 4 or 16 x 16 matrix, got 1 rows"),
    (Gate("CHANNEL", (0,), None, tuple((2.0, 0.0, 0.0, 0.0) for _ in range(4))), "keeps the trace, so the first row"),
    (Gate("CHANNEL", (0,), None, tuple((float("nan"),) * 4 for _ in range(4))), "its transfer matrix must be finite"),
]


@pytest.mark.parametrize(("gate", "message"), CHANNELS, ids=[m[:30] for _, m in CHANNELS])
def test_channels_of_a_description_are_checked(gate: Gate, message: str) -> None:
    with pytest.raises(QuanvolveError, match=message):
        Circuit(2, 0, (gate,), Z4[:2])


def test_noisy_circuits_travel_as_json() -> None:
    noisy = with_noise(named_circuit("strongly_entangling", 2), {"amplitude_damping": 0.123456789, "readout": 0.01})
    assert Circuit.from_json(noisy.to_json()) == noisy


def test_transfer_matrices_compose() -> None:
    first = np.linalg.qr(RNG.normal(size=(4, 4)) + 1j * RNG.normal(size=(4, 4)))[0]
    second = np.linalg.qr(RNG.normal(size=(4, 4)) + 1j * RNG.normal(size=(4, 4)))[0]
    assert transfer_of([second @ first]) == pytest.approx(transfer_of([second]) @ transfer_of([first]), abs=1e-12)


@pytest.mark.parametrize(("basis", "missing"), [(["h", "sx", "cx"], "'rz'"), (["rz", "cx"], "'sx'")])
def test_a_basis_that_is_not_enough_is_named(basis: list[str], missing: str) -> None:
    with pytest.raises(QuanvolveError, match=f"are not enough to write the circuit: {missing} must be one of them"):
        rebase(named_circuit("strongly_entangling", 2), basis)


def test_a_basis_without_a_pair_gate_is_named() -> None:
    with pytest.raises(QuanvolveError, match="CNOT cannot be written in the basis gates ecr, rz, sx: 'cx' or 'cz'"):
        rebase(named_circuit("strongly_entangling", 2), ["rz", "sx", "ecr"])

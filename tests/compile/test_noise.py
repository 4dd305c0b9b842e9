"""Exact noise: every plan that takes channels agrees with density matrices of PennyLane's default.mixed."""

from __future__ import annotations

import numpy as np
import pennylane as qp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quanvolve import Quanv2d
from quanvolve.circuits import Angle, Circuit, Gate, Observable, named_circuit, simulate, with_noise
from quanvolve.compile import Planner
from quanvolve.nn import Quanv1d

STRENGTHS = ("depolarizing", "amplitude_damping", "phase_damping", "bit_flip", "phase_flip")
NOISES = [{name: 0.07} for name in STRENGTHS] + [
    {"depolarizing": 0.01, "amplitude_damping": 0.05, "readout": (0.02, 0.06)},
    {"readout": 0.1},
]
RNG = np.random.default_rng(5)


def values(circuit: Circuit, window: np.ndarray, weights: dict[str, np.ndarray], engine: str) -> np.ndarray:
    """What a layer with this one circuit gives for one window."""
    layer = Quanv1d(
        1, circuit.n_outputs, len(window), circuit=circuit, scale=1.0, engine=engine, dtype=torch.float64,
        weights={k: torch.as_tensor(v)[None, None] for k, v in weights.items()} or None,
    )  # fmt: skip
    return layer(torch.as_tensor(window)[None, None]).detach().numpy().reshape(-1)


def drawn(circuit: Circuit) -> dict[str, np.ndarray]:
    return {name: RNG.uniform(0, 6, shape) for name, shape in circuit.weight_shapes}


@pytest.mark.parametrize("noise", NOISES, ids=str)
@pytest.mark.parametrize("engine", ["polynomial", "tensor_train"])
@pytest.mark.parametrize("ansatz", ["strongly_entangling", "basic_entangler", "random"])
def test_noise_after_every_gate_agrees_with_density_matrices(ansatz: str, engine: str, noise: dict[str, float]) -> None:
    circuit = with_noise(named_circuit(ansatz, 4, n_layers=2, seed=3), noise)
    weights, window = drawn(circuit), RNG.uniform(0, 3, 4)
    assert values(circuit, window, weights, engine) == pytest.approx(simulate(circuit, window, weights), abs=1e-10)


@pytest.mark.parametrize("encoding", ["rx", "dense", "threshold"])
@pytest.mark.parametrize("readout", ["zz", "x", "y", "probs"])
def test_noise_in_other_encodings_and_readouts(encoding: str, readout: str) -> None:
    circuit = with_noise(
        named_circuit("strongly_entangling", 4, encoding=encoding, readout=readout),
        {"amplitude_damping": 0.1, "readout": (0.03, 0.08)},
    )
    weights, window = drawn(circuit), RNG.uniform(0, 1, 4)
    found = values(circuit, window, weights, "polynomial")
    assert found == pytest.approx(simulate(circuit, window, weights), abs=1e-10)


def mixed_by_hand(window: np.ndarray, weights: np.ndarray, p: float, gamma: float) -> np.ndarray:
    """The demo's circuit in PennyLane's own words, with noise typed after every gate."""

    def noise(*wires: int) -> None:
        for wire in wires:
            qp.DepolarizingChannel(p, wires=wire)
            qp.AmplitudeDamping(gamma, wires=wire)

    @qp.qnode(qp.device("default.mixed", wires=3))
    def circuit() -> list[object]:
        for wire, x in enumerate(window):
            qp.RY(np.pi * x, wires=wire)
            noise(wire)
        for layer in weights:
            for wire, angle in enumerate(layer):
                qp.RX(angle, wires=wire)
                noise(wire)
            for pair in ((0, 1), (1, 2), (2, 0)):
                qp.CNOT(wires=pair)
                noise(*pair)
        return [qp.expval(qp.Z(wire)) for wire in range(3)]

    return np.array(circuit())


def test_a_layer_with_noise_is_the_circuit_with_channels_typed_by_hand() -> None:
    layer = Quanv1d(
        1,
        3,
        3,
        circuit="basic_entangler",
        noise={"depolarizing": 0.02, "amplitude_damping": 0.03},
        seed=0,
        dtype=torch.float64,
    )
    window = RNG.uniform(0, 1, 3)
    found = layer(torch.as_tensor(window)[None, None]).detach().numpy().reshape(-1)
    expected = mixed_by_hand(window, layer.weights.detach().numpy()[0, 0], 0.02, 0.03)
    assert found == pytest.approx(expected, abs=1e-10)


@st.composite
def noisy_circuits(draw: st.DrawFn) -> Circuit:
    """Random circuits with channels anywhere, on one and on two wires."""
    n = draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    gates = [Gate("RY", (wire,), Angle(inputs=((wire, 1.0),))) for wire in range(n)]
    for _ in range(draw(st.integers(1, 8))):
        # A channel on two wires in general position has operator rank 16: more of them need too large a bond.
        pairs = sum(gate.transfer is not None and len(gate.wires) == 2 for gate in gates)
        kind = rng.integers(4 if not pairs else 3)
        wires = tuple(int(w) for w in rng.permutation(n)[:2])
        if kind == 0:
            gates.append(Gate(str(rng.choice(["RX", "RY", "RZ"])), wires[:1], Angle(float(rng.uniform(0, 6)))))
        elif kind == 1:
            gates.append(Gate(str(rng.choice(["CNOT", "CZ", "SWAP", "ISWAP"])), wires))
        else:
            gates.append(random_channel(wires[: kind - 1], rng))
    words = tuple((1.0, ((wire, str(rng.choice(["X", "Y", "Z"]))),)) for wire in range(n))
    return Circuit(n, n, tuple(gates), tuple(Observable((word,)) for word in words))


def random_channel(wires: tuple[int, ...], rng: np.random.Generator) -> Gate:
    """Kraus operators from a random isometry."""
    from quanvolve.circuits import channel

    size = 2 ** len(wires)
    big = rng.normal(size=(3 * size, size)) + 1j * rng.normal(size=(3 * size, size))
    isometry = np.linalg.qr(big)[0]
    return channel(list(isometry.reshape(3, size, size)), wires)


@settings(max_examples=40, deadline=None)
@given(noisy_circuits(), st.sampled_from(["polynomial", "tensor_train"]))
def test_random_channels_agree_with_density_matrices(circuit: Circuit, engine: str) -> None:
    window = np.linspace(0.3, 2.1, circuit.n_inputs)
    assert values(circuit, window, {}, engine) == pytest.approx(simulate(circuit, window, {}), abs=1e-9)


def test_noise_on_25_qubits_agrees_with_its_light_cones() -> None:
    circuit = with_noise(named_circuit("brickwork", 25, n_layers=2, columns=5), {"depolarizing": 0.02, "readout": 0.01})
    weights, window = drawn(circuit), RNG.uniform(0, 3, 25)
    found = values(circuit, window, weights, "tensor_train")
    assert len(found) == 25
    from quanvolve.compile.tables._cones import cut

    for output in (0, 12, 24):
        (small,) = cut([circuit], (output,))
        assert small.n_wires <= 6
        assert simulate(small, window, weights)[0] == pytest.approx(found[output], abs=1e-10)


def test_gradients_with_noise() -> None:
    layer = Quanv2d(1, 4, 2, noise={"depolarizing": 0.03, "amplitude_damping": 0.05}, seed=1, dtype=torch.float64)
    images = torch.rand(1, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    weights = layer.weights.detach().requires_grad_()

    def run(images: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weights": weights}, (images,))

    assert torch.autograd.gradcheck(run, (images, weights))


def test_depolarizing_noise_costs_nothing_more() -> None:
    images = torch.rand(2, 1, 6, 6)
    quiet = Quanv2d(1, 4, 2, circuit="random", trainable=False, seed=2)
    noisy = Quanv2d(1, 4, 2, circuit="random", trainable=False, seed=2, noise={"depolarizing": 0.01})
    assert (quiet.polynomial() != 0).sum() == (noisy.polynomial() != 0).sum()
    assert not torch.allclose(quiet(images), noisy(images))


def test_a_noisy_layer_travels_in_its_state() -> None:
    first = Quanv2d(1, 4, 2, noise={"bit_flip": 0.1}, seed=0)
    other = Quanv2d(1, 4, 2, noise={"bit_flip": 0.1}, seed=1)
    other.load_state_dict(first.state_dict())
    images = torch.rand(1, 1, 4, 4)
    assert torch.equal(first(images), other(images))
    with pytest.raises(ValueError, match="another circuit"):
        Quanv2d(1, 4, 2, seed=1).load_state_dict(first.state_dict())


def test_planner_names_what_noise_rules_out() -> None:
    circuit = with_noise(named_circuit("strongly_entangling", 4), {"bit_flip": 0.1})
    from quanvolve.nn._apply import layout_of

    planner = Planner([circuit], layout_of((1, 1), 4, 1))
    assert "noise channels" in str(planner.refused["statevector"])

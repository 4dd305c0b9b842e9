"""Noise in circuits that are no products: density matrices exactly, trajectories within their standard error."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quanvolve import Quanv2d
from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.circuits import Circuit, absorbed, named_circuit, simulate, with_noise
from quanvolve.compile import Planner
from quanvolve.compile.batch import _chunks
from quanvolve.compile.tables._layout import Layout
from quanvolve.nn import Quanv1d
from quanvolve.testing import check_quanv
from tests.compile.test_noise import NOISES, noisy_circuits

RNG = np.random.default_rng(8)
DAMPED = {"amplitude_damping": 0.1, "depolarizing": 0.02, "readout": (0.03, 0.08)}
ENCODINGS = ("ry", "iqp", "reupload", "amplitude", "dense", "threshold")


def layer_of(circuit: Circuit, weights: dict[str, np.ndarray], engine: str) -> Quanv1d:
    return Quanv1d(
        1, circuit.n_outputs, circuit.n_inputs, circuit=circuit, scale=1.0, engine=engine, dtype=torch.float64,
        weights={k: torch.as_tensor(v)[None, None] for k, v in weights.items()} or None,
    )  # fmt: skip


def drawn(circuit: Circuit) -> dict[str, np.ndarray]:
    return {name: RNG.uniform(0, 6, shape) for name, shape in circuit.weight_shapes}


@pytest.mark.parametrize("noise", NOISES, ids=str)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_density_plan_agrees_with_default_mixed(encoding: str, noise: dict[str, float]) -> None:
    if list(noise) == ["readout"]:
        noise = {"phase_flip": 0.04, **noise}
    circuit = with_noise(named_circuit("strongly_entangling", 4, encoding=encoding), noise)
    weights, window = drawn(circuit), RNG.uniform(-1, 2, 4)
    found = layer_of(circuit, weights, "density")(torch.as_tensor(window)[None, None])
    assert found.detach().numpy().ravel() == pytest.approx(simulate(circuit, window, weights), abs=1e-10)


@pytest.mark.parametrize("readout", ["zz", "x", "y", "probs", "popcount_expected"])
def test_every_readout(readout: str) -> None:
    circuit = with_noise(named_circuit("basic_entangler", 3, encoding="iqp", readout=readout), DAMPED)
    weights, window = drawn(circuit), RNG.uniform(0, 1, 3)
    found = layer_of(circuit, weights, "density")(torch.as_tensor(window)[None, None])
    assert found.detach().numpy().ravel() == pytest.approx(simulate(circuit, window, weights), abs=1e-10)


@settings(max_examples=30, deadline=None)
@given(noisy_circuits(), st.integers(0, 2**31))
def test_random_circuits_on_both_plans(circuit: Circuit, seed: int) -> None:
    window = np.linspace(0.3, 2.1, circuit.n_inputs)
    expected = simulate(circuit, window, {})
    images = torch.as_tensor(window)[None, None]
    if not absorbed(circuit).noisy:
        return  # all channels became part of the observables
    exact = layer_of(circuit, {}, "density")(images)
    assert exact.detach().numpy().ravel() == pytest.approx(expected, abs=1e-9)
    torch.manual_seed(seed)
    some = layer_of(circuit, {}, "trajectories:4000")(images).detach().numpy().ravel()
    assert some == pytest.approx(expected, abs=6 / np.sqrt(4000))


def test_eight_qubits_and_amplitudes_with_noise_on_several_channels() -> None:
    layer = Quanv2d(2, 6, 2, encoding="amplitude", noise=DAMPED, seed=0, dtype=torch.float64)
    images = torch.rand(2, 2, 5, 5, dtype=torch.float64)
    assert "density" in str(layer.plan)
    found = layer(images)
    weights = layer.weights.detach().numpy()  # filters, channels, layers, qubits, 3
    circuit = layer.circuits[0]
    expected = sum(
        simulate(circuit, images[1, c, 1:3, 2:4].numpy().ravel() * np.pi, {"weights": weights[2, c]}) for c in range(2)
    )
    n = circuit.n_outputs
    assert found[1, 2 * n : 3 * n, 1, 2].detach().numpy() == pytest.approx(expected, abs=1e-10)
    wide = Quanv1d(1, 8, 8, encoding="iqp", circuit="brickwork", noise={"bit_flip": 0.02}, seed=1, dtype=torch.float64)
    window = torch.rand(1, 1, 8, dtype=torch.float64)
    own = {"weights": wide.weights.detach().numpy()[0, 0]}
    expected = simulate(wide.circuits[0], np.pi * window.numpy().ravel(), own)
    assert wide(window).detach().numpy().ravel() == pytest.approx(expected, abs=1e-10)


def test_gradients_of_density_matrices() -> None:
    layer = Quanv1d(1, 3, 3, encoding="reupload", noise=DAMPED, seed=0, dtype=torch.float64)
    images = torch.rand(1, 1, 4, dtype=torch.float64, requires_grad=True)

    def call(images: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weights": weights}, (images,))

    assert torch.autograd.gradcheck(call, (images, layer.weights.detach().clone().requires_grad_()))


def test_a_noisy_layer_that_is_no_product_is_conforming() -> None:
    report = check_quanv(Quanv2d(1, 4, 2, encoding="iqp", noise={"depolarizing": 0.02}, seed=0))
    assert report.passed, str(report)


def test_trajectories_scatter_as_stated() -> None:
    circuit = with_noise(named_circuit("strongly_entangling", 3, encoding="iqp"), {"depolarizing": 0.15})
    weights, window = drawn(circuit), RNG.uniform(0, 1, 3)
    layer = layer_of(circuit, weights, "trajectories:100")
    torch.manual_seed(0)
    many = layer(torch.as_tensor(window)[None, None].expand(2000, 1, 3)).detach().numpy()[..., 0]
    exact = simulate(circuit, window, weights)
    spread = many.std(0)
    assert (spread <= 0.08).all()  # the last channel of a wire takes its share of the span, 1 over the root of 100
    assert spread.min() > 0.01
    assert "a value's standard error is at most 0.08" in str(layer.plan)
    assert np.abs(many.mean(0) - exact).max() < 5 * spread.max() / np.sqrt(2000)


def test_trajectories_are_seeded_and_differ_between_windows() -> None:
    layer = Quanv1d(1, 3, 3, encoding="iqp", noise={"depolarizing": 0.2}, engine="trajectories:10", seed=0)
    images = torch.ones(2, 1, 3)
    torch.manual_seed(1)
    first = layer(images)
    torch.manual_seed(1)
    assert torch.equal(layer(images), first)
    assert not torch.equal(layer(images), first)
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize("noise", [{"amplitude_damping": 0.3}, {"depolarizing": 0.1}], ids=str)
def test_the_gradient_of_trajectories_is_unbiased(noise: dict[str, float]) -> None:
    circuit = with_noise(named_circuit("basic_entangler", 2, n_layers=2, encoding="iqp"), noise)
    weights, window = drawn(circuit), RNG.uniform(0.3, 1, 2)

    def gradients(engine: str) -> np.ndarray:
        torch.manual_seed(3)
        layer = layer_of(circuit, weights, engine)
        images = torch.as_tensor(window)[None, None].requires_grad_()
        layer(images)[0, 0].sum().backward()
        return np.concatenate([images.grad.ravel(), layer.weights.grad.ravel()])

    exact, found = gradients("density"), gradients("trajectories:60000")
    assert np.abs(exact).max() > 0.1
    # The derivative of one run is at most 2 in size here, so that this is five standard errors.
    assert found == pytest.approx(exact, abs=5 * 2 / np.sqrt(60000))


def test_blocks_of_trajectories_keep_memory_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = with_noise(named_circuit("basic_entangler", 3, encoding="iqp"), {"amplitude_damping": 0.2})
    weights, window = drawn(circuit), torch.as_tensor(RNG.uniform(0, 1, 3))[None, None]
    exact = layer_of(circuit, weights, "density")(window).detach()
    monkeypatch.setattr(_chunks, "CHUNK_BYTES", 500_000)
    layer = layer_of(circuit, weights, "trajectories:2000")
    torch.manual_seed(0)
    found = layer(window)
    found.sum().backward()
    assert torch.allclose(found.detach(), exact, atol=5 / np.sqrt(2000))
    assert layer.weights.grad.isfinite().all()


def test_which_plan_takes_noise() -> None:
    assert "density: 4 qubits" in str(Quanv2d(1, 4, 2, encoding="iqp", noise={"bit_flip": 0.1}).plan)
    assert "polynomial" in str(Quanv2d(1, 4, 2, noise={"bit_flip": 0.1}).plan)
    wide = Quanv2d(1, 9, 3, encoding="iqp", noise={"bit_flip": 0.1})
    assert "trajectories: means over 1,000 random runs of 9 qubits" in str(wide.plan)
    assert "density cannot run it: the circuit has 9 qubits" in str(wide.plan)


def test_what_the_plans_refuse() -> None:
    with pytest.raises(PlanError, match="no noise channels, without which a state vector does the same for less"):
        Quanv2d(1, 4, 2, engine="density")
    with pytest.raises(PlanError, match="no noise channels, without which every trajectory is the same"):
        Quanv2d(1, 4, 2, engine="trajectories")
    with pytest.raises(PlanError, match=r"9 qubits, a density matrix is computed for at most 8.*engine='trajectories'"):
        Quanv2d(1, 9, 3, noise={"bit_flip": 0.1}, engine="density")
    with pytest.raises(PlanError, match="25 qubits, trajectories are run on at most 16"):
        Quanv2d(1, 25, 5, noise={"bit_flip": 0.1}, engine="trajectories")
    for wrong in ("trajectories:0", "trajectories:2.5", "trajectories:many", "trajectories:"):
        with pytest.raises(QuanvolveError, match="how many trajectories are run, at least 1, as in"):
            Quanv2d(1, 4, 2, noise={"bit_flip": 0.1}, engine=wrong)
    with pytest.raises(QuanvolveError, match="must be one of"):
        Quanv2d(1, 4, 2, engine="density:3")
    circuit = with_noise(named_circuit("basic_entangler", 4, encoding="iqp"), {"bit_flip": 0.1})
    with pytest.raises(PlanError, match=r"`shots` \(=10\) are drawn from exact probabilities.*'trajectories:1000'"):
        Planner([circuit], Layout(1, 1, 1, 4), "trajectories", shots=10)


def test_shots_of_density_matrices() -> None:
    circuit = with_noise(named_circuit("basic_entangler", 2, encoding="iqp"), DAMPED)
    layer = Quanv1d(1, 2, 2, circuit=circuit, shots=500, seed=0, dtype=torch.float64)
    exact = Quanv1d(1, 2, 2, circuit=circuit, seed=0, dtype=torch.float64)(torch.ones(1, 1, 2, dtype=torch.float64))
    torch.manual_seed(0)
    many = layer(torch.ones(4000, 1, 2, dtype=torch.float64))[..., 0]
    assert torch.allclose(many.mean(0), exact[0, :, 0], atol=5 / np.sqrt(500 * 4000))
    assert torch.allclose(many.var(0), (1 - exact[0, :, 0] ** 2) / 500, rtol=0.15)

"""Shots: numbers, joint distributions, variances and gradients against theory."""

from __future__ import annotations

import math

import numpy as np
import pennylane as qp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from quanvolve import Quanv1d, Quanv2d, quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import named_circuit
from quanvolve.compile import use_kernels
from quanvolve.compile.ops._sample import sample
from quanvolve.compile.tables._sampling import ShotTables

SHOTS = 500


def _z(readout: str = "z", **options: object) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Means and exact values of a layer on one window repeated many times: (repeats, outputs) and (outputs,)."""
    make = {"readout": readout, "seed": 3, "trainable": False, "dtype": torch.float64, **options}
    n = named_circuit("basic_entangler", 4, readout=readout).n_outputs
    exact = Quanv2d(1, n, 2, **make)
    drawn = Quanv2d(1, n, 2, shots=SHOTS, **make)
    window = torch.tensor([[0.2, 0.9], [0.4, 0.7]], dtype=torch.float64)
    torch.manual_seed(0)
    images = window.repeat(4000, 1, 1, 1)
    return drawn(images).flatten(1), exact(images[:1]).flatten(), 4000


@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize("readout", ["z", "zz", "x", "y", "probs"])
def test_means_and_variances_are_those_of_theory(readout: str, kernels: bool) -> None:
    with use_kernels(kernels):
        drawn, exact, count = _z(readout)
    variance = exact * (1 - exact) if readout == "probs" else 1 - exact**2
    error = (variance / SHOTS).sqrt()
    assert ((drawn.mean(0) - exact).abs() < 5 * error / math.sqrt(count) + 1e-12).all()
    # The variance of a variance of nearly normal numbers is 2 / (count - 1).
    ratio = drawn.var(0)[error > 1e-6] / (error[error > 1e-6] ** 2)
    assert ((ratio - 1).abs() < 6 * math.sqrt(2 / count)).all()


@pytest.mark.parametrize("kernels", [True, False])
def test_outputs_are_correlated_as_theirs_on_one_device(kernels: bool) -> None:
    with use_kernels(kernels):
        drawn, exact, count = _z("zz")
    # Cov(Z_i, Z_j) = (<Z_i Z_j> - <Z_i> <Z_j>) / shots; outputs 4, 5, 6 are <Z_i Z_i+1>.
    covariance = torch.from_numpy(np.cov(drawn.numpy().T))
    for i in range(3):
        expected = (exact[4 + i] - exact[i] * exact[i + 1]) / SHOTS
        spread = math.sqrt((covariance[i, i] * covariance[i + 1, i + 1] + expected**2) / count)
        assert abs(covariance[i, i + 1] - expected) < 5 * spread
    assert max(abs(exact[4 + i] - exact[i] * exact[i + 1]) for i in range(3)) > 0.1  # it is a test of something


def test_the_distribution_is_that_of_pennylanes_shots() -> None:
    weights = np.random.default_rng(0).uniform(0, 2 * np.pi, (2, 3, 3))
    window = np.array([0.3, 1.1, 2.0])

    @qp.qnode(qp.device("default.qubit", wires=3))
    def probabilities(x: np.ndarray) -> object:
        qp.AngleEmbedding(x, wires=range(3), rotation="Y")
        qp.StronglyEntanglingLayers(weights, wires=range(3))
        return qp.probs(wires=range(3))

    layer = Quanv1d(1, 8, 3, readout="probs", weights=weights, scale=1.0, shots=1, trainable=False, dtype=torch.float64)
    torch.manual_seed(1)
    images = torch.from_numpy(window).repeat(20_000, 1, 1)
    found = layer(images).flatten(1)
    assert bool(((found == 0) | (found == 1)).all())
    assert bool((found.sum(1) == 1).all())
    counts = found.sum(0).numpy()
    assert stats.chisquare(counts, probabilities(window) * len(images)).pvalue > 1e-4


def test_readout_errors_and_channels_are_in_the_distribution() -> None:
    noise = {"depolarizing": 0.03, "readout": (0.02, 0.05)}
    drawn, exact, count = _z("zz", noise=noise)
    variance = 1 - exact**2  # of bits that are 1 or -1, whatever the noise
    error = (variance / SHOTS).sqrt()
    assert ((drawn.mean(0) - exact).abs() < 5 * error / math.sqrt(count)).all()
    assert ((drawn.var(0) / error**2 - 1).abs() < 6 * math.sqrt(2 / count)).all()


@pytest.mark.parametrize("n", [1, 5, 20, 300, 10_000])
@pytest.mark.parametrize("p", [0.0, 1e-4, 0.03, 0.31, 0.5, 0.77, 0.9999, 1.0])
def test_binomial_numbers(n: int, p: float) -> None:
    from quanvolve.compile.kernels.numba._draws import binomial

    state = np.array([7], np.uint64)
    found = np.array([binomial(n, p, state) for _ in range(20_000)])
    assert found.min() >= 0
    assert found.max() <= n
    known = stats.binom(n, p)
    edges = np.unique(known.ppf(np.linspace(0.02, 0.98, 25)))
    if len(edges) < 2:
        assert abs(found.mean() - n * p) <= 5 * math.sqrt(n * p * (1 - p) / len(found)) + 1e-12
        return
    bounds = np.concatenate([[-1], edges, [n]])
    expected = np.diff(known.cdf(bounds)) * len(found)
    counts = np.histogram(found, bins=bounds + 0.5)[0]
    kept = expected > 5
    rest = [counts[~kept].sum()], [expected[~kept].sum()]
    counts, expected = np.concatenate([counts[kept], rest[0]]), np.concatenate([expected[kept], rest[1]])
    kept = expected > 0
    assert stats.chisquare(counts[kept], expected[kept] * counts.sum() / expected.sum()).pvalue > 1e-5


@given(st.integers(1, 5), st.integers(1, 3000), st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_counts_are_of_all_shots_and_never_of_impossible_strings(n: int, shots: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(2**n)) * (rng.random(2**n) < 0.6)
    probabilities[rng.integers(2**n)] += 0.1
    probabilities /= probabilities.sum()
    signs = np.array([[(-1) ** int(b & w).bit_count() for b in range(2**n)] for w in range(1, 2**n)])
    words = torch.from_numpy(signs @ probabilities).reshape(1, -1, 1).repeat(3, 1, 4)
    each = torch.eye(2**n, dtype=torch.float64)
    torch.manual_seed(seed)
    tables = ShotTables.shared((n, shots), lambda: ShotTables((n,), each.numpy(), shots))
    found = sample(tables, words) * shots
    assert torch.allclose(found, found.round(), atol=1e-6)
    assert torch.allclose(found.sum(1), torch.full((3, 4), float(shots), dtype=torch.float64))
    # What rounding leaves of an impossible string is 1e-17 and not 0.
    assert not bool(found[:, torch.from_numpy(probabilities < 1e-14)].any())


def test_a_seed_reproduces_whatever_the_threads() -> None:
    layer = Quanv2d(2, 8, 2, shots=100, seed=0)
    images = torch.rand(40, 2, 8, 8)
    found = []
    threads = torch.get_num_threads()
    for count in (1, 2, 2):
        torch.set_num_threads(count)
        torch.manual_seed(5)
        found.append(layer(images))
    torch.set_num_threads(threads)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[1], found[2])
    assert not torch.equal(layer(images), layer(images))
    torch.manual_seed(5)
    again = quanv2d(images, layer.weights, layer.circuits, 2, shots=100)
    assert torch.equal(again, found[0])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"groups": 2, "channels": (2, 8)},
        {"channels": (2, 6)},
        {"channel_mixing": "joint", "n_layers": 1, "channels": (2, 8)},
        {"circuit": "random", "channels": (2, 8)},
        {"encoding": "iqp"},
        {"encoding": "threshold"},
        {"noise": {"amplitude_damping": 0.05, "readout": 0.02}},
        {"scale": torch.nn.Parameter(torch.rand(1, 2, 2, dtype=torch.float64) + 1)},
        {"readout": "x"},
    ],
    ids=lambda o: "-".join(o) or "plain",
)
@pytest.mark.parametrize("diff_method", ["exact", "parameter-shift"])
def test_many_shots_give_exact_values_and_gradients(options: dict[str, object], diff_method: str) -> None:
    options = dict(options)
    channels, out_channels = options.pop("channels", (1, 4))
    make = {"seed": 3, "dtype": torch.float64, **options}
    shots = 1_000_000
    exact = Quanv2d(channels, out_channels, 2, **make)
    drawn = Quanv2d(channels, out_channels, 2, shots=shots, diff_method=diff_method, **make)
    rng = torch.Generator().manual_seed(1)
    image = torch.rand(2, channels, 3, 3, generator=rng, dtype=torch.float64)
    share = torch.randn(2, out_channels, 2, 2, generator=rng, dtype=torch.float64)
    found = []
    for layer in (exact, drawn):
        own = image.clone().requires_grad_()
        torch.manual_seed(0)
        out = layer(own)
        leaves = [own, *layer.parameters()]
        found.append((out.detach(), *torch.autograd.grad((out * share).sum(), leaves)))
    assert torch.allclose(found[0][0], found[1][0], atol=5 * math.sqrt(channels / shots))
    for one, other in zip(found[0][1:], found[1][1:], strict=True):
        # Up to 24 windows and rotations are summed, times pi for pixels; the exact method has no error at all.
        assert torch.allclose(one, other, atol=1e-10 if diff_method == "exact" else 0.1 * 10**0.5)
    if diff_method == "parameter-shift":
        assert not torch.equal(found[0][1], found[1][1]) or options.get("encoding") == "threshold"


def test_parameter_shift_gradients_have_the_variance_of_shots() -> None:
    layer = Quanv1d(1, 2, 2, circuit="basic_entangler", n_layers=1, shots=200, diff_method="parameter-shift", seed=0)
    exact = Quanv1d(1, 2, 2, circuit="basic_entangler", n_layers=1, seed=0)
    window = torch.tensor([[[0.3, 0.6]]])
    (truth,) = torch.autograd.grad(exact(window)[0, 1, 0], list(exact.parameters()))
    torch.manual_seed(0)
    found = torch.stack(
        [torch.autograd.grad(layer(window)[0, 1, 0], list(layer.parameters()))[0].flatten() for _ in range(600)]
    )
    error = found.std(0) / math.sqrt(len(found))
    assert ((found.mean(0) - truth.flatten()).abs() < 5 * error + 1e-7).all()
    # (E+ - E-) / 2 has the variance (V+ + V-) / 4 with V at most 1 / shots.
    assert (found.var(0) <= 1.2 * 0.5 / 200).all()
    assert (found.var(0) > 0).any()


def test_layers_with_shots_are_torch_citizens() -> None:
    import copy
    import pickle

    layer = Quanv2d(1, 4, 2, shots=50, seed=0)
    other = Quanv2d(1, 4, 2, shots=50, seed=1)
    other.load_state_dict(layer.state_dict())
    images = torch.rand(3, 1, 4, 4)
    found = []
    for one in (layer, other, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.manual_seed(2)
        found.append(one(images))
    assert all(torch.equal(found[0], value) for value in found)
    assert layer(images[:0]).shape == (0, 4, 3, 3)
    assert "shots=50" in repr(layer)
    assert layer.plan.startswith(
        "50 shots a window, drawn from the joint distribution of 4 qubits, a value's standard error at most 0.14; "
        "expectation values by polynomial"
    )
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    out = compiled(images)
    assert ((out - Quanv2d(1, 4, 2, seed=0)(images)).abs() < 5 / math.sqrt(50)).all()
    out.sum().backward()
    assert layer.weights.grad is not None


def test_large_batches_are_drawn_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    from quanvolve.compile.batch import _chunks
    from quanvolve.compile.plans import _sampled as _sampling

    layer = Quanv2d(1, 4, 2, shots=10_000, seed=0)
    images = torch.rand(7, 1, 6, 6)
    exact = Quanv2d(1, 4, 2, seed=0)(images)
    calls = []
    real = _sampling.SampledPlan._evaluate
    monkeypatch.setattr(_chunks, "CHUNK_BYTES", 3 * 25 * 15 * 4)
    monkeypatch.setattr(_sampling.SampledPlan, "_evaluate", lambda *a: calls.append(1) or real(*a))
    found = layer(images)
    assert len(calls) == 3
    assert ((found - exact).abs() < 0.05).all()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"shots": 0},
            "`shots` (=0) must be a whole number of at least 1 and at most 2147483647, or None for exact",
        ),
        ({"shots": 1.5}, "`shots` (=1.5) must be a whole number of at least 1"),
        ({"diff_method": "adjoint"}, "`diff_method` (='adjoint') must be one of 'exact', 'parameter-shift'"),
        (
            {"diff_method": "parameter-shift"},
            "`diff_method` (='parameter-shift') is for layers with `shots`: exact values have exact gradients",
        ),
        (
            {"shots": 10, "readout": "popcount", "trainable": False},
            "the output is a number of ones (most_probable), which is no expectation value: leave `shots` out, or use "
            "readout='popcount_expected'",
        ),
        (
            {"shots": 10, "kernel_size": 4},
            "shots are drawn from all 16 measured qubits together, which is possible for at most 12: measure fewer "
            "qubits, use a smaller `kernel_size`, or leave `shots` out",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(options: dict[str, object], text: str) -> None:
    with pytest.raises(QuanvolveError) as caught:
        Quanv2d(**{"in_channels": 1, "out_channels": 4, "kernel_size": 2, **options})
    assert text in str(caught.value)


def test_filters_that_measure_different_things_are_refused() -> None:
    circuits = [named_circuit("basic_entangler", 4, readout=readout) for readout in "zx"]
    with pytest.raises(QuanvolveError, match="circuit 1 measures other observables than circuit 0"):
        Quanv2d(1, 8, 2, circuit=circuits, shots=10)


def test_noise_that_reads_each_observable_differently_has_no_joint_distribution() -> None:
    alone = qp.BooleanFn(lambda measured: len(measured.wires) == 1)
    model = qp.NoiseModel({}, {alone: qp.noise.partial_wires(qp.BitFlip, 0.1)})
    make = {"readout": "zz", "seed": 0, "dtype": torch.float64}
    image = torch.rand(1, 1, 2, 2, dtype=torch.float64)
    quiet, noisy = Quanv2d(1, 7, 2, **make), Quanv2d(1, 7, 2, noise=model, **make)
    ratio = (noisy(image) / quiet(image)).flatten()
    assert torch.allclose(ratio, torch.tensor([0.8] * 4 + [1.0] * 3, dtype=torch.float64))
    with pytest.raises(QuanvolveError, match="reads observables that share a qubit in different ways"):
        Quanv2d(1, 7, 2, noise=model, shots=10, **make)

"""What channels read: against sums over grids of the layer's own values, planted answers, and the estimates."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from quanvolve import QuantumLinear, Quanv1d, Quanv2d
from quanvolve._errors import QuanvolveError
from quanvolve.analysis import reading
from quanvolve.analysis._anova import observed, uniform
from quanvolve.analysis._channel_circuits import channel_circuits
from quanvolve.analysis._pick_freeze import estimated
from tests.analysis.test_formula import demo


def on_a_grid(layer: Any, channel: int, nodes: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    """Sobol's definitions, by conditional means over a grid of all pixels of the window: the slow twin."""
    grid = torch.tensor(list(itertools.product(*(values for values, _ in nodes))), dtype=torch.float64)
    with torch.no_grad():
        out = layer(grid.reshape(len(grid), layer.in_channels, *layer.kernel_size))[:, channel].flatten()
    values = out.numpy().reshape([len(v) for v, _ in nodes])
    n = len(nodes)
    weight = np.ones(values.shape)
    for axis, (_, shares) in enumerate(nodes):
        weight *= shares.reshape([-1 if a == axis else 1 for a in range(n)])
    mean = (weight * values).sum()

    def closed(kept: tuple[int, ...]) -> float:
        """The variance of the conditional mean, given these pixels."""
        others = tuple(a for a in range(n) if a not in kept)
        total = weight.sum(axis=others, keepdims=True)
        given = (weight * values).sum(axis=others, keepdims=True) / total
        return float((total * (given - mean) ** 2).sum())

    variance = closed(tuple(range(n)))
    first = [closed((k,)) for k in range(n)]
    slopes = []
    for axis, (v, shares) in enumerate(nodes):
        x = v.reshape([-1 if a == axis else 1 for a in range(n)])
        slopes.append(float((weight * (values - mean) * x).sum() / (shares @ (v - shares @ v) ** 2)))
    explained = sum(w**2 * (s @ (v - s @ v) ** 2) for w, (v, s) in zip(slopes, nodes, strict=True))
    return {
        "mean": mean,
        "variance": variance,
        "first": [part / variance for part in first],
        "total": [1 - closed(tuple(a for a in range(n) if a != k)) / variance for k in range(n)],
        "pairs": {
            (i, j): (closed((i, j)) - first[i] - first[j]) / variance for i, j in itertools.combinations(range(n), 2)
        },
        "filter": slopes,
        "filter_share": explained / variance,
    }


def legendre(count: int = 24) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


def halves() -> tuple[np.ndarray, np.ndarray]:
    """Half the pixels on each side of a threshold of 0.5."""
    nodes, weights = np.polynomial.legendre.leggauss(4)
    return np.concatenate([(nodes + 1) / 4, (nodes + 3) / 4]), np.concatenate([weights, weights]) / 4


KINDS: dict[str, tuple[int, tuple[int, int], dict[str, Any], Any]] = {
    "strongly entangling": (1, (1, 3), {}, legendre),
    "rx and zz": (1, (1, 3), {"encoding": "rx", "readout": "zz"}, legendre),
    "noise": (1, (1, 3), {"noise": {"amplitude_damping": 0.1}}, legendre),
    "two pixels a qubit": (1, (1, 3), {"encoding": "dense", "n_qubits": 2}, legendre),
    "scale and bias": (1, (1, 2), {"scale": torch.tensor([[0.5, -2.5]]), "bias": True}, legendre),
    "thresholds": (1, (1, 3), {"encoding": "threshold"}, halves),
    "two channels": (2, (1, 2), {"circuit": "basic_entangler"}, lambda: legendre(12)),
    "two channels jointly": (2, (1, 2), {"channel_mixing": "joint"}, lambda: legendre(12)),
    "re-uploading": (1, (1, 2), {"encoding": "reupload"}, legendre),
    "iqp": (1, (1, 3), {"encoding": "iqp"}, legendre),
}


@pytest.mark.parametrize("name", KINDS)
def test_shares_are_those_of_the_definition(name: str) -> None:
    in_channels, kernel, arguments, nodes = KINDS[name]
    layer = Quanv2d(in_channels, 3, kernel, **arguments, seed=4, dtype=torch.float64)
    if layer.bias is not None:
        with torch.no_grad():
            layer.bias.copy_(torch.tensor([0.3, -0.2, 0.1]))
    found = reading(layer)
    assert len(found) == 3
    for channel, one in enumerate(found):
        expected = on_a_grid(layer, channel, [nodes()] * (in_channels * kernel[1]))
        assert one.channel == channel
        assert one.method.startswith("exact")
        assert one.error == 0
        assert one.mean == pytest.approx(expected["mean"], abs=1e-7)
        assert one.variance == pytest.approx(expected["variance"], abs=1e-7)
        np.testing.assert_allclose(one.first, expected["first"], atol=1e-6)
        np.testing.assert_allclose(one.total, expected["total"], atol=1e-6)
        for pair, share in expected["pairs"].items():
            assert one.pairs.get(pair, 0.0) == pytest.approx(share, abs=2e-6)
        np.testing.assert_allclose(one.filter, expected["filter"], atol=1e-6)
        assert one.filter_share == pytest.approx(expected["filter_share"], abs=1e-6)


@pytest.mark.parametrize("encoding", ["ry", "dense", "reupload", "threshold"])
def test_pixels_of_images_have_the_values_they_have_there(encoding: str) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 5, (6, 1, 2, 4), generator=generator) / 4
    layer = Quanv2d(1, 2, (1, 2), stride=(1, 2), encoding=encoding, seed=1, dtype=torch.float64)
    windows = images.reshape(-1, 2).double()
    nodes = []
    for k in range(2):
        values, counts = np.unique(windows[:, k], return_counts=True)
        nodes.append((values, counts / counts.sum()))
    for channel, one in enumerate(reading(layer, images)):
        expected = on_a_grid(layer, channel, nodes)
        np.testing.assert_allclose(one.first, expected["first"], atol=1e-6)
        np.testing.assert_allclose(one.total, expected["total"], atol=1e-6)
        # The linear filter knows that pixels of images go together.
        with torch.no_grad():
            value = layer(windows.reshape(-1, 1, 1, 2))[:, channel].flatten().numpy()
        design = np.column_stack([windows.numpy(), np.ones(len(windows))])
        solution, residue, *_ = np.linalg.lstsq(design, value, rcond=None)
        np.testing.assert_allclose(one.filter, solution[:2], atol=1e-6)
        assert one.filter_share == pytest.approx(1 - residue[0] / ((value - value.mean()) ** 2).sum(), abs=1e-6)


def test_the_demo_circuit_is_read_as_the_formula_says() -> None:
    found = reading(demo())
    assert [one.pixels for one in found] == [(0,), (1,), (2,), (1, 3)]
    assert [bool(one.products > 1e-9) for one in found] == [False, False, False, True]
    assert set(found[3].pairs) == {(1, 3)}
    # ch1 = a cos(pi x1) + b sin(pi x1): its mean is 2 b / pi, its mean square 1/2.
    assert found[1].mean == pytest.approx(0.3019 * 2 / np.pi, abs=1e-4)
    assert found[1].mean ** 2 + found[1].variance == pytest.approx((0.9533**2 + 0.3019**2) / 2, abs=1e-4)
    # cos(pi x3) alone explains nothing of ch1 cos(pi x3) but what the mean of ch1 leaves.
    assert found[3].entanglement == pytest.approx(1 - found[1].mean ** 2 * 0.5 / found[3].variance, abs=1e-9)
    assert [one.entanglement for one in found[:3]] == pytest.approx([0, 0, 0], abs=1e-9)
    assert str(found[0]) == "ch0 reads x0 (100.0 %); entangling gates add nothing; a linear filter explains 98.6 %"


def test_a_layer_without_entangling_gates_multiplies_nothing() -> None:
    def circuit(inputs: Any, weights: Any) -> Any:
        for wire in range(3):
            qp.RY(inputs[wire], wires=wire)
            qp.Rot(*weights[wire], wires=wire)
        return [qp.expval(qp.Z(wire)) for wire in range(3)]

    layer = Quanv2d(1, 3, (1, 3), circuit=circuit, weight_shapes={"weights": (3, 3)}, scale=np.pi, seed=0)
    for k, one in enumerate(reading(layer)):
        assert one.pixels == (k,)
        assert one.products == pytest.approx(0, abs=1e-12)
        assert one.entanglement == pytest.approx(0, abs=1e-9)
        assert one.pairs == {}


def test_a_constant_channel_is_called_constant() -> None:
    def circuit(inputs: Any) -> Any:
        qp.RY(inputs[0], wires=0)
        qp.RX(0.5, wires=1)
        return [qp.expval(qp.Z(0)), qp.expval(qp.Z(1))]

    found = reading(Quanv2d(1, 2, (1, 1), circuit=circuit, weight_shapes={}))
    assert found[1].pixels == ()
    assert found[1].entanglement is None
    assert found[1].filter_share is None
    assert str(found[1]) == "ch1 is constant (0.8776)"
    assert found[0].pixels == (0,)


def test_estimates_agree_with_exact_shares() -> None:
    layer = Quanv2d(1, 4, 2, seed=2)
    one = channel_circuits(layer, 1)[0]
    exact = reading(layer)[1]
    found = estimated(one.of_pixels, [uniform()] * 4)
    assert 0 < found.error < 0.02 * exact.variance * 10
    room = 6 * found.error
    assert found.mean == pytest.approx(exact.mean, abs=1e-3)
    np.testing.assert_allclose(found.first, np.array(exact.first) * exact.variance, atol=room)
    np.testing.assert_allclose(found.total, np.array(exact.total) * exact.variance, atol=room)
    for (i, j), share in exact.pairs.items():
        assert found.pairs[i, j] == pytest.approx(share * exact.variance, abs=room)


def test_windows_of_many_pixels_are_estimated() -> None:
    layer = Quanv2d(1, 2, (3, 4), seed=0)
    one = reading(layer)[0]
    assert one.method == "estimated, from 8,192 windows"
    assert 0 < one.error < 0.05
    assert "standard errors up to" in str(one)
    assert sum(one.first) <= 1 + 12 * one.error
    images = torch.rand(40, 1, 6, 6)
    again = reading(layer, images)[0]
    assert np.abs(np.array(again.total) - np.array(one.total)).max() < 0.2


def test_amplitudes_are_estimated() -> None:
    layer = Quanv2d(1, 1, 2, encoding="amplitude", n_qubits=2, seed=0, dtype=torch.float64)
    one = reading(layer)[0]
    assert one.method.startswith("estimated")
    # Scaling a window changes nothing, so every pixel acts through products.
    assert one.products > 0.05


def test_pixels_draw_from_their_distribution() -> None:
    pixel = observed(np.array([3.0, 1.0, 1.0, 2.0]))
    drawn = pixel.drawn((np.arange(1000) + 0.5) / 1000)
    np.testing.assert_array_equal(np.unique(drawn, return_counts=True), [[1, 2, 3], [500, 250, 250]])
    many = observed(np.random.default_rng(0).random(500))
    nodes, shares = many.nodes(10, None)
    for power in range(19):
        assert shares @ nodes**power == pytest.approx((many.shares @ many.values**power), rel=1e-9)


def test_series_and_dense_layers_are_read_too() -> None:
    assert len(reading(Quanv1d(1, 3, 3, seed=0), torch.rand(5, 1, 9))) == 3
    assert reading(QuantumLinear(2, 2, circuit="basic_entangler", n_layers=1, seed=0))[1].pixels == (0, 1)


def test_errors_say_what_is_wrong() -> None:
    with pytest.raises(QuanvolveError, match=r"`images` has shape \(3, 5, 5\), expected \(N, 1, and 2 more axes\)"):
        reading(Quanv2d(1, 1, 2), torch.rand(3, 5, 5))
    sampled = Quanv2d(1, 1, 2, readout="popcount_sampled", trainable=False)
    with pytest.raises(QuanvolveError, match="bit strings drawn at random"):
        reading(sampled)

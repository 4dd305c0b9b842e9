"""The audit: planted dead weights, duplicates and plateaus, and derivatives against finite differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from torch import nn

from quanvolve import QuantumLinear, Quanv1d, Quanv2d, QuanvClassifier, load_dataset
from quanvolve._errors import QuanvolveError
from quanvolve.analysis import audit, effective_rank
from quanvolve.analysis._jacobian import gradient_variance, jacobian, on_windows, windows_of
from quanvolve.nn import HybridModel, make_head


def images(channels: int = 1, count: int = 12) -> torch.Tensor:
    return torch.rand(count, channels, 6, 6, generator=torch.Generator().manual_seed(3))


def of(layer: nn.Module, given: torch.Tensor | None = None) -> Any:
    return audit(layer, images() if given is None else given).layers[0]


@pytest.mark.parametrize("seed", range(3))
def test_one_basic_entangler_layer_has_nothing_to_train(seed: int) -> None:
    found = of(Quanv2d(1, 4, 2, circuit="basic_entangler", n_layers=1, seed=seed))
    assert (found.n_weights, found.rank, found.free_rank) == (4, 4, 0)
    assert found.dead == ()
    assert len(found.rescaling) == 4
    assert found.sentences()[0].startswith("Nothing to train: whatever the 4 weights do, they only rescale")


def test_a_second_layer_can_be_trained() -> None:
    found = of(Quanv2d(1, 4, 2, circuit="basic_entangler", n_layers=2, seed=0))
    assert found.free_rank > 0
    assert not any("Nothing to train" in sentence for sentence in found.sentences())


def test_dead_weights_are_named() -> None:
    # The last rotation about Z commutes with a measurement of Z.
    found = of(Quanv2d(1, 4, 2, seed=0))
    assert found.dead == tuple(f"weights[0, 0, 1, {wire}, 2]" for wire in range(4))
    assert found.rank == 20
    assert any(s.startswith("4 of 24 weights change no output: weights[0, 0, 1, 0, 2], ") for s in found.sentences())


def test_a_circuit_whose_weights_do_nothing() -> None:
    def circuit(inputs: Any, phases: Any) -> Any:
        for wire in range(2):
            qp.RY(inputs[wire], wires=wire)
            qp.RZ(phases[wire], wires=wire)
        return [qp.expval(qp.Z(wire)) for wire in range(2)]

    found = of(Quanv2d(1, 2, (1, 2), circuit=circuit, weight_shapes={"phases": 2}))
    assert found.rank == 0
    assert found.dead == ("phases[0, 0, 0]", "phases[0, 0, 1]")
    assert found.sentences()[0] == "None of the 2 weights changes any output: there is nothing to train."


def test_weights_that_repeat_each_other_count_once() -> None:
    def circuit(inputs: Any, a: Any, b: Any) -> Any:
        qp.RY(inputs[0], wires=0)
        qp.RY(a, wires=0)
        qp.RY(b, wires=0)
        return qp.expval(qp.Z(0))

    found = of(Quanv2d(1, 1, 1, circuit=circuit, weight_shapes={"a": (), "b": ()}, scale=2.0))
    assert (found.rank, found.free_rank) == (1, 1)
    assert found.dead == found.rescaling == ()


def test_channels_that_say_the_same_are_found() -> None:
    def circuit(inputs: Any) -> Any:
        qp.RY(inputs[0], wires=0)
        qp.RX(0.3, wires=1)
        return [qp.expval(qp.Z(0)), qp.expval(qp.Z(1)), qp.expval(-0.5 * qp.Z(0)), qp.expval(qp.X(0))]

    found = of(Quanv2d(1, 4, 1, circuit=circuit, weight_shapes={}, scale=3.0))
    assert found.constant == (1,)
    assert found.duplicates == ((0, 2),)
    text = found.sentences()
    assert text[0] == "The layer has no weights."
    assert "Channel 1 is constant on these images." in text
    assert "Channels 0 and 2 say the same, but for scale and shift." in text
    assert found.gradient_variance is None


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"encoding": "reupload"},
        {"noise": {"depolarizing": 0.02}},
        {"shots": 100},
        {"bias": True, "padding": 1, "stride": 2, "dilation": 2},
        {"groups": 2},
        {"channel_mixing": "joint", "circuit": "basic_entangler"},
    ],
    ids=str,
)
def test_jacobians_are_finite_differences(arguments: dict[str, Any]) -> None:
    layer = Quanv2d(2, 4, (1, 2), seed=1, **arguments)
    windows = windows_of(layer, images(2), 20)
    assert windows.shape == (20, 2, 1, 2)
    single = on_windows(layer)
    found = jacobian(layer, windows)
    np.testing.assert_allclose(found.values, single(windows).reshape(20, 4).numpy(), atol=1e-12)
    weight = single.circuit_weights()["weights"]
    first, n_weights = 0, 0
    columns, names = np.zeros((20, 4, weight.numel())), []
    for block, own in zip(found.blocks, found.names, strict=True):
        assert block.shape[2] == len(own)
        columns[:, first : first + block.shape[1], n_weights : n_weights + len(own)] = block
        first, n_weights, names = first + block.shape[1], n_weights + len(own), [*names, *own]
    assert (first, n_weights) == (4, weight.numel())
    for number in range(0, weight.numel(), 5):
        values = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                weight.view(-1)[number] += step
                values.append(single(windows).reshape(20, 4).numpy())
                weight.view(-1)[number] -= step
        np.testing.assert_allclose(columns[..., number], (values[0] - values[1]) / 2e-5, atol=1e-8)
        index = np.unravel_index(number, tuple(weight.shape))
        assert names[number] == f"weights[{', '.join(map(str, index))}]"


def test_windows_are_different_ones_of_the_images() -> None:
    given = torch.zeros(3, 1, 4, 4)
    given[0, 0, 0, 0] = 1.0
    layer = Quanv2d(1, 1, 2, stride=2)
    assert windows_of(layer, given, 10).reshape(-1, 4).tolist() == [[0, 0, 0, 0], [1, 0, 0, 0]]
    found = of(layer, given)
    assert found.n_windows == 2
    assert (
        found.sentences()[-1] == "The images have only 2 different windows for 1 channels: more images may show more."
    )


def test_the_variance_of_derivatives_is_the_mean_square() -> None:
    def circuit(inputs: Any, weight: Any) -> Any:
        qp.RY(inputs[0] + weight, wires=0)
        return qp.expval(qp.Z(0))

    layer = Quanv2d(1, 1, 1, circuit=circuit, weight_shapes={"weight": ()})
    # The derivative is a sine of a uniform angle, whose mean square is one half.
    found = gradient_variance(layer, windows_of(layer, images(), 50), 2000, 0)
    assert found == pytest.approx(0.5, abs=4 * math.sqrt(1 / 8 / 2000))


def test_a_barren_plateau_is_called_one() -> None:
    n = 16

    def circuit(inputs: Any, weights: Any) -> Any:
        for wire in range(n):
            qp.RY(inputs[wire % 4] + weights[wire], wires=wire)
        return qp.expval(qp.prod(*(qp.Z(wire) for wire in range(n))))

    layer = Quanv2d(1, 1, 2, circuit=circuit, weight_shapes={"weights": n}, n_qubits=n, init="uniform")
    found = of(layer)
    assert found.gradient_variance == pytest.approx(2.0**-n, rel=0.9)
    assert any("a barren plateau" in sentence for sentence in found.sentences())
    assert of(Quanv2d(1, 4, 2, seed=0)).gradient_variance > 1e-2


def test_effective_ranks() -> None:
    rng = np.random.default_rng(0)
    assert effective_rank(np.zeros((5, 3))) == 0
    assert effective_rank(np.outer(rng.random(50), [1.0, 2.0])) == pytest.approx(1, abs=1e-6)
    square = np.linalg.qr(rng.standard_normal((50, 4)) - 0.0)[0]
    square = np.linalg.qr(square - square.mean(0))[0]
    assert effective_rank(square) == pytest.approx(4, abs=1e-6)
    sizes = np.array([3.0, 1.0])
    shares = sizes / sizes.sum()
    expected = math.exp(-(shares * np.log(shares)).sum())
    assert effective_rank(square[:, :2] * sizes) == pytest.approx(expected, abs=1e-6)


def test_all_quantum_layers_of_a_classifier_are_audited() -> None:
    data = load_dataset("digits")
    clf = QuanvClassifier(head="quantum", trainable=True, max_epochs=1, random_state=0)
    clf.fit(data.train_images[:200], data.train_labels[:200])
    found = audit(clf, data.test_images)
    assert [layer.name for layer in found.layers] == ["backbone", "head.4"]
    assert found.n_quantum == sum(layer.n_weights for layer in found.layers)
    assert found.n_parameters == sum(p.numel() for p in clf.module_.parameters())
    assert found.n_effective == sum(layer.free_rank for layer in found.layers) < found.n_quantum
    lines = str(found).splitlines()
    assert lines[0].startswith(f"{found.n_parameters:,} parameters, {found.n_quantum} of them quantum; of these ")
    assert any(line.startswith("backbone (strongly_entangling): ") for line in lines[1:])
    assert clf.module_.training is False


def test_fixed_weights_are_parameters_too() -> None:
    model = HybridModel(Quanv2d(1, 4, 2, trainable=False, seed=0), make_head("linear", (4, 5, 5), 2))
    found = audit(model, images())
    assert found.n_parameters == 24 + 4 * 25 * 2 + 2
    assert any("weights are fixed" in s for s in found.layers[0].sentences())


def test_series_dense_layers_and_counts() -> None:
    assert of(Quanv1d(1, 3, 3, seed=0), torch.rand(9, 1, 12)).n_channels == 3
    assert of(QuantumLinear(3, 3, seed=0), torch.rand(40, 3)).n_windows == 40
    counted = of(Quanv2d(1, 1, 2, readout="popcount", trainable=False, seed=0))
    assert counted.no_gradient
    assert counted.sentences()[0].startswith("The readout has no derivative, so none of the 24 weights")


def test_errors_say_what_is_wrong() -> None:
    with pytest.raises(QuanvolveError, match="`model` is a Conv2d without a quantum layer: nothing to audit"):
        audit(nn.Conv2d(1, 1, 2), images())
    with pytest.raises(QuanvolveError, match="`X` is empty, expected images"):
        audit(Quanv2d(1, 1, 2), images()[:0])
    with pytest.raises(QuanvolveError, match="`model` is a str, expected a module or a fitted QuanvClassifier"):
        audit("model", images())

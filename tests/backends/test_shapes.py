"""Every layer, with inputs of every shape that it takes, has its own values on a device."""

from __future__ import annotations

from typing import Any

import pennylane as qp
import pytest
import torch
from torch import nn

from quanvolve import QuantumLinear, Quanv1d, Quanv2d, Quanv3d
from quanvolve._errors import QuanvolveError
from quanvolve.backends import PennyLaneBackend, QiskitBackend, on_backend, run_layer
from quanvolve.nn import HEADS, hybrid_model

from .simulated import Simulated

EXACT = PennyLaneBackend("default.qubit")


def rand(*shape: int, **options: Any) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0), **options)


def same(layer: nn.Module, images: torch.Tensor, backend: Any = None) -> None:
    for bias in (getattr(layer, "bias", None),):
        if bias is not None:
            nn.init.normal_(bias)
    with torch.no_grad():
        found, expected = run_layer(layer, images, backend or Simulated()), layer(images)  # type: ignore[arg-type]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def torch_function(inputs: Any, w: Any) -> Any:
    qp.RX(inputs[0] * w[0], wires=0)
    qp.CRY(inputs[1] + w[1], wires=[0, 1])
    return [qp.expval(qp.Z(0) @ qp.X(1)), qp.probs(wires=0)]


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (1, 2, 1, 4), (0, 4), (2, 0, 4)])
@pytest.mark.parametrize("out_features", [1, 4, 6])
def test_dense_layers_take_features_with_any_leading_axes(out_features: int, shape: tuple[int, ...]) -> None:
    same(QuantumLinear(4, out_features, bias=True, seed=0), rand(*shape))


@pytest.mark.parametrize("in_features", [1, 2, 3, 5])
@pytest.mark.parametrize("readout", ["z", "x", "y", "zz", "probs", "popcount_expected"])
def test_dense_layers_of_all_readouts(readout: str, in_features: int) -> None:
    if readout == "zz" and in_features == 1:
        in_features = 2
    same(QuantumLinear(in_features, 3, readout=readout, seed=0), rand(2, in_features), EXACT)


DENSE: dict[str, dict[str, Any]] = {
    "threshold": {"encoding": "threshold"},
    "amplitude": {"encoding": "amplitude", "n_qubits": 2},
    "iqp": {"encoding": "iqp"},
    "reupload": {"encoding": "reupload", "n_qubits": 2},
    "one random structure for each circuit": {"circuit": "random"},
    "features scaled one by one": {"scale": torch.tensor([0.5, 1.0, 2.0, 3.0])},
    "float64": {"dtype": torch.float64},
}


@pytest.mark.parametrize("name", list(DENSE))
def test_dense_layers_of_other_circuits(name: str) -> None:
    layer = QuantumLinear(4, 5, bias=True, seed=0, **DENSE[name])
    same(layer, rand(3, 4, dtype=DENSE[name].get("dtype", torch.float32)), EXACT)


def test_a_circuit_of_the_users() -> None:
    layer = QuantumLinear(2, 4, circuit=torch_function, weight_shapes={"w": (2,)}, n_qubits=2, seed=0)
    same(layer, rand(3, 2), EXACT)


CONVOLUTIONS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "series": (lambda: Quanv1d(2, 5, 3, stride=2, bias=True, seed=0), (2, 2, 7)),
    "images": (lambda: Quanv2d(2, 3, 2, bias=True, seed=0), (2, 2, 3, 4)),
    "volumes": (lambda: Quanv3d(1, 3, (1, 2, 2), bias=True, seed=0), (2, 1, 2, 3, 3)),
    "groups": (lambda: Quanv2d(4, 6, (1, 2), groups=2, seed=0), (2, 4, 2, 3)),
    "dilation": (lambda: Quanv2d(1, 4, 2, dilation=2, seed=0), (2, 1, 4, 3)),
    "joint": (lambda: Quanv2d(2, 5, (1, 2), channel_mixing="joint", groups=1, seed=0), (2, 2, 2, 3)),
    "joint groups": (lambda: Quanv2d(4, 4, (1, 1), channel_mixing="joint", groups=2, seed=0), (2, 4, 2, 2)),
    "padding": (lambda: Quanv2d(1, 2, (1, 2), padding="same", padding_mode="reflect", seed=0), (2, 1, 2, 3)),
    "none of them": (lambda: Quanv2d(1, 4, 2, seed=0), (0, 1, 3, 3)),
}


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("name", list(CONVOLUTIONS))
def test_convolutions_with_and_without_a_batch(name: str, batched: bool) -> None:
    make, shape = CONVOLUTIONS[name]
    if not batched and shape[0] == 0:
        shape = (1, *shape[1:])
    same(make(), rand(*shape) if batched else rand(*shape)[0])


@pytest.mark.parametrize("backbone", ["quantum", "classical", "none"])
@pytest.mark.parametrize("head", list(HEADS))
def test_models_of_every_backbone_and_head(backbone: str, head: str) -> None:
    model = hybrid_model((1, 4, 4), 3, backbone, head, seed=0).eval()
    images = rand(2, 1, 4, 4)
    if "quantum" not in (backbone, head):
        with pytest.raises(QuanvolveError, match=r"the model \(HybridModel\) has no quantum layer to run on a device"):
            on_backend(model, EXACT)
        return
    with torch.no_grad():
        torch.testing.assert_close(on_backend(model, EXACT)(images), model(images), rtol=0, atol=1e-5)


def test_features_and_layers_that_occur_twice() -> None:
    layer = QuantumLinear(3, 3, seed=0)
    model = nn.Sequential(layer, nn.ReLU(), nn.ModuleDict({"again": layer})["again"])
    backend = Simulated()
    there = on_backend(model, backend)
    features = rand(2, 3)
    with torch.no_grad():
        torch.testing.assert_close(there(features), model(features), rtol=0, atol=1e-6)
    assert backend.settings == 4
    assert there[0] is there[2]
    assert not [module for module in there.children() if isinstance(module, QuantumLinear)]


def test_a_dense_layer_within_shot_noise() -> None:
    layer, features = QuantumLinear(3, 3, seed=0), rand(4, 3)
    found = run_layer(layer, features, QiskitBackend("aer", shots=10_000, seed=0)).detach()
    difference = (found - layer(features).detach()).abs().max()
    assert 0 < difference < 6 / 10_000**0.5


def test_half_precision_is_for_classical_layers_only() -> None:
    layer, features = QuantumLinear(3, 3, seed=0), rand(4, 3)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found, expected = run_layer(layer, features.bfloat16(), Simulated()), layer(features.bfloat16())
    assert found.dtype == expected.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


WRONG = [
    (QuantumLinear(4, 2), torch.rand(2, 3), r"expected features of shape \(\*, 4\) .*, got shape \(2, 3\)"),
    (QuantumLinear(4, 2), torch.tensor(1.0), r"expected features of shape \(\*, 4\) .*, got shape \(\)"),
    (QuantumLinear(4, 2), [1.0] * 4, r"expected a torch.Tensor, got list"),
    (QuantumLinear(4, 2), torch.rand(2, 4).double(), r"the features are float64 and the layer is float32"),
    (Quanv2d(1, 4, 2), torch.rand(3, 2, 4, 4), r"expected 1 input channel\(s\) .*, got 2"),
    (Quanv2d(1, 4, 2), torch.tensor([0.0] * 31 + [float("nan")]).reshape(2, 1, 4, 4), r"contain 1 value\(s\) that are"),
]


@pytest.mark.parametrize(("layer", "images", "message"), WRONG, ids=[message[:45] for *_, message in WRONG])
def test_what_does_not_fit_the_layer_is_refused_before_anything_runs(layer: Any, images: Any, message: str) -> None:
    backend = Simulated()
    with pytest.raises(QuanvolveError, match=message):
        run_layer(layer, images, backend)
    assert backend.ran == []

"""Observables that are zero or a number: nothing is measured, and every plan, draw and device says so all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pennylane as qp
import pytest
import torch

from quanvolve import Quanv2d
from quanvolve.backends import named_backend, run_layer

CONSTANTS: dict[str, tuple[float, Callable[[], Any]]] = {
    "a Hamiltonian without terms": (0.0, lambda: qp.expval(qp.Hamiltonian([0.0], [qp.Z(0)]))),
    "a product of zero": (0.0, lambda: qp.expval(0.0 * qp.Z(0) @ qp.Z(1))),
    "a difference of equals": (0.0, lambda: qp.expval(qp.Z(0) - qp.Z(0))),
    "a multiple of the identity": (2.0, lambda: qp.expval(2.0 * qp.I(0))),
}
NOISE = {"depolarizing": 0.01}
WAYS: dict[str, dict[str, Any]] = {
    **{engine: {"engine": engine} for engine in ("auto", "polynomial", "statevector", "tensor_train")},
    "truncated train": {"engine": "truncated_train", "trainable": False},
    "noise": {"noise": NOISE},
    "density": {"noise": NOISE, "engine": "density"},
    "trajectories": {"noise": NOISE, "engine": "trajectories:10"},
    "shots": {"shots": 10},
    "shots, shifted": {"shots": 10, "diff_method": "parameter-shift"},
}


def layer_with(constant: str, beside: bool, **options: Any) -> Quanv2d:
    def circuit(inputs: torch.Tensor, weights: torch.Tensor) -> Any:
        qp.AngleEmbedding(inputs, range(4))
        qp.StronglyEntanglingLayers(weights, range(4))
        measured = CONSTANTS[constant][1]()
        return [qp.expval(qp.Z(1)), measured] if beside else measured

    return Quanv2d(1, 1 + beside, 2, circuit=circuit, weight_shapes={"weights": (2, 4, 3)}, seed=0, **options)


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("constant", CONSTANTS)
def test_every_plan_has_them(constant: str, way: str, beside: bool) -> None:
    layer = layer_with(constant, beside, **WAYS[way])
    assert layer.plan
    x = torch.rand(1, 1, 3, 3, requires_grad=True)
    values = layer(x)
    assert torch.allclose(values[:, -1], torch.tensor(CONSTANTS[constant][0]), atol=1e-6)
    (values.sum() + 0 * x.sum()).backward()
    assert torch.isfinite(x.grad).all()
    assert torch.allclose(layer.frozen()(x)[:, -1], values[:, -1], atol=1e-6)


@pytest.mark.parametrize("shots", [None, 20])
@pytest.mark.parametrize("device", ["default.qubit", "aer"])
@pytest.mark.parametrize("constant", CONSTANTS)
def test_devices_have_them(constant: str, device: str, shots: int | None) -> None:
    layer, x = layer_with(constant, False), torch.rand(1, 1, 3, 3)
    measured = torch.as_tensor(run_layer(layer, x, named_backend(device, shots=shots))).double()
    assert torch.allclose(measured, layer(x).double(), atol=1e-6)

"""Truncated trains: within the error that they state, against exact plans and default.qubit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quanvolve import Quanv2d, quanv2d
from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.circuits import named_circuit, simulate
from quanvolve.compile.reference import _truncation

IMAGES = torch.rand(3, 2, 7, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def pair(engine: str, *arguments: Any, **keywords: Any) -> tuple[Quanv2d, Quanv2d]:
    """The same layer by a truncated train and exactly."""
    made = {"trainable": False, "dtype": torch.float64, "seed": 3, **keywords}
    return Quanv2d(*arguments, engine=engine, **made), Quanv2d(*arguments, **made)


LAYERS = [
    ((2, 5, 2), {"stride": 2}),
    ((2, 6, (2, 3)), {"circuit": "random", "groups": 2, "padding": 1}),
    ((2, 4, (1, 3)), {"channel_mixing": "joint", "n_layers": 3}),
    ((2, 7, 2), {"readout": "zz", "bias": True}),
    ((2, 16, 2), {"readout": "probs", "encoding": "dense", "n_qubits": 4}),
    ((2, 4, 2), {"noise": {"amplitude_damping": 0.1, "readout": 0.05}, "circuit": "grid"}),
    ((2, 4, 2), {"encoding": "threshold"}),
]


@pytest.mark.parametrize(("arguments", "keywords"), LAYERS, ids=str)
def test_every_kind_of_layer_is_what_it_is_exactly(arguments: Any, keywords: Any) -> None:
    train, exact = pair("truncated_train", *arguments, **keywords)
    assert torch.allclose(train(IMAGES), exact(IMAGES), rtol=0, atol=1e-6)


@pytest.mark.parametrize("tolerance", [1e-1, 1e-2, 1e-4])
def test_the_error_stays_within_what_is_stated_and_bonds_shrink(tolerance: float) -> None:
    train, exact = pair(f"truncated_train:{tolerance}", 1, 9, 3, n_layers=3)
    images = torch.rand(2000, 1, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 2
    error = (train(images) - exact(images)).square().mean(0).sqrt().max()
    assert 0 < error <= 1.1 * tolerance  # a mean over 2,000 windows and not over all
    full, _ = pair("truncated_train:1e-12", 1, 9, 3, n_layers=3)
    full(images[:1])
    assert width(train) < width(full)


def width(layer: Quanv2d) -> int:
    assert layer._compiled is not None
    return sum(core.shape[-1] for core in layer._compiled.made[1])


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(["strongly_entangling", "random", "identity_blocks"]), st.integers(1, 4))
def test_deep_circuits_agree_with_default_qubit(seed: int, ansatz: str, n_layers: int) -> None:
    circuit = named_circuit(ansatz, 6, n_layers=n_layers, seed=seed, columns=3)
    layer = Quanv2d(
        1,
        6,
        (2, 3),
        circuit=circuit,
        scale=1.0,
        engine="truncated_train",
        trainable=False,
        seed=seed,
        dtype=torch.float64,
    )
    window = np.random.default_rng(seed).uniform(0, 3, 6)
    found = layer(torch.as_tensor(window).reshape(1, 1, 2, 3)).numpy().reshape(-1)
    weights = {name: value[0, 0].numpy() for name, value in layer.circuit_weights().items()}
    assert found == pytest.approx(simulate(circuit, window, weights), abs=1e-6)


def test_25_qubits_where_the_exact_network_is_too_large() -> None:
    kinds: dict[str, Any] = {"circuit": "identity_blocks", "n_layers": 4, "init": "small"}
    layer = Quanv2d(1, 25, 5, engine="truncated_train", trainable=False, seed=0, dtype=torch.float64, **kinds)
    window = torch.rand(1, 1, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = layer(window).reshape(-1)
    exact = Quanv2d(1, 25, 5, trainable=False, seed=0, dtype=torch.float64, **kinds)
    assert "statevector" in exact.plan
    assert "slow: about" in exact.plan
    assert "with fixed weights engine='truncated_train' may be faster" in exact.plan
    assert torch.allclose(found, exact(window).reshape(-1), rtol=0, atol=1e-6)


def test_gradients_of_pixels() -> None:
    train, exact = pair("truncated_train", 2, 4, 2)
    one, other = (IMAGES.clone().requires_grad_() for _ in range(2))
    train(one).square().sum().backward()
    exact(other).square().sum().backward()
    assert one.grad is not None
    assert other.grad is not None
    assert torch.allclose(one.grad, other.grad, atol=1e-6)


def test_the_plan_says_what_it_may_leave_out() -> None:
    layer = Quanv2d(1, 4, 2, engine="truncated_train:1e-5", trainable=False)
    assert layer.plan.startswith("truncated_train: 4 qubits in a product encoding, observables as trains whose")
    assert "changes values by at most 1e-05 (root mean square over uniform angles)" in layer.plan


def test_trainable_filters_are_refused() -> None:
    message = (
        "the engine 'truncated_train' is for fixed filters, since truncation loses derivatives: use trainable=False"
    )
    with pytest.raises(PlanError, match=message):
        Quanv2d(1, 4, 2, engine="truncated_train")
    weights = torch.rand(1, 1, 2, 4, 3, requires_grad=True)
    with pytest.raises(PlanError, match=message):
        quanv2d(torch.rand(1, 1, 2, 2), weights, named_circuit("strongly_entangling", 4), 2, engine="truncated_train")


@pytest.mark.parametrize(
    "engine", ["truncated_train:x", "truncated_train:2", "truncated_train:0", "truncated_train:nan"]
)
def test_an_error_that_is_none_is_named(engine: str) -> None:
    with pytest.raises(QuanvolveError, match=r"must name an error from 1e-12 to 0.1, as in 'truncated_train:1e-5'"):
        Quanv2d(1, 4, 2, engine=engine, trainable=False)


def test_other_engines_take_no_error() -> None:
    with pytest.raises(QuanvolveError, match=r"`engine` \(='polynomial:1e-3'\) must be one of"):
        Quanv2d(1, 4, 2, engine="polynomial:1e-3")


def test_a_bond_that_is_too_large_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_truncation, "MAX_BOND", 32)
    layer = Quanv2d(1, 9, 3, n_layers=4, engine="truncated_train", trainable=False, seed=0)
    message = r"at an error of .* the circuit needs a bond of \d+, the truncated train takes at most 32: allow a larger"
    with pytest.raises(PlanError, match=message):
        layer(torch.rand(1, 1, 3, 3))


def test_other_encodings_are_refused() -> None:
    with pytest.raises(PlanError, match="so it is not a product encoding"):
        Quanv2d(1, 2, 2, encoding="amplitude", engine="truncated_train", trainable=False)


def test_no_plan_names_the_truncated_train() -> None:
    with pytest.raises(PlanError, match=r"with fixed weights engine='truncated_train' may, up to a small error"):
        Quanv2d(1, 25, 5, n_layers=4)

"""Whole layers by the kernels for GPUs, in Triton's interpreter, against plain torch; and what `plan` says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from quanvolve import Quanv1d, Quanv2d, Quanv3d
from quanvolve.circuits import channel, named_circuit
from quanvolve.compile import compile_circuit, kernels, runs_by, use_kernels
from quanvolve.compile.ops import _switch
from quanvolve.compile.ops._coefficients import coefficients
from quanvolve.compile.tables._coefficients import CoefficientTables
from quanvolve.compile.tables._recipe import Mix
from tests.compile.kernel_contract import INTERPRETED, kernels_of, place

HERE = torch.device(place("cuda"))
LAYERS: dict[str, tuple[Callable[[], torch.nn.Module], tuple[int, ...]]] = {
    "W1": (lambda: Quanv2d(1, 4, 2, stride=2, circuit="random", n_layers=1, seed=42), (3, 1, 8, 8)),
    "W1 dense": (lambda: Quanv2d(1, 4, 2, stride=2, seed=0), (3, 1, 8, 8)),
    "windows that overlap": (lambda: Quanv2d(1, 4, 2, seed=0, padding=1), (2, 1, 4, 5)),
    "few products that overlap": (lambda: Quanv2d(2, 8, 2, circuit="random", seed=1, dilation=2), (2, 2, 5, 6)),
    "channels summed": (lambda: Quanv2d(3, 5, 2, stride=2, seed=0), (2, 3, 4, 4)),
    "groups": (lambda: Quanv2d(2, 8, 2, stride=2, groups=2, seed=0), (2, 2, 4, 6)),
    "channels together": (lambda: Quanv2d(2, 4, (1, 2), channel_mixing="joint", seed=0), (2, 2, 3, 4)),
    "two pixels a qubit": (lambda: Quanv2d(1, 2, 2, stride=2, encoding="dense", seed=0), (2, 1, 4, 4)),
    "noise on one wire and two": (
        lambda: Quanv2d(1, 4, 2, stride=2, n_layers=1, seed=0, noise={"depolarizing": 0.02, "amplitude_damping": 0.1}),
        (2, 1, 4, 4),
    ),
    "series": (lambda: Quanv1d(1, 3, 3, stride=2, seed=0), (2, 1, 9)),
    "volumes": (lambda: Quanv3d(1, 2, (1, 1, 2), stride=(2, 1, 1), seed=0), (2, 1, 3, 2, 4)),
}


def _run(layer: torch.nn.Module, images: Tensor) -> list[Tensor]:
    images = images.detach().requires_grad_()
    out = layer(images)
    weights = [weight for weight in layer.parameters() if weight.requires_grad]
    shape = torch.arange(out.numel(), dtype=out.dtype, device=out.device).cos().reshape(out.shape)
    return [out.detach(), *torch.autograd.grad((out * shape).sum(), [images, *weights])]


def _both(layer: torch.nn.Module, images: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    with kernels_of("cuda"):
        found = _run(layer, images)
    with use_kernels(False):
        return found, _run(layer, images)


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_equals_plain_torch_with_its_gradients(kind: str) -> None:
    make, shape = LAYERS[kind]
    layer = make().to(HERE, torch.float64)
    images = torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(HERE)
    for one, other in zip(*_both(layer, images), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


def test_single_precision_channels_last_and_large_angles() -> None:
    layer = Quanv2d(2, 4, 2, stride=2, seed=0, scale=1e7).to(HERE)
    images = torch.rand(3, 2, 4, 6, generator=torch.Generator().manual_seed(1)).to(HERE)
    images = images.to(memory_format=torch.channels_last)
    found, expected = _both(layer, images)
    torch.testing.assert_close(found[0], expected[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(found[2], expected[2], rtol=0, atol=1e-4)
    # The slope of 10^7 radians a pixel is that of the angle, 10^7 times as large.
    torch.testing.assert_close(found[1], expected[1], rtol=0, atol=1e7 * 1e-5)


def test_autocast_leaves_angles_alone() -> None:
    layer = Quanv2d(1, 4, 2, stride=2, seed=0).to(HERE)
    images = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(1)).to(HERE)
    with torch.autocast(HERE.type, dtype=torch.bfloat16), kernels_of("cuda"):
        found = layer(images)
    with use_kernels(False):
        expected = layer(images)
    torch.testing.assert_close(found.float(), expected, rtol=0, atol=1e-2)


def test_shots_of_a_layer_scatter_about_the_exact_values() -> None:
    layer = Quanv2d(1, 4, 2, stride=2, seed=0, shots=400).to(HERE)
    images = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(1)).to(HERE)
    with kernels_of("cuda"), torch.no_grad():
        torch.manual_seed(0)
        first = layer(images)
        again = layer(images)
        torch.manual_seed(0)
        torch.testing.assert_close(layer(images), first, rtol=0, atol=0)
    exact = Quanv2d(1, 4, 2, stride=2, seed=0).to(HERE)(images)
    assert not torch.equal(first, again)
    assert ((first - exact).abs() < 5 / 400**0.5).all()
    assert ((first * 400 - (first * 400).round()).abs() < 1e-3).all(), "means of 400 values of +-1"


def test_in_the_interpreter_layers_run_by_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above compare two things."""
    if not INTERPRETED:
        return
    called = list[tuple[str, str]]()
    whole = kernels.kernel

    def counted(family: str, device: str) -> kernels.Kernel:
        called.append((family, type(whole(family, device)).__module__.split(".")[-2]))
        return whole(family, device)

    monkeypatch.setattr(kernels, "kernel", counted)
    with kernels_of("cuda"):
        Quanv2d(1, 4, 2, seed=0, shots=5, engine="polynomial")(torch.rand(1, 1, 3, 3))
    assert set(called) == {("coefficients", "triton"), ("polynomial", "triton"), ("sample", "triton")}


def test_plan_says_what_runs_on_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu, other = torch.device("cuda"), torch.device("mps")
    layer = Quanv2d(1, 4, 2, seed=0, noise={"depolarizing": 0.01}, shots=10)
    plan = layer._planner.choose(None)
    assert runs_by(plan, gpu) == "by Triton's kernels"
    assert runs_by(plan, other) == "in plain torch: there are no kernels for mps"
    with use_kernels(False):
        assert runs_by(plan, gpu) == "in plain torch: kernels are switched off"
    found = kernels.importlib.util.find_spec
    monkeypatch.setattr(kernels.importlib.util, "find_spec", lambda name: None if name == "triton" else found(name))
    monkeypatch.setattr(kernels, "devices", kernels.devices.__wrapped__)
    assert runs_by(plan, gpu) == "in plain torch: Triton is not installed"
    monkeypatch.undo()
    table = Quanv2d(1, 4, 2, seed=0, encoding="threshold", engine="table")._planner.choose(None)
    assert runs_by(table, gpu) == "in plain torch: there is no kernel for the table plan"
    bits = Quanv2d(1, 4, 2, seed=0, encoding="threshold", engine="polynomial")._planner.choose(None)
    assert runs_by(bits, gpu) == (
        "in plain torch: kernels take angles that are multiples of one value of the window each"
    )
    missing = [family for family in kernels.FAMILIES if "cuda" not in kernels.devices(family)]
    expected = [f"there is no kernel for its {family} on cuda" for family in missing]
    assert [_switch.why_plain(family, "cuda") for family in missing] == expected


def test_plan_names_the_device_of_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Quanv2d(1, 4, 2, seed=0)
    assert " on " not in layer.plan.split("polynomial: ")[1].split(";")[-1]
    monkeypatch.setattr(Quanv2d, "_like", lambda *_: torch.empty(0, device="meta"))
    without = layer.plan

    class There:
        device = torch.device("cuda", 1)

    monkeypatch.setattr(Quanv2d, "_like", lambda *_: There())
    prices = " (by prices of the CPU: none were measured on cuda)"
    assert layer.plan == f"{without}{prices}; on cuda:1 by Triton's kernels"


def test_channels_on_two_wires_evolve_with_their_gradients() -> None:
    rng = np.random.default_rng(0)
    matrices = [np.linalg.qr(rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)))[0] for _ in range(2)]
    pair = channel([np.sqrt(0.7) * matrices[0], np.sqrt(0.3) * matrices[1]], (2, 0))
    alone = channel([np.diag([1, np.sqrt(0.8)]), np.array([[0, np.sqrt(0.2)], [0, 0]])], (1,))
    circuit = named_circuit("strongly_entangling", 3, n_layers=1)
    gates = [*circuit.gates[:-3], pair, alone, *circuit.gates[-3:], pair, alone]
    recipe = compile_circuit(replace(circuit, gates=tuple(gates)))
    assert any(isinstance(step, Mix) for step in recipe.steps)
    tables = CoefficientTables.of_recipes([recipe])
    weights = torch.from_numpy(rng.uniform(0, 6, (2, circuit.n_weights))).to(HERE).requires_grad_()
    shape = torch.from_numpy(rng.normal(size=tables.shape(2))).to(HERE)
    with kernels_of("cuda"):
        found = coefficients.call(tables, weights)
        (gradient,) = torch.autograd.grad((found * shape).sum(), weights)
    expected = coefficients.reference(tables, weights)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(gradient, torch.autograd.grad((expected * shape).sum(), weights)[0], rtol=0, atol=1e-11)

"""The compiled kernels against plain torch, on images of every kind."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quanvolve import Quanv1d, Quanv2d, Quanv3d
from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Angle, Circuit, Gate, Observable
from quanvolve.compile import use_kernels
from quanvolve.compile.batch._distinct import distinct
from quanvolve.compile.tables._products import pattern
from quanvolve.compile.tables._recipe import compile_circuit
from tests.waiting import PATIENCE

LAYERS = {1: Quanv1d, 2: Quanv2d, 3: Quanv3d}
CLOSE = {"rtol": 1e-9, "atol": 1e-10}


def both_ways(layer: torch.nn.Module, images: torch.Tensor) -> list[list[torch.Tensor]]:
    """Values and gradients by plain torch, then by the kernels."""
    found = []
    for on in (False, True):
        with use_kernels(on):
            given = images.detach().clone().requires_grad_()
            out = layer(given)
            weights = torch.arange(out.numel(), dtype=out.dtype).cos().reshape(out.shape)
            found.append([out, *torch.autograd.grad((out * weights).sum(), [given, *layer.parameters()])])
    return found


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, tuple[Any, ...], dict[str, Any], tuple[int, ...]]:
    dims = draw(st.sampled_from([1, 2, 2, 2, 3]))
    kernel = tuple(draw(st.integers(1, 2)) for _ in range(dims))
    stride = tuple(draw(st.integers(1, 3)) for _ in range(dims))
    dilation = tuple(draw(st.integers(1, 2)) for _ in range(dims))
    groups = draw(st.integers(1, 2))
    channels = groups * draw(st.integers(1, 2))
    arguments = (channels, groups * draw(st.integers(1, 6)), kernel)
    options = {
        "stride": stride,
        "dilation": dilation,
        "padding": draw(st.integers(0, 1)),
        "groups": groups,
        "circuit": draw(st.sampled_from(["strongly_entangling", "random", "basic_entangler", "hardware_efficient"])),
        "encoding": draw(st.sampled_from(["ry", "rx", "dense"])),
        "channel_mixing": draw(st.sampled_from(["sum", "joint"])) if dims < 3 else "sum",
        "n_layers": draw(st.integers(1, 2)),
        "engine": draw(st.sampled_from(["polynomial", "statevector", "tensor_train"])),
        "seed": draw(st.integers(0, 5)),
    }
    size = tuple(draw(st.integers(3, 9)) for _ in range(dims))
    return dims, arguments, options, (draw(st.integers(1, 5)), channels, *size)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_kernels_equal_plain_torch(case: tuple[int, tuple[Any, ...], dict[str, Any], tuple[int, ...]]) -> None:
    dims, arguments, options, shape = case
    layer = LAYERS[dims](*arguments, **options, dtype=torch.float64)
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for reference, found in zip(*both_ways(layer, images), strict=True):
        torch.testing.assert_close(found, reference, **CLOSE)


@pytest.mark.parametrize("engine", ["polynomial", "statevector", "tensor_train"])
@pytest.mark.parametrize("shape", [(1, 1, 40, 37), (3, 2, 24, 24), (200, 1, 3, 3)], ids=str)
def test_blocks_and_pieces_of_large_and_small_images(engine: str, shape: tuple[int, ...]) -> None:
    layer = Quanv2d(shape[1], 5, 2, engine=engine, seed=0, dtype=torch.float64)
    images = torch.rand(shape, dtype=torch.float64)
    for reference, found in zip(*both_ways(layer, images), strict=True):
        torch.testing.assert_close(found, reference, **CLOSE)


@pytest.mark.parametrize("engine", ["polynomial", "statevector", "tensor_train"])
def test_single_precision(engine: str) -> None:
    layer = Quanv2d(2, 6, (2, 3), engine=engine, seed=0, n_layers=1)
    images = 20 * torch.rand(4, 2, 12, 11) - 10
    for reference, found in zip(*both_ways(layer, images), strict=True):
        torch.testing.assert_close(found, reference, rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("encoding", ["iqp", "zz_feature_map", "reupload", "rz"])
@pytest.mark.parametrize("readout", ["x", "y", "zz", "probs"])
def test_state_vectors_of_every_encoding_and_readout(encoding: str, readout: str) -> None:
    layer = Quanv2d(1, 4, 2, encoding=encoding, readout=readout, engine="statevector", seed=0, dtype=torch.float64)
    for reference, found in zip(*both_ways(layer, torch.rand(3, 1, 5, 4, dtype=torch.float64)), strict=True):
        torch.testing.assert_close(found, reference, **CLOSE)


@pytest.mark.parametrize("engine", ["polynomial", "statevector", "tensor_train"])
@pytest.mark.parametrize("kind", ["ry", "random"])
def test_second_derivatives(engine: str, kind: str) -> None:
    circuit = "random" if kind == "random" else "strongly_entangling"
    layer = Quanv2d(1, 2, (1, 2), circuit=circuit, n_layers=1, engine=engine, seed=0, dtype=torch.float64)
    images = torch.rand(1, 1, 2, 3, dtype=torch.float64, requires_grad=True)

    def call(images: torch.Tensor, weights: torch.Tensor) -> Any:
        return torch.func.functional_call(layer, {"weights": weights}, (images,))

    assert torch.autograd.gradcheck(call, (images, layer.weights))
    assert torch.autograd.gradgradcheck(call, (images, layer.weights))


def test_the_pattern_covers_every_coefficient() -> None:
    for name in ("random", "basic_entangler", "hardware_efficient", "strongly_entangling"):
        layer = Quanv2d(1, 4, 2, circuit=name, n_layers=1, seed=3)
        allowed = pattern(compile_circuit(layer.circuits[0]))
        assert allowed is not None
        found = layer.polynomial()[0, :, 0].abs() > 1e-12
        assert not (found & ~torch.from_numpy(allowed)).any()
        if name == "random":
            assert allowed.sum() < allowed.size / 4, "few products are left of a shallow circuit"


def test_an_angle_of_two_pixels_is_left_to_plain_torch() -> None:
    angle = Angle(inputs=((0, 1.0), (1, 0.5)))
    circuit = Circuit(1, 2, (Gate("RY", (0,), angle),), (Observable(((1.0, ((0, "Z"),)),)),))
    layer = Quanv2d(1, 1, (1, 2), circuit=circuit, scale=2.0, dtype=torch.float64)
    images = torch.rand(2, 1, 3, 4, dtype=torch.float64)
    expected = torch.cos(2.0 * (images[..., :-1] + 0.5 * images[..., 1:]))
    torch.testing.assert_close(layer(images), expected)


def test_equal_windows_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from quanvolve.compile.plans import _statevector as module

    layer = Quanv2d(1, 4, 2, engine="statevector", seed=0)
    images = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0)).repeat(300, 1, 1, 1)
    seen: list[int] = []
    original = module.StatevectorPlan._of_values

    def spy(plan: Any, values: torch.Tensor, *others: Any) -> Any:
        seen.append(values.shape[-1])
        return original(plan, values, *others)

    monkeypatch.setattr(module.StatevectorPlan, "_of_values", spy)
    out = layer(images)
    assert seen == [49]
    out.square().sum().backward()
    gradient = layer.weights.grad.clone()
    layer.zero_grad()
    one = layer(images[:1])
    torch.testing.assert_close(out, one.expand_as(out))
    (300 * one.square().sum()).backward()
    torch.testing.assert_close(gradient / 300, layer.weights.grad / 300, rtol=1e-4, atol=1e-5)


def test_distinct_windows() -> None:
    rng = torch.Generator().manual_seed(0)
    few = torch.randint(0, 3, (4, 20_000), generator=rng).float()
    found = distinct(few)
    assert found is not None
    first, which = found
    assert len(first) == 81
    torch.testing.assert_close(few[:, first][:, which], few, rtol=0, atol=0)
    assert distinct(torch.rand(4, 20_000, generator=rng)) is None, "nearly all are distinct"
    assert distinct(few[:, :100]) is None, "too few to be worth it"


def test_unknown_tables_are_named() -> None:
    with pytest.raises(QuanvolveError, match=r"no layer of this process has the tables 7: make the layer, and keep it"):
        torch.ops.quanvolve.coefficients(torch.zeros(1, 1), 7)


def test_kernels_survive_a_fork_and_several_threads(tmp_path: Path) -> None:
    script = tmp_path / "fork.py"
    script.write_text(
        "import os, threading, torch\n"
        "from quanvolve import Quanv2d\n"
        "layer = Quanv2d(1, 4, 2, seed=0)\n"
        "images = torch.rand(64, 1, 28, 28)\n"
        "with torch.no_grad():\n"
        "    expected = layer(images)\n"
        "    found = [None] * 8\n"
        "    def work(k):\n"
        "        with torch.no_grad():\n"
        "            for _ in range(20):\n"
        "                found[k] = layer(images)\n"
        "    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]\n"
        "    [t.start() for t in threads]; [t.join() for t in threads]\n"
        "    assert all(torch.equal(one, expected) for one in found)\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        torch.set_num_threads(1)\n"
        "        os._exit(0 if torch.equal(layer(images), expected) else 1)\n"
        "    _, status = os.waitpid(child, 0)\n"
        "    assert status == 0, status\n"
        "print('fine')\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout == "fine\n", done.stderr


def test_plain_torch_can_be_asked_for(tmp_path: Path) -> None:
    lines = (
        "import sys, torch, quanvolve",
        "quanvolve.Quanv2d(1, 4, 2)(torch.rand(1, 1, 4, 4))",
        "print('numba' in sys.modules)",
    )
    for choice, loaded in (("torch", "False"), ("numba", "True")):
        environment = {"PATH": "", "HOME": str(tmp_path), "QUANVOLVE_KERNELS": choice}
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, env=environment, check=True
        )
        assert done.stdout.strip() == loaded

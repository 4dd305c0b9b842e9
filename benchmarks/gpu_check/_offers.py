"""The ways in which torch uses a module on a GPU: moved, saved, compiled, captured, in streams, in half precision."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import torch
from benchmarks.gpu_check._table import Table
from torch import Tensor, nn

from quanvolve import CoherentTree, Quanv2d


def equal(found: Tensor, expected: Tensor, tolerance: float = 1e-5) -> dict[str, Any]:
    apart = float((found.detach().cpu().double() - expected.detach().cpu().double()).abs().max())
    return {"value": apart, "unit": "apart", "result": "good" if apart <= tolerance else "apart"}


def offers(table: Table) -> None:
    """The ways in which torch uses a module on a GPU."""
    device = table.device
    x = torch.rand(8, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    made = {
        "trained": lambda: Quanv2d(1, 4, 2, stride=2, seed=0),
        "fixed": lambda: Quanv2d(1, 4, 2, stride=2, circuit="random", trainable=False, seed=0),
        "state vector": lambda: Quanv2d(1, 4, 2, stride=2, engine="statevector", seed=0),
        "noisy": lambda: Quanv2d(1, 4, 2, stride=2, circuit="random", noise={"depolarizing": 0.01}, seed=0),
    }
    for name, make in made.items():
        _offers_of(table, name, make, x)
    square = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    _offers_of(table, "tree", lambda: CoherentTree(1, (8, 8), n_trees=2, seed=0), square)
    table.attempt("shots", "seeded twice, and beside exact values", lambda: _shots(device))
    table.attempt("conformance kit", "2d", lambda: _kit(device))
    table.attempt("default device", "2d", lambda: _default(device))


def _offers_of(table: Table, name: str, make: Callable[[], nn.Module], x: Tensor) -> None:
    device, there, expected = table.device, x.to(table.device), make()(x).detach()

    def on() -> nn.Module:
        return make().to(device)

    def tried(what: str, call: Callable[[], Tensor], tolerance: float = 1e-5) -> None:
        table.attempt(what, name, lambda: equal(call(), expected, tolerance))

    tried("used on the CPU, then moved", lambda: _moved(make(), x, device))
    tried("moved there and back", lambda: _back(on(), x, device))
    tried("made there", lambda: _made_there(make, there, device))
    tried("a state from the CPU", lambda: _stated(make(), on(), there))
    tried("saved there, loaded here", lambda: _saved(on(), x))
    tried("channels last", lambda: on()(there.to(memory_format=torch.channels_last)))
    tried("half a batch each in two streams", lambda: _streams(on(), there, table))
    tried("vmap", lambda: torch.func.vmap(on())(there))
    tried("torch.compile", lambda: torch.compile(on())(there))
    torch._dynamo.reset()
    if table.gpu:
        tried("torch.compile, reduce-overhead", lambda: _reduced(on(), there))
        torch._dynamo.reset()
        tried("a CUDA graph of the forward pass", lambda: _graph(on(), there))
        tried("autocast to half precision", lambda: _cast(on(), there), tolerance=2e-2)
        tried("an input of another device is refused", lambda: _refused(on(), x, expected))


def _moved(layer: nn.Module, x: Tensor, device: torch.device) -> Tensor:
    layer(x.clone().requires_grad_()).sum().backward()
    out: Tensor = layer.to(device)(x.to(device))
    return out


def _back(layer: nn.Module, x: Tensor, device: torch.device) -> Tensor:
    layer(x.to(device))
    out: Tensor = layer.cpu()(x)
    return out


def _made_there(make: Callable[[], nn.Module], x: Tensor, device: torch.device) -> Tensor:
    with torch.device(device):
        out: Tensor = make()(x)
    return out


def _stated(one: nn.Module, other: nn.Module, x: Tensor) -> Tensor:
    other.load_state_dict(one.state_dict())
    out: Tensor = other(x)
    return out


def _saved(layer: nn.Module, x: Tensor) -> Tensor:
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    out: Tensor = torch.load(file, map_location="cpu", weights_only=False)(x)
    return out


def _streams(layer: nn.Module, x: Tensor, table: Table) -> Tensor:
    if not table.gpu:
        return torch.cat([layer(half) for half in x.chunk(2)])
    streams = [torch.cuda.Stream(), torch.cuda.Stream()]
    table.wait()
    out = []
    for stream, half in zip(streams, x.chunk(2), strict=True):
        with torch.cuda.stream(stream):
            out.append(layer(half))
    table.wait()
    return torch.cat(out)


def _reduced(layer: nn.Module, x: Tensor) -> Tensor:
    compiled = torch.compile(layer, mode="reduce-overhead")
    for _ in range(3):
        torch.compiler.cudagraph_mark_step_begin()
        out: Tensor = compiled(x)
        if out.requires_grad:
            layer.zero_grad()
            out.sum().backward()
    return out.detach().clone()


def _graph(layer: nn.Module, x: Tensor) -> Tensor:
    fixed = torch.zeros_like(x)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side), torch.no_grad():
        layer(fixed)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.no_grad(), torch.cuda.graph(graph):
        out = layer(fixed)
    fixed.copy_(x)
    graph.replay()
    found: Tensor = out
    return found


def _cast(layer: nn.Module, x: Tensor) -> Tensor:
    with torch.autocast("cuda", dtype=torch.float16):
        out: Tensor = layer(x)
    if any(p.requires_grad for p in layer.parameters()):
        out.sum().backward()
    return out.float()


def _refused(layer: nn.Module, x: Tensor, expected: Tensor) -> Tensor:
    try:
        layer(x)
    except Exception as error:
        if "cuda" in str(error) and "cpu" in str(error):
            return expected
        raise AssertionError(f"the error does not name both devices: {error}") from error
    raise AssertionError("an input on the CPU was taken by a layer on a GPU")


def _shots(device: torch.device) -> dict[str, Any]:
    x = torch.rand(4, 1, 16, 16, device=device)
    layer = Quanv2d(1, 4, 2, stride=2, circuit="random", shots=10_000, trainable=False, seed=0).to(device)
    exact = Quanv2d(1, 4, 2, stride=2, circuit="random", trainable=False, seed=0).to(device)(x)
    torch.manual_seed(3)
    one = layer(x)
    torch.manual_seed(3)
    assert torch.equal(one, layer(x)), "the same seed gave other counts"
    return equal(one, exact, 6e-2)


def _kit(device: torch.device) -> dict[str, Any]:
    from quanvolve.testing import check_quanv

    check_quanv(Quanv2d(1, 4, 2, stride=2, seed=0).to(device))
    return {}


def _default(device: torch.device) -> dict[str, Any]:
    try:
        torch.set_default_device(device)
        layer = Quanv2d(1, 4, 2, stride=2, seed=0)
        out = layer(torch.rand(2, 1, 6, 6))
        out.sum().backward()
        assert out.device.type == device.type, out.device
    finally:
        torch.set_default_device(None)
    return {}

"""The workloads and the trees beside `nn.Conv2d` (cuDNN) of the same shape, and what a copy allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from benchmarks.gpu_check._table import Table
from torch import Tensor, nn

from quanvolve import CoherentTree, Quanv2d
from quanvolve.bench._workloads import WORKLOADS, Workload


def ours(workload: Workload, count: int = 1) -> Quanv2d:
    """The layer of a workload; with `count` times as many filters."""
    return Quanv2d(
        1, workload.kernel**2 * count, workload.kernel, stride=workload.stride, circuit=workload.circuit,
        n_layers=workload.layers, trainable=workload.training, shots=workload.shots or None, seed=0,
        noise={"depolarizing": workload.noise} if workload.noise else None,
    )  # fmt: skip


def training_step(layer: nn.Module, images: Tensor, graphed: bool = False) -> Callable[[], object]:
    model = nn.Sequential(layer, nn.Flatten(), nn.Linear(layer(images).flatten(1).shape[1], 10)).to(images.device)
    labels = torch.arange(len(images), device=images.device) % 10
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    compiled = torch.compile(model, mode="reduce-overhead") if graphed else model

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(compiled(images), labels).backward()
        optimizer.step()

    return step


def forward_pass(layer: nn.Module, images: Tensor) -> Callable[[], object]:
    def run() -> object:
        with torch.no_grad():
            return layer(images)

    return run


def copy_bandwidth(table: Table) -> float:
    """Bytes that are read and written each second by a copy of half a gigabyte."""
    source = torch.ones(2**27 if table.gpu else 2**24, device=table.device)
    target = torch.empty_like(source)
    return 2 * source.numel() * 4 / table.median(lambda: target.copy_(source))


def speed(table: Table) -> None:
    """The workloads W1 to W6 beside nn.Conv2d."""
    copies = copy_bandwidth(table)
    table.line("copy", "512 MiB", value=copies / 1e9, unit="GB/s")
    pairs = [(name, w, 1) for name, w in WORKLOADS.items()] + [("W1d, 16 filters", WORKLOADS["W1d"], 16)]
    for name, workload, filters in pairs:
        for images in (32,) if workload.training else (512, 16384):
            if workload.kernel == 3 and images > 4096:
                images = 4096

            def measure(workload: Workload = workload, images: int = images, filters: int = filters) -> dict[str, Any]:
                x = torch.rand(images, 1, workload.side, workload.side, device=table.device)
                layer = ours(workload, filters).to(table.device)
                shape = {"stride": workload.stride, "device": table.device}
                conv = nn.Conv2d(1, layer.out_channels, workload.kernel, **shape)
                kind = training_step if workload.training else forward_pass
                if table.gpu:
                    torch.cuda.reset_peak_memory_stats()
                mine = table.median(kind(layer, x))
                peak = torch.cuda.max_memory_allocated() / 2**20 if table.gpu else 0.0
                other = table.median(kind(conv, x))
                limit = 4 * (x.numel() + layer(x).numel()) / copies
                share = "" if workload.training else f", {limit / mine:.0%} of the copy limit"
                plan = layer.plan.rpartition("expectation values by ")[2].split()[0].strip(":,")
                return {
                    "value": mine * 1e3, "unit": "ms", "beside": f"nn.Conv2d {other * 1e3:.4g} ms{share}",
                    "ratio": mine / other, "dtype": f"float32, {plan}, peak {peak:.0f} MiB",
                }  # fmt: skip

            table.attempt("speed", f"{name}, {images} images", measure)


def trees(table: Table) -> None:
    """Coherent trees of 1,024 qubits beside a convolution that makes as many numbers of as many pixels."""
    for images in (100, 4096):
        for trained in (False, True):
            if not (trained and images > 100):
                case = f"8 trees, {images} images, {'training step' if trained else 'forward'}"
                table.attempt(
                    "speed, trees", case, lambda images=images, trained=trained: _tree(table, images, trained)
                )


def _tree(table: Table, images: int, trained: bool) -> dict[str, Any]:
    x = torch.rand(images, 1, 32, 32, device=table.device)
    tree = CoherentTree(1, (32, 32), n_trees=8, seed=0).to(table.device)
    conv = nn.Conv2d(1, 24, 32, device=table.device)
    kind = training_step if trained else forward_pass
    if table.gpu:
        torch.cuda.reset_peak_memory_stats()
    mine = table.median(kind(tree, x))
    peak = torch.cuda.max_memory_allocated() / 2**20 if table.gpu else 0.0
    other = table.median(kind(conv, x))
    beside = f"nn.Conv2d {other * 1e3:.4g} ms; {images / mine:.4g} images/s"
    dtype = f"float32, peak {peak:.0f} MiB"
    return {"value": mine * 1e3, "unit": "ms", "beside": beside, "ratio": mine / other, "dtype": dtype}


def compiled(table: Table) -> None:
    """Workloads by torch.compile."""
    if table.gpu:
        for name in ("W1", "W1d"):
            table.attempt("speed, torch.compile", name, lambda name=name: _compiled(table, WORKLOADS[name]))
        table.attempt("speed, reduce-overhead", "W3", lambda: _graphed(table, WORKLOADS["W3"]))


def _compiled(table: Table, workload: Workload) -> dict[str, Any]:
    x = torch.rand(4096, 1, workload.side, workload.side, device=table.device)
    layer = ours(workload).to(table.device)
    conv = nn.Conv2d(1, layer.out_channels, workload.kernel, stride=workload.stride, device=table.device)
    run = forward_pass(torch.compile(layer), x)
    start = time.perf_counter()
    run()
    table.wait()
    first = time.perf_counter() - start
    mine, other = table.median(run), table.median(forward_pass(conv, x))
    torch._dynamo.reset()
    beside = f"nn.Conv2d {other * 1e3:.4g} ms, 4096 images; first call {first:.1f} s"
    return {"value": mine * 1e3, "unit": "ms", "beside": beside, "ratio": mine / other}


def _graphed(table: Table, workload: Workload) -> dict[str, Any]:
    x = torch.rand(32, 1, workload.side, workload.side, device=table.device)
    layer = ours(workload).to(table.device)
    start = time.perf_counter()
    step = training_step(layer, x, graphed=True)
    step()
    table.wait()
    first = time.perf_counter() - start
    mine = table.median(step)
    torch._dynamo.reset()
    conv = nn.Conv2d(1, layer.out_channels, workload.kernel, stride=workload.stride, device=table.device)
    other = table.median(training_step(conv, x, graphed=True))
    torch._dynamo.reset()
    beside = f"nn.Conv2d {other * 1e3:.4g} ms; first step {first:.1f} s"
    return {"value": mine * 1e3, "unit": "ms", "beside": beside, "ratio": mine / other}

"""Layers of every kind on the GPU beside plain torch on the CPU in double precision: values and all gradients."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator

import torch
from benchmarks.gpu_check._table import Row, Table
from torch import Tensor, nn

from quanvolve import CoherentTree, QuantumLinear, Quanv1d, Quanv2d, Quanv3d
from quanvolve.circuits import ANSATZE, ENCODINGS, READOUTS
from quanvolve.compile import use_kernels

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def layers() -> Iterator[tuple[str, Callable[[], nn.Module], tuple[int, ...]]]:
    """Layers of every kind: names, makers, and shapes of an input."""
    yield "1d", lambda: Quanv1d(2, 3, 2, groups=1, n_layers=1, seed=0), (3, 2, 9)
    yield "2d, stride 2", lambda: Quanv2d(1, 4, 2, stride=2, bias=True, seed=0), (5, 1, 8, 8)
    yield "2d, padding, dilation", lambda: Quanv2d(2, 8, (1, 3), padding=1, dilation=2, groups=2, seed=0), (3, 2, 7, 9)
    yield "2d, joint channels", lambda: Quanv2d(2, 4, (1, 2), channel_mixing="joint", seed=0), (3, 2, 5, 6)
    yield "2d, reflected", lambda: Quanv2d(1, 4, 2, padding=1, padding_mode="reflect", seed=0), (3, 1, 5, 6)
    yield "3d", lambda: Quanv3d(1, 2, (2, 1, 1), stride=2, n_layers=1, seed=0), (2, 1, 4, 3, 5)
    yield "linear", lambda: QuantumLinear(4, 3, n_layers=1, seed=0), (7, 4)
    yield "trained scale", lambda: Quanv2d(1, 4, 2, scale=nn.Parameter(torch.tensor(2.0)), seed=0), (3, 1, 5, 6)
    yield "many filters", lambda: Quanv2d(1, 64, 2, circuit="random", seed=0), (2, 1, 6, 6)
    for circuit, encoding in itertools.product(ANSATZE, ENCODINGS):
        if ANSATZE[circuit].layered or not ENCODINGS[encoding].repeats:  # the catalogue has no others
            levels = 1 if circuit.startswith("qcnn") else 2
            options = {"circuit": circuit, "encoding": encoding, "seed": 0, "n_layers": levels}
            yield f"{circuit}, {encoding}", lambda o=options: Quanv2d(1, 4, 2, **o), (3, 1, 5, 6)
    for readout in READOUTS:
        count = Quanv2d(1, 1, 2, readout=readout, trainable=False).circuits[0].n_outputs
        if readout != "popcount_sampled":
            options = {"readout": readout, "seed": 0, "trainable": "popcount" not in readout}
            yield f"read {readout}", lambda n=count, o=options: Quanv2d(1, n, 2, **o), (3, 1, 5, 6)
    for engine in ("polynomial", "tensor_train", "statevector"):
        yield f"engine {engine}", lambda e=engine: Quanv2d(1, 4, 2, engine=e, seed=0), (3, 1, 5, 6)
    for noise in ({"depolarizing": 0.01}, {"amplitude_damping": 0.05}, {"readout": 0.02}):
        for engine in ("auto",) if "readout" in noise else ("auto", "density"):
            options = {"noise": noise, "engine": engine, "seed": 0}
            yield f"noise {next(iter(noise))}, {engine}", lambda o=options: Quanv2d(1, 4, 2, **o), (3, 1, 5, 6)
    yield "9 qubits", lambda: Quanv2d(1, 9, 3, seed=0), (2, 1, 6, 6)
    yield "9 qubits, grid", lambda: Quanv2d(1, 9, 3, circuit="grid", seed=0), (2, 1, 6, 6)
    yield "tree", lambda: CoherentTree(1, (8, 8), n_trees=2, seed=0), (3, 1, 8, 8)
    yield "tree, 2 qubits kept", lambda: CoherentTree(1, (4, 4), n_trees=2, keep=2, seed=0), (3, 1, 4, 4)
    yield "25 qubits", lambda: Quanv2d(1, 25, 5, circuit="brickwork", seed=0), (1, 1, 6, 6)


def values_and_gradients(layer: nn.Module, x: Tensor) -> list[Tensor]:
    x = x.detach().clone().requires_grad_(layer_reads_numbers(layer))
    out = layer(x)
    shape = torch.arange(out.numel(), dtype=out.dtype, device=out.device).cos().reshape(out.shape)
    leaves = [tensor for tensor in (x, *layer.parameters()) if tensor.requires_grad]
    if not leaves or not out.requires_grad:
        return [out.detach().cpu()]
    found = torch.autograd.grad((out * shape).sum(), leaves, allow_unused=True)
    return [out.detach().cpu(), *(grad.cpu() for grad in found if grad is not None)]


def layer_reads_numbers(layer: nn.Module) -> bool:
    return getattr(layer, "encoding", None) != "threshold"


def agreement(table: Table) -> None:
    """Values and all gradients beside those of plain torch on the CPU in double precision."""
    for name, make, shape in layers():
        for dtype in TOLERANCE:
            table.attempt("agreement with the CPU", name, lambda m=make, s=shape, d=dtype: _compared(table, m, s, d))


def _compared(table: Table, make: Callable[[], nn.Module], shape: tuple[int, ...], dtype: torch.dtype) -> Row:
    torch.manual_seed(0)
    layer = make()
    x = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    with use_kernels(False):
        expected = values_and_gradients(copy.deepcopy(layer).double(), x.double())
    found = values_and_gradients(layer.to(table.device, dtype), x.to(table.device, dtype))
    assert len(found) == len(expected), f"{len(found)} tensors, not {len(expected)}"
    pairs = zip(found, expected, strict=True)
    apart = max(float((one.double() - other).abs().max() / other.abs().max().clamp(min=1)) for one, other in pairs)
    far = "good" if apart <= TOLERANCE[dtype] else "apart"
    return {"value": apart, "unit": "of the largest", "dtype": str(dtype)[6:], "result": far}  # type: ignore[dict-item]

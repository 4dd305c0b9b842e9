"""PennyLane's TorchLayer and TorchQuantum on the GPU, where they are installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import torch
from benchmarks.gpu_check._speed import forward_pass, ours, training_step
from benchmarks.gpu_check._table import Table
from torch import Tensor, nn

from quanvolve.bench._workloads import WORKLOADS, Workload


def peers(table: Table) -> None:
    """All windows of 32 images in one batch, forward and in training steps."""
    for what, package, make in (
        ("PennyLane's TorchLayer", "pennylane", _pennylane),
        ("TorchQuantum", "torchquantum", _torchquantum),
    ):
        if importlib.util.find_spec(package) is None:
            table.line(f"peer, {what}", "W1 to W4", beside="not installed")
            continue
        for name in ("W1d", "W2", "W3", "W4"):
            table.attempt(f"peer, {what}", name, lambda name=name, make=make: _beside(table, make, WORKLOADS[name]))


def _beside(table: Table, make: Callable[[Workload, torch.device], nn.Module], workload: Workload) -> dict[str, Any]:
    x = torch.rand(32, 1, workload.side, workload.side, device=table.device)
    kind = training_step if workload.training else forward_pass
    theirs = table.median(kind(Cut(make(workload, table.device), workload).to(table.device), x))
    mine = table.median(kind(ours(workload).to(table.device), x))
    beside = f"theirs {theirs * 1e3:.4g} ms, 32 images"
    return {"value": mine * 1e3, "unit": "ms", "beside": beside, "ratio": mine / theirs}


class Cut(nn.Module):
    """A module of windows (N, pixels) as one of images."""

    def __init__(self, inner: nn.Module, workload: Workload) -> None:
        super().__init__()
        self.inner, self.kernel, self.stride = inner, workload.kernel, workload.stride

    def forward(self, x: Tensor) -> Tensor:
        cut = nn.functional.unfold(x, self.kernel, stride=self.stride).transpose(1, 2)
        values: Tensor = self.inner(cut.flatten(0, 1))
        return values.reshape(len(x), -1, values.shape[-1]).transpose(1, 2)


def _pennylane(workload: Workload, device: torch.device) -> nn.Module:
    import pennylane as qp

    wires = workload.kernel**2

    @qp.qnode(qp.device("default.qubit", wires=wires), interface="torch", diff_method="backprop")
    def circuit(inputs: Tensor, weights: Tensor) -> Any:
        qp.AngleEmbedding(torch.pi * inputs, wires=range(wires), rotation="Y")
        qp.StronglyEntanglingLayers(weights, wires=range(wires))
        return [qp.expval(qp.Z(wire)) for wire in range(wires)]

    module: nn.Module = qp.qnn.TorchLayer(circuit, {"weights": (workload.layers, wires, 3)})
    return module


def _torchquantum(workload: Workload, device: torch.device) -> nn.Module:
    import torchquantum as tq

    wires = workload.kernel**2

    class Circuit(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = nn.Parameter(torch.rand(workload.layers, wires, 3))

        def forward(self, windows: Tensor) -> Tensor:
            state = tq.QuantumDevice(n_wires=wires, bsz=len(windows), device=device)
            for wire in range(wires):
                tq.functional.ry(state, wires=wire, params=torch.pi * windows[:, wire : wire + 1])
            for number, layer in enumerate(self.weights):
                for wire in range(wires):
                    tq.functional.rz(state, wires=wire, params=layer[wire, 0].reshape(1, 1))
                    tq.functional.ry(state, wires=wire, params=layer[wire, 1].reshape(1, 1))
                    tq.functional.rz(state, wires=wire, params=layer[wire, 2].reshape(1, 1))
                for wire in range(wires):
                    tq.functional.cnot(state, wires=[wire, (wire + number % (wires - 1) + 1) % wires])
            values: Tensor = tq.MeasureAll(tq.PauliZ)(state)
            return values

    return Circuit()

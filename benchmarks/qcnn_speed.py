"""Training steps of the eight-qubit QCNN of Hur, Kim and Park (2022), batches of 25, beside PennyLane.

    python benchmarks/qcnn_speed.py

Blocks of the paper with its pooling and three levels, amplitude encoding of 256 values and angle encoding of 8; one
step is the cross-entropy of the last qubit's probabilities, its gradient, and Nesterov's step, as in the paper. The
same weights, batches and loss for all contenders, in one process, on one core and in turn; what is measured is the
processor's time, which other work on the machine does not change. Medians go to `qcnn_speed.csv` beside this file.
PennyLane runs default.qubit with the batch broadcast, in double precision: in a `TorchLayer` with backprop, and with
JAX's jit where JAX is installed.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pennylane as qp
import torch
from torch import Tensor

from quanvolve import QuantumLinear
from quanvolve.circuits import BLOCKS

HERE = Path(__file__).parent
BATCH, QUBITS, LEVELS, LR = 25, 8, 3, 0.01
N_INPUTS = {"amplitude": 256, "ry": 8}
FEWEST, SECONDS = 3, 4.0
Step = Callable[[], float]


def blocks() -> dict[str, Callable[[Any, tuple[int, int]], None]]:
    """Blocks of figure 2 in PennyLane's gates."""

    def u_ttn(w: Any, pair: tuple[int, int]) -> None:
        qp.RY(w[0], wires=pair[0])
        qp.RY(w[1], wires=pair[1])
        qp.CNOT(wires=pair)

    def u_so4(w: Any, pair: tuple[int, int]) -> None:
        for k in (0, 2):
            u_ttn(w[k : k + 2], pair)
        qp.RY(w[4], wires=pair[0])
        qp.RY(w[5], wires=pair[1])

    def u_6(w: Any, pair: tuple[int, int]) -> None:
        for k in (0, 6):
            for gate, angles in ((qp.RX, w[k : k + 2]), (qp.RZ, w[k + 2 : k + 4])):
                gate(angles[0], wires=pair[0])
                gate(angles[1], wires=pair[1])
            if not k:
                qp.CRX(w[4], wires=pair[::-1])
                qp.CRX(w[5], wires=pair)

    def u_su4(w: Any, pair: tuple[int, int]) -> None:
        qp.U3(w[0], w[1], w[2], wires=pair[0])
        qp.U3(w[3], w[4], w[5], wires=pair[1])
        qp.CNOT(wires=pair)
        qp.RY(w[6], wires=pair[0])
        qp.RZ(w[7], wires=pair[1])
        qp.CNOT(wires=pair[::-1])
        qp.RY(w[8], wires=pair[0])
        qp.CNOT(wires=pair)
        qp.U3(w[9], w[10], w[11], wires=pair[0])
        qp.U3(w[12], w[13], w[14], wires=pair[1])

    return {"u_ttn": u_ttn, "u_so4": u_so4, "u_6": u_6, "u_su4": u_su4}


def network(block: str, encoding: str, inputs: Any, weights: Any) -> Any:
    """The whole circuit; gives the probabilities of the last qubit."""
    if encoding == "amplitude":
        qp.AmplitudeEmbedding(inputs, wires=range(QUBITS), normalize=True)
    else:
        qp.AngleEmbedding(inputs, wires=range(QUBITS), rotation="Y")
    apply, split = blocks()[block], BLOCKS[block].n_weights
    wires = list(range(QUBITS))
    for level in range(LEVELS):
        w, last = weights[level], len(wires) == 2
        even, odd = list(zip(wires[::2], wires[1::2], strict=True)), list(zip(wires[1::2], wires[2::2], strict=False))
        for pair in [*([] if last else [(wires[0], wires[-1])]), *even, *odd]:
            apply(w, pair)
        for first, second in even:
            kept, pooled = (second, first) if last else (first, second)
            qp.CRZ(w[split], wires=[pooled, kept])
            qp.PauliX(wires=pooled)
            qp.CRX(w[split + 1], wires=[pooled, kept])
        wires = wires[1:] if last else wires[::2]
    return qp.probs(wires=wires)


class Work:
    """One block and encoding: batch, labels and first weights."""

    def __init__(self, block: str, encoding: str) -> None:
        self.block, self.encoding = block, encoding
        generator = torch.Generator().manual_seed(0)
        self.inputs = torch.rand(BATCH, N_INPUTS[encoding], generator=generator, dtype=torch.float64) + 0.1
        self.labels = torch.randint(0, 2, (BATCH,), generator=generator)
        self.shape = (LEVELS, BLOCKS[block].n_weights + 2)
        self.weights = torch.randn(self.shape, generator=generator, dtype=torch.float64)

    def torch_step(self, layer: torch.nn.Module, dtype: torch.dtype) -> Step:
        """One step of any layer of torch that gives two probabilities."""
        inputs, labels = self.inputs.to(dtype), self.labels
        optimizer = torch.optim.SGD(layer.parameters(), lr=LR, momentum=0.9, nesterov=True)

        def step() -> float:
            optimizer.zero_grad()
            loss: Tensor = torch.nn.functional.nll_loss(layer(inputs).log(), labels)
            loss.backward()
            optimizer.step()
            return loss.item()

        return step

    def ours(self, dtype: torch.dtype) -> Step:
        layer = QuantumLinear(
            N_INPUTS[self.encoding], 2, circuit=f"qcnn_{self.block}", encoding=self.encoding, readout="probs",
            n_layers=LEVELS, scale=1.0, dtype=dtype, seed=0,
        )  # fmt: skip
        with torch.no_grad():
            layer.weights.copy_(self.weights)
        return self.torch_step(layer, dtype)

    def torch_layer(self) -> Step:
        @qp.qnode(qp.device("default.qubit", wires=QUBITS), interface="torch", diff_method="backprop")
        def node(inputs: Any, weights: Any) -> Any:
            return network(self.block, self.encoding, inputs, weights)

        layer = qp.qnn.TorchLayer(node, {"weights": self.shape}).double()
        with torch.no_grad():
            layer.weights.copy_(self.weights)
        return self.torch_step(layer, torch.float64)

    def jax(self) -> Step:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)

        @qp.qnode(qp.device("default.qubit", wires=QUBITS), interface="jax", diff_method="backprop")
        def node(inputs: Any, weights: Any) -> Any:
            return network(self.block, self.encoding, inputs, weights)

        inputs, labels = jnp.array(self.inputs.numpy()), jnp.array(self.labels.numpy())

        def loss(weights: Any) -> Any:
            return -jnp.log(node(inputs, weights)[jnp.arange(BATCH), labels]).mean()

        @jax.jit
        def update(weights: Any, speed: Any) -> Any:
            value, gradient = jax.value_and_grad(loss)(weights)
            speed = 0.9 * speed + gradient  # as torch's SGD
            return weights - LR * (gradient + 0.9 * speed), speed, value

        state = [jnp.array(self.weights.numpy()), jnp.zeros(self.shape)]

        def step() -> float:
            *state[:], value = update(*state)
            return float(value)

        return step


def main() -> None:
    """Check that all do the same, time, write."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    with_jax = importlib.util.find_spec("jax") is not None
    rows = []
    for encoding in N_INPUTS:
        for block in blocks():
            work = Work(block, encoding)
            contenders: dict[str, Step] = {
                "quanvolve float32": work.ours(torch.float32),
                "quanvolve float64": work.ours(torch.float64),
                "PennyLane TorchLayer": work.torch_layer(),
            }
            first = {name: [step() for _ in range(3)] for name, step in contenders.items()}
            compiling = 0.0
            if with_jax:
                contenders["PennyLane JAX jit"] = work.jax()
                start = time.process_time()
                first["PennyLane JAX jit"] = [contenders["PennyLane JAX jit"]() for _ in range(3)]
                compiling = time.process_time() - start
            expected = first["quanvolve float64"]
            off = {n: max(abs(a - b) for a, b in zip(losses, expected, strict=True)) for n, losses in first.items()}
            wrong = [name for name, error in off.items() if error > (1e-5 if "32" in name else 1e-9)]
            if wrong:
                raise SystemExit(f"{block} {encoding}: {wrong} have other losses: {off}")
            times: dict[str, list[float]] = {name: [] for name in contenders}
            begun = time.process_time()
            while time.process_time() - begun < SECONDS or min(map(len, times.values())) < FEWEST:
                for name, step in contenders.items():
                    for _ in range(20 if "quanvolve" in name else 1):
                        start = time.process_time()
                        step()
                        times[name].append(time.process_time() - start)
            ours = statistics.median(times["quanvolve float64"])
            for name, own in times.items():
                median = statistics.median(own)
                rows.append(
                    [encoding, block, name, f"{1000 * median:.3f}", f"{1 / median:.1f}", f"{median / ours:.1f}",
                     f"{off[name]:.0e}", f"{compiling:.1f}" if "JAX" in name else "", len(own)]
                )  # fmt: skip
                print(*rows[-1], flush=True)
            if not with_jax:
                rows.append([encoding, block, "PennyLane JAX jit", "jax is not installed", "", "", "", "", ""])
    header = ["encoding", "block", "contender", "ms a step", "steps a second", "times quanvolve float64",
              "difference of losses", "seconds to compile", "steps measured"]  # fmt: skip
    with (HERE / "qcnn_speed.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


if __name__ == "__main__":
    main()

"""Wide windows: 9 to 49 qubits, beside simulators of PennyLane (matrix products) and TensorCircuit-NG (matrix products
and Pauli propagation).

Forward in windows a second, training steps a second for the step; float32, medians. A step is forward, cross-entropy
after a linear layer, backward and SGD. The peers evaluate one window after the other, or as many at once as they can;
run this file with an interpreter that has them, and name one that has this package, whose values in double precision
theirs are compared with. What is in the table already of other contenders is kept. With --all every contender runs in
turn, in a process of its own, the others with the interpreter of --peers, and the table is new.

Usage: python benchmarks/wide_windows.py [--contender NAME] [--reference PYTHON] [--output CSV]
       python benchmarks/wide_windows.py --all --peers PYTHON [--output CSV]
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
COLUMNS = (
    "contender", "kernel", "qubits", "ansatz", "layers", "what", "a second", "bond", "windows", "first call, s",
    "peak memory, MiB", "largest error",
)  # fmt: skip
FORWARD = [
    (3, "strongly_entangling", 2), (3, "strongly_entangling", 3), (4, "strongly_entangling", 2),
    (5, "strongly_entangling", 1), (5, "strongly_entangling", 2), (5, "strongly_entangling", 3),
    (6, "strongly_entangling", 2), (7, "strongly_entangling", 2), (5, "brickwork", 2), (5, "brickwork", 4),
    (5, "grid", 2), (5, "grid", 4), (7, "brickwork", 2), (7, "grid", 2),
]  # fmt: skip
PEERS = [(3, "strongly_entangling", 2), (5, "strongly_entangling", 2), (5, "brickwork", 2)]


def median(call: Callable[[], Any], seconds: float = 2.0) -> float:
    times: list[float] = []
    while len(times) < 5 or (sum(times) < seconds and len(times) < 50):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def weights_of(kernel: int, layers: int) -> Any:
    return np.random.default_rng(0).uniform(0, 2 * math.pi, (layers, kernel**2, 3))


def ours() -> Any:
    import torch

    from quanvolve import Quanv2d
    from quanvolve.compile.tables._chains import chains_of
    from quanvolve.compile.tables._sweeps import sweeps

    torch.manual_seed(0)
    for kernel, ansatz, layers in FORWARD:
        n = kernel**2
        stride = 1 if kernel == 3 else kernel
        layer = Quanv2d(
            1, n, kernel, stride, circuit=ansatz, n_layers=layers, trainable=False,
            weights=weights_of(kernel, layers)[None, None],
        )  # fmt: skip
        images = torch.rand(64 if layers > 2 else 512, 1, 28, 28)
        start = time.perf_counter()
        out = layer(images)
        first = time.perf_counter() - start
        exact = Quanv2d(
            1, n, kernel, stride, circuit=ansatz, n_layers=layers, trainable=False, dtype=torch.float64,
            weights=weights_of(kernel, layers)[None, None],
        )(images[:4].double())  # fmt: skip
        windows = out.numel() // n
        bond = max(sweep.bond for sweep in sweeps(chains_of(layer.circuits[0])))
        yield {
            "kernel": kernel, "qubits": n, "ansatz": ansatz, "layers": layers, "what": "forward, windows",
            "a second": f"{windows / median(lambda: layer(images)):.3g}", "bond": bond, "windows": windows,  # noqa: B023
            "first call, s": f"{first:.2f}", "largest error": f"{float((out[:4] - exact).abs().max()):.1e}",
        }  # fmt: skip
    for kernel in (3, 5, 7):
        stride = 3 if kernel == 3 else kernel
        layer = Quanv2d(1, kernel**2, kernel, stride, seed=0)
        images, labels = torch.rand(32, 1, 28, 28), torch.randint(10, (32,))
        head = torch.nn.Linear(layer(images)[0].numel(), 10)
        optimizer = torch.optim.SGD([*layer.parameters(), *head.parameters()], lr=0.1)

        def step() -> None:
            optimizer.zero_grad()  # noqa: B023
            torch.nn.functional.cross_entropy(head(layer(images).flatten(1)), labels).backward()  # noqa: B023
            optimizer.step()  # noqa: B023

        start = time.perf_counter()
        step()
        first = time.perf_counter() - start
        yield {
            "kernel": kernel, "qubits": kernel**2, "ansatz": "strongly_entangling", "layers": 2,
            "what": "training steps of 32 images", "a second": f"{1 / median(step):.3g}",
            "windows": 32 * (28 // stride) ** 2 if kernel > 3 else 32 * 81, "first call, s": f"{first:.2f}",
        }  # fmt: skip


def gates(ansatz: str, kernel: int, layers: int) -> Any:
    """(name, wires, place of the weights) after the encoding."""
    n = kernel**2
    for layer in range(layers):
        for wire in range(n):
            yield "rot", (wire,), (layer, wire)
        if ansatz == "strongly_entangling":
            for wire in range(n):
                yield "cnot", (wire, (wire + layer % (n - 1) + 1) % n), None
        else:
            for wire in range(n - 1):
                if wire % kernel % 2 == layer % 2 and wire % kernel < kernel - 1:
                    yield "cnot", (wire, wire + 1), None


def default_tensor() -> Any:
    import pennylane as qml

    for kernel, ansatz, layers in PEERS:
        n, weights = kernel**2, weights_of(kernel, layers)
        device = qml.device("default.tensor", wires=n, method="mps", max_bond_dim=None)

        @qml.qnode(device)
        def node(window: Any) -> Any:
            for wire in range(n):  # noqa: B023
                qml.RY(window[wire], wires=wire)
            for name, wires, place in gates(ansatz, kernel, layers):  # noqa: B023
                if name == "rot":
                    qml.Rot(*weights[place], wires=wires)  # noqa: B023
                else:
                    qml.CNOT(wires=wires)
            return [qml.expval(qml.PauliZ(wire)) for wire in range(n)]  # noqa: B023

        yield from _timed(lambda x: np.array(node(x)), kernel, ansatz, layers)


def tensorcircuit_mps() -> Any:
    import tensorcircuit as tc

    tc.set_backend("numpy")
    for kernel, ansatz, layers in PEERS:
        n, weights = kernel**2, weights_of(kernel, layers)

        def values(window: Any) -> Any:
            circuit = tc.MPSCircuit(n)  # noqa: B023
            for wire in range(n):  # noqa: B023
                circuit.ry(wire, theta=window[wire])
            for name, wires, place in gates(ansatz, kernel, layers):  # noqa: B023
                if name == "rot":
                    phi, theta, omega = weights[place]  # noqa: B023
                    circuit.rz(wires[0], theta=phi)
                    circuit.ry(wires[0], theta=theta)
                    circuit.rz(wires[0], theta=omega)
                else:
                    circuit.cnot(*wires)
            return np.array([circuit.expectation((tc.gates.z(), [wire])) for wire in range(n)]).real  # noqa: B023

        yield from _timed(values, kernel, ansatz, layers)


def tensorcircuit_pauli() -> Any:
    """Sparse Pauli propagation, compiled by JAX; a buffer of so many words drops the smallest ones beyond."""
    import jax
    import tensorcircuit as tc
    from tensorcircuit.pauliprop import SparsePauliPropagationEngine

    tc.set_backend("jax")
    tc.set_dtype("complex128")
    for (kernel, ansatz, layers), words in zip(PEERS, (20_000, 20_000, 1_000), strict=True):
        n, weights = kernel**2, weights_of(kernel, layers)
        engine = SparsePauliPropagationEngine(N=n, k=n, buffer_size=words)

        def values(window: Any, structure: Any) -> Any:
            state = engine.get_initial_state(structure[None], np.ones(1))  # noqa: B023
            for name, wires, place in reversed(list(gates(ansatz, kernel, layers))):  # noqa: B023
                if name == "cnot":
                    state = engine.apply_gate(state, "cnot", wires, None)  # noqa: B023
                    continue
                phi, theta, omega = weights[place]  # noqa: B023
                for axis, angle in (("rz", omega), ("ry", theta), ("rz", phi)):
                    state = engine.apply_gate(state, axis, wires, {"theta": angle})  # noqa: B023
            for wire in range(n):  # noqa: B023
                state = engine.apply_gate(state, "ry", (wire,), {"theta": window[wire]})  # noqa: B023
            return engine.expectation(state)  # noqa: B023

        each = [jax.jit(lambda window, q=q: values(window, 3 * np.eye(n, dtype=int)[q])) for q in range(n)]  # noqa: B023
        yield from _timed(lambda window: np.array([one(window) for one in each]).real, kernel, ansatz, layers)  # noqa: B023


def _windows(kernel: int) -> Any:
    return np.random.default_rng(1).uniform(0, math.pi, (20, kernel**2))


def _print_values(kernel: int, ansatz: str, layers: int) -> None:
    """Our values of the peers' first three windows, in double precision, as JSON."""
    import torch

    from quanvolve import Quanv2d

    layer = Quanv2d(
        1, kernel**2, kernel, circuit=ansatz, n_layers=layers, trainable=False, dtype=torch.float64, scale=1.0,
        weights=weights_of(kernel, layers)[None, None],
    )  # fmt: skip
    windows = torch.from_numpy(_windows(kernel)[:3]).reshape(3, 1, kernel, kernel)
    print(json.dumps(layer(windows).flatten(1).tolist()))


def _timed(values: Callable[[Any], Any], kernel: int, ansatz: str, layers: int, limit: float = 60.0) -> Any:
    """One window at a time, for a minute at most."""
    windows = _windows(kernel)
    row = {
        "kernel": kernel, "qubits": kernel**2, "ansatz": ansatz, "layers": layers, "what": "forward, windows",
        "windows": 1,
    }  # fmt: skip
    start = time.perf_counter()
    found = [values(windows[0])]
    row["first call, s"] = f"{time.perf_counter() - start:.2f}"
    times: list[float] = []
    for window in windows[1:]:
        begin = time.perf_counter()
        found.append(values(window))
        times.append(time.perf_counter() - begin)
        if time.perf_counter() - start > limit:
            break
    row["a second"] = f"{1 / statistics.median(times):.3g}"
    command = [REFERENCE[0], __file__, "--values", f"{kernel},{ansatz},{layers}"]
    ours = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    row["largest error"] = f"{np.abs(np.array(found[:3]) - np.array(ours)[: len(found)]).max():.1e}"
    yield row


CONTENDERS = {
    "quanvolve": ours,
    "default.tensor": default_tensor,
    "tensorcircuit-mps": tensorcircuit_mps,
    "tensorcircuit-pauli": tensorcircuit_pauli,
}
REFERENCE = [sys.executable]


def main() -> None:
    """Measure one contender and put its rows into the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contender", choices=CONTENDERS, default="quanvolve")
    parser.add_argument("--output", type=Path, default=HERE / "wide_windows.csv")
    parser.add_argument("--reference", default=sys.executable)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--values", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.values:
        kernel, ansatz, layers = given.values.split(",")
        _print_values(int(kernel), ansatz, int(layers))
        return
    if given.all:
        given.output.unlink(missing_ok=True)
        for name in CONTENDERS:
            python = sys.executable if name == "quanvolve" else given.peers
            options = ("--contender", name, "--output", given.output, "--reference", sys.executable)
            subprocess.run([python, __file__, *options], check=True)
        return
    REFERENCE[0] = given.reference
    kept: list[dict[str, Any]] = []
    if given.output.exists():
        with given.output.open(newline="") as file:
            kept = [row for row in csv.DictReader(file) if row["contender"] != given.contender]
    for row in CONTENDERS[given.contender]():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        kept.append({"contender": given.contender, **row, "peak memory, MiB": f"{peak:.0f}"})
        print(kept[-1], flush=True)
        with given.output.open("w", newline="") as file:
            table = csv.DictWriter(file, COLUMNS, restval="")
            table.writeheader()
            table.writerows(kept)


if __name__ == "__main__":
    main()

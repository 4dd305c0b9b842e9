"""A contender of `sweep.py` in a process of its own: PennyLane's `TorchLayer`, or PennyLane with JAX.

    python benchmarks/sweep_peer.py torch|jax

It needs PennyLane, and torch or JAX, and nothing of this package. Requests come as JSON lines: `{"do": "prepare"}`
with a circuit and a file of numbers, which answers with values and gradient; `{"do": "time"}`, which answers with the
seconds of the processor that a call takes.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})
os.environ |= {"OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}

import numpy as np
import pennylane as qp

RATE = 0.01
NAMES = {"H": "Hadamard", "X": "PauliX", "Y": "PauliY", "Z": "PauliZ"}
Call = Callable[[], Any]


def simpler(gates: list[Any]) -> list[Any]:
    """Gates as PennyLane has them: `Rot` for RZ, RY, RZ on a wire, `IsingZZ` for an RZ between CNOTs."""
    merged: list[Any] = []
    for gate in gates:
        merged.append(gate)
        last = merged[-3:]
        names, wires = [name for name, _, _ in last], [wire for _, wire, _ in last]
        if names == ["RZ", "RY", "RZ"] and wires[0] == wires[1] == wires[2]:
            merged[-3:] = [["Rot", wires[0], [angles[0] for _, _, angles in last]]]
        elif names == ["CNOT", "RZ", "CNOT"] and wires[0] == wires[2] and wires[1] == wires[0][1:]:
            merged[-3:] = [["IsingZZ", wires[0], last[1][2]]]
    return merged


class Work:
    """One circuit with its numbers.

    Args:
        request: the circuit as `sweep.py` writes it.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        self.wires, self.gates = request["wires"], simpler(request["gates"])
        self.threshold, self.prepared, self.program = request["threshold"], request["prepared"], request["program"]
        self.counts, self.observables = request["counts"], request["observables"]
        with np.load(request["numbers"]) as arrays:
            self.inputs, self.weights, self.slopes = (arrays[name] for name in ("inputs", "weights", "slopes"))
        self.outcomes = [outcome for _, outcome in self.observables if outcome]
        words = [word for terms, _ in self.observables for _, word in terms if word]
        self.words = [list(map(tuple, word)) for word in dict.fromkeys(tuple(map(tuple, word)) for word in words)]
        self.bits = np.array([state.bit_count() for state in range(2**self.wires)], np.float32)

    def node(self, interface: str) -> Any:
        """The circuit as a QNode of (inputs, weights); inputs may be a batch."""

        @qp.qnode(qp.device("default.qubit", wires=self.wires), interface=interface, diff_method="backprop")
        def node(inputs: Any, weights: Any) -> Any:
            if self.threshold is not None:
                inputs = (inputs > self.threshold) * 1.0
            if self.prepared:
                qp.AmplitudeEmbedding(inputs, range(self.wires), pad_with=0.0, normalize=True)
            values = [inputs[..., k] for k in range(inputs.shape[-1])] if not self.prepared else []
            for factor, offset, i, j in self.program:
                values.append(factor * (offset - values[i]) * (offset - values[j]))
            for name, wires, angles in self.gates:
                given = [self._angle(angle, values, weights) for angle in angles]
                getattr(qp, NAMES.get(name, name))(*given, wires=wires)
            if self.counts is not None:
                return qp.probs(wires=range(self.wires))
            if self.outcomes:
                return qp.probs(wires=[wire for wire, _ in self.outcomes[0]])
            return [qp.expval(self._word(word)) for word in self.words]

        return node

    @staticmethod
    def _angle(angle: Any, values: Any, weights: Any) -> Any:
        total, reads, uses = angle
        for numbers, pairs in ((values, reads), (weights, uses)):
            for index, factor in pairs:
                term = numbers[index] if factor == 1.0 else numbers[index] * factor
                total = term if isinstance(total, float) and total == 0.0 else total + term
        return total

    @staticmethod
    def _word(word: Any) -> Any:
        letters = [getattr(qp, f"Pauli{letter}")(wire) for wire, letter in word]
        return letters[0] if len(letters) == 1 else qp.prod(*letters)

    def combination(self) -> Any:
        """(words, outputs) and an offset that make the outputs of the words' values; None where these are the same."""
        if self.outcomes or self.counts is not None:
            return None
        place = {tuple(map(tuple, word)): k for k, word in enumerate(self.words)}
        matrix, offset = np.zeros((len(self.words), len(self.observables))), np.zeros(len(self.observables))
        for output, (terms, _) in enumerate(self.observables):
            for coefficient, word in terms:
                if word:
                    matrix[place[tuple(map(tuple, word))], output] += coefficient
                else:
                    offset[output] += coefficient
        same = matrix.shape[0] == matrix.shape[1] and (matrix == np.eye(len(matrix))).all() and not offset.any()
        return None if same else (matrix.astype(np.float32), offset.astype(np.float32))


def by_torch(work: Work) -> tuple[Call, Call | None]:
    """Forward, and a step that gives the gradient, of a `TorchLayer`."""
    import torch

    torch.set_num_threads(1)
    layer = qp.qnn.TorchLayer(work.node("torch"), {"weights": work.weights.shape})
    inputs, slopes = torch.from_numpy(work.inputs), torch.from_numpy(work.slopes)
    combined = work.combination()
    matrices = None if combined is None else tuple(map(torch.from_numpy, combined))
    bits = torch.from_numpy(work.bits)
    with torch.no_grad():
        layer.weights.copy_(torch.from_numpy(work.weights))
    optimizer = torch.optim.SGD(layer.parameters(), lr=RATE)

    def values() -> Any:
        out = layer(inputs)
        if work.counts == "most_probable":
            return bits[out.argmax(-1)].unsqueeze(-1)
        if work.counts == "sampled":
            return bits[torch.multinomial(out, 1)]
        return out if matrices is None else out.float() @ matrices[0] + matrices[1]

    def forward() -> Any:
        with torch.no_grad():
            return values().numpy()

    def step() -> Any:
        optimizer.zero_grad()
        (values() * slopes).sum().backward()
        optimizer.step()
        return layer.weights.grad.numpy()

    return forward, step if work.counts is None else None


def by_jax(work: Work) -> tuple[Call, Call | None]:
    """The same with `jit(vmap)`."""
    import jax
    import jax.numpy as jnp

    node = work.node("jax")
    combined = work.combination()
    inputs, slopes = jnp.asarray(work.inputs), jnp.asarray(work.slopes)
    bits = jnp.asarray(work.bits)

    def single(window: Any, weights: Any) -> Any:
        out = node(window, weights)
        out = jnp.stack(out, -1) if isinstance(out, (list, tuple)) else out
        return out if combined is None else out @ combined[0] + combined[1]

    batched = jax.vmap(single, (0, None))
    weights, key = jnp.asarray(work.weights, jnp.float32), jax.random.PRNGKey(0)

    @jax.jit
    def values(windows: Any, weights: Any, key: Any) -> Any:
        out = batched(windows, weights)
        if work.counts == "most_probable":
            return bits[out.argmax(-1)][:, None]
        if work.counts == "sampled":
            return bits[jax.random.categorical(key, jnp.log(out))][:, None]
        return out

    @jax.jit
    def update(windows: Any, weights: Any) -> Any:
        gradient = jax.grad(lambda w: (batched(windows, w) * slopes).sum())(weights)
        return weights - RATE * gradient, gradient

    state = {"weights": weights, "key": key}

    def forward() -> Any:
        if work.counts == "sampled":
            state["key"], own = jax.random.split(state["key"])
        else:
            own = key
        return values(inputs, weights, own).block_until_ready()

    def step() -> Any:
        state["weights"], gradient = update(inputs, state["weights"])
        return gradient.block_until_ready()

    return forward, step if work.counts is None else None


def seconds_of(call: Call, least: float) -> float:
    """Seconds of the processor for a call that is repeated until it has taken so many."""
    calls, start = 0, time.process_time()
    while True:
        call()
        calls += 1
        passed = time.process_time() - start
        if passed >= least:
            return passed / calls


def answer(state: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """What a request asks for."""
    if request["do"] == "prepare":
        state.clear()
        work = Work(request)
        state["forward"], state["step"] = {"torch": by_torch, "jax": by_jax}[sys.argv[1]](work)
        values = np.asarray(state["forward"](), float)
        gradient = None if state["step"] is None else np.asarray(state["step"](), float).ravel().tolist()
        return {"values": values.tolist(), "gradient": gradient}
    return {"seconds": seconds_of(state[request["what"]], request["least"])}


def serve() -> None:
    """Answer requests until standard input ends."""
    if sys.argv[1] == "jax":
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    output, sys.stdout, state = sys.stdout, sys.stderr, {}
    for line in sys.stdin:
        try:
            said = answer(state, json.loads(line))
        except Exception as error:
            said = {"error": " ".join(traceback.format_exception_only(error)[-1].split())[:300]}
        print(json.dumps(said), file=output, flush=True)


if __name__ == "__main__":
    serve()

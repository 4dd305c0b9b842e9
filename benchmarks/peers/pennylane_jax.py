"""PennyLane's default.qubit with JAX: `jit(vmap(QNode))`."""

import _jax
import jax
import jax.numpy as jnp
import pennylane as qp
from _driver import serve
from _pennylane import apply


class Contender:
    quantum = True
    batches = (1, 8, 32, 128)

    def versions(self):
        return f"pennylane {qp.__version__}, jax {jax.__version__}"

    def _single(self, problem):
        @qp.qnode(qp.device("default.qubit", wires=problem.n_wires), interface="jax", diff_method="backprop")
        def node(window, weights):
            apply(problem, window, weights)
            return [qp.expval(qp.PauliZ(wire)) for wire in range(problem.n_wires)]

        return lambda window, weights: jnp.stack(node(window, weights))

    def forward(self, problem):
        return _jax.forward(problem, self._single(problem))

    def step(self, problem):
        return _jax.step(problem, self._single(problem))


if __name__ == "__main__":
    serve(Contender())

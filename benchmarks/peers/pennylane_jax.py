"""PennyLane's default.qubit with JAX: `jit(vmap(QNode))`, and `jit(value_and_grad)`."""

import _jax
import jax
import jax.numpy as jnp
import pennylane as qp
from _driver import Contender, serve
from _pennylane import make_node


class PennyLaneJax(Contender):
    def versions(self):
        return f"pennylane {qp.__version__}, jax {jax.__version__}"

    def _functions(self, problem):
        node = make_node(problem, interface="jax", diff_method="backprop")

        def values(windows, weights):
            return jnp.stack(node(windows, weights), axis=-1)

        return values, values

    def forward(self, problem):
        if problem.shots:
            return _jax.drawn(problem, self._drawn(problem))
        single, batched = self._functions(problem)
        # A broadcast density matrix is as fast, and XLA takes half an hour to compile one of 65,536 windows.
        return _jax.forward(problem, single, None if problem.noise else batched)

    def _drawn(self, problem):
        def values(window, weights, key):
            node = make_node(problem, seed=key, interface="jax", diff_method=None)
            return jnp.stack(node(window, weights), axis=-1)

        return values

    def step(self, problem):
        return _jax.step(problem, *self._functions(problem))


if __name__ == "__main__":
    serve(PennyLaneJax())

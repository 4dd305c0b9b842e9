"""TensorCircuit-NG with its JAX backend: `jit(vmap)`."""

import _jax
import jax
import jax.numpy as jnp
import tensorcircuit as tc
from _driver import serve

tc.set_backend("jax")


class Contender:
    quantum = True
    batches = (1, 8, 32, 128)

    def versions(self):
        return f"tensorcircuit-ng {tc.__version__}, jax {jax.__version__}"

    def _single(self, problem):
        def values(window, weights):
            circuit = tc.Circuit(problem.n_wires)
            for (name, wires, _), angle in zip(problem.gates, problem.angles(window, weights), strict=True):
                gate = getattr(circuit, name.lower())
                if angle is None:
                    gate(*wires)
                else:
                    gate(*wires, theta=angle)
            return jnp.real(jnp.stack([circuit.expectation_ps(z=[wire]) for wire in range(problem.n_wires)]))

        return values

    def forward(self, problem):
        return _jax.forward(problem, self._single(problem))

    def step(self, problem):
        return _jax.step(problem, self._single(problem))


if __name__ == "__main__":
    serve(Contender())

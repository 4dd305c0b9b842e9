"""TensorCircuit-NG with its JAX backend: `jit(vmap)`, and `jit(value_and_grad)`."""

import _jax
import jax
import jax.numpy as jnp
import tensorcircuit as tc
from _driver import Contender, serve

tc.set_backend("jax")


class TensorCircuit(Contender):
    def versions(self):
        return f"tensorcircuit-ng {tc.__version__}, jax {jax.__version__}"

    def _single(self, problem):
        def values(window, weights):
            circuit = tc.Circuit(problem.n_wires)
            for name, wires, angles in problem.bound(window, weights):
                if name == "ROT":
                    circuit.u(*wires, theta=angles[1], phi=angles[2], lbd=angles[0])
                else:
                    getattr(circuit, name.lower())(*wires, **({"theta": angles[0]} if angles else {}))
            return jnp.real(jnp.stack([circuit.expectation_ps(z=[wire]) for wire in range(problem.n_wires)]))

        return values

    def forward(self, problem):
        return _jax.forward(problem, self._single(problem))

    def step(self, problem):
        return _jax.step(problem, self._single(problem))


if __name__ == "__main__":
    serve(TensorCircuit())

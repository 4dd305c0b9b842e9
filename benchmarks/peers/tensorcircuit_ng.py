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

    def _circuit(self, problem):
        def made(window, weights):
            circuit = (tc.DMCircuit if problem.noise else tc.Circuit)(problem.n_wires)
            for name, wires, angles in problem.bound(window, weights):
                if name == "ROT":
                    circuit.u(*wires, theta=angles[1], phi=angles[2], lbd=angles[0])
                else:
                    getattr(circuit, name.lower())(*wires, **({"theta": angles[0]} if angles else {}))
                if problem.noise:
                    for wire in wires:
                        circuit.depolarizing(wire, **dict.fromkeys(("px", "py", "pz"), problem.noise / 3))
            return circuit

        return made

    def _single(self, problem):
        made = self._circuit(problem)

        def values(window, weights):
            circuit = made(window, weights)
            return jnp.real(jnp.stack([circuit.expectation_ps(z=[wire]) for wire in range(problem.n_wires)]))

        return values

    def _drawn(self, problem):
        made = self._circuit(problem)
        places = jnp.arange(problem.n_wires)[::-1]

        def values(window, weights, key):
            strings = made(window, weights).sample(
                batch=problem.shots, allow_state=True, format="sample_int", random_generator=key
            )
            return jnp.mean(1.0 - 2.0 * ((strings[:, None] >> places) & 1), axis=0)

        return values

    def forward(self, problem):
        if problem.shots:
            return _jax.drawn(problem, self._drawn(problem))
        return _jax.forward(problem, self._single(problem))

    def step(self, problem):
        return _jax.step(problem, self._single(problem))


if __name__ == "__main__":
    serve(TensorCircuit())

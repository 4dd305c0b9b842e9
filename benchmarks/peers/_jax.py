"""Forward and training step in JAX from the function of one window: `jit(vmap)`, and `jit(value_and_grad)`."""

import jax
import jax.numpy as jnp
import numpy as np


def forward(problem, single):
    """`single(window, weights)` gives the values of one window."""
    weights = jnp.asarray(problem.weights, jnp.float32)
    mapped = jax.jit(jax.vmap(single, in_axes=(0, None)))

    def run(images):
        return np.asarray(mapped(problem.windows(images), weights))

    return run


def step(problem, single):
    windows = jnp.asarray(problem.windows(problem.images))
    labels = jnp.asarray(problem.labels)
    images = len(problem.images)
    places = int((len(windows) // images) ** 0.5)
    mapped = jax.vmap(single, in_axes=(0, None))

    def loss(parameters):
        weights, matrix, bias = parameters
        maps = mapped(windows, weights).reshape(images, places, places, -1).transpose(0, 3, 1, 2)
        scores = maps.reshape(images, -1) @ matrix.T + bias
        return -jax.nn.log_softmax(scores)[jnp.arange(images), labels].mean()

    @jax.jit
    def update(parameters):
        value, gradients = jax.value_and_grad(loss)(parameters)
        new = [p - problem.rate * g for p, g in zip(parameters, gradients, strict=True)]
        return value, gradients[0], new

    arrays = (problem.weights, problem.head_weight, problem.head_bias)
    state = {"parameters": [jnp.asarray(array, jnp.float32) for array in arrays]}

    def run():
        value, gradient, state["parameters"] = update(state["parameters"])
        return float(value), np.asarray(gradient)

    return run

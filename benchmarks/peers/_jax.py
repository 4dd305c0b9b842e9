"""What contenders in JAX share: `jit(vmap)` of the function of one window, and a compiled training step."""

import jax
import jax.numpy as jnp


def forward(problem, single, batched=None):
    """Ways to compute values.

    Args:
        problem: the workload.
        single: (window, weights) -> values of one window.
        batched: (windows, weights) -> values (windows, values), where the library can do that too.
    """
    # The weights are constants of the compiled function: XLA computes what depends on them alone once.
    weights = jnp.asarray(problem.weights, jnp.float32)
    functions = {"vmap": jax.vmap(lambda window: single(window, weights))}
    if batched is not None:
        functions["broadcast"] = lambda windows: batched(windows, weights)
    ways = []
    for name, function in functions.items():
        compiled = jax.jit(function)
        ways.append((name, jnp.asarray, lambda windows, compiled=compiled: compiled(windows).block_until_ready()))
    return ways


def drawn(problem, single):
    """A way to draw shots, with a key of its own for each window.

    Args:
        problem: the workload.
        single: (window, weights, key) -> values of one window.
    """
    weights = jnp.asarray(problem.weights, jnp.float32)
    function = jax.jit(jax.vmap(lambda window, key: single(window, weights, key)))
    state = {"key": jax.random.PRNGKey(0)}

    def run(windows):
        state["key"], own = jax.random.split(state["key"])
        return function(windows, jax.random.split(own, len(windows))).block_until_ready()

    return [("vmap", jnp.asarray, run)]


def step(problem, single, batched=None):
    """Ways to train: `jit` of a step of SGD around `value_and_grad`, over all windows at once or in blocks."""
    functions = {"vmap": jax.vmap(single, in_axes=(0, None))}
    for block in (64, 256):
        functions[f"vmap in blocks of {block}"] = lambda windows, weights, block=block: jax.lax.map(
            lambda window: single(window, weights), windows, batch_size=block
        )
    if batched is not None:
        functions["broadcast"] = batched
    return [(name, _builder(problem, function)) for name, function in functions.items()]


def _builder(problem, function):
    windows = jnp.asarray(problem.windows(problem.images))
    labels = jnp.asarray(problem.labels)
    images = len(problem.images)

    def loss(parameters):
        weights, matrix, bias = parameters
        maps = function(windows, weights).reshape(images, problem.places, -1).transpose(0, 2, 1)
        scores = jax.nn.log_softmax(maps.reshape(images, -1) @ matrix.T + bias)
        return -scores[jnp.arange(images), labels].mean()

    @jax.jit
    def update(parameters):
        value, gradients = jax.value_and_grad(loss)(parameters)
        new = [p - problem.rate * g for p, g in zip(parameters, gradients, strict=True)]
        return value, gradients[0], new

    def build():
        arrays = (problem.weights, problem.head_weight, problem.head_bias)
        parameters = [jnp.asarray(array, jnp.float32) for array in arrays]

        def run():
            nonlocal parameters
            value, gradient, parameters = update(parameters)
            return float(value), gradient

        return run

    return build

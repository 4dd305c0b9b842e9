"""Weights to coefficients as an operator of torch: one compiled routine over all filters, and its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile import kernels
from quanvolve.compile.batch._values import weight_offsets
from quanvolve.compile.ops._registry import circuit_of, key_of
from quanvolve.compile.ops._switch import usable
from quanvolve.compile.reference._coefficients import evolved, site_words
from quanvolve.compile.tables._recipe import Permute, Recipe, Rotate, compile_circuit

_library = torch.library.Library("quanvolve", "FRAGMENT")
_library.define("coefficients(Tensor weights, str[] circuits) -> Tensor")
_library.define("coefficients_backward(Tensor grad, Tensor weights, str[] circuits) -> Tensor")
_CHUNK_BYTES = 2**20
"""Size that the Pauli coefficients which one thread evolves together should not exceed."""
_SMALL = 50_000
"""Steps times coefficients that are worth another thread."""


def fused_coefficients(recipes: Sequence[Recipe], weights: Tensor) -> Tensor | None:
    """The coefficients of all filters, or None where plain torch must compute them.

    Args:
        recipes: one for all rows of the weights, or one for each.
        weights: flat, shape (rows, numbers).

    Returns:
        Tensor of shape (rows, outputs, features); (rows, outputs, 4^n Pauli words) for encodings whose features are not
        plain Pauli words.
    """
    # The kernel runs circuits back, and channels cannot be undone.
    if not usable(weights) or any(recipe.circuit.noisy for recipe in recipes):
        return None
    found: Tensor = torch.ops.quanvolve.coefficients.default(weights, [key_of(recipe.circuit) for recipe in recipes])
    return found


@lru_cache(maxsize=256)
def _tables(key: str) -> tuple[Any, ...]:
    """The arguments of the kernels that a circuit determines, after `chunk`."""
    recipe = compile_circuit(circuit_of(key))
    n = recipe.circuit.n_wires
    kinds: list[int] = []
    runs, numbers = [0], list[int]()
    sources: list[Any] = []
    signs: list[Any] = []
    for step in recipe.steps:
        if isinstance(step, Permute):
            kinds.append(-1 - len(sources))
            sources.append(step.source)
            signs.append(step.sign)
        elif isinstance(step, Rotate):
            kinds.append(step.wire)
            numbers += step.numbers
        runs.append(len(numbers))
    place = weight_offsets(recipe.circuit)
    terms = [
        (number, place[name, index], coefficient)
        for number, turn in enumerate(recipe.turns)
        for name, index, coefficient in turn.angle.weights
    ]
    outputs, words, values = recipe.observables
    wanted = site_words(recipe)
    picked, picked_signs = wanted if wanted is not None else (np.arange(4**n), np.ones(4**n))
    return (
        n,
        np.array(kinds, np.int64),
        np.array(runs, np.int64),
        np.array(numbers, np.int64),
        np.array([turn.axis for turn in recipe.turns], np.int64),
        np.array(sources, np.int64).reshape(-1, 4**n),
        np.array(signs, np.int8).reshape(-1, 4**n),
        np.array([turn.angle.offset for turn in recipe.turns], np.float64),
        np.array([term[:2] for term in terms], np.int64).reshape(-1, 2),
        np.array([term[2] for term in terms], np.float64),
        np.stack([outputs, words], axis=1).astype(np.int64),
        values,
        picked.astype(np.int64),
        picked_signs.astype(np.int8),
    )


def _shape(weights: Tensor, circuits: Sequence[str]) -> tuple[int, int, int]:
    return weights.shape[0] if len(circuits) == 1 else len(circuits), *_shape_of(circuits[0])


@lru_cache(maxsize=256)
def _shape_of(key: str) -> tuple[int, int]:
    recipe = compile_circuit(circuit_of(key))
    features = recipe.n_features if site_words(recipe) is not None else 4**recipe.circuit.n_wires
    return recipe.circuit.n_outputs, features


def _walk(weights: Tensor, circuits: Sequence[str], outputs: int) -> Any:
    """For each circuit its rows, the first of these, and what the kernels take."""
    flat = weights.detach().contiguous().numpy()
    for number, key in enumerate(circuits):
        tables = _tables(key)
        words = 4 ** tables[0]
        chunk = max(1, min(outputs, _CHUNK_BYTES // (words * flat.itemsize)))
        # Without weights one row stands for all of them.
        some = flat if len(circuits) == 1 else flat[min(number, len(flat) - 1)][None]
        pieces = -(-outputs // chunk)
        busy = len(some) * outputs * words * (len(tables[1]) + 2) > _SMALL
        yield some, number, chunk, tables, pieces, busy


def _forward(weights: Tensor, circuits: Sequence[str]) -> Tensor:
    from quanvolve.compile.kernels.numba._launch import launch, threads

    kernel = kernels.coefficients()
    shape = _shape(weights, circuits)
    out = torch.empty(shape, dtype=weights.dtype)
    into = out.numpy()
    for some, first, chunk, tables, pieces, busy in _walk(weights, circuits, shape[1]):
        parts = min(threads(), len(some) * pieces) if busy else 1
        launch(kernel.forward, kernel.forward_parallel, parts, some, first, shape[1], chunk, *tables, into)
    return out


def _backward(grad: Tensor, weights: Tensor, circuits: Sequence[str]) -> Tensor:
    from quanvolve.compile.kernels.numba._launch import launch, threads

    kernel = kernels.coefficients()
    outputs = grad.shape[1]
    given = grad.detach().contiguous().numpy()
    found = np.zeros(tuple(weights.shape), given.dtype)
    for some, first, chunk, tables, pieces, busy in _walk(weights, circuits, outputs):
        parts = min(threads(), len(some) * pieces) if busy else 1
        d_flat = np.zeros((pieces, *some.shape), given.dtype)
        launch(kernel.backward, kernel.backward_parallel, parts, some, first, outputs, chunk, *tables, given, d_flat)
        whole = d_flat.sum(0)
        if len(circuits) == 1:
            found += whole
        else:
            found[min(first, len(found) - 1)] += whole[0]
    return torch.from_numpy(found)


_library.impl("coefficients", _forward, "CPU")
_library.impl("coefficients_backward", _backward, "CPU")


@torch.library.register_fake("quanvolve::coefficients")  # type: ignore[untyped-decorator]
def _fake(weights: Tensor, circuits: Sequence[str]) -> Tensor:
    return weights.new_empty(_shape(weights, circuits))


@torch.library.register_fake("quanvolve::coefficients_backward")  # type: ignore[untyped-decorator]
def _fake_backward(grad: Tensor, weights: Tensor, circuits: Sequence[str]) -> Tensor:
    return torch.empty_like(weights)


def _reference(weights: Tensor, circuits: Sequence[str]) -> Tensor:
    """The operator in plain torch."""
    recipes = [compile_circuit(circuit_of(key)) for key in circuits]
    if len(recipes) == 1:
        return evolved(recipes[0], weights)
    rows = [evolved(recipe, weights[min(k, len(weights) - 1)][None]) for k, recipe in enumerate(recipes)]
    return torch.cat(rows)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(inputs[0])
    ctx.circuits = inputs[1]


def _gradients(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    return torch.ops.quanvolve.coefficients_backward.default(grad, *ctx.saved_tensors, ctx.circuits), None


def _remember_backward(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:2])
    ctx.circuits = inputs[2]


def _second(ctx: Any, d_weights: Tensor) -> tuple[Any, ...]:
    """Derivatives of the gradient: through the reference in plain torch, which torch differentiates twice."""
    with torch.enable_grad():
        leaves = [tensor.detach().requires_grad_() for tensor in ctx.saved_tensors]
        (first,) = torch.autograd.grad(_reference(leaves[1], ctx.circuits), leaves[1:], leaves[0], create_graph=True)
        found: Sequence[Tensor | None] = (None, None)
        if first.requires_grad:
            found = torch.autograd.grad(first, leaves, d_weights, allow_unused=True)
    return (*found, None)


torch.library.register_autograd("quanvolve::coefficients", _gradients, setup_context=_remember)
torch.library.register_autograd("quanvolve::coefficients_backward", _second, setup_context=_remember_backward)

"""Weights to coefficients: interpret a recipe on a batch of filters, differentiably, in real arithmetic.

    E_j(x) = sum_k T_j[k] * phi_k(x),   T_j[P] = Tr(P U^dagger M_j U) / 2^n contracted with the encoding.

All filters of the batch share the circuit and differ in weights. This runs once a step, not once a window.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._precision import turned, wide
from quanvolve.compile.batch._values import flat_weights
from quanvolve.compile.tables._angles import AngleMaps, angle_maps
from quanvolve.compile.tables._parsed import kept
from quanvolve.compile.tables._pauli import Floats, clifford_on_states, rotation_tables
from quanvolve.compile.tables._recipe import Encoded, Mix, Permute, Recipe
from quanvolve.compile.tables._site_words import site_words

_ZERO = np.array([[[1.0], [0.0], [0.0], [1.0]]])
"""The Bloch vector of |0>, with its constant: shape (1, 4, 1)."""


def coefficients(
    recipe: Recipe, weights: Mapping[str, Tensor], *, like: Tensor | None = None, outputs: slice = slice(None)
) -> Tensor:
    """The polynomial coefficients of a batch of filters.

    Args:
        recipe: from :func:`compile_circuit`.
        weights: for each weight of the circuit, a tensor of shape (batch, *shape), in radians.
        like: where there are no weights, a tensor that gives dtype and device.
        outputs: which of the circuit's outputs; all, if not given.

    Returns:
        Tensor of shape (batch, outputs, features); the feature axis counts the sites' functions with the last
        wire fastest.
    """
    flat = flat_weights(recipe, weights, like)
    matrices = rotations(recipe, flat)
    return _contract_sites(recipe, matrices, _evolve(recipe, flat, matrices, outputs))


def evolved(recipe: Recipe, flat: Tensor) -> Tensor:
    """What the compiled routine gives: the coefficients, or those of all words where :func:`site_words` has no answer.

    Args:
        recipe: from :func:`compile_circuit`.
        flat: weights, shape (batch, numbers).
    """
    matrices = rotations(recipe, flat)
    tensor = _evolve(recipe, flat, matrices, slice(None))
    return tensor if site_words(recipe) is None else _contract_sites(recipe, matrices, tensor)


def from_words(recipe: Recipe, flat: Tensor, words: Tensor) -> Tensor:
    """Coefficients of the features from those of all Pauli words, shape (batch, outputs, 4^n)."""
    return _contract_sites(recipe, rotations(recipe, flat), words)


def _evolve(recipe: Recipe, flat: Tensor, matrices: Tensor, outputs: slice) -> Tensor:
    """Pauli coefficients of the observables after all steps, shape (batch, outputs, 4^n)."""
    batch, n = flat.shape[0], recipe.circuit.n_wires
    tensor = _initial(recipe, flat)[:, outputs].expand(batch, -1, -1)
    for step in recipe.steps:
        if isinstance(step, Permute):
            source = constant(step.source, flat.device)
            tensor = tensor[:, :, source] * constant(step.sign, flat.device, flat.dtype)
            continue
        if isinstance(step, Mix):
            tensor = _on_axes(tensor, constant(step.matrix, flat.device, flat.dtype), step.wires, n)
            continue
        first, *others = step.numbers
        matrix = matrices[:, first]
        for number in others:
            matrix = matrices[:, number] @ matrix
        tensor = _on_axis(tensor, matrix, step.wire, n)
    return tensor


def rotations(recipe: Encoded, flat: Tensor) -> Tensor:
    """The matrix of every constant and weighted rotation, shape (batch, number, 4, 4)."""
    maps, matrices = _turn_tables(recipe)
    weights = wide(flat)
    offset, mixing = (constant(array, flat.device, weights.dtype) for array in (maps.offset, maps.mixing))
    parts = constant(matrices, flat.device, flat.dtype)
    cosines, sines = (part[..., None, None] for part in turned(offset + weights @ mixing, flat.dtype))
    return parts[0] + cosines * parts[1] + sines * parts[2]


@kept
def _turn_tables(recipe: Encoded) -> tuple[AngleMaps, Floats]:
    """The angles of all rotations and channels, and the three parts of their matrices, shape (3, number, 4, 4)."""
    # Arrays and no tensors: those made under inference mode or while tracing would be of no use later.
    parts = np.stack([turn.parts for turn in recipe.turns], axis=1) if recipe.turns else np.zeros((3, 0, 4, 4))
    return angle_maps(recipe, (turn.angle for turn in recipe.turns)), parts


def _initial(recipe: Recipe, like: Tensor) -> Tensor:
    outputs, words, values = (constant(array, like.device) for array in recipe.observables)
    shape = (1, recipe.circuit.n_outputs, 4**recipe.circuit.n_wires)
    tensor = torch.zeros(shape, dtype=like.dtype, device=like.device)
    return tensor.index_put((torch.zeros_like(outputs), outputs, words), values.to(like.dtype), accumulate=True)


def _on_axis(tensor: Tensor, matrix: Tensor, wire: int, n: int) -> Tensor:
    """Apply (batch, 4, 4) to one wire's Pauli index of (batch, outputs, 4^n)."""
    shape = tensor.shape
    split = tensor.reshape(shape[0], shape[1], 4**wire, 4, 4 ** (n - 1 - wire))
    return torch.einsum("bij,bmajc->bmaic", matrix, split).reshape(shape)


def _on_axes(tensor: Tensor, matrix: Tensor, wires: tuple[int, int], n: int) -> Tensor:
    """Apply (16, 16) to the Pauli indices of two wires."""
    split = tensor.reshape(*tensor.shape[:2], *(4,) * n)
    axes = [2 + wire for wire in wires]
    moved = split.movedim(axes, (2, 3))
    mixed = torch.einsum("pq,bmqr->bmpr", matrix, moved.reshape(*tensor.shape[:2], 16, -1))
    return mixed.reshape(moved.shape).movedim((2, 3), axes).reshape(tensor.shape)


def _contract_sites(recipe: Recipe, matrices: Tensor, tensor: Tensor) -> Tensor:
    batch, outputs = tensor.shape[:2]
    after = 1
    for wire in reversed(range(recipe.circuit.n_wires)):
        site = site_matrix(recipe, wire, matrices)
        split = tensor.reshape(batch, outputs, 4**wire, 4, after)
        tensor = torch.einsum("bpk,bmapc->bmakc", site, split)
        after *= site.shape[-1]
    return tensor.reshape(batch, outputs, after)


def site_matrix(recipe: Encoded, wire: int, matrices: Tensor) -> Tensor:
    """A of one site, shape (batch, 4, columns): the Bloch vector in the site's functions (design of `_sites`)."""
    bloch = constant(_ZERO, matrices.device, matrices.dtype)
    tables = constant(rotation_tables(), matrices.device, matrices.dtype).mT
    for gate in recipe.site_gates[wire]:
        if gate.clifford is not None:
            bloch = constant(clifford_on_states(gate.clifford), matrices.device, matrices.dtype) @ bloch
        if gate.reads:
            bloch = torch.cat([part @ bloch for part in tables[gate.axis]], dim=-1)
        if gate.number is not None:
            bloch = matrices[:, gate.number].mT @ bloch
    return bloch[:, :, constant(recipe.sites[wire].chosen, bloch.device)].expand(matrices.shape[0], -1, -1)

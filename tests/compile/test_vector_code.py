"""Tiles and the loops over state vectors against the same in NumPy, from the formulas of their docstrings."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest

from quanvolve.compile.kernels.numba import _amplitudes as loops
from quanvolve.compile.kernels.numba import _basis_states
from quanvolve.compile.kernels.numba._tile import ROWS, VECTOR_BYTES, VECTORS, thin_tile, wide_tile

WIRES = 4
SIZE = 2**WIRES
both = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["single", "double"])


def close(found: Any, expected: Any, dtype: Any) -> None:
    tolerance = 1e-5 if dtype is np.float32 else 1e-12
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def drawn(*shape: int, dtype: Any, seed: int = 0) -> Any:
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def lanes_of(dtype: Any) -> int:
    return VECTOR_BYTES // np.dtype(dtype).itemsize


def drawn_state(dtype: Any, seed: int = 0) -> Any:
    """Shape (basis states, 2, windows)."""
    return drawn(SIZE, 2, lanes_of(dtype), dtype=dtype, seed=seed)


def complex_of(state: Any) -> Any:
    return state[:, 0].astype(complex) + 1j * state[:, 1]


def parts_of(amplitudes: Any) -> Any:
    return np.stack([amplitudes.real, amplitudes.imag], axis=1)


def call(loop: Any, *arguments: Any) -> None:
    """Run the loop on flattened copies and write what it did back."""
    names = ", ".join(f"a{k}" for k in range(len(arguments)))
    scope: dict[str, Any] = {"loop": loop}
    exec(f"def run({names}):\n    loop({names})", scope)
    flat = [one.reshape(-1).copy() if isinstance(one, np.ndarray) else one for one in arguments]
    numba.njit(scope["run"])(*flat)
    for one, now in zip(arguments, flat, strict=True):
        if isinstance(one, np.ndarray):
            one[...] = now.reshape(one.shape)


def unitary(dtype: Any, lanes: int) -> tuple[Any, Any]:
    """Unitary matrices (2, 2, lanes), and their eight numbers."""
    a, b, c = np.random.default_rng(lanes).uniform(0, 6, (3, lanes))
    u = np.array(
        [
            [np.exp(1j * b) * np.cos(a), -np.exp(1j * c) * np.sin(a)],
            [np.exp(-1j * c) * np.sin(a), np.exp(-1j * b) * np.cos(a)],
        ]
    )
    return u, np.stack([u.real, u.imag], axis=2).reshape(8, lanes).astype(dtype)


def on_bit(u: Any, state: Any, bit: int) -> Any:
    """sum_j u[i, j] state[.. j ..], j the bit of the basis state."""
    split = state.reshape(SIZE >> (bit + 1), 2, 1 << bit, -1)
    return np.einsum("ijv,ajbv->aibv", np.broadcast_to(u, (2, 2, state.shape[-1])), split).reshape(state.shape)


@both
@pytest.mark.parametrize(("tile", "vectors"), [(wide_tile, VECTORS), (thin_tile, 1)], ids=["wide", "thin"])
def test_tiles(tile: Any, vectors: int, dtype: Any) -> None:
    width, count = vectors * lanes_of(dtype), 7
    out, a = drawn(ROWS, width, dtype=dtype), drawn(ROWS, count, dtype=dtype, seed=1)
    b, w = drawn(count, width, dtype=dtype, seed=2), drawn(width, dtype=dtype, seed=3)
    expected = out + w * (a.astype(float) @ b)
    call(tile, out, 0, width, a, 0, count, 1, count, b, 0, width, w, 0)
    close(out, expected, dtype)


@both
@pytest.mark.parametrize("bit", range(WIRES))
@pytest.mark.parametrize("by_window", [False, True], ids=["one matrix", "one for each window"])
def test_one_gate_and_its_undoing(bit: int, by_window: bool, dtype: Any) -> None:
    u, numbers = unitary(dtype, lanes_of(dtype) if by_window else 1)
    state, dual, slopes = drawn_state(dtype), drawn_state(dtype, 1), drawn(8, lanes_of(dtype), dtype=dtype)
    before, given = complex_of(state), complex_of(dual)
    call(loops.one_gate_lanes if by_window else loops.one_gate, state, SIZE // 2, bit, numbers, 0)
    close(state, parts_of(on_bit(u, before, bit)), dtype)
    undo = loops.undo_gate_lanes if by_window else loops.undo_gate
    call(undo, state, dual, SIZE // 2, bit, numbers, 0, slopes, 0)
    close(state, parts_of(before), dtype)
    close(dual, parts_of(on_bit(u.conj().swapaxes(0, 1), given, bit)), dtype)
    split = (SIZE >> (bit + 1), 2, 1 << bit, -1)
    slope = np.einsum("aibv,ajbv->ijv", given.reshape(split), before.conj().reshape(split))
    close(slopes, np.stack([slope.real, slope.imag], axis=2).reshape(8, -1), dtype)


@both
@pytest.mark.parametrize(("bit", "upper"), [(0, 1), (1, 3), (0, 3)])
def test_two_gates(bit: int, upper: int, dtype: Any) -> None:
    (u, first), (v, second) = unitary(dtype, 1), unitary(dtype, 2)
    numbers = np.concatenate([first[:, 0], second[:, 1]])
    state = drawn_state(dtype)
    expected = on_bit(v[..., 1:], on_bit(u, complex_of(state), bit), upper)
    call(loops.two_gates, state, SIZE // 4, bit, upper, numbers, 0, 8)
    close(state, parts_of(expected), dtype)


@both
def test_one_more_qubit_and_its_removal(dtype: Any) -> None:
    lanes, half = lanes_of(dtype), SIZE // 2
    u, numbers = unitary(dtype, lanes)
    columns = numbers.reshape(2, 2, 2, lanes)[:, 0]  # the first of each matrix: (row, part, window)
    state, dual, slopes = drawn_state(dtype), drawn_state(dtype, 1), drawn(2, 2, 2, lanes, dtype=dtype)
    before, given = complex_of(state)[:half], complex_of(dual)
    call(loops.expand, state, half, columns.copy())
    close(state, parts_of((before[:, None] * u[None, :, 0]).reshape(SIZE, lanes)), dtype)
    call(loops.contract, state, dual, half, columns.copy(), slopes, 0)
    close(state[:half], parts_of(before), dtype)
    pairs = given.reshape(half, 2, lanes)
    close(dual[:half], parts_of(np.einsum("djv,jv->dv", pairs, u[:, 0].conj())), dtype)
    slope = np.einsum("djv,dv->jv", pairs, before.conj())
    close(slopes[:, 0], parts_of(slope), dtype)
    close(slopes[:, 1], 0, dtype)


@both
@pytest.mark.parametrize("phased", [False, True])
def test_permutations_and_their_inverses(phased: bool, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    source = rng.permutation(SIZE)
    phases = np.exp(1j * rng.uniform(0, 6, (SIZE, 1))) if phased else np.ones((SIZE, 1), complex)
    numbers = (parts_of(phases)[..., 0].astype(dtype),) if phased else ()
    state, to, back = (drawn_state(dtype, seed) for seed in range(3))
    loop = _basis_states.move_phased if phased else _basis_states.move
    loop(state.reshape(-1), to.reshape(-1), SIZE, source, *numbers, False)
    close(to, parts_of(phases * complex_of(state)[source]), dtype)
    loop(to.reshape(-1), back.reshape(-1), SIZE, source, *numbers, True)
    close(back, state, dtype)


@both
@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("mask", [0, 5])
def test_overlaps_and_their_slopes(odd: bool, mask: int, dtype: Any) -> None:
    lanes, flipped = lanes_of(dtype), np.arange(SIZE) ^ mask
    state, dual, into = drawn_state(dtype), drawn_state(dtype, 1), drawn(SIZE, lanes, dtype=dtype)
    psi, weights = complex_of(state), drawn(SIZE, lanes, dtype=dtype, seed=4)
    product = psi.conj() * psi[flipped]
    _basis_states.overlaps(state.reshape(-1), SIZE, mask, odd, into.reshape(-1))
    close(into, -product.imag if odd else product.real, dtype)
    expected = complex_of(dual) + (2j if odd else 2) * weights * psi[flipped]
    _basis_states.add_slopes(state.reshape(-1), SIZE, mask, odd, weights.reshape(-1), dual.reshape(-1))
    close(dual, parts_of(expected), dtype)

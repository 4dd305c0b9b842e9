"""What all contenders are compared with: a plain state in double precision, gate by gate, and its gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quanvolve.bench._workloads import RATE, Angle, Array, Problem

_BLOCK = 64  # windows at once, so that their states stay in the cache


@dataclass(frozen=True)
class Step:
    """The outcome of a training step.

    Args:
        losses: before the step and after it.
        gradient: of the first loss by the circuit's weights.
    """

    losses: tuple[float, float]
    gradient: Array


def reference_values(problem: Problem, windows: Array, weights: Array | None = None) -> Array:
    """The values of windows.

    Args:
        problem: the workload.
        windows: angles, shape (windows, inputs).
        weights: flat; the problem's, if not given.

    Returns:
        Array of shape (windows, wires): <Z> of each wire.
    """
    if problem.workload.noise:
        return np.concatenate([_noisy(problem, block) for block in _blocks(windows)])
    chosen = problem.arrays["weights"] if weights is None else weights
    blocks = [_expectations(problem, _final(problem, block, chosen)) for block in _blocks(windows)]
    return np.concatenate(blocks) if blocks else np.empty((0, problem.circuit.n_wires))


def reference_step(problem: Problem) -> Step:
    """The training step: cross-entropy of a linear head on the flattened maps, one step of SGD on everything."""
    arrays = problem.arrays
    weights, matrix, bias = (arrays[name].astype(np.float64) for name in ("weights", "head_weight", "head_bias"))
    windows = problem.windows()
    values = reference_values(problem, windows, weights)
    loss, to_scores, maps = _loss(problem, values, matrix, bias)
    to_values = (to_scores @ matrix).reshape(len(maps), values.shape[1], -1).swapaxes(1, 2).reshape(values.shape)
    gradient = np.zeros_like(weights)
    for block, upstream in zip(_blocks(windows), _blocks(to_values), strict=True):
        gradient += _adjoint(problem, block, weights, upstream)
    stepped = weights - RATE * gradient, matrix - RATE * to_scores.T @ maps, bias - RATE * to_scores.sum(0)
    after = _loss(problem, reference_values(problem, windows, stepped[0]), *stepped[1:])[0]
    return Step((loss, after), gradient)


def _loss(problem: Problem, values: Array, matrix: Array, bias: Array) -> tuple[float, Array, Array]:
    """The loss, its derivative by the scores, and the flattened maps."""
    labels = problem.arrays["labels"]
    images, rows = len(labels), np.arange(len(labels))
    maps = values.reshape(images, -1, values.shape[1]).swapaxes(1, 2).reshape(images, -1)
    scores = maps @ matrix.T + bias
    scores -= scores.max(1, keepdims=True)
    shares = np.exp(scores)
    shares /= shares.sum(1, keepdims=True)
    loss = -np.log(shares[rows, labels]).mean()
    shares[rows, labels] -= 1
    return float(loss), shares / images, maps


def _blocks(array: Array) -> list[Array]:
    return [array[k : k + _BLOCK] for k in range(0, len(array), _BLOCK)]


def _angle(angle: Angle, window: Array, weights: Array) -> Array:
    offset, reads, uses = angle
    constant = offset + sum(weights[index] * factor for index, factor in uses)
    return np.asarray(constant + sum(window[:, index] * factor for index, factor in reads), dtype=np.float64)


def _rotations(problem: Problem) -> list[tuple[str, tuple[int, ...], Angle | None]]:
    """All gates, rotations about an axis one by one."""
    rotations: list[tuple[str, tuple[int, ...], Angle | None]] = []
    for name, wires, angles in problem.gates:
        if name == "ROT":
            rotations += [(axis, wires, angle) for axis, angle in zip(("RZ", "RY", "RZ"), angles, strict=True)]
        else:
            rotations.append((name, wires, angles[0] if angles else None))
    return rotations


def _apply(state: Array, gate: tuple[str, tuple[int, ...], Angle | None], angle: Array | None) -> Array:
    """A gate on states of shape (2^wires, windows)."""
    name, wires, _ = gate
    if name == "CNOT":
        return np.asarray(state[_cnot(len(state).bit_length() - 1, wires)])
    if angle is None or name not in ("RX", "RY", "RZ"):
        raise ValueError(f"the reference has no gate {name}")
    cosine, sine = np.cos(angle / 2), np.sin(angle / 2)
    old = _halves(state, wires[0])
    new = np.empty_like(old)
    at_zero, at_one = old[:, 0], old[:, 1]
    if name == "RX":
        new[:, 0], new[:, 1] = cosine * at_zero - 1j * sine * at_one, cosine * at_one - 1j * sine * at_zero
    elif name == "RY":
        new[:, 0], new[:, 1] = cosine * at_zero - sine * at_one, cosine * at_one + sine * at_zero
    else:
        new[:, 0], new[:, 1] = (cosine - 1j * sine) * at_zero, (cosine + 1j * sine) * at_one
    return new.reshape(state.shape)


def _cnot(n_wires: int, wires: tuple[int, ...]) -> Array:
    """Where each amplitude comes from; wire 0 is the most significant bit."""
    control, target = (n_wires - 1 - wire for wire in wires)
    states = np.arange(2**n_wires)
    return np.asarray(states ^ (((states >> control) & 1) << target))


def _halves(state: Array, wire: int) -> Array:
    """The same with the wire's bit as an axis of its own, the second of four."""
    return state.reshape(2**wire, 2, -1, state.shape[-1])


def _overlap(bra: Array, ket: Array, axis: str, wire: int) -> float:
    """The imaginary part of <bra| P |ket>, summed over windows."""
    left, right = _halves(bra, wire), _halves(ket, wire)
    entry = {(row, column): complex(np.vdot(left[:, row], right[:, column])) for row in (0, 1) for column in (0, 1)}
    if axis == "Z":
        return (entry[0, 0] - entry[1, 1]).imag
    return entry[0, 1].imag + entry[1, 0].imag if axis == "X" else (entry[1, 0] - entry[0, 1]).real


def _final(problem: Problem, window: Array, weights: Array) -> Array:
    state = np.zeros((2**problem.circuit.n_wires, len(window)), np.complex128)
    state[0] = 1
    for gate in _rotations(problem):
        state = _apply(state, gate, None if gate[2] is None else _angle(gate[2], window, weights))
    return state


def _expectations(problem: Problem, state: Array) -> Array:
    """<Z> of each wire, shape (windows, wires)."""
    chances = np.abs(state) ** 2
    halves = [_halves(chances, wire) for wire in range(problem.circuit.n_wires)]
    return np.stack([(half[:, 0] - half[:, 1]).sum((0, 1)) for half in halves], axis=1)


def _noisy(problem: Problem, window: Array) -> Array:
    """<Z> of each wire after depolarizing channels: a density matrix as a state on twice as many wires."""
    n, p = problem.circuit.n_wires, problem.workload.noise
    state = np.zeros((4**n, len(window)), np.complex128)
    state[0] = 1
    for name, wires, source in _rotations(problem):
        angle = None if source is None else _angle(source, window, problem.arrays["weights"])
        # On the second half of the wires acts the complex conjugate, which turns RX and RZ around.
        conjugate = -angle if angle is not None and name != "RY" else angle
        state = _apply(state, (name, wires, source), angle)
        state = _apply(state, (name, tuple(n + wire for wire in wires), source), conjugate)
        for wire in wires:
            whole = state.reshape(2**wire, 2, 2 ** (n - 1), 2, -1)
            mixed = np.zeros_like(whole)
            mixed[:, 0, :, 0] = mixed[:, 1, :, 1] = (whole[:, 0, :, 0] + whole[:, 1, :, 1]) / 2
            state = ((1 - 4 * p / 3) * whole + 4 * p / 3 * mixed).reshape(state.shape)
    chances = state.reshape(2**n, 2**n, -1)[np.arange(2**n), np.arange(2**n)].real
    signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)[::-1]) & 1)
    return np.asarray(chances.T @ signs)


def _adjoint(problem: Problem, window: Array, weights: Array, upstream: Array) -> Array:
    """The gradient by weights of sum(upstream * values), by going through the circuit backwards."""
    ket = _final(problem, window, weights)
    bra = ket.copy()
    signs = 1 - 2 * ((np.arange(len(ket))[:, None] >> np.arange(problem.circuit.n_wires)[::-1]) & 1)
    bra *= signs @ upstream.T
    gradient = np.zeros_like(weights)
    for gate in reversed(_rotations(problem)):
        name, wires, source = gate
        angle = None if source is None else _angle(source, window, weights)
        if source is not None and source[2]:
            # d/da of exp(-i a P / 2) puts -i P / 2 before the rotation, on the ket and on the bra.
            slope = _overlap(bra, ket, name[1:], wires[0])
            for index, factor in source[2]:
                gradient[index] += factor * slope
        inverse = None if angle is None else -angle
        ket, bra = _apply(ket, gate, inverse), _apply(bra, gate, inverse)
    return gradient

"""The density-matrix plan: circuits with noise, exactly, whatever they encode, on up to 8 qubits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit, Gate, absorbed
from quanvolve.compile.batch._chunks import in_chunks
from quanvolve.compile.batch._layout import Layout
from quanvolve.compile.batch._precision import turned
from quanvolve.compile.batch._rows import angles_of, numbers_of, outputs_of, parts_of
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.reference._prepare import initial
from quanvolve.compile.tables._pauli import AXES, Floats, clifford_on, rotation_tables

MAX_WIRES = 8
_TEMPORARIES = 6
_GATE = 1.6
"""Nanoseconds that a gate takes for one coefficient."""


class DensityPlan:
    """Filters as density matrices, written in Pauli words: ``rho = sum_P r[P] P / 2^n`` with real ``r[P] = Tr(P rho)``.

    Args:
        circuits: one circuit for all rows of the weights, or one for each.

    Raises:
        PlanError: if the circuits have no noise, or more than 8 qubits.

    References:
        Greenbaum, arXiv:1509.02921 (2015), section 3: states as vectors of Pauli coefficients, gates as their transfer
        matrices.
    """

    name = "density"

    def __init__(self, circuits: Sequence[Circuit]) -> None:
        self.circuits = tuple(absorbed(circuit) for circuit in circuits)
        if not any(circuit.noisy for circuit in self.circuits):
            raise PlanError("the circuit has no noise channels, without which a state vector does the same for less")
        n = max(circuit.n_wires for circuit in self.circuits)
        if n > MAX_WIRES:
            raise PlanError(
                f"the circuit has {n} qubits, a density matrix is computed for at most {MAX_WIRES}: use a smaller "
                "`kernel_size`, or fewer channels or features that one circuit reads"
            )

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[Tensor, ...]:
        """The flat weights of every circuit, and its weights by name; arguments as in the state-vector plan."""
        return numbers_of(self.circuits, weights, like)

    def evaluate(self, compiled: tuple[Tensor, ...], windows: Windows, layout: Layout) -> Tensor:
        """Measured values, shape (images, groups, outputs, *places)."""
        first = self.circuits[0]
        depth = 2 * len(first.gates) if torch.is_grad_enabled() else 0
        together = layout.rows if len(self.circuits) == 1 else 1
        per_window = 4**first.n_wires * (_TEMPORARIES + depth) * together * windows.images.element_size()

        def on_chunk(inputs: Tensor, *tensors: Tensor) -> Tensor:
            parts = parts_of(self.circuits, tensors)
            return outputs_of(_run, self.circuits, inputs, parts, layout)

        return in_chunks(on_chunk, windows, compiled, layout.outputs, per_window)

    def cost(self, layout: Layout) -> tuple[float, float]:
        """Estimated nanoseconds to compile, and per window, for all rows."""
        circuit = self.circuits[0]
        setup = 60_000.0 * len(circuit.gates) * len(self.circuits)
        return setup, layout.rows * 4.0**circuit.n_wires * (_GATE * len(circuit.gates) + 2.0)

    def __str__(self) -> str:
        circuit = self.circuits[0]
        n, count = circuit.n_wires, len(self.circuits)
        return (
            f"density: {n} qubit{'s' * (n > 1)} as {4**n} Pauli coefficients of a density matrix a window, "
            f"{len(circuit.gates)} gates and channels; exact, {count} circuit structure{'s' * (count > 1)}"
        )


def _run(circuit: Circuit, values: Tensor, rows: Tensor, folded: list[Tensor], shape: tuple[int, int, int]) -> Tensor:
    state = _initial(circuit, values, rows.dtype)
    for _, group in groupby(circuit.gates, lambda gate: gate.angle is not None and bool(gate.angle.inputs)):
        gates = list(group)
        angles = angles_of(circuit, tuple(gate.angle for gate in gates if gate.angle is not None), values, rows)
        cosines, sines = map(iter, turned(angles, rows.dtype))
        for gate in gates:
            if gate.angle is not None:
                state = _rotated(circuit, gate, state, next(cosines), next(sines))
            elif gate.transfer is not None:
                state = _through(circuit, gate, state)
            else:
                state = _permuted(circuit, gate, state)
    words, matrix = _measured(circuit)
    own = state.index_select(-2, torch.as_tensor(words, device=state.device))
    return torch.matmul(_like(matrix, state), own).expand(*shape, -1, -1)


def _like(numbers: Floats, state: Tensor) -> Tensor:
    return torch.as_tensor(numbers, dtype=state.dtype, device=state.device)


def _rotated(circuit: Circuit, gate: Gate, state: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """The two other Pauli matrices of the wire turn into each other."""
    wire = gate.wires[0]
    shape = (4**wire, 4, 4 ** (circuit.n_wires - 1 - wire))
    old = torch.unflatten(state, -2, shape).unbind(-3)
    cosine, sine = cosine[..., None, None, :], sine[..., None, None, :]
    table = rotation_tables()[AXES.index(gate.name[1])].transpose(0, 2, 1)  # of states, not of observables
    new = []
    for row in range(4):
        # Each letter stays, or is cos(a) times itself and sin(a) times another one up to a sign.
        if table[0, row, row] == 1:
            new.append(old[row])
            continue
        other = int(np.flatnonzero(table[2, row])[0])
        new.append(cosine * old[row] + float(table[2, row, other]) * sine * old[other])
    return torch.stack(torch.broadcast_tensors(*new), dim=-3).flatten(-4, -2)


def _permuted(circuit: Circuit, gate: Gate, state: Tensor) -> Tensor:
    source, sign = _permutation(gate.name, gate.wires, circuit.n_wires)
    moved = state.index_select(-2, torch.as_tensor(source, device=state.device))
    return moved if (sign == 1).all() else moved * _like(sign, state).unsqueeze(-1)


@lru_cache(maxsize=1024)
def _permutation(name: str, wires: tuple[int, ...], n_wires: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """``r_new[p] = sign[p] * r_old[source[p]]``: the inverse of what happens to observables."""
    target, sign = clifford_on(name, wires, n_wires)
    source = np.argsort(target)
    return source, sign[source].astype(float)


def _through(circuit: Circuit, gate: Gate, state: Tensor) -> Tensor:
    matrix = np.array(gate.transfer)
    if (matrix == np.diag(np.diag(matrix))).all():
        return state * _like(np.diag(matrix)[_local(gate.wires, circuit.n_wires)], state).unsqueeze(-1)
    local = _local(gate.wires, circuit.n_wires)
    order = np.argsort(local, kind="stable")  # by the channel's own words, the others in the same order for each
    ordered = torch.unflatten(
        state.index_select(-2, torch.as_tensor(order, device=state.device)), -2, (len(matrix), -1)
    )
    after = torch.matmul(_like(matrix, state), ordered.flatten(-2)).reshape(ordered.shape).flatten(-3, -2)
    return after.index_select(-2, torch.as_tensor(np.argsort(order), device=state.device))


@lru_cache(maxsize=1024)
def _local(wires: tuple[int, ...], n_wires: int) -> npt.NDArray[np.int64]:
    """For each word of the register its part on some wires."""
    index, found = np.arange(4**n_wires), np.zeros(4**n_wires, np.int64)
    for wire in wires:
        found = 4 * found + index // 4 ** (n_wires - 1 - wire) % 4
    return found


@lru_cache(maxsize=64)
def _measured(circuit: Circuit) -> tuple[npt.NDArray[np.int64], Floats]:
    """The words that are measured, and what each adds to each output: shape (outputs, words)."""
    places: dict[int, int] = {}
    entries = []
    for output, observable in enumerate(circuit.observables):
        for coefficient, word in observable.pauli_terms():
            index = sum("IXYZ".index(pauli) * 4 ** (circuit.n_wires - 1 - wire) for wire, pauli in word)
            entries.append((output, places.setdefault(index, len(places)), coefficient))
    matrix = np.zeros((circuit.n_outputs, len(places)))
    for output, place, coefficient in entries:
        matrix[output, place] += coefficient
    return np.array(list(places), np.int64), matrix


def _initial(circuit: Circuit, values: Tensor, dtype: torch.dtype) -> Tensor:
    """Before the first gate: the expectation values of all words, shape (..., 4^n, positions)."""
    n = circuit.n_wires
    if circuit.preparation is None:
        index = np.arange(4**n)
        still = np.ones(4**n, bool)
        for wire in range(n):
            still &= np.isin(index // 4**wire % 4, (0, 3))
        state = torch.as_tensor(still, dtype=dtype, device=values.device).unsqueeze(-1)
        return state.expand(*values.shape[:-2], 4**n, values.shape[-1])
    real = initial(circuit, values, dtype).select(-3, 0)  # prepared amplitudes are real
    flips, signs, places = _word_tables(n)
    flipped = real.index_select(-2, torch.as_tensor(flips.reshape(-1), device=real.device))
    pairs = real.unsqueeze(-3) * torch.unflatten(flipped, -2, flips.shape)
    found = torch.matmul(_like(signs, real), pairs)  # ..., X part, Z part, positions
    sources, factors = places
    state = found.flatten(-3, -2).index_select(-2, torch.as_tensor(sources, device=real.device))
    return state * _like(factors, real).unsqueeze(-1)


@lru_cache(maxsize=16)
def _word_tables(
    n: int,
) -> tuple[npt.NDArray[np.int64], Floats, tuple[npt.NDArray[np.int64], Floats]]:
    """Words as i^(number of Y) X^x Z^z: flipped states for each x, signs for each z, and where each word comes from."""
    size = 2**n
    states = np.arange(size)
    flips = np.bitwise_xor(states, states[:, None])
    ones = np.array([[int(a & b).bit_count() for b in states] for a in states])
    signs = (-1.0) ** ones
    sources, factors = np.zeros(4**n, np.int64), np.zeros(4**n)
    for index in range(4**n):
        digits = [index // 4 ** (n - 1 - wire) % 4 for wire in range(n)]
        x = sum((digit in (1, 2)) << (n - 1 - wire) for wire, digit in enumerate(digits))
        z = sum((digit in (2, 3)) << (n - 1 - wire) for wire, digit in enumerate(digits))
        sources[index] = x * size + z
        turns = digits.count(2)
        factors[index] = 0.0 if turns % 2 else (-1.0) ** (turns // 2)  # odd words vanish on real amplitudes
    return flips, signs, (sources, factors)

"""Shots: a plan's expectation values of all words of the measured qubits, and outputs drawn from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quanvolve._errors import PlanError
from quanvolve.circuits import Basis, Circuit, Observable, bases_of
from quanvolve.compile.batch._chunks import CHUNK_BYTES
from quanvolve.compile.batch._layout import Layout
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.ops._sample import sample
from quanvolve.compile.plans._plan import Plan
from quanvolve.compile.tables._pauli import Floats

MAX_MEASURED = 12


@dataclass(frozen=True, eq=False)
class Sampling:
    """How the outputs of a circuit are drawn.

    Args:
        bits: how many qubits each basis measures.
        observables: for each basis the words of its qubits but the empty one; a word is a number whose highest bit is
            the first qubit.
        values: what each bit string of each basis adds to each output, shape (bit strings, outputs).
        expected: what each word adds to each output, shape (outputs, words), and a constant, shape (outputs,).
    """

    bits: tuple[int, ...]
    observables: tuple[Observable, ...]
    values: Floats
    expected: Floats
    constant: Floats


@lru_cache(maxsize=128)
def sampling_of(circuit: Circuit) -> Sampling:
    """The words to evaluate, and what bit strings make of the outputs.

    Words that are measured in different bases are drawn independently of each other, as on a device, with all shots for
    each basis.

    Raises:
        PlanError: if a basis measures more than 12 qubits, or the output is a number of ones.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> found = sampling_of(named_circuit("basic_entangler", 2))
        >>> found.bits, len(found.observables), found.values.tolist()
        ((2,), 3, [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    """
    if circuit.counts is not None:
        raise PlanError(
            f"the output is a number of ones ({circuit.counts}), which is no expectation value: leave `shots` out, or "
            "use readout='popcount_expected'"
        )
    bits: list[int] = []
    observables: list[Observable] = []
    values: list[Floats] = []
    expected: list[Floats] = []
    constant = np.zeros(circuit.n_outputs)
    for basis in bases_of(circuit):
        wires = tuple(sorted({wire for *_, word in basis.words for wire in word}))
        if len(wires) > MAX_MEASURED:
            raise PlanError(
                f"shots are drawn from all {len(wires)} measured qubits together, which is possible for at most "
                f"{MAX_MEASURED}: measure fewer qubits, use a smaller `kernel_size`, or leave `shots` out"
            )
        bits.append(len(wires))
        observables += [_word(basis, wires, w) for w in range(1, 2 ** len(wires))]
        table, share = np.zeros((2 ** len(wires), circuit.n_outputs)), np.zeros((circuit.n_outputs, 2 ** len(wires)))
        parity = np.array([[1.0, 1.0], [1.0, -1.0]])
        signs = np.ones((1, 1))
        for _ in wires:
            signs = np.kron(signs, parity)  # (bit strings, words)
        for output, coefficient, own in basis.words:
            w = sum(1 << (len(wires) - 1 - wires.index(wire)) for wire in own)
            table[:, output] += coefficient * signs[:, w]
            share[output, w] += coefficient
        values.append(table)
        expected.append(share[:, 1:])
        constant += share[:, 0]
    return Sampling(tuple(bits), tuple(observables), np.concatenate(values), np.concatenate(expected, 1), constant)


def _word(basis: Basis, wires: tuple[int, ...], w: int) -> Observable:
    n = len(wires)
    own = [wire for k, wire in enumerate(wires) if w >> (n - 1 - k) & 1]
    return Observable(((1.0, tuple((wire, basis.letters[wire]) for wire in own)),))


def word_circuits(circuits: Sequence[Circuit], layout: Layout) -> tuple[tuple[Circuit, ...], Layout]:
    """Circuits that measure all words, and how their rows make up the words of each window.

    Each row is drawn by itself, so that those which a filter sums over become groups: the new rows are in the order
    (groups, channels, filters).

    Raises:
        PlanError: if the circuits do not measure the same.
    """
    found = sampling_of(circuits[0])
    for number, circuit in enumerate(circuits):
        if circuit.observables != circuits[0].observables or circuit.counts != circuits[0].counts:
            raise PlanError(
                f"circuit {number} measures other observables than circuit 0; with `shots` all filters of a layer must "
                "measure the same"
            )
    alone = Layout(layout.groups * layout.channels, layout.filters, 1, layout.filters * len(found.observables))
    own = [replace(circuit, observables=found.observables or (Observable(((0.0, ()),)),)) for circuit in circuits]
    return tuple(own if len(own) == 1 else [own[k] for k in rows_alone(layout)]), alone


def rows_alone(layout: Layout) -> list[int]:
    """The layer's rows in the order (groups, channels, filters)."""
    rows = np.arange(layout.rows).reshape(layout.groups, layout.filters, layout.channels)
    return [int(row) for row in rows.transpose(0, 2, 1).reshape(-1)]


class SampledPlan:
    """Outputs as means over shots.

    The values are those of a device without drift: the bit strings of a window come from the joint distribution of all
    qubits that one basis measures, so that outputs are correlated as they are there. The gradient is that of the exact
    expectation values.

    Args:
        inner: a plan for :func:`word_circuits`.
        circuits: whose outputs they are.
        layout: of the layer.
        shots: for each basis and window.
    """

    def __init__(self, inner: Plan, circuits: Sequence[Circuit], layout: Layout, shots: int) -> None:
        self.inner, self.name, self.shots = inner, inner.name, shots
        self.sampling = sampling_of(circuits[0])
        self._alone = Layout(
            layout.groups * layout.channels, layout.filters, 1, layout.filters * len(self.sampling.observables)
        )
        self._rows = rows_alone(layout)

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[Any, ...]:
        """What the inner plan makes of the weights (rows, *shape), row by row."""
        order = torch.tensor(self._rows, device=like.device)
        own = {name: w.index_select(0, order) if len(w) > 1 else w for name, w in weights.items()}
        return self.inner.compile(own, like, self._alone, n_windows)

    def evaluate(self, compiled: tuple[Any, ...], windows: Windows, layout: Layout) -> Tensor:
        """Means over the shots, shape (images, groups, outputs, *places)."""
        images = windows.images
        if isinstance(images.shape[0], int):
            words = self._alone.groups * self._alone.outputs * int(np.prod(windows.places)) * images.element_size()
            pieces = images.split(max(1, CHUNK_BYTES // max(1, words)))
        else:
            pieces = (images,)  # a size that is unknown while tracing cannot be cut into pieces
        found = [self._evaluate(compiled, replace(windows, images=piece), layout) for piece in pieces]
        return found[0] if len(found) == 1 else torch.cat(found)

    def _evaluate(self, compiled: tuple[Any, ...], windows: Windows, layout: Layout) -> Tensor:
        words = self.words(compiled, windows)
        drawn = self.draw(words)
        if words.requires_grad:
            exact = self.expect(words)
            drawn = drawn + (exact - exact.detach())  # the value of the one, the gradient of the other
        return combine(drawn, len(windows.images), windows.places, layout)

    def words(self, compiled: tuple[Any, ...], windows: Windows) -> Tensor:
        """Expectation values of all words, shape (images x groups x channels x filters, words, places)."""
        found = self.inner.evaluate(compiled, each_alone(windows), self._alone)
        return found.reshape(-1, len(self.sampling.observables), found.shape[3:].numel())

    def draw(self, words: Tensor) -> Tensor:
        """Outputs as means over shots: shape (rows, outputs, places), without gradient."""
        sampling = self.sampling
        with torch.no_grad():
            values = torch.as_tensor(sampling.values, device=words.device)
            return sample(words, values, sampling.bits, self.shots)

    def expect(self, words: Tensor) -> Tensor:
        """The exact outputs, shape (rows, outputs, places)."""
        matrix = torch.as_tensor(self.sampling.expected).to(words)
        constant = torch.as_tensor(self.sampling.constant).to(words)
        return torch.matmul(matrix, words) + constant[:, None]

    def cost(self, layout: Layout) -> tuple[float, float]:
        """Estimated nanoseconds to compile, and per window, for all rows."""
        setup, window = self.inner.cost(self._alone)
        drawn = sum(min(2**n, n * self.shots) for n in self.sampling.bits) * 40.0
        return setup, window + layout.rows * drawn

    def __str__(self) -> str:
        n = max(self.sampling.bits, default=0)
        bases = len(self.sampling.bits)
        several = f", in each of {bases} bases" if bases > 1 else ""
        return (
            f"{self.shots:,} shots a window{several}, drawn from the joint distribution of {n} qubit{'s' * (n != 1)}, "
            f"a value's standard error at most {self._bound():.2g}; expectation values by {self.inner}"
        )

    def _bound(self) -> float:
        """The largest standard error that a mean of values between two numbers can have (Popoviciu's inequality)."""
        spans, string = np.zeros(self.sampling.values.shape[1]), 0
        for n in self.sampling.bits:
            own = self.sampling.values[string : string + 2**n]
            spans += (own.max(0) - own.min(0)) ** 2 / 4
            string += 2**n
        return float(np.sqrt(spans.max() / self.shots))


def each_alone(windows: Windows) -> Windows:
    """The same windows with each circuit that a filter sums over as a group of its own."""
    scale = windows.scale
    if isinstance(scale, Tensor):
        scale = scale.flatten(0, 1).unsqueeze(1)
    return replace(windows, groups=windows.groups * windows.channels, scale=scale)


def combine(rows: Tensor, images: int, places: tuple[int, ...], layout: Layout) -> Tensor:
    """Outputs of rows (images x groups x channels x filters, outputs, places) as (images, groups, outputs, *places)."""
    shape = (images, layout.groups, layout.channels, layout.filters, rows.shape[1], *places)
    return rows.reshape(shape).sum(2).flatten(2, 3)[:, :, : layout.outputs]

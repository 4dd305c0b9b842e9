"""The state-vector plan: every circuit, on a block of windows at once, up to 16 qubits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit, absorbed
from quanvolve.compile.batch._chunks import in_chunks
from quanvolve.compile.batch._distinct import distinct
from quanvolve.compile.batch._precision import wide
from quanvolve.compile.batch._rows import (
    RowWeights,
    measured,
    outputs_of,
    row_weights,
    rows_of,
    tensors_of,
    with_tensors,
)
from quanvolve.compile.batch._values import bits, extended
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.ops._plain import WindowCalls, as_one_call
from quanvolve.compile.ops._states import states
from quanvolve.compile.plans._work import Work
from quanvolve.compile.reference._states import fold, run_states
from quanvolve.compile.tables._features import padded
from quanvolve.compile.tables._layout import Layout
from quanvolve.compile.tables._limits import check_wires
from quanvolve.compile.tables._parsed import Parsed
from quanvolve.compile.tables._segments import segments_of
from quanvolve.compile.tables._states import StateTables, state_steps, supported

_TEMPORARIES = 6


class StatevectorPlan:
    """Filters as batched state vectors.

    The circuit's gates act one after the other on 2^n amplitudes of every window: a rotation as
    ``cos(a / 2) psi - i sin(a / 2) P psi``, any other gate as a permutation with phases. Values are
    ``<psi| O |psi>``; in plain torch, runs of gates that read no input are multiplied out first.

    Args:
        circuits: one circuit for all rows of the weights, or one for each.

    Raises:
        PlanError: if the circuits have more than 16 qubits.
    """

    name = "statevector"

    def __init__(self, circuits: Sequence[Circuit]) -> None:
        self.circuits = tuple(Parsed(absorbed(circuit)) for circuit in circuits)
        self._made: dict[int, StateTables] = {}
        self._calls = WindowCalls((self.name, circuits), self._of_tensors)
        self._readings = WindowCalls((self.name, "read", circuits), self._read, self._read_shape, torch.float64)
        for parsed in self.circuits:
            if parsed.circuit.noisy:
                raise PlanError("the circuit has noise channels, which a state vector cannot hold")
            check_wires(parsed.circuit, StatevectorPlan.name)

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[RowWeights, ...]:
        """The weights of every circuit, and what runs of its gates multiply out to where the kernels do not run it.

        Args:
            weights: for each weight a tensor (rows, *shape).
            like: gives dtype and device where there are no weights.
            layout: of the rows.
            n_windows: how many windows the result is for; None if it is kept for more of them.
        """
        rows = row_weights(self.circuits, weights, like, layout)
        if (self._alike and states.on(like)) or as_one_call(like, *tensors_of(rows)):
            return rows
        return self._folded(rows, n_windows)

    def _folded(self, rows: tuple[RowWeights, ...], n_windows: int | None) -> tuple[RowWeights, ...]:
        """With runs of gates multiplied out, where there are enough windows for that to pay."""
        if n_windows is not None and n_windows < 2 * 2 ** self.circuits[0].circuit.n_wires:
            return rows
        return tuple(
            row._replace(folded=tuple(fold(parsed, run, row.flat) for run in segments_of(parsed) if run.folds))
            for parsed, row in zip(self.circuits, rows, strict=True)
        )

    def evaluate(self, compiled: tuple[RowWeights, ...], windows: Windows, layout: Layout) -> Tensor:
        """Measured values, shape (images, groups, outputs, *places)."""
        flats = [row.flat for row in compiled]
        if self._alike and states.on(windows.images, *flats):
            return self._evaluate_flat(flats[0] if len(flats) == 1 else torch.cat(flats), windows, layout)
        tensors = tensors_of(compiled)
        if as_one_call(windows.images, *tensors):
            return self._calls(tensors, windows, layout)
        return self._in_torch(compiled, windows, layout)

    def _of_tensors(self, tensors: Sequence[Tensor], windows: Windows, layout: Layout) -> Tensor:
        rows = rows_of(self.circuits, tensors)
        folded = any(row.folded for row in rows)
        n_windows = len(windows.images) * math.prod(windows.places)
        return self._in_torch(rows if folded else self._folded(rows, n_windows), windows, layout)

    def _in_torch(self, compiled: tuple[RowWeights, ...], windows: Windows, layout: Layout) -> Tensor:
        first = self.circuits[0].circuit
        depth = len(first.gates) if torch.is_grad_enabled() else 1
        steps = _TEMPORARIES + (2 * depth if depth > 1 else 0)
        together = layout.rows if len(self.circuits) == 1 else 1
        per_window = 2 * 2**first.n_wires * steps * together * windows.images.element_size()

        def on_chunk(inputs: Tensor, *tensors: Tensor) -> Tensor:
            return outputs_of(self._run, self.circuits, inputs, with_tensors(compiled, tensors), layout)

        return in_chunks(on_chunk, windows, tensors_of(compiled), layout.outputs, per_window)

    def _run(self, number: int, values: Tensor, weights: RowWeights, shape: tuple[int, int, int]) -> Tensor:
        return run_states(self.circuits[number], values, weights, shape)

    def _evaluate_flat(self, flat: Tensor, windows: Windows, layout: Layout) -> Tensor:
        """By the kernels, from the flat weights of all rows."""
        if as_one_call(windows.images, flat):
            read = self._readings((), windows, layout)
            values = self._of_values(read, flat, layout.filters).flatten(1, 2)[:, : layout.outputs]
            return torch.unflatten(values, -1, (windows.images.shape[0], *windows.places)).movedim(2, 0)

        def on_chunk(inputs: Tensor, flat: Tensor) -> Tensor:
            images, positions = inputs.shape[0], inputs.shape[-1]
            values = self._of_inputs(inputs.permute(1, 2, 3, 0, 4).flatten(3, 4), flat, layout.filters)
            values = values.flatten(1, 2)[:, : layout.outputs]
            return torch.unflatten(values, -1, (images, positions)).permute(2, 0, 1, 3)

        numbers = 4 * (self.circuits[0].circuit.n_values + layout.outputs)
        per_window = layout.groups * layout.channels * numbers * windows.images.element_size()
        return in_chunks(on_chunk, windows, (flat,), layout.outputs, per_window, again=False)

    def _read(self, tensors: Sequence[Tensor], windows: Windows, layout: Layout) -> Tensor:
        """What angles read of all windows, shape (groups, channels, n_values, windows)."""
        first = self.circuits[0]

        def on_chunk(inputs: Tensor) -> Tensor:
            return extended(first, bits(first, inputs)).flatten(2, 3)

        n_values = first.circuit.n_values
        numbers = 16 * layout.groups * layout.channels * n_values
        read = in_chunks(on_chunk, windows, (), layout.channels * n_values, numbers)
        split = torch.unflatten(read.flatten(3), 2, (layout.channels, n_values))
        return split.permute(1, 2, 3, 0, 4).flatten(3)

    def _read_shape(self, layout: Layout, images: int, places: tuple[int, ...]) -> tuple[int, ...]:
        return layout.groups, layout.channels, self.circuits[0].circuit.n_values, images * math.prod(places)

    def _of_inputs(self, inputs: Tensor, flat: Tensor, filters: int) -> Tensor:
        """Inputs (groups, channels, n_inputs, windows) to measured values (groups, filters, measured, windows)."""
        first = self.circuits[0]
        values = extended(first, bits(first, inputs))
        once = self._once(values)
        if once is not None:
            return self._of_values(values[..., once[0]], flat, filters)[..., once[1]]
        return self._of_values(values, flat, filters)

    def _once(self, values: Tensor) -> tuple[Tensor, Tensor] | None:
        """Which windows to compute, where many are equal: only then does finding them cost less than it saves."""
        traced = type(values) is not Tensor  # it has no numbers to compare
        if traced or values.shape[:2] != (1, 1) or values.requires_grad:
            return None
        return distinct(values[0, 0])

    def _of_values(self, values: Tensor, flat: Tensor, filters: int) -> Tensor:
        return states(self._tables(filters), wide(values), flat)

    def _tables(self, filters: int) -> StateTables:
        if filters not in self._made:
            self._made[filters] = StateTables.of_circuits(self.circuits, filters)
        return self._made[filters]

    @cached_property
    def _alike(self) -> bool:
        """Whether the kernels can run the circuits, which then read the same values."""
        first = self.circuits[0].circuit
        return all(supported(parsed.circuit) and parsed.circuit.program == first.program for parsed in self.circuits)

    def row_values(self, compiled: tuple[RowWeights, ...], inputs: Tensor, layout: Layout) -> Tensor:
        """Values of every row on the same inputs (n_inputs, positions): shape (rows, measured, positions)."""
        inputs = wide(inputs)
        if self._alike and states.on(inputs, *(row.flat for row in compiled)):
            if len(self.circuits) == 1:
                flat = compiled[0].flat.expand(layout.rows, -1)
                return self._of_inputs(inputs.expand(1, 1, *inputs.shape), flat, layout.rows).flatten(0, 1)
            plans = [StatevectorPlan((parsed.circuit,)) for parsed in self.circuits]
            alone = Layout(1, 1, 1, plans[0].circuits[0].circuit.n_outputs)
            return torch.cat(
                [plan.row_values((row,), inputs, alone) for plan, row in zip(plans, compiled, strict=True)]
            )
        full = inputs.expand(1, layout.groups, layout.channels, *inputs.shape)
        return measured(self._run, self.circuits, full, compiled, layout).flatten(0, 2)

    def work(self, layout: Layout) -> tuple[Work, Work]:
        """To compile, and per window, for all rows."""
        parsed, circuit = self.circuits[0], self.circuits[0].circuit
        dimension, name = 2.0**circuit.n_wires, StatevectorPlan.name
        if self._alike:
            steps = state_steps(parsed)
            reading = sum(int(length) for length, varies in zip(np.diff(steps.runs), steps.vary, strict=True) if varies)
            outputs = padded(circuit.n_outputs, 4)
            gates = dimension * Work.of(name, amplitude=1, gate=len(steps.steps), output=outputs)
            return Work.of(name, compile=1), layout.rows * (gates + Work.of(name, angle=reading, window=1))
        window = dimension * Work.of(name, torch_amplitude=1, torch_output=circuit.n_outputs)
        for segment in segments_of(parsed):
            alone, folded = (
                Work.of(name, torch_gate=len(segment.steps) * dimension),
                Work.of(name, torch_folded=dimension**2),
            )
            window += folded if segment.folds and folded.cost("cpu") < alone.cost("cpu") else alone
        return Work.of(name, torch_compile=len(circuit.gates) * len(self.circuits)), layout.rows * window

    def __str__(self) -> str:
        circuit = self.circuits[0].circuit
        n = circuit.n_wires
        return (
            f"statevector: {n} qubit{'s' * (n > 1)} as {2**n} amplitudes a window, {len(circuit.gates)} gates; exact, "
            f"{len(self.circuits)} circuit structure{'s' * (len(self.circuits) > 1)}"
        )

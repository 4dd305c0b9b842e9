"""The state-vector plan: every circuit, on a block of windows at once, up to 16 qubits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit, absorbed
from quanvolve.compile.batch._chunks import in_chunks
from quanvolve.compile.batch._distinct import distinct
from quanvolve.compile.batch._layout import Layout
from quanvolve.compile.batch._precision import turned, wide
from quanvolve.compile.batch._rows import angles_of, measured, outputs_of, own_weights
from quanvolve.compile.batch._values import bits, extended, flat_weights
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.ops._states import fused_states
from quanvolve.compile.ops._switch import usable
from quanvolve.compile.reference._gates import Segment, foldable, run_steps, segments_of
from quanvolve.compile.reference._measurements import measure
from quanvolve.compile.reference._prepare import initial
from quanvolve.compile.tables._features import padded
from quanvolve.compile.tables._steps import kernel_arguments, supported

MAX_WIRES = 16
_TEMPORARIES = 6


class StatevectorPlan:
    """Filters as batched state vectors.

    Args:
        circuits: one circuit for all rows of the weights, or one for each.

    Raises:
        PlanError: if the circuits have more than 16 qubits.
    """

    name = "statevector"

    def __init__(self, circuits: Sequence[Circuit]) -> None:
        self.circuits = tuple(absorbed(circuit) for circuit in circuits)
        if any(circuit.noisy for circuit in self.circuits):
            raise PlanError("the circuit has noise channels, which a state vector cannot hold")
        n = max(circuit.n_wires for circuit in self.circuits)
        if n > MAX_WIRES:
            raise PlanError(
                f"the circuit has {n} qubits, the state-vector plan takes at most {MAX_WIRES}: use a smaller "
                "`kernel_size`, or fewer channels or features that one circuit reads"
            )

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[Tensor, ...]:
        """For the kernels the flat weights of all rows; else of every circuit, by name as well, and its folded runs.

        Args:
            weights: for each weight a tensor (rows, *shape).
            like: gives dtype and device where there are no weights.
            layout: of the rows.
            n_windows: how many windows the result is for; None if it is kept for more of them.
        """
        found: list[Tensor] = []
        if self._alike and usable(like):
            flats = [flat_weights(c, own_weights(self.circuits, weights, k), like) for k, c in enumerate(self.circuits)]
            return (flats[0] if len(flats) == 1 else torch.cat(flats),)
        for number, circuit in enumerate(self.circuits):
            own = own_weights(self.circuits, weights, number)
            flat = flat_weights(circuit, own, like)
            found += [flat, *own.values()]
            if self._folds(circuit, n_windows):
                found += [
                    _fold(circuit, segment, flat) for segment in segments_of(circuit) if foldable(circuit, segment)
                ]
        return tuple(found)

    def evaluate(self, compiled: tuple[Tensor, ...], windows: Windows, layout: Layout) -> Tensor:
        """Measured values, shape (images, groups, outputs, *places)."""
        if self._alike and len(compiled) == 1:
            return self._evaluate_flat(compiled[0], windows, layout)
        parts = self._parts(compiled)
        first = self.circuits[0]
        depth = len(first.gates) if torch.is_grad_enabled() else 1
        steps = _TEMPORARIES + (2 * depth if depth > 1 else 0)
        together = layout.rows if len(self.circuits) == 1 else 1
        per_window = 2 * 2**first.n_wires * steps * together * windows.images.element_size()

        def on_chunk(inputs: Tensor, *tensors: Tensor) -> Tensor:
            return outputs_of(_run, self.circuits, inputs, [tensors[part] for part in parts], layout)

        return in_chunks(on_chunk, windows, compiled, layout.outputs, per_window)

    def _evaluate_flat(self, weights: Tensor, windows: Windows, layout: Layout) -> Tensor:
        """From flat weights: by the kernels, or in plain torch where these cannot be used now."""
        first = self.circuits[0]

        def on_chunk(inputs: Tensor, weights: Tensor) -> Tensor:
            images, positions = inputs.shape[0], inputs.shape[-1]
            found = self._of_flat(inputs.permute(1, 2, 3, 0, 4).flatten(3, 4), weights, layout.filters)
            found = found.flatten(1, 2)[:, : layout.outputs]
            return torch.unflatten(found, -1, (images, positions)).permute(2, 0, 1, 3)

        fused = usable(windows.images, weights)
        numbers = 4 * (first.n_values + layout.outputs) if fused else 2 * 2**first.n_wires * 2 * len(first.gates)
        per_window = layout.groups * layout.channels * numbers * windows.images.element_size()
        return in_chunks(on_chunk, windows, (weights,), layout.outputs, per_window, again=not fused)

    def _of_flat(self, inputs: Tensor, weights: Tensor, filters: int) -> Tensor:
        """Inputs (groups, channels, n_inputs, windows) to measured values (groups, filters, measured, windows)."""
        first = self.circuits[0]
        values = extended(first, bits(first, inputs))
        once = self._once(values, weights)
        if once is not None:
            return self._of_values(values[..., once[0]], weights, filters)[..., once[1]]
        return self._of_values(values, weights, filters)

    def _once(self, values: Tensor, weights: Tensor) -> tuple[Tensor, Tensor] | None:
        """Which windows to compute, where many are equal: only then does finding them cost less than it saves."""
        traced = type(values) is not Tensor  # it has no numbers to compare
        if traced or values.shape[:2] != (1, 1) or values.requires_grad:
            return None
        return distinct(values[0, 0]) if usable(values, weights) else None

    def _of_values(self, values: Tensor, weights: Tensor, filters: int) -> Tensor:
        found = fused_states(self.circuits, values, weights, filters)
        if found is None:
            found = reference(self.circuits, values, weights, filters)
        return found

    @cached_property
    def _alike(self) -> bool:
        """Whether the kernels can run the circuits, which then read the same values."""
        first = self.circuits[0]
        return all(supported(circuit) and circuit.program == first.program for circuit in self.circuits)

    def row_values(self, compiled: tuple[Tensor, ...], inputs: Tensor, layout: Layout) -> Tensor:
        """Values of every row on the same inputs (n_inputs, positions): shape (rows, measured, positions)."""
        inputs = wide(inputs)
        if self._alike and len(compiled) == 1:
            alone = inputs.expand(1, 1, *inputs.shape)
            rows = compiled[0].expand(layout.rows, -1)
            if len(self.circuits) == 1:
                return self._of_flat(alone, rows, layout.rows).flatten(0, 1)
            single = [StatevectorPlan((circuit,)) for circuit in self.circuits]
            found = [plan._of_flat(alone, rows[k : k + 1], 1) for k, plan in enumerate(single)]
            return torch.cat(found).flatten(0, 1)
        full = inputs.expand(1, layout.groups, layout.channels, *inputs.shape)
        parts = [compiled[part] for part in self._parts(compiled)]
        return measured(_run, self.circuits, full, parts, layout).flatten(0, 2)

    def _folds(self, circuit: Circuit, n_windows: int | None) -> bool:
        return n_windows is None or n_windows >= 2 * 2**circuit.n_wires

    def _parts(self, compiled: tuple[Tensor, ...]) -> list[slice]:
        """Where the tensors of each circuit are; there are more of them than the weights if runs were folded."""
        plain = 1 + len(self.circuits[0].weight_shapes)
        folded = len(compiled) > plain * len(self.circuits)
        parts, start = [], 0
        for circuit in self.circuits:
            size = plain + (sum(foldable(circuit, s) for s in segments_of(circuit)) if folded else 0)
            parts.append(slice(start, start + size))
            start += size
        return parts

    def cost(self, layout: Layout) -> tuple[float, float]:
        """Estimated nanoseconds to compile, and per window, for all rows."""
        circuit = self.circuits[0]
        dimension = 2.0**circuit.n_wires
        if self._alike:
            _, steps, vary, runs, *_ = kernel_arguments(circuit)
            reading = sum(int(runs[k + 1] - runs[k]) for k in range(len(vary)) if vary[k])
            window = dimension * (0.4 + 0.08 * len(steps) + 0.01 * padded(circuit.n_outputs, 4)) + 25.0 * reading + 10.0
            return 100_000.0, window * layout.rows
        window = 0.0
        for segment in segments_of(circuit):
            steps = len(segment.steps) * 2 * dimension * 0.9
            window += min(steps, 4 * dimension**2 / 150) if foldable(circuit, segment) else steps
        measured = dimension * 0.1 * circuit.n_outputs + 2 * dimension
        setup = 60_000.0 * len(circuit.gates) * len(self.circuits)
        return setup, (window + measured) * layout.rows

    def __str__(self) -> str:
        circuit = self.circuits[0]
        n = circuit.n_wires
        return (
            f"statevector: {n} qubit{'s' * (n > 1)} as {2**n} amplitudes a window, {len(circuit.gates)} gates; exact, "
            f"{len(self.circuits)} circuit structure{'s' * (len(self.circuits) > 1)}"
        )


def reference(circuits: Sequence[Circuit], values: Tensor, weights: Tensor, filters: int) -> Tensor:
    """What the kernels compute, in plain torch.

    Args:
        circuits, values, weights, filters: as in :func:`quanvolve.compile.ops._states.fused_states`.

    Returns:
        Tensor of shape (groups, filters, measured, windows).
    """
    groups, channels = values.shape[:2]
    shape = (groups, filters, channels)
    rows = weights.expand(math.prod(shape), -1).reshape(*shape, weights.shape[-1])
    if len(circuits) == 1:
        return _run(circuits[0], values.unsqueeze(1), rows, [], shape).sum(2)
    found = []
    for number, circuit in enumerate(circuits):
        g, rest = divmod(number, filters * channels)
        f, c = divmod(rest, channels)
        own = values[g : g + 1, c : c + 1].unsqueeze(1)
        found.append(_run(circuit, own, rows[g : g + 1, f : f + 1, c : c + 1], [], (1, 1, 1)))
    return torch.cat(found).reshape(*shape, *found[0].shape[3:]).sum(2)


def _run(circuit: Circuit, values: Tensor, rows: Tensor, folded: list[Tensor], shape: tuple[int, int, int]) -> Tensor:
    """Measured values of one circuit: values (groups, 1, channels, n_values, positions), rows (*shape, numbers)."""
    state = initial(circuit, values, rows.dtype)
    for segment in segments_of(circuit):
        if folded and foldable(circuit, segment):
            matrix = folded.pop(0)
            matrix = matrix.expand(math.prod(shape), -1, -1).reshape(*shape, *matrix.shape[1:])
            whole = torch.matmul(matrix, state.flatten(-3, -2))
            state = torch.unflatten(whole, -2, (2, -1))
            continue
        state = run_steps(segment, state, *_half_turns(circuit, segment, values, rows))
    return measure(circuit, state).expand(*shape, -1, -1)


def continued(circuit: Circuit, values: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """A circuit without weights on states that an earlier call left, as if nobody had set its qubits to zero.

    Args:
        circuit: what is run.
        values: what it reads, shape (n_inputs, runs).
        state: of the earlier call; if not given, all qubits are zero.

    Returns:
        Measured values, shape (n_outputs, runs), and the states.

    Examples:
        >>> from quanvolve.circuits import Angle, Circuit, Gate, Observable
        >>> turn = Gate("RX", (0,), Angle(0.0, ((0, 1.0),)))
        >>> circuit = Circuit(1, 1, (turn,), (Observable(((1.0, ((0, "Z"),)),)),))
        >>> right_angle = torch.tensor([[torch.pi / 2]], dtype=torch.float64)
        >>> first, state = continued(circuit, right_angle)
        >>> second, _ = continued(circuit, right_angle, state)
        >>> [round(float(value.abs()), 6) for value in (first, second)]
        [0.0, 1.0]
    """
    inputs = wide(values).reshape(1, 1, 1, circuit.n_inputs, -1)
    state = initial(circuit, inputs, values.dtype) if state is None else state
    for segment in segments_of(circuit):
        turns = _half_turns(circuit, segment, inputs, values.new_empty(1, 1, 1, 0))
        state = run_steps(segment, state, *turns)
    return measure(circuit, state).reshape(circuit.n_outputs, -1), state


def _fold(circuit: Circuit, segment: Segment, flat: Tensor) -> Tensor:
    """The matrix of a run that reads no input, as (rows, 2 D, 2 D) on stacked real and imaginary parts."""
    dimension = 2**circuit.n_wires
    identity = torch.eye(dimension, dtype=flat.dtype, device=flat.device)
    state = torch.stack([identity, torch.zeros_like(identity)]).unsqueeze(0)
    unitary = run_steps(segment, state, *_half_turns(circuit, segment, None, flat))
    unitary = unitary.expand(len(flat), -1, -1, -1)
    real, imaginary = unitary[:, 0], unitary[:, 1]
    top = torch.cat([real, -imaginary], dim=-1)
    return torch.cat([top, torch.cat([imaginary, real], dim=-1)], dim=-2)


def _half_turns(circuit: Circuit, segment: Segment, values: Tensor | None, rows: Tensor) -> tuple[Tensor, Tensor]:
    return turned(angles_of(circuit, segment.angles, values, rows) / 2, rows.dtype)

"""The table plan: a circuit that reads bits has 2^n values, looked up by the window's bits.

E_j(x) = table_j[sum_i 2^i (x_i > threshold)]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit
from quanvolve.compile.batch._chunks import in_chunks
from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._graph import keep_graph
from quanvolve.compile.batch._rows import arranged
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.ops._plain import WindowCalls, as_one_call
from quanvolve.compile.plans._statevector import StatevectorPlan
from quanvolve.compile.plans._work import Work
from quanvolve.compile.tables._layout import Layout

MAX_INPUTS = 16
_BLOCK = 4096


@lru_cache(maxsize=16)
def _patterns(inputs: int) -> npt.NDArray[np.int64]:
    """All bit strings, shape (inputs, strings). Shifts are NumPy's: ONNX has none of signed integers."""
    patterns: npt.NDArray[np.int64] = (np.arange(2**inputs) >> np.arange(inputs)[:, None]) & 1
    return patterns


class TablePlan:
    """Filters of thresholded windows as tables with an entry for each pattern of bits.

    Args:
        circuits: one circuit for all rows of the weights, or one for each.

    Raises:
        PlanError: if the circuits have no threshold, too many inputs or qubits, or draw their values at random.
    """

    name = "table"

    def __init__(self, circuits: Sequence[Circuit]) -> None:
        first = circuits[0]
        if any(circuit.threshold is None for circuit in circuits):
            raise PlanError(
                "the circuit reads numbers and not bits, the table plan needs a threshold encoding "
                "(encoding='threshold')"
            )
        if len({circuit.threshold for circuit in circuits}) > 1:
            raise PlanError("the circuits have different thresholds, the table plan needs one for all")
        if first.n_inputs > MAX_INPUTS:
            raise PlanError(
                f"a window has {first.n_inputs} values and so 2^{first.n_inputs} patterns of bits, the table plan "
                f"takes at most {MAX_INPUTS} values: use a smaller `kernel_size`"
            )
        if any(circuit.counts == "sampled" for circuit in circuits):
            raise PlanError("the circuit's values are drawn at random for each window, a table holds fixed ones")
        self.circuits = tuple(circuits)
        self._inner = StatevectorPlan(circuits)
        self._calls = WindowCalls((self.name, circuits), self._look_up)

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[Tensor, ...]:
        """The tables, shape (groups, outputs, channels, entries); arguments as in the state-vector plan."""
        n = self.circuits[0].n_inputs
        patterns = _patterns(n)
        inner = self._inner.compile(weights, like, layout, 2**n)
        blocks = []
        for start in range(0, 2**n, _BLOCK):
            bits = constant(patterns[:, start : start + _BLOCK], like.device, like.dtype)
            # What the circuit takes as 1 is any number above its threshold.
            threshold = self.circuits[0].threshold or 0.0
            blocks.append(self._inner.row_values(inner, threshold + 2 * bits - 1, layout))
        return (arranged(torch.cat(blocks, dim=-1), layout),)

    def evaluate(self, compiled: tuple[Tensor, ...], windows: Windows, layout: Layout) -> Tensor:
        """Measured values, shape (images, groups, outputs, *places)."""
        if as_one_call(windows.images, *compiled):
            return self._calls(compiled, windows, layout)
        return self._look_up(compiled, windows, layout)

    def _look_up(self, compiled: Sequence[Tensor], windows: Windows, layout: Layout) -> Tensor:
        threshold = self.circuits[0].threshold or 0.0
        per_window = layout.groups * layout.channels * (2 * layout.outputs + 4 * self.circuits[0].n_inputs)

        def on_chunk(inputs: Tensor, table: Tensor) -> Tensor:
            groups, outputs, channels, entries = table.shape
            images, _, _, n, positions = inputs.shape
            powers = 2 ** torch.arange(n, device=inputs.device)
            index = ((inputs > threshold) * powers[:, None]).sum(3)  # images, groups, channels, positions
            first = torch.arange(groups * channels, device=inputs.device).reshape(groups, channels, 1) * entries
            flat = table.permute(0, 2, 3, 1).reshape(-1, outputs)
            values = flat.index_select(0, (index + first).flatten())
            values = values.reshape(images, groups, channels, positions, outputs).sum(2).mT
            # A step has the derivative zero almost everywhere; a layer in front of this one still gets its zeros.
            return keep_graph(values, inputs)

        return in_chunks(on_chunk, windows, compiled, layout.outputs, per_window * 8)

    def work(self, layout: Layout) -> tuple[Work, Work]:
        """To compile, and per window, for all rows."""
        setup, window = self._inner.work(layout)
        n = self.circuits[0].n_inputs
        lookup = Work.of(self.name, window=1, input=n, output=layout.outputs)
        return setup + 2.0**n * window, layout.groups * layout.channels * lookup

    def __str__(self) -> str:
        n = self.circuits[0].n_inputs
        count = len(self.circuits)
        return (
            f"table: a window of {n} bit{'s' * (n > 1)} has {2**n} patterns, each looked up; exact, {count} circuit "
            f"structure{'s' * (count > 1)}"
        )

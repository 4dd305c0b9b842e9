"""The density-matrix plan: circuits with noise, exactly, whatever they encode, on up to 8 qubits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from quanvolve.circuits import Circuit
from quanvolve.compile.batch._rows import RowWeights, row_weights, rows_of, tensors_of
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.ops._plain import WindowCalls, as_one_call
from quanvolve.compile.plans._noisy import with_noise
from quanvolve.compile.plans._work import Work
from quanvolve.compile.reference._density import density
from quanvolve.compile.tables._layout import Layout


class DensityPlan:
    """Filters as density matrices, written in Pauli words: ``rho = sum_P r[P] P / 2^n`` with real ``r[P] = Tr(P rho)``.

    A gate turns or permutes the coefficients, a channel multiplies those of its wires with its transfer matrix; a
    measured value is a sum of coefficients.

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
        self.circuits = with_noise(circuits, self.name, "a state vector does the same for less")
        self._calls = WindowCalls((self.name, circuits), self._of_tensors)

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[RowWeights, ...]:
        """The weights of every circuit; arguments as in the state-vector plan."""
        return row_weights(self.circuits, weights, like, layout)

    def evaluate(self, compiled: tuple[RowWeights, ...], windows: Windows, layout: Layout) -> Tensor:
        """Measured values, shape (images, groups, outputs, *places)."""
        tensors = tensors_of(compiled)
        if as_one_call(windows.images, *tensors):
            return self._calls(tensors, windows, layout)
        return density(self.circuits, compiled, windows, layout)

    def _of_tensors(self, tensors: Sequence[Tensor], windows: Windows, layout: Layout) -> Tensor:
        return density(self.circuits, rows_of(self.circuits, tensors), windows, layout)

    def work(self, layout: Layout) -> tuple[Work, Work]:
        """To compile, and per window, for all rows."""
        circuit = self.circuits[0].circuit
        setup = Work.of(self.name, compile=len(circuit.gates) * len(self.circuits))
        return setup, layout.rows * 4.0**circuit.n_wires * Work.of(self.name, gate=len(circuit.gates), word=1)

    def __str__(self) -> str:
        circuit = self.circuits[0].circuit
        n, count = circuit.n_wires, len(self.circuits)
        return (
            f"density: {n} qubit{'s' * (n > 1)} as {4**n} Pauli coefficients of a density matrix a window, "
            f"{len(circuit.gates)} gates and channels; exact, {count} circuit structure{'s' * (count > 1)}"
        )

"""The tensor-train plan: observables as networks of one small tensor for each qubit, contracted window by window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit
from quanvolve.compile.batch._layout import Layout
from quanvolve.compile.batch._values import flat_weights
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.ops._network import fused_network
from quanvolve.compile.reference._network import sweep_windows
from quanvolve.compile.reference._network_numbers import numbers
from quanvolve.compile.tables._chains import chains_of
from quanvolve.compile.tables._features import feature_table
from quanvolve.compile.tables._network_tables import count_terms, work
from quanvolve.compile.tables._sweeps import sweeps

MAX_OUTPUTS = 256


class TensorTrainPlan:
    """Filters in a product encoding whose observables stay simple from qubit to qubit.

    Args:
        circuits: one circuit for all rows of the weights, or one for each.

    Raises:
        PlanError: if a circuit is not a product encoding, measures more than 256 values or needs too large a bond, or
            the circuits differ in encoding.
    """

    name = "tensor_train"

    def __init__(self, circuits: Sequence[Circuit]) -> None:
        if circuits[0].n_outputs > MAX_OUTPUTS:
            raise PlanError(
                f"the circuit measures {circuits[0].n_outputs} values, and each of them has a network: the tensor-train"
                f" plan takes at most {MAX_OUTPUTS}"
            )
        self.chains = tuple(chains_of(circuit) for circuit in circuits)
        first = self.chains[0]
        for number, chains in enumerate(self.chains):
            if chains.sites != first.sites:
                raise PlanError(
                    f"circuit {number} differs from circuit 0 in its encoding; the filters of one layer must share it"
                )
            sweeps(chains)

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[Tensor, ...]:
        """The numbers of all rows, one after the other.

        Args:
            weights: for each weight a tensor (rows, *shape).
            like: gives dtype and device where there are no weights.
            layout: of the rows.
            n_windows: ignored.
        """
        flat = flat_weights(self.chains[0].circuit, weights, like)
        if len(self.chains) == 1:
            return (numbers(self.chains[0], flat).expand(layout.rows, -1).flatten(),)
        rows = flat.expand(layout.rows, -1).split(1)
        return (torch.cat([numbers(one, row).flatten() for one, row in zip(self.chains, rows, strict=True)]),)

    def evaluate(self, compiled: tuple[Tensor, ...], windows: Windows, layout: Layout) -> Tensor:
        """Measured values, shape (images, groups, outputs, *places)."""
        found = fused_network(self.chains, compiled[0], windows, layout)
        return sweep_windows(self.chains, compiled[0], windows, layout) if found is None else found

    def cost(self, layout: Layout) -> tuple[float, float]:
        """Estimated nanoseconds to compile, and per window, for all rows."""
        per_circuit = layout.rows / len(self.chains)
        products = sum(work(one) for one in self.chains) * per_circuit
        terms = sum(count_terms(one) for one in self.chains) * per_circuit
        n = self.chains[0].circuit.n_wires
        fast = feature_table(self.chains[0]) is not None
        words = sum(len(sweeps(one)) for one in self.chains) * per_circuit
        reading = (4.0 + n) * layout.groups * layout.channels + 0.3 * words
        return 300_000.0 * len(self.chains) + 20.0 * terms, (0.035 if fast else 2.0) * products + reading

    def __str__(self) -> str:
        n = self.chains[0].circuit.n_wires
        bond = max(sweep.bond for one in self.chains for sweep in sweeps(one))
        return (
            f"tensor_train: {n} qubit{'s' * (n > 1)} in a product encoding, observables as networks with bonds of at "
            f"most {bond}; exact, {len(self.chains)} circuit structure{'s' * (len(self.chains) > 1)}"
        )

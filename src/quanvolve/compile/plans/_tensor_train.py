"""The tensor-train plan: observables as networks of one small tensor for each qubit, contracted window by window.

    E_j(x) = sum over words w of j, and over the shared indices g, of c_w prod_q (sum_k K_q[g at q, k] f_q[k](x_q)),

with K_q the numbers of qubit q (`tables._sweeps`) and f_q the functions of its angles; sums over g go from qubit to
qubit, which needs as many states as the network's bond.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit
from quanvolve.compile.batch._values import flat_weights
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.ops._network import network
from quanvolve.compile.ops._plain import PlainCall, as_one_call, plain
from quanvolve.compile.plans._work import Work
from quanvolve.compile.reference._network import sweep_windows
from quanvolve.compile.reference._network_numbers import numbers
from quanvolve.compile.tables._chains import chains_of
from quanvolve.compile.tables._features import feature_table
from quanvolve.compile.tables._layout import Layout, some_rows
from quanvolve.compile.tables._network import NetworkTables, count_terms, work
from quanvolve.compile.tables._recent import Recent
from quanvolve.compile.tables._sites import Known
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
        known: Known = {}
        self.chains = tuple(chains_of(circuit, known) for circuit in circuits)
        first = self.chains[0]
        for number, chains in enumerate(self.chains):
            if chains.sites != first.sites:
                raise PlanError(
                    f"circuit {number} differs from circuit 0 in its encoding; the filters of one layer must share it"
                )
            sweeps(chains)
        self._windows = Recent[NetworkTables]()
        self._calls = Recent[PlainCall]()

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
        flat = flat_weights(self.chains[0], weights, like)
        if as_one_call(flat):
            return (plain(self._plainly(layout), [flat]),)
        return (self._numbers(flat, layout),)

    def _numbers(self, flat: Tensor, layout: Layout) -> Tensor:
        blocks = zip(layout.blocks(len(self.chains)), self.chains, strict=True)
        rows = [(block.shape, numbers(chains, some_rows(flat, block.rows))) for block, chains in blocks]
        return torch.cat([row_numbers.expand(math.prod(shape), -1).flatten() for shape, row_numbers in rows])

    def _plainly(self, layout: Layout) -> PlainCall:
        """The numbers as one call."""
        blocks = zip(layout.blocks(len(self.chains)), self.chains, strict=True)
        length = sum(math.prod(block.shape) * count_terms(chains) for block, chains in blocks)
        what_for = (self.name, layout, [chains.circuit for chains in self.chains])
        return self._calls.get(
            layout,
            lambda: PlainCall.shared(
                what_for,
                lambda: PlainCall(lambda tensors: self._numbers(tensors[0], layout), lambda tensors: (length,)),
            ),
        )

    def evaluate(self, compiled: tuple[Tensor, ...], windows: Windows, layout: Layout) -> Tensor:
        """Measured values, shape (images, groups, outputs, *places)."""
        scale = windows.scale
        if isinstance(scale, Tensor):
            return sweep_windows(self.chains, compiled[0], windows, layout)
        key = (layout, windows.grid, scale)
        tables = self._windows.get(key, lambda: NetworkTables.for_windows(self.chains, layout, windows.grid, scale))
        return network(tables, windows.images, compiled[0])

    @staticmethod
    def least(circuits: Sequence[Circuit], layout: Layout) -> tuple[Work, Work]:
        """What :meth:`work` is at least: every output is a word, of one term on one qubit."""
        name, words = TensorTrainPlan.name, circuits[0].n_outputs * layout.rows
        reading = layout.groups * layout.channels * Work.of(name, window=1, reader=1)
        return Work.of(name, compile=len(circuits)), reading + words * Work.of(name, word=1, product=1)

    def work(self, layout: Layout) -> tuple[Work, Work]:
        """To compile, and per window, for all rows."""
        per_circuit = layout.rows / len(self.chains)
        products = sum(work(chains) for chains in self.chains) * per_circuit
        terms = sum(count_terms(chains) for chains in self.chains) * per_circuit
        n = self.chains[0].circuit.n_wires
        fast = feature_table(self.chains[0]) is not None
        words = sum(len(sweeps(chains)) for chains in self.chains) * per_circuit
        reading = layout.groups * layout.channels * Work.of(self.name, window=1, reader=n)
        window = Work.of(self.name, word=words, **{"product" if fast else "torch_product": products}) + reading
        return Work.of(self.name, compile=len(self.chains), number=terms), window

    def __str__(self) -> str:
        n = self.chains[0].circuit.n_wires
        bond = max((sweep.bond for chains in self.chains for sweep in sweeps(chains)), default=1)
        return (
            f"tensor_train: {n} qubit{'s' * (n > 1)} in a product encoding, observables as networks with bonds of at "
            f"most {bond}; exact, {len(self.chains)} circuit structure{'s' * (len(self.chains) > 1)}"
        )

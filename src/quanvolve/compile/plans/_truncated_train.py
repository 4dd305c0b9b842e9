"""The truncated train: fixed filters on many qubits and layers, up to an error that is stated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit
from quanvolve.compile.batch._chunks import in_chunks
from quanvolve.compile.batch._tracing import bare, has_tangent
from quanvolve.compile.batch._values import flat_weights
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.plans._work import NEVER, Work
from quanvolve.compile.reference._coefficients import rotations, site_matrix
from quanvolve.compile.reference._features import features
from quanvolve.compile.reference._truncation import Train, evolve, stacked
from quanvolve.compile.tables._chains import Chains, chains_of
from quanvolve.compile.tables._layout import Layout, of_row
from quanvolve.compile.tables._pauli import Floats
from quanvolve.compile.tables._sites import Known, Site

TOLERANCE = 1e-7


class TruncatedTrainPlan:
    """Fixed filters in a product encoding as trains with truncated bonds.

    The root mean square of the error of a value is at most `tolerance`, over windows whose angles are independent and
    uniform, where each qubit has one rotation that reads the window. (Then the sines and cosines are orthogonal, and
    the mean square is at most the sum of the squares of the errors of all coefficients.) In the worst case, for the
    least favourable window, it is at most 2^(n / 2) times that.

    Args:
        circuits: one circuit for all rows of the weights, or one for each.
        tolerance: the bound, for observables of norm 1 such as a Pauli word.

    Raises:
        PlanError: if a circuit is not a product encoding, or the circuits differ in encoding.

    References:
        Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011), theorem 2.2, for the error; Hartmann et al., Phys. Rev. Lett.
        102, 057202 (2009), for observables evolved backwards.
    """

    name = "truncated_train"

    def __init__(self, circuits: Sequence[Circuit], tolerance: float = TOLERANCE) -> None:
        known: Known = {}
        self.chains = tuple(chains_of(circuit, known) for circuit in circuits)
        self.tolerance = tolerance
        if any(chains.sites != self.chains[0].sites for chains in self.chains):
            raise PlanError("the circuits differ in their encoding; the filters of one layer must share it")

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[Tensor, ...]:
        """The cores of all outputs, one tensor for each wire: (rows, measured, left, functions, right).

        Args:
            weights: for each weight a tensor (rows, *shape).
            like: gives dtype and device.
            layout: of the rows.
            n_windows: ignored.

        Raises:
            PlanError: if the weights want a gradient, or a bond becomes too large.
        """
        if torch.is_grad_enabled() and any(weight.requires_grad or has_tangent(weight) for weight in weights.values()):
            raise needs_fixed()
        numbers = {name: bare(weight) for name, weight in weights.items()}
        if None in numbers.values():
            raise PlanError(
                "the engine 'truncated_train' looks at the numbers of its weights, which here have none or several "
                "(meta device, tracing, export, an ensemble): use the layer's `frozen()`, or another engine"
            )
        # Weights are fixed: derivatives by images pass through the cores alone.
        with torch.no_grad(), torch._C._DisableFuncTorch():
            wide = {
                name: weight.detach().to("cpu", torch.float64) for name, weight in numbers.items() if weight is not None
            }
            flat = flat_weights(self.chains[0], wide, torch.empty(0, dtype=torch.float64))
            rows = flat.expand(layout.rows, -1).split(1)
            trains: list[list[Floats]] = []
            for number, row in enumerate(rows):
                trains += _of_row(of_row(self.chains, number), row, self.tolerance)
            measured = self.chains[0].circuit.n_outputs
            return tuple(
                torch.from_numpy(core).to(like.device, like.dtype).unflatten(0, (layout.rows, measured))
                for core in stacked(trains)
            )

    def evaluate(self, compiled: tuple[Tensor, ...], windows: Windows, layout: Layout) -> Tensor:
        """Measured values, shape (images, groups, outputs, *places)."""
        first = self.chains[0]
        widest = max(core.shape[-1] * core.shape[-2] for core in compiled)
        per_window = compiled[0].shape[0] * compiled[0].shape[1] * (widest + 8) * 2 * compiled[0].element_size()

        def on_chunk(inputs: Tensor, *cores: Tensor) -> Tensor:
            images, positions = inputs.shape[0], inputs.shape[-1]
            state = cores[0].new_ones(1, 1, 1, 1, images * positions, 1)
            for core, functions in zip(cores, features(first, inputs, cores[0].dtype), strict=True):
                # groups, filters, channels, measured, windows, bond
                core_of_rows = core.unflatten(0, (layout.groups, layout.filters, layout.channels))
                moved = torch.matmul(state, core_of_rows.flatten(-2)).unflatten(-1, core_of_rows.shape[-2:])
                factor = functions.permute(1, 2, 0, 4, 3).flatten(2, 3)[:, None, :, None]
                state = (moved * factor.unsqueeze(-1)).sum(-2)
            values = state.squeeze(-1).sum(2).unflatten(-1, (images, positions))
            return torch.flatten(values.permute(3, 0, 1, 2, 4), 2, 3)[:, :, : layout.outputs]

        return in_chunks(on_chunk, windows, compiled, layout.outputs, per_window)

    def work(self, layout: Layout) -> tuple[Work, Work]:
        """Never the cheapest: it is approximate, so it runs only where it is asked for."""
        return NEVER, NEVER

    def __str__(self) -> str:
        n = self.chains[0].circuit.n_wires
        return (
            f"truncated_train: {n} qubit{'s' * (n > 1)} in a product encoding, observables as trains whose truncation "
            f"changes values by at most {self.tolerance:g} (root mean square over uniform angles)"
        )


def needs_fixed() -> PlanError:
    """The error where weights want a gradient."""
    return PlanError(
        "the engine 'truncated_train' is for fixed filters, since truncation loses derivatives: use trainable=False "
        "or another engine"
    )


def _of_row(chains: Chains, flat: Tensor, tolerance: float) -> list[list[Floats]]:
    """For each measured value a train contracted with the encoding: cores (left, functions, right)."""
    matrices = rotations(chains, flat)
    sites = [site_matrix(chains, wire, matrices)[0].numpy() for wire in range(chains.circuit.n_wires)]
    compressed = []
    for output in range(chains.circuit.n_outputs):
        words = [word for word in chains.words if word.output == output]
        total = sum(abs(word.coefficient) for word in words) or 1.0
        trains = []
        for word in words:
            # Half of the error for the circuit, and half for what the encoding makes superfluous.
            cores = evolve(chains, matrices[0].numpy(), word, tolerance / total / 2).cores
            ready = [np.einsum("pk,lpr->lkr", site, core) for site, core in zip(sites, cores, strict=True)]
            ready[0] = word.coefficient * ready[0]
            trains.append(ready)
        if not words:  # an observable that is zero
            trains.append([np.zeros((1, site.shape[1], 1)) for site in sites])
        compressed.append(_compressed(_summed(trains), [_sizes(site) for site in chains.sites], tolerance / 2))
    return compressed


def _sizes(site: Site) -> Floats:
    """The root mean square of each of a site's functions over uniform angles."""
    digits = [[(column // 3**r) % 3 for r in range(len(site.angles))] for column in site.columns]
    return np.array([np.sqrt(0.5) ** sum(digit > 0 for digit in row) for row in digits])


def _compressed(cores: list[Floats], sizes: list[Floats], tolerance: float) -> list[Floats]:
    train = Train([core * size[:, None] for core, size in zip(cores, sizes, strict=True)], tolerance, 1)
    train.compress()
    return [core / size[:, None] for core, size in zip(train.cores, sizes, strict=True)]


def _summed(trains: list[list[Floats]]) -> list[Floats]:
    """A train that is the sum of several: their cores as blocks on the diagonal."""
    if len(trains) == 1:
        return trains[0]
    blocks = []
    last = len(trains[0]) - 1
    for wire, cores in enumerate(zip(*trains, strict=True)):
        left = 1 if wire == 0 else sum(core.shape[0] for core in cores)
        right = 1 if wire == last else sum(core.shape[2] for core in cores)
        whole = np.zeros((left, cores[0].shape[1], right))
        row = column = 0
        for core in cores:
            whole[row : row + core.shape[0], :, column : column + core.shape[2]] += core
            row += 0 if wire == 0 else core.shape[0]
            column += 0 if wire == last else core.shape[2]
        blocks.append(whole)
    return blocks

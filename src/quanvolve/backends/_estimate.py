"""What a run on a device would take: circuits, shots, time and money, before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve.backends._backend import Backend
from quanvolve.backends._layer import check_trees
from quanvolve.backends._mitigate import check_scales, with_assumed
from quanvolve.backends._plan import check_calibrates, check_held_out, plan_settings
from quanvolve.backends._qiskit import QiskitBackend
from quanvolve.backends._readout import REPEATS, readout_key
from quanvolve.backends._rows import Row, all_layers_of, check_layers, rows_of_layer
from quanvolve.backends._seen import Seen, seen_windows
from quanvolve.backends._tree_estimate import NOT_CALIBRATED, TreeSize, tree_size, tree_work
from quanvolve.backends._work import Rates, Work, total
from quanvolve.circuits import Circuit, bases_of
from quanvolve.nn import CoherentTree, QuanvNd


@dataclass(frozen=True)
class LayerEstimate:
    """What one quantum layer of a model would run.

    Args:
        name: of the layer in the model; "" for the model itself.
        filters: circuits, with the weights of each filter and input channel.
        windows: one circuit for each window and filter.
        distinct: with equal windows run once.
        calibration: all settings that determine the filters; None where they cannot be calibrated.
        held_out: random settings that test the fits; None where there are none.
        not_calibrated: why there is no calibration, or None.
        depth, two_qubit_gates: of the largest circuit, after transpilation where the backend is one of Qiskit.
        tree: of a coherent tree, its circuit: one for each image, tree and measured basis, on qubits that are reset.
            `filters` are its trees there, and `windows` images. None for other layers.
    """

    name: str
    filters: int
    windows: Work
    distinct: Work
    calibration: Work | None
    held_out: Work | None
    not_calibrated: str | None
    depth: int
    two_qubit_gates: int
    tree: TreeSize | None = None


@dataclass(frozen=True)
class Estimate:
    """A dry run of a model: all of its quantum layers together, and each of them.

    Args:
        windows: one circuit for each window and filter: what a loop over windows would run.
        distinct: with equal windows run once, as :func:`on_backend` does.
        calibration: all settings that determine the filters, with every scale of the noise; None where a layer cannot
            be calibrated.
        held_out: the random settings that test the fits; those of a filter with a threshold have all run already.
        readout: settings that measure errors of the readout, once for all circuits on the same qubits.
        depth, two_qubit_gates: of the largest circuit.
        layers: each layer, in the order of the model's modules.
    """

    windows: Work
    distinct: Work
    calibration: Work | None
    held_out: Work | None
    readout: Work | None
    depth: int
    two_qubit_gates: int
    layers: tuple[LayerEstimate, ...]

    @property
    def to_calibrate(self) -> Work | None:
        """Everything that :func:`calibrate_model` or :func:`mitigate_model` runs; None where they cannot."""
        if self.calibration is None:
            return None
        return total(work for work in (self.calibration, self.held_out, self.readout) if work is not None)


def estimate(
    model: nn.Module,
    images: Tensor,
    *,
    backend: Backend | None = None,
    shots: int = 4096,
    levels: int | None = None,
    rates: Rates | None = None,
    sparse: bool = False,
    held_out: int = 20,
    readout: bool = False,
    scales: Sequence[int] = (1,),
    seed: int = 0,
) -> Estimate:
    """Count what a model would run on a device, in all of its quantum layers. Nothing runs.

    The windows of layers behind others follow from exact values, where those of a device have noise.

    Args:
        model: any torch module with quantum layers.
        images: as the model takes them.
        backend: to ask whether it can run the circuits, and to transpile for; without one, depth and gates are those of
            the circuits as they are written.
        shots: of each circuit.
        levels: round what each layer reads to so many levels first, as in :func:`on_backend`.
        rates: of the device.
        sparse, held_out, seed: of the calibration, as in :func:`calibrate`.
        readout, scales: of its mitigation, as in :func:`mitigate`.

    Raises:
        QuanvolveError: if the model has no quantum layer, or one of its circuits cannot run on the backend, or on any
            device where no backend is given.

    Examples:
        >>> import torch
        >>> from quanvolve import Quanv2d
        >>> images = torch.zeros(10, 1, 28, 28)
        >>> found = estimate(Quanv2d(1, 4, 2, stride=2, seed=0), images, shots=1000)
        >>> found.windows.circuits, found.distinct.circuits, found.calibration.circuits
        (1960, 1, 81)

        >>> from quanvolve.nn import hybrid_model
        >>> found = estimate(hybrid_model((1, 28, 28), 10, "quantum", "quantum", seed=0), images)
        >>> [(layer.name, layer.calibration.settings) for layer in found.layers], found.calibration.settings
        ([('backbone', 81), ('head.4', 6561)], 6642)
    """
    check_held_out(held_out)
    noise = check_scales(scales)
    layers = all_layers_of(model)
    filters = {name: layer for name, layer in layers.items() if isinstance(layer, QuanvNd)}
    check_layers(filters, backend)
    check_trees(layers, backend)
    counting = _Counting(rates or Rates(), shots, sparse, held_out, readout, noise, seed)
    each = tuple(
        counting.layer(name, layer, seen, backend)
        if isinstance(layer, QuanvNd)
        else counting.tree(name, layer, seen, backend)
        for (name, layer), seen in zip(layers.items(), seen_windows(model, images, levels), strict=True)
    )
    fits, tests = [counted.calibration for counted in each], [counted.held_out for counted in each]
    circuits = [circuit for layer in filters.values() for circuit in layer.circuits]
    known = all(fit is not None for fit in fits)
    return Estimate(
        total(counted.windows for counted in each),
        total(counted.distinct for counted in each),
        total(fit for fit in fits if fit is not None) if known else None,
        total(test for test in tests if test is not None) if known else None,
        counting.readout_runs(circuits, backend) if readout and known else None,
        max(counted.depth for counted in each),
        max(counted.two_qubit_gates for counted in each),
        each,
    )


@dataclass
class _Counting:
    """The options of a dry run, and the filters that have been counted: equal ones are calibrated once."""

    rates: Rates
    shots: int
    sparse: bool
    held_out: int
    readout: bool
    scales: tuple[int, ...]
    seed: int

    def __post_init__(self) -> None:
        self._calibrated: set[object] = set()
        self._planned: dict[object, tuple[int, int]] = {}

    def work(self, settings: int, circuits: int) -> Work:
        """So many settings, and circuits."""
        return Work.of(settings, circuits, self.shots, self.rates)

    def layer(self, name: str, layer: QuanvNd, seen: Seen, backend: Backend | None) -> LayerEstimate:
        """What a layer would run."""
        rows = rows_of_layer(layer)
        bases = {circuit: len(bases_of(circuit)) for circuit in dict.fromkeys(layer.circuits)}
        distinct = [seen.distinct(row.group, row.channel) for row in rows]
        fits = tests = None
        reason = None
        try:
            for circuit in bases:
                check_calibrates(circuit)
            fits, tests = self._calibration(rows)
        except QuanvolveError as error:
            reason = str(error)
        sizes = [_size(circuit, backend) for circuit in bases]
        return LayerEstimate(
            name,
            len(rows),
            self.work(len(rows) * seen.count, sum(bases[row.circuit] for row in rows) * seen.count),
            self.work(sum(distinct), sum(bases[row.circuit] * n for row, n in zip(rows, distinct, strict=True))),
            fits,
            tests,
            reason,
            max(depth for depth, _ in sizes),
            max(pairs for _, pairs in sizes),
        )

    def tree(self, name: str, tree: CoherentTree, seen: Seen, backend: Backend | None) -> LayerEstimate:
        """What a coherent tree would run."""
        size = tree_size(tree, backend)
        every, distinct = tree_work(tree, seen.count, seen.distinct(0, 0), size, self.shots, self.rates)
        return LayerEstimate(
            name, tree.n_trees, every, distinct, None, None, NOT_CALIBRATED, size.depth, size.two_qubit_gates, size
        )

    def _calibration(self, rows: list[Row]) -> tuple[Work, Work]:
        fits: list[Work] = []
        tests: list[Work] = []
        for row in rows:
            if row.key in self._calibrated:
                continue
            self._calibrated.add(row.key)
            asked = with_assumed(row) if self.readout else row
            # Without `sparse` the settings do not depend on the weights.
            key = row.key if self.sparse else row.circuit
            if key not in self._planned:
                self._planned[key] = plan_settings(
                    asked.circuit, asked.weights, sparse=self.sparse, held_out=self.held_out, seed=self.seed
                ).counts
            bases = len(bases_of(asked.circuit))
            for works, settings in zip((fits, tests), self._planned[key], strict=True):
                runs = settings * len(self.scales)
                works.append(self.work(runs, runs * bases))
        return total(fits), total(tests)

    def readout_runs(self, circuits: list[Circuit], backend: Backend | None) -> Work:
        """What measures the errors of the readout."""
        runs = 2 * REPEATS * len({readout_key(circuit, backend) for circuit in dict.fromkeys(circuits)})
        return self.work(runs, runs)


def _size(circuit: Circuit, backend: Backend | None) -> tuple[int, int]:
    if isinstance(backend, QiskitBackend):
        transpiled = backend.transpiled(circuit)
        return transpiled.depth, transpiled.two_qubit_gates
    levels = [0] * circuit.n_wires
    for gate in circuit.gates:
        top = 1 + max(levels[wire] for wire in gate.wires)
        for wire in gate.wires:
            levels[wire] = top
    return max(levels), sum(len(gate.wires) == 2 for gate in circuit.gates)

"""Error mitigation of calibrated filters: readout inversion, and extrapolation of every coefficient to zero noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from torch import nn

from quanvolve._errors import QuanvolveError
from quanvolve.backends._backend import Backend, Progress
from quanvolve.backends._cache import Cache
from quanvolve.backends._calibrate import Calibration, calibrate, calibrated_model, each_once
from quanvolve.backends._extrapolate import EXTRAPOLATIONS, extrapolate
from quanvolve.backends._plan import check_calibrates, check_held_out, check_plans
from quanvolve.backends._qiskit import QiskitBackend
from quanvolve.backends._readout import ReadoutErrors, assumed, readout_circuits, readout_errors, readout_key
from quanvolve.backends._rows import Row, check_layers, check_runs, layers_of, rows_of_model
from quanvolve.backends._settings import Floats, Weights
from quanvolve.circuits import Circuit

SCALES = (1, 3, 5)


@dataclass(frozen=True)
class Mitigated:
    """One filter of a device with its errors mitigated.

    Args:
        raw: the filter as the device computes it.
        scaled: for each scale of the noise the filter, with readout errors undone where that was asked for.
        scales: of the noise of two-qubit gates; one where nothing was extrapolated.
        readout: the errors of the readout that were undone; None where they were not.
        coefficients, errors: of the products in ``raw.columns``, shape (outputs, columns), and their standard errors.
            Those of shots only: neither the errors of the measured readout errors are in them, nor that of the curve.
    """

    raw: Calibration
    scaled: tuple[Calibration, ...]
    scales: tuple[int, ...]
    readout: ReadoutErrors | None
    coefficients: Floats
    errors: Floats

    @property
    def circuit(self) -> Circuit:
        """The mitigated filter as a circuit without weights."""
        return self.raw.design.fitted(self.raw.columns, self.coefficients)


def mitigate(
    circuit: Circuit,
    weights: Weights,
    backend: Backend,
    *,
    readout: bool = True,
    scales: Sequence[int] = SCALES,
    extrapolation: str = "linear",
    sparse: bool = False,
    held_out: int = 20,
    seed: int = 0,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Mitigated:
    """Calibrate a filter with its errors mitigated.

    Readout inversion costs no circuit but 16 that read known bits. Zero-noise extrapolation runs every setting once for
    each scale, and extrapolates the coefficients, not the values: there are few of them, and they have error bars.

    Args:
        circuit, weights, backend: as in :func:`calibrate`.
        readout: undo errors of the readout, taken to be independent of each other.
        scales: odd numbers of copies of each two-qubit gate, the first of them 1; just 1 for no extrapolation. More
            than one scale needs a Qiskit backend.
        extrapolation: "linear", "richardson" or "exponential", see :func:`extrapolate`.
        sparse, held_out, seed, cache, progress: as in :func:`calibrate`.

    Raises:
        QuanvolveError: if the scales do not fit, or the circuit cannot be calibrated.

    References:
        Bravyi et al., Phys. Rev. A 103, 042605 (2021), for readout; Temme, Bravyi and Gambetta, Phys. Rev. Lett. 119,
        180509 (2017), for the extrapolation.

    Examples:
        >>> from quanvolve.backends import QiskitBackend
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = named_circuit("basic_entangler", 2, n_layers=1)
        >>> found = mitigate(circuit, {"weights": np.zeros((1, 2))}, QiskitBackend("fake_manila", seed=0))
        >>> bool(found.raw.coefficients[0].max() < found.coefficients[0].max())  # 1 without noise
        True
    """
    copies = _check(backend, scales, extrapolation, held_out)
    _check_folds(circuit, backend, copies, readout)
    wrong = readout_errors(circuit, backend, cache=cache, progress=progress) if readout else None
    fit = partial(calibrate, sparse=sparse, held_out=held_out, seed=seed, cache=cache, progress=progress)
    return _mitigated(circuit, weights, backend, wrong, copies, extrapolation, fit)


def _mitigated(
    circuit: Circuit,
    weights: Weights,
    backend: Backend,
    wrong: ReadoutErrors | None,
    scales: tuple[int, ...],
    extrapolation: str,
    fit: Callable[[Circuit, Weights, Backend], Calibration],
) -> Mitigated:
    asked = circuit if wrong is None else with_inverted(circuit, wrong)
    n = circuit.n_outputs
    calibrations = [fit(asked, weights, _folded(backend, scale)) for scale in scales]
    raw = calibrations[0].part(slice(0, n))
    scaled = tuple(calibration.part(slice(n if wrong is not None else 0, None)) for calibration in calibrations)
    values = np.stack([calibration.coefficients for calibration in scaled])
    errors = np.stack([calibration.errors for calibration in scaled])
    if len(scales) > 1:
        value, error = extrapolate(scales, values, errors, extrapolation)
    else:
        value, error = values[0], errors[0]
    return Mitigated(raw, scaled, scales, wrong, value, error)


def with_inverted(circuit: Circuit, wrong: ReadoutErrors) -> Circuit:
    """The circuit with its observables, and those that undo readout errors: both kinds come from the same shots."""
    return replace(circuit, observables=(*circuit.observables, *wrong.inverted(circuit).observables))


def with_assumed(row: Row) -> Row:
    """The row with the observables that it is measured in to undo readout errors, whatever these are."""
    return replace(row, circuit=with_inverted(row.circuit, assumed(row.circuit)))


def _folded(backend: Backend, scale: int) -> Backend:
    """The backend with so many copies of each two-qubit gate; others than Qiskit's are asked for one copy only."""
    return backend.folded(scale) if isinstance(backend, QiskitBackend) else backend


def _check_folds(circuit: Circuit, backend: Backend, scales: Sequence[int], readout: bool) -> None:
    """Raise unless the circuit can run with every scale of its noise."""
    check_calibrates(circuit)
    for scale in scales:
        check_runs(circuit, _folded(backend, scale))
    if readout:
        check_runs(readout_circuits(circuit)[1], backend)


def _check(backend: Backend, scales: Sequence[int], extrapolation: str, held_out: int) -> tuple[int, ...]:
    """The scales, checked with the other options."""
    check_held_out(held_out)
    copies = check_scales(scales)
    if len(copies) > 1 and not isinstance(backend, QiskitBackend):
        raise QuanvolveError(
            f"`scales` (={scales!r}) needs a Qiskit backend, whose transpiled gates are repeated; on "
            f"{backend.name} only readout errors can be mitigated: scales=(1,)"
        )
    if extrapolation not in EXTRAPOLATIONS:
        raise QuanvolveError(
            f"`extrapolation` (={extrapolation!r}) must be one of {', '.join(map(repr, EXTRAPOLATIONS))}"
        )
    return copies


def check_scales(scales: Sequence[int]) -> tuple[int, ...]:
    """Numbers of copies of each two-qubit gate, checked."""
    copies = tuple(scales)
    if not copies or copies[0] != 1 or any(not isinstance(s, int) or s < 1 or s % 2 == 0 for s in copies):
        raise QuanvolveError(f"`scales` (={scales!r}) must be odd whole numbers, the first of them 1, as in (1, 3, 5)")
    return copies


def mitigate_model(
    model: nn.Module,
    backend: Backend,
    *,
    readout: bool = True,
    scales: Sequence[int] = SCALES,
    extrapolation: str = "linear",
    sparse: bool = False,
    held_out: int = 20,
    seed: int = 0,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> tuple[nn.Module, list[Mitigated]]:
    """Calibrate all filters of all quantum layers of a model with their errors mitigated.

    All circuits are looked at before the first one runs, as in :func:`calibrate_model`.

    Args:
        model: any torch module with quantum layers.
        backend: where to run.
        readout, scales, extrapolation, sparse, held_out, seed, cache, progress: as in :func:`mitigate`. Errors of the
            readout are measured once for all circuits that are measured on the same qubits.

    Returns:
        A copy of the model with the mitigated filters, and these in the order of layers and rows.

    Raises:
        QuanvolveError: naming the layer, if one of its circuits cannot run there or cannot be mitigated.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> from quanvolve.backends import QiskitBackend
        >>> model = nn.Sequential(Quanv2d(1, 2, (1, 2), seed=0), nn.Flatten())
        >>> copy, found = mitigate_model(model, QiskitBackend("fake_manila", seed=0), scales=(1,))
        >>> len(found), found[0].readout is not None
        (1, True)
    """
    copies = _check(backend, scales, extrapolation, held_out)
    check_layers(layers_of(model), backend, [lambda circuit: _check_folds(circuit, backend, copies, readout)])
    rows = rows_of_model(model)
    asked = [with_assumed(row) for row in rows] if readout else rows
    check_plans(asked, sparse=sparse, held_out=held_out, seed=seed)
    known: dict[object, ReadoutErrors] = {}

    def wrong(circuit: Circuit) -> ReadoutErrors | None:
        if not readout:
            return None
        key = readout_key(circuit, backend)
        if key not in known:
            known[key] = readout_errors(circuit, backend, cache=cache, progress=progress)
        return known[key]

    fit = partial(calibrate, sparse=sparse, held_out=held_out, seed=seed, cache=cache, progress=progress)

    def mitigated(row: Row) -> Mitigated:
        return _mitigated(row.circuit, row.weights, backend, wrong(row.circuit), copies, extrapolation, fit)

    fits = each_once(mitigated, rows)
    return calibrated_model(model, fits), fits

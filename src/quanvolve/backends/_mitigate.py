"""Error mitigation of calibrated filters: readout inversion, and extrapolation of every coefficient to zero noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import nn

from quanvolve._errors import QuanvolveError
from quanvolve.backends._backend import Backend, Progress
from quanvolve.backends._cache import Cache
from quanvolve.backends._calibrate import Calibration, calibrate, calibrated_model
from quanvolve.backends._extrapolate import EXTRAPOLATIONS, extrapolate
from quanvolve.backends._layer import rows_of_model
from quanvolve.backends._qiskit import QiskitBackend
from quanvolve.backends._readout import ReadoutErrors, readout_errors
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
    given = tuple(scales)
    if not given or given[0] != 1 or any(not isinstance(s, int) or s < 1 or s % 2 == 0 for s in given):
        raise QuanvolveError(f"`scales` (={scales!r}) must be odd whole numbers, the first of them 1, as in (1, 3, 5)")
    if len(given) > 1 and not isinstance(backend, QiskitBackend):
        raise QuanvolveError(
            f"`scales` (={scales!r}) needs a Qiskit backend, whose transpiled gates are repeated; on "
            f"{backend.name} only readout errors can be mitigated: scales=(1,)"
        )
    if extrapolation not in EXTRAPOLATIONS:
        raise QuanvolveError(
            f"`extrapolation` (={extrapolation!r}) must be one of {', '.join(map(repr, EXTRAPOLATIONS))}"
        )
    options: dict[str, Any] = {
        "sparse": sparse, "held_out": held_out, "seed": seed, "cache": cache, "progress": progress,
    }  # fmt: skip
    wrong = readout_errors(circuit, backend, cache=cache, progress=progress) if readout else None
    asked = circuit
    if wrong is not None:
        # Both kinds of values come from the same shots.
        asked = replace(circuit, observables=(*circuit.observables, *wrong.inverted(circuit).observables))
    n = circuit.n_outputs
    found = []
    for scale in given:
        there = backend.folded(scale) if isinstance(backend, QiskitBackend) else backend
        found.append(calibrate(asked, weights, there, **options))
    raw = found[0].part(slice(0, n))
    scaled = tuple(one.part(slice(n if readout else 0, None)) for one in found)
    values, errors = np.stack([one.coefficients for one in scaled]), np.stack([one.errors for one in scaled])
    if len(given) > 1:
        value, error = extrapolate(given, values, errors, extrapolation)
    else:
        value, error = values[0], errors[0]
    return Mitigated(raw, scaled, given, wrong, value, error)


def mitigate_model(model: nn.Module, backend: Backend, **options: Any) -> tuple[nn.Module, list[Mitigated]]:
    """Calibrate all filters of a model with their errors mitigated.

    Args:
        model: any torch module with quantum convolutions.
        backend: where to run.
        options: of :func:`mitigate`.

    Returns:
        A copy of the model with the mitigated filters, and these in the order of layers and rows.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> from quanvolve.backends import QiskitBackend
        >>> model = nn.Sequential(Quanv2d(1, 2, (1, 2), seed=0), nn.Flatten())
        >>> copy, found = mitigate_model(model, QiskitBackend("fake_manila", seed=0), scales=(1,))
        >>> len(found), found[0].readout is not None
        (1, True)
    """
    found = [mitigate(row.circuit, row.weights, backend, **options) for row in rows_of_model(model)]
    return calibrated_model(model, found), found

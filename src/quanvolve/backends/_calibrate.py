"""A device's filter as a polynomial: fitted from a few settings, with error bars, and tested on others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np
from torch import nn

from quanvolve._errors import QuanvolveError
from quanvolve.backends._backend import Backend, Progress, measure
from quanvolve.backends._cache import Cache
from quanvolve.backends._design import Columns, Design
from quanvolve.backends._fit import along_axes, fit_columns, fit_grid
from quanvolve.backends._plan import ZERO, check_calibrates, check_held_out, check_plans, exact_values, plan_settings
from quanvolve.backends._qiskit import QiskitBackend
from quanvolve.backends._rows import (
    Row,
    check_layers,
    check_runs,
    layers_of,
    replace_layers,
    rows_of_layer,
    rows_of_model,
)
from quanvolve.backends._settings import Floats, Measured, Weights
from quanvolve.circuits import Circuit
from quanvolve.nn import QuanvNd

T = TypeVar("T")


class FittedFilter(Protocol):
    """What a device was found to compute: a calibration, mitigated or not."""

    @property
    def circuit(self) -> Circuit:
        """The filter as a circuit without weights."""


@dataclass(frozen=True)
class Calibration:
    """One filter of a device.

    Args:
        design: of the circuit that ran.
        columns: the products of functions that were fitted.
        coefficients, errors: of them, shape (outputs, columns), and their standard errors.
        settings, measured: what ran to fit them.
        residuals: root mean square of what the fit leaves of the measured values, for each output.
        held_out, tested: settings that took no part in the fit, and what was measured there.
        predicted, predicted_errors: what the fit says of these, shape (held out, outputs).
    """

    design: Design
    columns: Columns
    coefficients: Floats
    errors: Floats
    settings: Floats
    measured: Measured
    residuals: Floats
    held_out: Floats
    tested: Measured
    predicted: Floats
    predicted_errors: Floats

    @property
    def circuit(self) -> Circuit:
        """The fitted filter as a circuit without weights."""
        return self.design.fitted(self.columns, self.coefficients)

    def part(self, outputs: slice) -> Calibration:
        """The calibration of some of the outputs."""

        def of(measured: Measured) -> Measured:
            return Measured(measured.values[:, outputs], measured.errors[:, outputs])

        return replace(
            self,
            coefficients=self.coefficients[outputs],
            errors=self.errors[outputs],
            measured=of(self.measured),
            residuals=self.residuals[outputs],
            tested=of(self.tested),
            predicted=self.predicted[:, outputs],
            predicted_errors=self.predicted_errors[:, outputs],
        )

    @property
    def residual(self) -> float:
        """Root mean square of what the fit leaves of the measured values."""
        return float(np.sqrt(np.mean(self.residuals**2)))

    @property
    def rms(self) -> float:
        """Root mean square of prediction minus measurement in the settings that were held out."""
        return float(np.sqrt(np.mean((self.predicted - self.tested.values) ** 2)))

    @property
    def expected_rms(self) -> float:
        """What shot noise alone, of the fit and of these settings, makes of it."""
        return float(np.sqrt(np.mean(self.predicted_errors**2 + self.tested.errors**2)))

    @property
    def chi2(self) -> float:
        """Mean square of the differences in units of their standard errors: near 1 where the polynomial is enough."""
        variance = self.predicted_errors**2 + np.maximum(self.tested.errors, ZERO) ** 2
        return float(np.mean((self.predicted - self.tested.values) ** 2 / variance))


def calibrate(
    circuit: Circuit,
    weights: Weights,
    backend: Backend,
    *,
    sparse: bool = False,
    held_out: int = 20,
    seed: int = 0,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Fit the polynomial of a filter as a device computes it.

    As long as the noise does not depend on the encoded angles, the measured values are multilinear in the cosine and
    sine of each angle, whatever the noise is.

    Args:
        circuit: with an encoding that turns one qubit for each input.
        weights: by name, each of the circuit's own shape.
        backend: where to run.
        sparse: fit only the products that the ideal filter has, and what damping makes of them, from fewer settings;
            the residual and the held-out settings say whether that was enough.
        held_out: how many random settings test the fit.
        seed: of these.
        cache: of results on disk.
        progress: called with the number of settings that are done, and of all.

    Raises:
        QuanvolveError: if the circuit's values are no such polynomial, or the backend cannot run it.

    References:
        Schuld, Sweke and Meyer, Phys. Rev. A 103, 032430 (2021), equation 6, for the polynomial; ordinary least
        squares with known variances for the errors.

    Examples:
        >>> from quanvolve.backends import PennyLaneBackend
        >>> from quanvolve.circuits import named_circuit
        >>> circuit = named_circuit("basic_entangler", 2, n_layers=1)
        >>> found = calibrate(circuit, {"weights": np.zeros((1, 2))}, PennyLaneBackend("default.qubit"))
        >>> len(found.settings), np.flatnonzero(found.coefficients[0].round(6)).tolist(), found.rms < 1e-6
        (9, [3], True)
    """
    planned = plan_settings(circuit, weights, sparse=sparse, held_out=held_out, seed=seed)
    check_runs(circuit, backend)
    design, columns, settings, others = planned.design, planned.columns, planned.settings, planned.held_out
    both = measure(backend, circuit, weights, np.concatenate([settings, others]), cache=cache, progress=progress)
    measured = Measured(both.values[: len(settings)], both.errors[: len(settings)])
    tested = Measured(both.values[len(settings) :], both.errors[len(settings) :])
    if planned.full:
        fit = fit_grid(design, measured, others)
    else:
        fit = fit_columns(design, columns, settings, measured, others)
    return Calibration(
        design, columns, fit.coefficients, fit.errors, settings, measured, fit.residuals, others, tested, fit.predicted,
        fit.predicted_errors,
    )  # fmt: skip


def calibrate_model(
    model: nn.Module,
    backend: Backend,
    *,
    sparse: bool = False,
    held_out: int = 20,
    seed: int = 0,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> tuple[nn.Module, list[Calibration]]:
    """Calibrate all filters of all quantum layers of a model.

    All circuits are looked at before the first one runs: a model with a layer that does not fit the device, or cannot
    be calibrated, costs nothing.

    Args:
        model: any torch module with quantum layers.
        backend, sparse, held_out, seed, cache, progress: as in :func:`calibrate`.

    Returns:
        A copy of the model that computes as the device does, and the calibrations in the order of layers and rows.
        Its filters have no weights; its gradient with respect to what it reads is that of the fitted polynomials, and
        so an estimate of the device's.

    Raises:
        QuanvolveError: naming the layer, if one of its circuits cannot run there or cannot be calibrated.

    Examples:
        >>> import torch
        >>> from quanvolve import Quanv2d
        >>> from quanvolve.backends import PennyLaneBackend
        >>> model = nn.Sequential(Quanv2d(1, 4, (1, 2), seed=0), nn.Flatten())
        >>> copy, found = calibrate_model(model, PennyLaneBackend("default.qubit"))
        >>> images = torch.rand(1, 1, 4, 4)
        >>> len(found), torch.allclose(copy(images), model(images), atol=1e-5)
        (2, True)
    """
    check_held_out(held_out)
    check_model(model, backend, calibrated=True)

    rows = rows_of_model(model)
    check_plans(rows, sparse=sparse, held_out=held_out, seed=seed)

    def fit(row: Row) -> Calibration:
        return calibrate(
            row.circuit, row.weights, backend, sparse=sparse, held_out=held_out, seed=seed, cache=cache,
            progress=progress,
        )  # fmt: skip

    calibrations = each_once(fit, rows)
    return calibrated_model(model, calibrations), calibrations


def check_model(model: nn.Module, backend: Backend, *, calibrated: bool = False) -> None:
    """Ask whether a backend can run all quantum layers of a model, which runs nothing.

    Args:
        model: any torch module with quantum layers.
        backend: that is asked.
        calibrated: also ask whether the filters can be calibrated.

    Raises:
        QuanvolveError: naming the first layer that does not fit, and why.

    Examples:
        >>> from quanvolve import QuantumLinear
        >>> from quanvolve.backends import QiskitBackend
        >>> check_model(nn.Sequential(QuantumLinear(4, 4), QuantumLinear(4, 2)), QiskitBackend("fake_manila"))
    """
    check_layers(layers_of(model), backend, [check_calibrates] if calibrated else [])


def each_once(fit: Callable[[Row], T], rows: Sequence[Row]) -> list[T]:
    """Fits of all rows; rows of one circuit with equal weights are one filter, which runs once."""
    fits: dict[object, T] = {}
    results = []
    for row in rows:
        if row.key not in fits:
            fits[row.key] = fit(row)
        results.append(fits[row.key])
    return results


def calibrated_model(model: nn.Module, fits: Sequence[FittedFilter]) -> nn.Module:
    """A copy of a model with fitted filters in place of its circuits, at full speed.

    Args:
        model: any torch module with quantum layers.
        fits: of its filters, in the order of layers and rows (filters, and channels that each sums over).

    Raises:
        QuanvolveError: if there are not as many of them as filters.
    """
    left = list(fits)

    def make(layer: QuanvNd) -> nn.Module:
        fitted = [left.pop(0) for _ in range(min(layer.layout.rows, len(left)))]
        return layer.with_circuits([fit.circuit for fit in fitted])

    replaced = replace_layers(model, make)
    if left:
        raise QuanvolveError(f"`fits` has {len(fits)} filters, the model {len(fits) - len(left)}")
    return replaced


def with_noise_of(model: nn.Module, backend: QiskitBackend) -> nn.Module:
    """A copy of a model with the exact noise model of a Qiskit backend, in its transpiled circuits.

    Each filter is the polynomial that calibration would find with any number of shots.

    Args:
        model: any torch module with quantum layers.
        backend: with a noise model, such as a fake backend.

    Raises:
        QuanvolveError: if the model has no quantum layer, a circuit does not fit the backend, a filter is no polynomial
            of known angles, or a gate of the backend has no description.

    Examples:
        >>> import torch
        >>> from quanvolve import Quanv2d
        >>> from quanvolve.backends import QiskitBackend
        >>> layer, images = Quanv2d(1, 4, 2, seed=0), torch.ones(1, 1, 2, 2)
        >>> noisy = with_noise_of(layer, QiskitBackend("fake_manila", seed=0))
        >>> bool(noisy(images).abs().mean() < layer(images).abs().mean())
        True
    """

    def fitted(row: Row) -> Circuit:
        design = Design.of(row.circuit)
        columns, settings = design.columns, design.settings()
        noisy = backend.noisy_circuits(row.circuit)
        values = np.sum([exact_values(circuit, row.weights, settings) for circuit in noisy], axis=0)
        coefficients = along_axes(design.values_to_coefficients, values).T
        return design.fitted(columns, np.where(np.abs(coefficients) > ZERO, coefficients, 0.0))

    check_model(model, backend, calibrated=True)
    return replace_layers(model, lambda layer: layer.with_circuits([fitted(row) for row in rows_of_layer(layer)]))

"""A device's filter as a polynomial: fitted from a few settings, with error bars, and tested on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from scipy.linalg import qr
from torch import nn

from quanvolve._errors import QuanvolveError
from quanvolve.backends._backend import Backend, Progress, measure
from quanvolve.backends._cache import Cache
from quanvolve.backends._design import Columns, Design, closure
from quanvolve.backends._layer import Row, replace_layers, rows_of_layer, rows_of_model
from quanvolve.backends._qiskit import QiskitBackend
from quanvolve.backends._settings import Floats, Measured, Weights
from quanvolve.circuits import Circuit
from quanvolve.nn import Quanv1d, QuanvNd


class Fit(Protocol):
    """A fitted filter."""

    @property
    def circuit(self) -> Circuit:
        """Without weights."""


_MORE = 1.5
"""How many settings there are for each coefficient of a sparse fit."""
_ZERO = 1e-9


@dataclass(frozen=True)
class Calibration:
    """One filter of a device.

    Args:
        design: of the circuit that ran.
        columns: the products of functions that were fitted.
        coefficients, errors: of them, shape (outputs, columns), and their standard errors.
        settings, measured: what ran to fit them.
        residual: root mean square of what the fit leaves of the measured values.
        held_out, tested: settings that took no part in the fit, and what was measured there.
        predicted, predicted_errors: what the fit says of these, shape (held out, outputs).
    """

    design: Design
    columns: Columns
    coefficients: Floats
    errors: Floats
    settings: Floats
    measured: Measured
    residual: float
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

        coefficients, measured = self.coefficients[outputs], of(self.measured)
        left = self.design.matrix(self.settings, self.columns) @ coefficients.T - measured.values
        return replace(
            self,
            coefficients=coefficients,
            errors=self.errors[outputs],
            measured=measured,
            residual=float(np.sqrt(np.mean(left**2))),
            tested=of(self.tested),
            predicted=self.predicted[:, outputs],
            predicted_errors=self.predicted_errors[:, outputs],
        )

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
        variance = self.predicted_errors**2 + np.maximum(self.tested.errors, _ZERO) ** 2
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
    if not isinstance(held_out, int) or isinstance(held_out, bool) or held_out < 1:
        raise QuanvolveError(f"`held_out` (={held_out!r}) must be a whole number of at least 1: it tests the fit")
    design, rng = Design.of(circuit), np.random.default_rng(seed)
    columns, settings = _chosen(design, weights, rng) if sparse else (design.columns, design.settings())
    others = design.random(held_out, rng)
    both = measure(backend, circuit, weights, np.concatenate([settings, others]), cache=cache, progress=progress)
    fit = Measured(both.values[: len(settings)], both.errors[: len(settings)])
    test = Measured(both.values[len(settings) :], both.errors[len(settings) :])
    inverse = np.linalg.pinv(design.matrix(settings, columns))
    coefficients = inverse @ fit.values
    variances = fit.errors**2
    matrix = design.matrix(others, columns)
    predictor = matrix @ inverse
    return Calibration(
        design,
        columns,
        coefficients.T,
        np.sqrt(inverse**2 @ variances).T,
        settings,
        fit,
        float(np.sqrt(np.mean((design.matrix(settings, columns) @ coefficients - fit.values) ** 2))),
        others,
        test,
        matrix @ coefficients,
        np.sqrt(predictor**2 @ variances),
    )


def _chosen(design: Design, weights: Weights, rng: np.random.Generator) -> tuple[Columns, Floats]:
    """The products of the ideal filter, and settings that determine them well."""
    columns, grid = design.columns, design.settings()
    whole = design.matrix(grid, columns)
    ideal = np.linalg.solve(whole, _exact(design.circuit, weights, grid))
    kept = closure(columns[np.abs(ideal).max(1) > _ZERO])
    candidates = design.matrix(grid, kept)
    _, _, order = qr(candidates.T, mode="economic", pivoting=True)
    first = order[: len(kept)]
    rest = np.setdiff1d(np.arange(len(grid)), first)
    more = rng.permutation(rest)[: int(np.ceil((_MORE - 1) * len(kept)))]
    return kept, grid[np.concatenate([first, more])]


def _exact(circuit: Circuit, weights: Weights, settings: Floats) -> Floats:
    layer = Quanv1d(
        1, circuit.n_outputs, circuit.n_inputs, circuit=circuit, trainable=False, dtype=torch.float64,
        weights={name: torch.as_tensor(value)[None, None] for name, value in weights.items()} or None,
    )  # fmt: skip
    return np.asarray(layer(torch.from_numpy(settings).unsqueeze(1)).squeeze(-1).numpy(), float)


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
    """Calibrate all filters of a model.

    Args:
        model: any torch module with quantum convolutions.
        backend, sparse, held_out, seed, cache, progress: as in :func:`calibrate`.

    Returns:
        A copy of the model that computes as the device does, and the calibrations in the order of layers and rows.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> from quanvolve.backends import PennyLaneBackend
        >>> model = nn.Sequential(Quanv2d(1, 4, (1, 2), seed=0), nn.Flatten())
        >>> copy, found = calibrate_model(model, PennyLaneBackend("default.qubit"))
        >>> images = torch.rand(1, 1, 4, 4)
        >>> len(found), torch.allclose(copy(images), model(images), atol=1e-5)
        (2, True)
    """
    found = [
        calibrate(
            row.circuit, row.weights, backend, sparse=sparse, held_out=held_out, seed=seed, cache=cache,
            progress=progress,
        )
        for row in rows_of_model(model)
    ]  # fmt: skip
    return calibrated_model(model, found), found


def calibrated_model(model: nn.Module, fits: Sequence[Fit]) -> nn.Module:
    """A copy of a model with fitted filters in place of its circuits, at full speed.

    Args:
        model: any torch module with quantum convolutions.
        fits: of its filters, in the order of layers and rows (filters, and channels that each sums over).

    Raises:
        QuanvolveError: if there are not as many of them as filters.
    """
    left = list(fits)

    def make(layer: QuanvNd) -> nn.Module:
        own = [left.pop(0) for _ in range(min(layer.layout.rows, len(left)))]
        return layer.with_circuits([one.circuit for one in own])

    found = replace_layers(model, make)
    if left:
        raise QuanvolveError(f"`fits` has {len(fits)} filters, the model {len(fits) - len(left)}")
    return found


def with_noise_of(model: nn.Module, backend: QiskitBackend) -> nn.Module:
    """A copy of a model with the exact noise model of a Qiskit backend, in its transpiled circuits.

    Each filter is the polynomial that calibration would find with any number of shots.

    Args:
        model: any torch module with quantum convolutions.
        backend: with a noise model, such as a fake backend.

    Raises:
        QuanvolveError: if the model has no quantum convolution, a filter is no polynomial of known angles, or a gate of
            the backend has no description.

    Examples:
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
        values = np.sum([_exact(one, row.weights, settings) for one in noisy], axis=0)
        coefficients = np.linalg.solve(design.matrix(settings, columns), values).T
        return design.fitted(columns, np.where(np.abs(coefficients) > _ZERO, coefficients, 0.0))

    return replace_layers(model, lambda layer: layer.with_circuits([fitted(row) for row in rows_of_layer(layer)]))

"""Which settings a calibration runs: known before any of them does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import qr

from quanvolve._errors import QuanvolveError
from quanvolve.backends._design import Columns, Design, closure
from quanvolve.backends._fit import along_axes
from quanvolve.backends._rows import Row
from quanvolve.backends._settings import Floats, Weights, settings_of
from quanvolve.circuits import Circuit
from quanvolve.nn import Quanv1d

_MORE = 1.5
"""How many settings there are for each coefficient of a sparse fit."""
_MAX_ENTRIES = 2**26
"""Of the matrix that a sparse fit chooses its settings from: half a gigabyte."""
MAX_TERMS = 1_000_000
"""What a circuit may have, and so a fitted filter."""
ZERO = 1e-9


@dataclass(frozen=True)
class Planned:
    """The settings of a calibration.

    Args:
        design: of the circuit.
        columns: the products of functions to be fitted.
        settings, held_out: what runs to fit them, and what runs to test the fit.
        full: whether these are all products and all settings of the design, in its order.
    """

    design: Design
    columns: Columns
    settings: Floats
    held_out: Floats
    full: bool

    @property
    def counts(self) -> tuple[int, int]:
        """How many different settings run to fit, and how many more to test."""
        both = settings_of(self.design.circuit, np.concatenate([self.settings, self.held_out]))
        return len(self.settings), len(np.unique(both, axis=0)) - len(self.settings)


def check_held_out(held_out: object) -> None:
    """Raise unless it is a number of settings."""
    if not isinstance(held_out, int) or isinstance(held_out, bool) or held_out < 1:
        raise QuanvolveError(f"`held_out` (={held_out!r}) must be a whole number of at least 1: it tests the fit")


def check_calibrates(circuit: Circuit) -> None:
    """Raise unless the values of a circuit are a polynomial that a calibration can find.

    Raises:
        QuanvolveError: if they are not, or it would need too many settings.
    """
    terms = Design.of(circuit).count * circuit.n_outputs
    if terms > MAX_TERMS:
        raise QuanvolveError(
            f"the fitted filter would have {terms:,} terms for its {circuit.n_outputs} measured values, a circuit may "
            f"have at most {MAX_TERMS:,}: use a readout of fewer values, such as 'z', or smaller windows"
        )


def check_plans(rows: Sequence[Row], *, sparse: bool, held_out: int, seed: int) -> None:
    """Raise where the settings of a row cannot be chosen, before any other runs."""
    for row in rows:
        if sparse and Design.of(row.circuit).count ** 2 > _MAX_ENTRIES:
            plan_settings(row.circuit, row.weights, sparse=sparse, held_out=held_out, seed=seed)


def plan_settings(circuit: Circuit, weights: Weights, *, sparse: bool, held_out: int, seed: int) -> Planned:
    """The settings of a calibration; arguments as in :func:`quanvolve.backends.calibrate`.

    Raises:
        QuanvolveError: if the circuit's values are no polynomial of known angles, or one of too many terms.
    """
    check_held_out(held_out)
    check_calibrates(circuit)
    design, rng = Design.of(circuit), np.random.default_rng(seed)
    columns, settings = design.columns, design.settings()
    full = True
    if sparse:
        products = _ideal_columns(design, weights, columns, settings)
        if len(products) < len(columns):
            full = False
            settings, columns = _chosen(design, products, settings, rng), products
    return Planned(design, columns, settings, design.random(held_out, rng), full)


def _ideal_columns(design: Design, weights: Weights, columns: Columns, grid: Floats) -> Columns:
    """The products that the ideal filter has, and what damping makes of them."""
    ideal = along_axes(design.values_to_coefficients, exact_values(design.circuit, weights, grid))
    return closure(columns[np.abs(ideal).max(1) > ZERO])


def _chosen(design: Design, products: Columns, grid: Floats, rng: np.random.Generator) -> Floats:
    """Settings that determine these products well."""
    if len(grid) * len(products) > _MAX_ENTRIES:
        raise QuanvolveError(
            f"the ideal filter has {len(products):,} of {len(grid):,} possible terms: choosing settings for so many "
            "takes too much memory; leave `sparse` out, which runs them all"
        )
    _, _, order = qr(design.matrix(grid, products).T, mode="economic", pivoting=True)
    first = order[: len(products)]
    rest = np.setdiff1d(np.arange(len(grid)), first)
    more = rng.permutation(rest)[: int(np.ceil((_MORE - 1) * len(products)))]
    return np.asarray(grid[np.concatenate([first, more])], np.float64)


def exact_values(circuit: Circuit, weights: Weights, settings: Floats) -> Floats:
    """What a circuit's values are without a device, shape (settings, outputs)."""
    layer = Quanv1d(
        1, circuit.n_outputs, circuit.n_inputs, circuit=circuit, trainable=False, dtype=torch.float64,
        weights={name: torch.as_tensor(value)[None, None] for name, value in weights.items()} or None,
    )  # fmt: skip
    return np.asarray(layer(torch.from_numpy(settings).unsqueeze(1)).squeeze(-1).numpy(), float)

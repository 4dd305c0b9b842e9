"""Encodings whose features are plain Pauli words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from quanvolve.compile.tables._parsed import kept
from quanvolve.compile.tables._pauli import Floats
from quanvolve.compile.tables._recipe import Recipe
from quanvolve.compile.tables._sites import bloch_matrix


@kept
def site_words(recipe: Recipe) -> tuple[npt.NDArray[np.int64], Floats] | None:
    """The Pauli word that each feature is, and its sign; None where a feature is more, or depends on weights."""
    words, signs = np.zeros(1, np.int64), np.ones(1)
    for site, gates in zip(recipe.sites, recipe.site_gates, strict=True):
        if any(gate.number is not None for gate in gates):
            return None
        exact = bloch_matrix(site.gates, np.random.default_rng(0))[:, list(site.columns)]
        signed = np.rint(exact)
        if np.abs(exact - signed).max() > 1e-12 or (np.abs(signed).sum(0) != 1).any():
            return None
        paulis = np.abs(signed).argmax(0)
        words = (words[:, None] * 4 + paulis[None, :]).reshape(-1)
        signs = (signs[:, None] * signed.sum(0)[None, :]).reshape(-1)
    return words, signs

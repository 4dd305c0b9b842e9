"""Values without noise from values with more and more of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.backends._settings import Floats

EXTRAPOLATIONS = ("linear", "richardson", "exponential")
_CLEAR = 3.0
"""Standard errors from zero at which a logarithm can be trusted."""


def extrapolate(scales: Sequence[float], values: Floats, errors: Floats, method: str) -> tuple[Floats, Floats]:
    """Extrapolate to the scale 0.

    Args:
        scales: of the noise, different numbers.
        values, errors: at each scale with their standard errors, shape (scales, ...).
        method: "linear", a straight line by least squares; "richardson", the polynomial through all points;
            "exponential", ``a exp(-b scale)`` by least squares of the logarithm, where all values have one sign and are
            three standard errors from zero, and the straight line elsewhere.

    Returns:
        Values at 0, and their standard errors.

    Raises:
        QuanvolveError: if there are fewer than two scales, or no such method.

    References:
        Temme, Bravyi and Gambetta, Phys. Rev. Lett. 119, 180509 (2017); Giurgica-Tiron et al., arXiv:2005.10921,
        section III.

    Examples:
        >>> values = np.array([[0.8], [0.512], [0.32768]])
        >>> extrapolate((1, 3, 5), values, np.full((3, 1), 0.001), "exponential")[0].round(6)
        array([1.])
    """
    if method not in EXTRAPOLATIONS:
        raise QuanvolveError(f"`extrapolation` (={method!r}) must be one of {', '.join(map(repr, EXTRAPOLATIONS))}")
    if len(scales) < 2 or len(set(scales)) < len(scales):
        raise QuanvolveError(f"`scales` (={tuple(scales)!r}) must be two or more different numbers to extrapolate from")
    x = np.asarray(scales, float)
    degree = len(x) - 1 if method == "richardson" else 1
    intercepts, variances = _line(x, values, errors, degree)
    if method != "exponential":
        return intercepts, np.sqrt(variances)
    clear = (np.abs(values) > _CLEAR * errors).all(0) & (np.sign(values) == np.sign(values[0])).all(0)
    safe = np.where(clear, np.abs(values), 1.0)
    logarithms, spread = _line(x, np.log(safe), np.where(clear, errors, 1.0) / safe, 1)
    size = np.exp(np.where(clear, logarithms, 0.0))
    return (
        np.where(clear, np.sign(values[0]) * size, intercepts),
        np.sqrt(np.where(clear, size**2 * spread, variances)),
    )


def _line(x: Floats, values: Floats, errors: Floats, degree: int) -> tuple[Floats, Floats]:
    """The value at 0 of a polynomial, fitted with the same weight for all scales, and its variance."""
    weights = np.linalg.pinv(np.vander(x, degree + 1, increasing=True))[0]
    return np.tensordot(weights, values, 1), np.tensordot(weights**2, errors**2, 1)

"""The variance of a circuit's value, divided among its pixels and their products: exact where that is affordable.

A value is written as a tensor with an axis for each pixel: entry 0 of an axis is the mean over that pixel, the others
belong to functions of it that are orthonormal and have the mean 0. Squares then are the parts of the variance.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from quanvolve._errors import PlanError
from quanvolve.analysis._channel_circuits import ChannelCircuit

Floats = npt.NDArray[np.float64]
MAX_ENTRIES = 600_000
"""Entries of the tensor, at most."""
_MOST_SETTINGS = 160_000
_LEAST_NODES, _MOST_NODES = 16, 64
_ZERO = 1e-13


@dataclass(frozen=True)
class Pixel:
    """The values that a pixel takes.

    Args:
        values: in ascending order.
        shares: how often each occurs; their sum is 1. None for all values in [0, 1] alike, of which `values` are the
            nodes of a quadrature, and `shares` its weights, as :func:`uniform` makes them.
        edges: cumulated shares, to draw values with; None for all in [0, 1] alike.
    """

    values: Floats
    shares: Floats
    edges: Floats | None = None

    @property
    def mean(self) -> float:
        """Its mean."""
        return float(self.shares @ self.values)

    @property
    def variance(self) -> float:
        """Its variance."""
        return float(self.shares @ (self.values - self.mean) ** 2)

    def drawn(self, numbers: Floats) -> Floats:
        """Values for numbers that are uniform in [0, 1]: the inverse of the distribution function."""
        if self.edges is None:
            return numbers
        places = np.searchsorted(self.edges, numbers, side="right")
        return np.asarray(self.values[np.minimum(places, len(self.values) - 1)])

    def nodes(self, count: int, high: npt.NDArray[np.bool_] | None) -> tuple[Floats, Floats]:
        """Few values with shares that have the same moments: a Gauss quadrature of the distribution.

        Args:
            count: of the nodes, at most.
            high: for which values the circuit reads the bit 1, where it reads bits: then there are two nodes, the
                means of both sides.
        """
        if high is not None:
            sides = [side for side in (~high, high) if self.shares[side].sum() > 0]
            shares = np.array([self.shares[side].sum() for side in sides])
            means = [self.shares[side] @ self.values[side] for side in sides]
            return np.array(means) / shares, shares
        if len(self.values) <= count:
            return self.values, self.shares
        return _gauss(self.values, self.shares, count)


def _gauss(values: Floats, shares: Floats, count: int) -> tuple[Floats, Floats]:
    """Golub and Welsch, Math. Comp. 23, 221 (1969), by the Lanczos process with full orthogonalisation."""
    basis = [np.sqrt(shares)]
    diagonal, beside = [], []
    for _ in range(count):
        new = values * basis[-1]
        diagonal.append(float(basis[-1] @ new))
        for _ in range(2):
            for old in basis:
                new = new - (old @ new) * old
        length = float(np.linalg.norm(new))
        if length < 1e-12 or len(diagonal) == count:
            break
        beside.append(length)
        basis.append(new / length)
    rows = np.diag(diagonal) + np.diag(beside[: len(diagonal) - 1], 1) + np.diag(beside[: len(diagonal) - 1], -1)
    nodes, vectors = np.linalg.eigh(rows)
    return nodes, vectors[0] ** 2


def uniform(limit: float | None = None) -> Pixel:
    """A pixel that takes all values in [0, 1] alike; the quadrature is split where the circuit has a threshold."""
    ends = [0.0, 1.0] if limit is None or not 0 < limit < 1 else [0.0, limit, 1.0]
    nodes, weights = np.polynomial.legendre.leggauss(_MOST_NODES)
    values = np.concatenate([a + (nodes + 1) / 2 * (b - a) for a, b in itertools.pairwise(ends)])
    shares = np.concatenate([weights / 2 * (b - a) for a, b in itertools.pairwise(ends)])
    return Pixel(values, shares)


def observed(values: npt.NDArray[np.floating]) -> Pixel:
    """A pixel with the values that it has in data."""
    distinct, counts = np.unique(values.astype(np.float64), return_counts=True)
    shares = counts / counts.sum()
    return Pixel(distinct, shares, np.cumsum(shares))


def limit_of(part: ChannelCircuit, k: int) -> float | None:
    """The value of input k's pixel at which its bit changes, where the circuit reads bits."""
    if part.circuit.threshold is None or not part.scales[k]:
        return None
    return part.circuit.threshold / part.scales[k]


def _bits(part: ChannelCircuit, k: int, values: Floats) -> npt.NDArray[np.bool_] | None:
    """Which values of input k's pixel become the bit 1, where the circuit reads bits."""
    return None if part.circuit.threshold is None else part.scales[k] * values > part.circuit.threshold


@dataclass(frozen=True)
class Divided:
    """A circuit's value with an axis for each of its pixels.

    Args:
        entries: the tensor.
        slopes: for each pixel what its functions' covariance with the pixel itself is; entry 0 is 0.
        by: how it was found.
    """

    entries: Floats
    slopes: tuple[Floats, ...]
    by: str

    def parts(self) -> Floats:
        """The mean squared and the parts of the variance, shape (2, ..., 2): index 1 where a pixel takes part."""
        squares = self.entries**2
        for axis in range(squares.ndim):
            first = squares.take([0], axis)
            squares = np.concatenate([first, squares.sum(axis, keepdims=True) - first], axis)
        return squares

    @property
    def mean(self) -> float:
        """The mean value."""
        return float(self.entries[(0,) * self.entries.ndim])

    def covariances(self) -> Floats:
        """Of the value with each pixel."""
        covariances = []
        for axis, slope in enumerate(self.slopes):
            place: list[int | slice] = [0] * self.entries.ndim
            place[axis] = slice(None)
            covariances.append(float(self.entries[tuple(place)] @ slope))
        return np.array(covariances)


def divided(circuits: list[ChannelCircuit], pixels: list[Pixel]) -> list[Divided]:
    """The values of circuits divided among their pixels, all in the same functions of these.

    Args:
        circuits: which read the window by the same gates.
        pixels: the distributions of its pixels, which are independent.

    Raises:
        PlanError: if neither the coefficients nor a grid of settings is small enough.
    """
    try:
        return [_by_coefficients(circuit, pixels) for circuit in circuits]
    except PlanError:
        return [_by_grid(circuit, pixels) for circuit in circuits]


def _by_coefficients(part: ChannelCircuit, pixels: list[Pixel]) -> Divided:
    """From the coefficients: each pixel's products of cosines and sines are exchanged for orthonormal functions."""
    recipe, coefficients = part.coefficients()
    readers: list[tuple[int, float]] = []
    for site in recipe.sites:
        for angle in site.angles:
            if len(angle) != 1 or angle[0][0] >= part.circuit.n_inputs:
                raise PlanError("an angle is a function of several pixels, or other than a multiple of one")
            readers.append(angle[0])
    if 3 ** len(readers) > MAX_ENTRIES:
        raise PlanError(f"{len(readers)} rotations read pixels, too many to divide their products exactly")
    entries = coefficients.numpy().reshape([len(site.columns) for site in recipe.sites])
    for axis, site in enumerate(recipe.sites):
        full = np.zeros((*entries.shape[:axis], 3 ** len(site.angles), *entries.shape[axis + 1 :]))
        full[(slice(None),) * axis + (list(site.columns),)] = entries
        entries = full
    # A site counts its first reader fastest.
    entries = entries.reshape([3] * len(readers))
    order = [start + r for start, n in _runs([len(site.angles) for site in recipe.sites]) for r in reversed(range(n))]
    entries = entries.transpose(np.argsort(order)) if readers else entries.reshape(())
    of_pixel = [[r for r, (index, _) in enumerate(readers) if index == k] for k in range(part.circuit.n_inputs)]
    entries = entries.transpose([r for numbers in of_pixel for r in numbers]) if readers else entries
    entries = entries.reshape([3 ** len(numbers) for numbers in of_pixel])
    slopes = []
    for k, (numbers, pixel) in enumerate(zip(of_pixel, pixels, strict=True)):
        matrix, slope = _orthonormal([readers[r][1] for r in numbers], part, k, pixel)
        entries = np.moveaxis(np.tensordot(entries, matrix, axes=([k], [0])), -1, k)
        slopes.append(slope)
    return Divided(np.ascontiguousarray(entries), tuple(slopes), "exact, from the coefficients")


def _runs(counts: list[int]) -> list[tuple[int, int]]:
    starts = np.cumsum([0, *counts])[:-1]
    return [(int(start), n) for start, n in zip(starts, counts, strict=True)]


def _orthonormal(factors: list[float], part: ChannelCircuit, k: int, pixel: Pixel) -> tuple[Floats, Floats]:
    """A pixel's products of (1, cos, sin) in functions that are orthonormal under its distribution."""
    values = pixel.values
    high = _bits(part, k, values)
    inputs = values * part.scales[k] if high is None else high.astype(np.float64)
    functions = np.ones((len(values), 1))
    for factor in factors:  # the first reader varies slowest
        waves = np.stack([np.ones_like(inputs), np.cos(factor * inputs), np.sin(factor * inputs)], axis=1)
        functions = (functions[:, :, None] * waves[:, None, :]).reshape(len(values), -1)
    mean = pixel.shares @ functions
    centred = functions - mean
    spreads, vectors = np.linalg.eigh(centred.T @ (pixel.shares[:, None] * centred))
    nonzero = spreads > _ZERO * max(1.0, float(spreads.max()))
    roots = vectors[:, nonzero] * np.sqrt(spreads[nonzero])
    with_pixel = (pixel.shares * (values - pixel.mean)) @ centred @ (vectors[:, nonzero] / np.sqrt(spreads[nonzero]))
    return np.column_stack([mean, roots]), np.concatenate([[0.0], with_pixel])


def _by_grid(part: ChannelCircuit, pixels: list[Pixel]) -> Divided:
    """From the values at all combinations of a quadrature's nodes."""
    count = len(pixels)
    binary = part.circuit.threshold is not None
    each = 2 if binary else min(_MOST_NODES, int(_MOST_SETTINGS ** (1 / max(count, 1)) + 1e-9))
    if each**count > _MOST_SETTINGS or (not binary and each < _LEAST_NODES):
        raise PlanError(f"a grid over {count} pixels has too many points")
    if not binary and (part.circuit.preparation is not None or part.circuit.counts is not None):
        raise PlanError("the value is no smooth function of the pixels")
    chosen = [pixel.nodes(each, _bits(part, k, pixel.values)) for k, pixel in enumerate(pixels)]
    axes = [torch.from_numpy(np.ascontiguousarray(nodes)) for nodes, _ in chosen]
    grid = torch.cartesian_prod(*axes).reshape(-1, count)
    entries = part.of_pixels(grid).numpy().reshape([len(nodes) for nodes, _ in chosen])
    slopes = []
    for axis, ((nodes, shares), pixel) in enumerate(zip(chosen, pixels, strict=True)):
        mean = np.expand_dims(np.tensordot(entries, shares, axes=([axis], [0])), axis)
        root = np.sqrt(shares).reshape([-1 if a == axis else 1 for a in range(count)])
        entries = np.concatenate([mean, (entries - mean) * root], axis)
        slopes.append(np.concatenate([[0.0], np.sqrt(shares) * (nodes - pixel.mean)]))
    # A function of expectation values may be any; these themselves are series that the nodes integrate exactly.
    how = "exact" if part.circuit.postprocessing is None else "by a quadrature"
    return Divided(entries, tuple(slopes), f"{how}, from {math.prod(len(n) for n, _ in chosen):,} settings")

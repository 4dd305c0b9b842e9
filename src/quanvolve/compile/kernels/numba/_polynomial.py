"""Polynomials of all windows: dense, or only the products that a coefficient needs."""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile.kernels.numba import _dense, _sparse
from quanvolve.compile.kernels.numba._arrays import Floats, Numbers
from quanvolve.compile.kernels.numba._launch import WindowWork, launch, pixels_of
from quanvolve.compile.kernels.numba._memory import Sum, array
from quanvolve.compile.kernels.numba._tile import ROWS
from quanvolve.compile.tables._features import Readers, SiteTables, padded
from quanvolve.compile.tables._polynomial import PolynomialTables
from quanvolve.compile.tables._products import Products

_SMALL = 16_384
"""Places that are worth a task of their own."""


class _Prepared(NamedTuple):
    """What the loops take.

    Args:
        loops: dense or sparse ones.
        images: rows of pixels.
        coefficients: as the loops read them.
        rest: between the coefficients and the number of pieces.
        work: how much there is to do.
    """

    loops: ModuleType
    images: Numbers
    coefficients: Floats
    rest: tuple[SiteTables, Readers] | tuple[Products, SiteTables, Readers]
    work: WindowWork


class Polynomial:
    """The kernel of `ops.polynomial`."""

    def supports(self, tables: PolynomialTables, images: Tensor, coefficients: Tensor) -> bool:
        """Angles that are multiples of one pixel, and a batch that is not known to be empty."""
        empty = isinstance(images.shape[0], int) and not images.shape[0]
        return tables.features is not None and not empty

    def forward(self, tables: PolynomialTables, images: Tensor, coefficients: Tensor) -> Tensor:
        """Shape (images, groups, outputs, *places)."""
        ready = _prepared(tables, images, coefficients)
        groups, outputs = coefficients.shape[:2]
        places = tables.grid.places(tuple(images.shape[2:]))
        out = torch.empty((len(images), groups, outputs, *places), dtype=coefficients.dtype)
        parts, pieces = ready.work.forward(_SMALL)
        flat = array(out).reshape(len(images), groups, outputs, -1)
        loops = ready.loops
        launch(loops.forward, parts, ready.images, ready.coefficients, *ready.rest, pieces, flat)
        return out

    def backward(
        self, tables: PolynomialTables, grad: Tensor, images: Tensor, coefficients: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Gradients by images and coefficients."""
        ready = _prepared(tables, images, coefficients)
        groups, outputs = coefficients.shape[:2]
        arranged = ready.coefficients
        parts, pieces = ready.work.backward(arranged.nbytes)
        d_out = array(grad).reshape(len(images), groups, outputs, -1)
        d_images = Sum(pieces if wanted[0] else 0, ready.images.shape, coefficients.dtype)
        d_arranged = Sum(parts if wanted[1] else 0, arranged.shape, coefficients.dtype)
        loops = ready.loops
        launch(
            loops.backward, parts, ready.images, arranged, *ready.rest, pieces, d_out,
            d_arranged.parts, d_images.parts,
        )  # fmt: skip
        to_images = to_coefficients = None
        if wanted[0]:
            to_images = d_images.total().reshape(images.shape).to(images.dtype)
        if wanted[1]:
            whole = d_arranged.total()
            if whole.dim() == 5:
                whole = whole[:, :outputs, :, :, : coefficients.shape[3] // whole.shape[3]]
            to_coefficients = whole.reshape(coefficients.shape)
        return to_images, to_coefficients


def _prepared(tables: PolynomialTables, images: Tensor, coefficients: Tensor) -> _Prepared:
    assert tables.features is not None
    sites, few = tables.features.sites, tables.few
    readers = tables.readers(images.shape[1], tuple(images.shape[2:]))
    n_places = len(readers.places)
    shape = len(images), coefficients.shape[0], n_places
    if few is None:
        arranged = _with_room(sites, coefficients)
        return _Prepared(
            _dense, pixels_of(images), arranged, (sites, readers), WindowWork(*shape, arranged.size * n_places)
        )
    arranged = array(coefficients)
    products = 4 * (len(few.nodes) + len(few.terms)) * n_places
    return _Prepared(_sparse, pixels_of(images), arranged, (few, sites, readers), WindowWork(*shape, products))


def _with_room(sites: SiteTables, coefficients: Tensor) -> Floats:
    """Coefficients with room for whole tiles: (groups, outputs, channels, left products, right products)."""
    groups, outputs, channels, _ = coefficients.shape
    left, right = sites.left, sites.right
    by_product = array(coefficients).reshape(groups, outputs, channels, left, right)
    shape = (groups, padded(outputs, ROWS), channels, left, padded(right, ROWS))
    if shape == by_product.shape:
        return by_product
    room = np.zeros(shape, by_product.dtype)
    room[:, :outputs, :, :, :right] = by_product
    return room


kernel = Polynomial()

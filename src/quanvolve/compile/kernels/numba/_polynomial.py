"""Polynomials of all windows: dense, or only the products that a coefficient needs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile.kernels.numba import _dense, _sparse
from quanvolve.compile.kernels.numba._arrays import Floats
from quanvolve.compile.kernels.numba._entries import pack, pack_all, unpack
from quanvolve.compile.kernels.numba._launch import WindowWork, launch, pixels_of
from quanvolve.compile.kernels.numba._memory import Sum, array
from quanvolve.compile.kernels.numba._tile import ROWS
from quanvolve.compile.tables._features import Readers, SiteTables
from quanvolve.compile.tables._polynomial import PolynomialTables

_SMALL = 16_384
"""Places that are worth a task of their own."""


class Polynomial:
    """The kernel of `ops.polynomial`."""

    def supports(self, tables: PolynomialTables, images: Tensor, coefficients: Tensor) -> bool:
        """Angles that are multiples of one pixel, and a batch that is not known to be empty."""
        empty = isinstance(images.shape[0], int) and not images.shape[0]
        return tables.features is not None and not empty

    def forward(self, tables: PolynomialTables, images: Tensor, coefficients: Tensor) -> Tensor:
        """Shape (images, groups, outputs, *places)."""
        sites, readers, places, work = _shapes(tables, images, coefficients)
        out = torch.empty((*images.shape[:1], *coefficients.shape[:2], *places), dtype=coefficients.dtype)
        parts, pieces = work.forward(_SMALL)
        flat, pixels, numbers = array(out).reshape(*out.shape[:3], -1), pixels_of(images), array(coefficients)
        if tables.few is not None:
            launch(_sparse.forward, parts, pixels, numbers, tables.few, sites, readers, pieces, flat)
        else:
            packed = _packed(tables, sites, numbers)
            launch(_dense.forward, parts, pixels, packed, tables.tiles, sites, readers, pieces, flat)
        return out

    def backward(
        self, tables: PolynomialTables, grad: Tensor, images: Tensor, coefficients: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Gradients by images and coefficients."""
        sites, readers, _, work = _shapes(tables, images, coefficients)
        pixels, numbers, few = pixels_of(images), array(coefficients), tables.few
        packed = numbers if few is not None else _packed(tables, sites, numbers)
        parts, pieces = work.backward(packed.nbytes)
        d_out = array(grad).reshape(*grad.shape[:3], -1)
        d_images = Sum(pieces if wanted[0] else 0, pixels.shape, coefficients.dtype)
        d_packed = Sum(parts if wanted[1] else 0, packed.shape, coefficients.dtype)
        into = d_out, d_packed.parts, d_images.parts
        if few is not None:
            launch(_sparse.backward, parts, pixels, packed, few, sites, readers, pieces, *into)
        else:
            every = _packed_all(tables, sites, numbers, wanted[0])
            launch(_dense.backward, parts, pixels, packed, every, tables.tiles, sites, readers, pieces, *into)
        to_images = to_coefficients = None
        if wanted[0]:
            to_images = d_images.total().reshape(images.shape).to(images.dtype)
        if wanted[1] and few is not None:
            to_coefficients = d_packed.total()
        elif wanted[1]:
            to_coefficients = torch.zeros(coefficients.shape, dtype=coefficients.dtype)
            unpack(array(d_packed.total()), tables.tiles, sites.right, array(to_coefficients))
        return to_images, to_coefficients


def _shapes(
    tables: PolynomialTables, images: Tensor, coefficients: Tensor
) -> tuple[SiteTables, Readers, tuple[int, ...], WindowWork]:
    """The encoding, what windows read, places along each axis, and how much there is to do."""
    assert tables.features is not None
    size, sites, few = tuple(images.shape[2:]), tables.features.sites, tables.few
    readers = tables.readers(images.shape[1], size)
    groups, _, channels, _ = coefficients.shape
    if few is None:
        products = ROWS * len(tables.tiles.right) * groups * channels
    else:
        products = 4 * (len(few.nodes) + len(few.terms))
    n_places = len(readers.places)
    return sites, readers, tables.grid.places(size), WindowWork(len(images), groups, n_places, products * n_places)


def _packed(tables: PolynomialTables, sites: SiteTables, coefficients: Floats) -> Floats:
    groups, _, channels, _ = coefficients.shape
    packed = np.zeros((groups, channels, len(tables.tiles.right), ROWS), coefficients.dtype)
    pack(coefficients, tables.tiles, sites.right, packed)
    return packed


def _packed_all(tables: PolynomialTables, sites: SiteTables, coefficients: Floats, wanted: bool) -> Floats:
    groups, _, channels, _ = coefficients.shape
    entries, rows = len(tables.tiles.all_right), ROWS * len(tables.tiles.outputs)
    packed = np.zeros((groups if wanted else 0, channels, entries, rows), coefficients.dtype)
    if wanted:
        pack_all(coefficients, tables.tiles, sites.right, packed)
    return packed


kernel = Polynomial()

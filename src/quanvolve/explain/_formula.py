"""Closed forms: a compiled filter written out as a trigonometric polynomial of the window's pixels."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import factor_text, value_texts

if TYPE_CHECKING:
    from quanvolve.compile import Recipe, Site
    from quanvolve.nn import QuanvNd


def layer_formula(layer: QuanvNd, channel: int | None, *, digits: int, tolerance: float) -> str:
    """The text behind :meth:`quanvolve.Quanv2d.formula`, which documents it."""
    if channel is None:
        lines = (layer_formula(layer, c, digits=digits, tolerance=tolerance) for c in range(layer.out_channels))
        return "\n".join(lines)
    if not 0 <= channel < layer.out_channels:
        raise QuanvolveError(f"`channel` (={channel}) must be in 0 to {layer.out_channels - 1}")
    coefficients = layer.polynomial()
    group, output = divmod(channel, layer.out_channels // layer.groups)
    recipe = layer.recipe
    per_group = layer.in_channels // layer.groups
    scales = _scales(layer)
    pixels = layer.geometry.window_size
    terms: list[tuple[float, str]] = []
    for mixed, row in enumerate(coefficients[group, output]):
        first = (group * per_group + mixed) * pixels
        count = recipe.circuit.n_inputs
        terms += _terms(recipe, row, scales[first : first + count], first, tolerance)
    if layer.bias is not None:
        terms.append((float(layer.bias[channel].detach()), ""))
    return f"ch{channel} = {_join(terms, digits, tolerance)}"


def _scales(layer: QuanvNd) -> list[float]:
    """The factor of every pixel, numbered channel, row, column over all input channels."""
    shape = (layer.in_channels, *layer.geometry.kernel_size)
    if not isinstance(layer.scale, Tensor):
        return [layer.scale] * math.prod(shape)
    return [float(value) for value in layer.scale.detach().expand(shape).flatten()]


def _terms(
    recipe: Recipe, row: Tensor, scales: list[float], first: int, tolerance: float
) -> Iterator[tuple[float, str]]:
    threshold = recipe.circuit.threshold
    derived = _derived(recipe, scales, first)
    factors = [_site_factors(site, scales, first, threshold, derived) for site in recipe.sites]
    names = itertools.product(*factors)
    found = []
    for coefficient, name in zip(row.tolist(), names, strict=True):
        if abs(coefficient) > tolerance:
            parts = [part for part in name if part]
            found.append((len(parts), coefficient, " ".join(parts)))
    found.sort(key=lambda entry: entry[0])
    for _, coefficient, text in found:
        yield coefficient, text


def _derived(recipe: Recipe, scales: list[float], first: int) -> list[str]:
    """The values of the circuit's program as texts."""
    program = recipe.circuit.program
    if program is None:
        return []
    return value_texts(program, [f"{factor_text(scale)}x{first + i}" for i, scale in enumerate(scales)], {})


def _site_factors(
    site: Site, scales: list[float], first: int, threshold: float | None, derived: list[str]
) -> list[str]:
    """The text of each of a site's functions: products of cosines and sines, the first reader fastest."""
    texts = [_angle(angle, scales, first, threshold, derived) for angle in site.angles]
    found = []
    for column in site.columns:
        digits = [(column // 3**r) % 3 for r in range(len(texts))]
        parts = [f"{('', 'cos', 'sin')[d]}({text})" for d, text in zip(digits, texts, strict=True) if d]
        found.append(" ".join(parts))
    return found


def _angle(
    terms: tuple[tuple[int, float], ...], scales: list[float], first: int, threshold: float | None, derived: list[str]
) -> str:
    parts: list[tuple[float, str]] = []
    for index, coefficient in terms:
        if index >= len(scales):
            parts.append((coefficient, derived[index - len(scales)]))
        elif threshold is None:
            parts.append((coefficient * scales[index], f"x{first + index}"))
        else:
            limit = threshold / scales[index] if scales[index] else math.inf
            sign = ">" if scales[index] >= 0 else "<"
            parts.append((coefficient, f"[x{first + index} {sign} {limit:g}]"))
    text = ""
    for factor, name in parts:
        glue = " - " if factor < 0 else " + "
        text += (glue if text else "-" if factor < 0 else "") + f"{factor_text(abs(factor))}{name}"
    return text


def _join(terms: list[tuple[float, str]], digits: int, tolerance: float) -> str:
    text = ""
    least = max(tolerance, 0.5 * 10**-digits)  # what would print as zero is not printed
    for coefficient, name in terms:
        if abs(coefficient) < least:
            continue
        number = f"{abs(coefficient):.{digits}f}"
        body = name if name and number == f"{1:.{digits}f}" else f"{number} {name}".rstrip()
        glue = " - " if coefficient < 0 else " + "
        text += (glue if text else "-" if coefficient < 0 else "") + body
    return text or "0"
